//! `r3gan dataset`: check, convert and show, and that training takes what was converted.

use image::GenericImageView;

use crate::inputs::{
    cifar, cifar_python, deep_png, faces, grey_png, idx, labelled_zip, oblong_png, png, tar_gz,
    transparent_png,
};
use crate::scene::Scene;

/// The picture and the labels in a zip, by name.
fn unpacked(scene: &Scene, name: &str) -> (Vec<(String, image::DynamicImage)>, serde_json::Value) {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(scene.read(name))).expect("a zip");
    let mut pictures = Vec::new();
    let mut labels = serde_json::Value::Null;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("an entry");
        assert_eq!(file.compression(), zip::CompressionMethod::Stored);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).expect("its bytes");
        let name = file.name().expect("a name").to_string();
        match name.as_str() {
            "dataset.json" => labels = serde_json::from_slice(&bytes).expect("JSON"),
            _ => pictures.push((name, image::load_from_memory(&bytes).expect("a PNG"))),
        }
    }
    (pictures, labels)
}

#[test]
fn a_whole_data_set_is_found_good() {
    let scene = Scene::new();
    labelled_zip(&scene);
    let found = scene.r3gan("dataset check classes.zip").done();
    for words in ["12 in classes.zip", "8x8, colour: 12", "3 classes: 0 (4), 1 (4), 2 (4)", "nothing"] {
        assert!(found.stdout.contains(words), "{found:?}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&scene.r3gan("dataset check classes.zip --json").done().stdout).expect("JSON");
    assert_eq!((&json["count"], &json["classes"]), (&12.into(), &serde_json::json!([4, 4, 4])));
}

#[test]
fn every_bad_file_is_named() {
    let scene = Scene::new();
    faces(&scene);
    scene.write("faces/a-cut.png", &png(8)[..60]);
    scene.write("faces/b-oblong.png", oblong_png(8, 7));
    scene.write("faces/c-grey.png", grey_png(8));
    scene.write("faces/d-large.png", png(16));
    scene.write("faces/e-text.jpg", "no picture");
    scene.write("faces/f-transparent.png", transparent_png(8));
    scene.write("faces/g-deep.png", deep_png(8));
    scene.write("faces/dataset.json", r#"{"labels": [["00.png", 1]]}"#);
    let found = scene.r3gan("dataset check faces");
    assert_eq!(found.status.code(), Some(3), "{found:?}");
    assert!(found.stdout.contains("8, named below"), "{found:?}");
    let lines: Vec<&str> = found.stderr.lines().collect();
    for (line, says) in lines.iter().zip([
        "faces/a-cut.png: cannot be decoded",
        "faces/b-oblong.png: is 8x7 pixels; `dataset convert --fit`",
        "faces/c-grey.png: is grey where most are colour",
        "faces/d-large.png: is 16x16 where most are 8x8",
        "faces/e-text.jpg: is not a picture",
        "faces/f-transparent.png: has transparent pixels",
        "faces/g-deep.png: has more than 8 bits",
        "faces/dataset.json: has no label for 01.png",
    ]) {
        assert!(line.starts_with("error: ") && line.contains(says), "{line} does not say {says}");
    }
    assert_eq!(lines.len(), 8, "{found:?}");
}

#[test]
fn bad_files_are_left_out_if_asked() {
    let scene = Scene::new();
    faces(&scene);
    scene.write("faces/a-cut.png", &png(8)[..60]);
    scene.write("faces/d-large.png", png(16));
    // The first good one decides.
    let done = scene.r3gan("dataset convert faces --out good.zip --skip-bad").done();
    assert!(done.stdout.contains("16 pictures of 8x8, colour, no labels, 2 left out"), "{done:?}");
    assert!(done.stderr.contains("warning: left out: faces/a-cut.png"), "{done:?}");
    scene.r3gan("dataset check good.zip").done();
    assert_eq!(unpacked(&scene, "good.zip").1, serde_json::json!({ "labels": null }));
}

#[test]
fn any_picture_becomes_what_is_asked_for() {
    let scene = Scene::new();
    scene.write("mixed/cat/a.png", oblong_png(30, 20));
    scene.write("mixed/cat/b.png", grey_png(9));
    scene.write("mixed/dog/c.png", transparent_png(8));
    scene.write("mixed/ant/d.png", deep_png(64));
    let line = "dataset convert mixed --out set.zip --size 16 --fit crop --colours colour --background #ff0000 \
                --labels folders";
    let done = scene.r3gan(line).done();
    assert!(done.stdout.contains("4 pictures of 16x16, colour, 3 classes (ant, cat, dog)"), "{done:?}");
    let (pictures, json) = unpacked(&scene, "set.zip");
    let names: Vec<&str> = pictures.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[0], "00000/img00000000.png");
    assert!(pictures.iter().all(|(_, p)| p.dimensions() == (16, 16) && p.color() == image::ColorType::Rgb8));
    let class = |i: usize| json["labels"][i][1].as_u64();
    assert_eq!([class(0), class(1), class(2), class(3)], [Some(0), Some(1), Some(1), Some(2)]);
    assert_eq!(json["classes"], serde_json::json!(["ant", "cat", "dog"]));
    // The first pixel of the transparent picture has alpha 3: the ground shows through.
    let ground = pictures[3].1.to_rgb8().get_pixel(0, 0).0;
    assert!(ground[0] > 200 && ground[1] < 60, "{ground:?}");

    scene.r3gan("dataset show set.zip --out sheet.png --columns 3").done();
    let sheet = image::load_from_memory(&scene.read("sheet.png")).expect("a PNG");
    assert_eq!(sheet.dimensions(), (32, 48), "a row for each of three classes, as wide as the largest");
}

#[test]
fn mnist_and_cifar_become_zips_that_train_the_same() {
    let scene = Scene::new();
    scene.write("digits/train-images-idx3-ubyte", idx(&[40, 6, 6], 40 * 36));
    scene.write("digits/train-labels-idx1-ubyte", idx(&[40], 40));
    let done =
        scene.r3gan("dataset convert digits --out digits.zip --size 8 --fit pad --max-images 30").done();
    assert!(done.stdout.contains("30 pictures of 8x8, grey, labels of length 8"), "{done:?}");
    let (pictures, json) = unpacked(&scene, "digits.zip");
    let grey = pictures[0].1.to_luma8();
    assert_eq!((grey.get_pixel(0, 0).0, grey.get_pixel(1, 1).0), ([0], [7]), "a black frame, no scaling");
    assert_eq!(json["labels"][29][1], 7);
    scene.r3gan("train --data digits.zip --cond --out run TINY --device cpu --tick 1 --kimg 1").done();

    scene.write("cifar/data_batch_1.bin", cifar(&[3, 1, 4]));
    let done = scene.r3gan("dataset convert cifar --out cifar.zip").done();
    assert!(done.stdout.contains("3 pictures of 32x32, colour, labels of length 5"), "{done:?}");
    assert_eq!(unpacked(&scene, "cifar.zip").1["labels"][2], serde_json::json!(["00000/img00000002.png", 4]));
}

#[test]
fn the_python_version_of_cifar_is_the_same_data_set_in_every_form() {
    let scene = Scene::new();
    let mut files = cifar_python([&[3, 1], &[4], &[1, 5], &[9], &[2]]);
    scene.write("cifar/batches.meta", "what else lies there");
    scene.write("cifar/test_batch", "is passed over");
    files.iter().for_each(|(name, bytes)| scene.write(&format!("cifar/{name}"), bytes));
    files.push(("readme.html".into(), b"<html>".to_vec()));
    scene.write("cifar-10-python.tar.gz", tar_gz(&files));
    for source in ["cifar", "cifar-10-python.tar.gz"] {
        let found = scene.r3gan(&format!("dataset check {source}")).done();
        assert!(found.stdout.contains("32x32, colour: 7"), "{found:?}");
        let line = format!("dataset convert {source} --out set.zip");
        assert!(scene.r3gan(&line).done().stdout.contains("7 pictures of 32x32, colour, labels"));
        let (pictures, json) = unpacked(&scene, "set.zip");
        let labels: Vec<u64> = (0..7).map(|i| json["labels"][i][1].as_u64().expect("a label")).collect();
        assert_eq!(labels, [3, 1, 4, 1, 5, 9, 2]);
        // Planes become pixels; the fourth is the first of batch 3.
        assert_eq!(pictures[3].1.to_rgb8().get_pixel(5, 2).0, [69 ^ 3; 3]);
    }
    let one = scene.r3gan("dataset check cifar/data_batch_3").done();
    assert!(one.stdout.contains("32x32, colour: 2"), "{one:?}");
    scene.r3gan("dataset show cifar-10-python.tar.gz --out sheet.png --columns 2").done();
    let dry = "train --data cifar-10-python.tar.gz --cond --out run --preset demo-32 --device cpu --dry-run \
               --set network.architecture.widths=[8,8,8,8] --set network.architecture.cardinality=[4,4,4,4]";
    let foretold = scene.r3gan(dry).done();
    assert!(foretold.stdout.contains("# data: 7 samples, 10 classes"), "{foretold:?}");
}
