//! Data sets that cannot be trained on.

use super::{INPUT, USAGE, check, row};
use crate::inputs::{
    cifar, deep_png, faces, grey_png, gz, idx, lying_zip, oblong_png, png, png_claiming, transparent_png, zip,
};
use crate::scene::Scene;

const TRAIN: &str = "train --data data --out run TINY --device cpu";
const TRAIN_CLASSES: &str = "train --data data --cond --out run TINY --device cpu";
const TRAIN_ZIP: &str = "train --data set.zip --out run TINY --device cpu";
const IDX: &str = "data/train-images-idx3-ubyte";
const IDX_GZ: &str = "data/train-images-idx3-ubyte.gz";
const IDX_LABELS: &str = "data/train-labels-idx1-ubyte";
const BATCH: &str = "data/data_batch_1.bin";

#[test]
fn idx_files() {
    check(&[
        row(
            "IDX cut short",
            |s| s.write(IDX, &idx(&[4, 8, 8], 256)[..100]),
            TRAIN,
            INPUT,
            "data/train-images-idx3-ubyte: has 100 bytes where its header promises 272",
        ),
        row("IDX of labels as images", |s| s.write(IDX, idx(&[64], 64)), TRAIN, INPUT, "3 dimensions (magic"),
        row("empty IDX", |s| s.write(IDX, []), TRAIN, INPUT, "idx3-ubyte: is cut short"),
        row(
            "IDX of no pictures",
            |s| s.write(IDX, idx(&[0, 8, 8], 0)),
            TRAIN,
            INPUT,
            "idx3-ubyte: its header",
        ),
        row("IDX of oblong pictures", |s| s.write(IDX, idx(&[4, 8, 6], 192)), TRAIN, INPUT, "6x8 pixels"),
        row(
            "labels of another set",
            |s| {
                s.write(IDX, idx(&[4, 8, 8], 256));
                s.write(IDX_LABELS, idx(&[5], 5));
            },
            TRAIN_CLASSES,
            INPUT,
            "data/train-labels-idx1-ubyte: holds 5 labels for 4 pictures",
        ),
        row(
            "--cond without the file of labels",
            |s| s.write(IDX, idx(&[4, 8, 8], 256)),
            TRAIN_CLASSES,
            INPUT,
            "put train-labels-idx1-ubyte there",
        ),
        row(
            ".gz cut short",
            |s| {
                let packed = gz(&idx(&[4, 8, 8], 256));
                s.write(IDX_GZ, &packed[..packed.len() - 9]);
            },
            TRAIN,
            INPUT,
            "data/train-images-idx3-ubyte.gz: cannot be unpacked",
        ),
        row(
            ".gz with more than its header says",
            |s| s.write(IDX_GZ, gz(&idx(&[4, 8, 8], 1_000_000))),
            TRAIN,
            INPUT,
            "idx3-ubyte.gz: unpacks to more bytes than the 272",
        ),
        row(
            ".gz whose header promises terabytes",
            |s| s.write(IDX_GZ, gz(&idx(&[u32::MAX, 28, 28], 100))),
            TRAIN,
            INPUT,
            "idx3-ubyte.gz: its header promises",
        ),
    ]);
}

#[test]
fn zips_and_cifar() {
    check(&[
        row(
            "zip cut short",
            |s| {
                let whole = zip(&[("a.png".into(), png(8))]);
                s.write("set.zip", &whole[..whole.len() / 2]);
            },
            TRAIN_ZIP,
            INPUT,
            "set.zip: is not a zip that can be read",
        ),
        row("empty zip file", |s| s.write("set.zip", []), TRAIN_ZIP, INPUT, "set.zip: is not a zip"),
        row(
            "zip without pictures",
            |s| s.write("set.zip", zip(&[("notes.txt".into(), b"hello".to_vec())])),
            TRAIN_ZIP,
            INPUT,
            "set.zip: holds no pictures",
        ),
        row(
            "zip entry listed as gigabytes",
            |s| s.write("set.zip", lying_zip(u32::MAX - 1)),
            TRAIN_ZIP,
            INPUT,
            "set.zip/a.png: has 4294967294 bytes",
        )
        .leaving(&["run/options.toml"]),
        row(
            "zip entry listed smaller than it is",
            |s| s.write("set.zip", lying_zip(150)),
            TRAIN_ZIP,
            INPUT,
            "set.zip/a.png: ",
        )
        .leaving(&["run/options.toml"]),
        row(
            "zip entry that is damaged",
            |s| {
                let mut bytes = zip(&[("a.png".into(), png(8))]);
                bytes[45..60].fill(0xff);
                s.write("set.zip", bytes);
            },
            TRAIN_ZIP,
            INPUT,
            "set.zip/a.png: cannot be read",
        ),
        row(
            "CIFAR-10 file of broken length",
            |s| s.write(BATCH, vec![0; 3072]),
            TRAIN,
            INPUT,
            "data/data_batch_1.bin: has 3072 bytes",
        ),
        row(
            "CIFAR-10 label out of range",
            |s| s.write(BATCH, cifar(&[1, 11])),
            TRAIN,
            INPUT,
            "data/data_batch_1.bin: record 1 has label 11",
        ),
    ]);
}

