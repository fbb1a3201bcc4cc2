//! Data sets that cannot be checked, converted or shown.

use super::{INPUT, OUTPUT, USAGE, check, row};
use crate::inputs::{faces, grey_png, idx, labelled_zip, oblong_png, png, transparent_png};

const CONVERT: &str = "dataset convert faces --out set.zip";

#[test]
fn data_sets_that_cannot_be_converted() {
    check(&[
        row("nothing there", |_| {}, CONVERT, INPUT, "faces: does not exist"),
        row("no pictures", |s| s.write("faces/a.txt", "text"), CONVERT, INPUT, "faces: holds no pictures"),
        row("points", |_| {}, "dataset convert ring8 --out set.zip", INPUT, "ring8: holds points"),
        row("points checked", |_| {}, "dataset check ring8", INPUT, "ring8: holds points"),
        row("points shown", |_| {}, "dataset show ring8 --out a.png", USAGE, "data set: holds points"),
        row("not a zip to write", faces, "dataset convert faces --out set", USAGE, "--out: names a zip"),
        row(
            "no place to write",
            faces,
            "dataset convert faces --out no/set.zip",
            OUTPUT,
            "no/set.zip: cannot",
        ),
        row("no size", faces, "dataset convert faces --out set.zip --size 0", USAGE, "--size"),
        row("a negative size", faces, "dataset convert faces --out set.zip --size -4", USAGE, "--size"),
        row(
            "a colour without a name",
            faces,
            "dataset convert faces --out set.zip --background pink",
            USAGE,
            "'pink'",
        ),
        row(
            "a colour of five digits",
            faces,
            "dataset convert faces --out set.zip --background #12345",
            USAGE,
            "#12345",
        ),
        row(
            "folders that are not there",
            faces,
            "dataset convert faces --out set.zip --labels folders",
            INPUT,
            "faces/00.png: lies in no folder",
        ),
        row(
            "an oblong picture",
            |s| {
                faces(s);
                s.write("faces/07.png", oblong_png(8, 7));
            },
            CONVERT,
            INPUT,
            "faces/07.png: is 8x7 pixels; --fit",
        ),
        row(
            "a picture of another size",
            |s| {
                faces(s);
                s.write("faces/07.png", png(9));
            },
            CONVERT,
            INPUT,
            "faces/07.png: is 9x9 where the first is 8x8; --size",
        ),
        row(
            "a grey picture",
            |s| {
                faces(s);
                s.write("faces/07.png", grey_png(8));
            },
            CONVERT,
            INPUT,
            "faces/07.png: is grey where the first is colour; --colours",
        ),
        row(
            "a transparent picture",
            |s| {
                faces(s);
                s.write("faces/07.png", transparent_png(8));
            },
            CONVERT,
            INPUT,
            "faces/07.png: has transparent pixels; --background",
        ),
        row(
            "IDX labels of another set",
            |s| {
                s.write("data/train-images-idx3-ubyte", idx(&[4, 8, 8], 256));
                s.write("data/train-labels-idx1-ubyte", idx(&[5], 5));
            },
            "dataset convert data --out set.zip",
            INPUT,
            "data/train-labels-idx1-ubyte: holds 5 labels for 4 pictures",
        ),
        row(
            "a zip over itself",
            labelled_zip,
            "dataset convert classes.zip --out classes.zip",
            USAGE,
            "--out: is classes.zip itself",
        ),
        row(
            "a sheet over its data",
            labelled_zip,
            "dataset show classes.zip --out classes.zip",
            USAGE,
            "--out: is classes.zip itself",
        ),
        row(
            "a broken dataset.json",
            |s| {
                faces(s);
                s.write("faces/dataset.json", "{");
            },
            CONVERT,
            INPUT,
            "faces/dataset.json: is not",
        ),
        row(
            "nothing that can be used",
            |s| s.write("faces/a.png", "no picture"),
            "dataset convert faces --out set.zip --skip-bad",
            INPUT,
            "faces: holds no picture that can be used",
        ),
        row(
            "a zip cut short",
            |s| s.write("set.zip", "PK\x03\x04 and no more"),
            "dataset check set.zip",
            INPUT,
            "set.zip: is not a zip that can be read",
        ),
    ]);
}