#[test]
fn pictures() {
    fn beside(s: &Scene, bytes: impl AsRef<[u8]>) {
        s.write("data/a.png", png(8));
        s.write("data/b.png", bytes);
    }
    check(&[
        row("30x31 picture", |s| beside(s, oblong_png(30, 31)), TRAIN, INPUT, "data/b.png: is 30x31 pixels"),
        row("grey among colour", |s| beside(s, grey_png(8)), TRAIN, INPUT, "data/b.png: is grey where a.png"),
        row(
            "two sizes",
            |s| beside(s, png(16)),
            TRAIN,
            INPUT,
            "data/b.png: is 16x16 pixels where a.png is 8x8",
        ),
        row(
            "16 bits a channel",
            |s| beside(s, deep_png(8)),
            TRAIN,
            INPUT,
            "data/b.png: has pixels of type Rgb16",
        ),
        row(
            "transparent",
            |s| beside(s, transparent_png(8)),
            TRAIN,
            INPUT,
            "data/b.png: has transparent pixels",
        ),
        row("PNG without pixels", |s| beside(s, &png(8)[..30]), TRAIN, INPUT, "data/b.png: is not a picture"),
        row("empty PNG", |s| beside(s, []), TRAIN, INPUT, "data/b.png: is not a picture"),
        row("text named .png", |s| beside(s, "hello"), TRAIN, INPUT, "data/b.png: is not a picture"),
        row(
            "PNG that claims 100000x100000",
            |s| beside(s, png_claiming(100_000)),
            TRAIN,
            INPUT,
            "b.png: is 100000x",
        ),
        row(
            "PNG cut in its pixels",
            |s| {
                let whole = png(8);
                beside(s, &whole[..whole.len() - 40]);
            },
            TRAIN,
            INPUT,
            "data/b.png: cannot be decoded",
        )
        .leaving(&["run/options.toml"]),
        row(
            "pictures larger than the networks'",
            |s| s.write("data/a.png", png(64)),
            "train --data data --preset demo-32 --out run --device cpu",
            INPUT,
            "data: pictures of 64x64 cannot be padded evenly to 32x32",
        ),
        row(
            "uneven padding",
            |s| s.write("data/a.png", png(7)),
            TRAIN,
            INPUT,
            "data: pictures of 7x7 cannot be",
        ),
    ]);
}

#[test]
fn labels() {
    fn listed(s: &Scene, json: &str) {
        s.write("data/a.png", png(8));
        s.write("data/b.png", png(8));
        s.write("data/dataset.json", json);
    }
    let says = |name, prepare: fn(&Scene), says| row(name, prepare, TRAIN_CLASSES, INPUT, says);
    check(&[
        says("cut JSON", |s| listed(s, "{\"labels\": ["), "data/dataset.json: is not {"),
        says(
            "a picture not listed",
            |s| listed(s, r#"{"labels": [["a.png", 0]]}"#),
            "has no label for b.png",
        ),
        says(
            "a negative label",
            |s| listed(s, r#"{"labels": [["a.png", 0], ["b.png", -1]]}"#),
            "data/dataset.json: the label of b.png is -1",
        ),
        says(
            "a label that is no number",
            |s| listed(s, r#"{"labels": [["a.png", "cat"], ["b.png", 1]]}"#),
            "data/dataset.json: the label of a.png is \"cat\"",
        ),
        says(
            "numbers and lists",
            |s| listed(s, r#"{"labels": [["a.png", 0], ["b.png", [0, 1]]]}"#),
            "data/dataset.json: mixes",
        ),
        says("--cond without labels", faces_as_data, "data: has no labels; add a dataset.json"),
    ]);
}

fn faces_as_data(s: &Scene) {
    s.write("data/a.png", png(8));
}

#[test]
fn places_without_data() {
    fn nothing(_: &Scene) {}
    let missing = row("a missing path", nothing, TRAIN, INPUT, "data: does not exist");
    check(&[
        missing,
        row("a folder of text", |s| s.write("data/a.txt", "hello"), TRAIN, INPUT, "data: holds no pictures"),
        row(
            "a file that is no data set",
            |s| s.write("data", "hello"),
            TRAIN,
            INPUT,
            "data: is not a data set",
        ),
        row(
            "an empty folder",
            |s| std::fs::create_dir(s.path("data")).expect("a folder"),
            TRAIN,
            INPUT,
            "data: holds no pictures",
        ),
        row(
            "a device instead of a file",
            nothing,
            "train --data /dev/null --out run TINY --device cpu",
            INPUT,
            "/dev/null: is not a regular file",
        ),
        row(
            "pictures for a preset of points",
            faces,
            "train --data faces --preset points --out run --device cpu",
            USAGE,
            "--preset: 'points' is for point sets",
        ),
        row(
            "points for a preset of pictures",
            nothing,
            "train --data ring8 --out run TINY --device cpu",
            USAGE,
            "--preset: 'demo-16' makes pictures",
        ),
        row(
            "points augmented",
            nothing,
            "train --data ring8 --augment 0.3 --preset points --out run --device cpu",
            USAGE,
            "augmentation: pictures can be augmented, points cannot",
        ),
        row(
            "points mirrored",
            nothing,
            "train --data ring8 --mirror --preset points --out run --device cpu",
            USAGE,
            "mirror: points have no mirror image",
        ),
    ]);
}
