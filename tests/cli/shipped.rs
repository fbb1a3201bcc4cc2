//! What ships with the page: each model and data set of `www/catalog.json` opens and is what the catalog says.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scene::Scene;

fn www() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../www")
}

fn bytes(path: &Value) -> Vec<u8> {
    let path = www().join(path.as_str().expect("a path"));
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn catalog(key: &str) -> Vec<Value> {
    let text = fs::read_to_string(www().join("catalog.json")).expect("a catalog");
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(whole[key].take()).expect("a list")
}

#[test]
fn models_draw_their_posters() {
    for entry in catalog("models") {
        let scene = Scene::new();
        scene.write("model.safetensors", bytes(&entry["file"]));
        let info = scene.r3gan("info model.safetensors --json").done().stdout;
        let info: Value = serde_json::from_str(&info).expect("one JSON object");
        assert_eq!((&info["kind"], &info["precision"]), (&"model".into(), &"f16".into()), "{entry}");
        for (told, here) in [("bytes", &info["bytes"]), ("sha256", &info["sha256"])] {
            assert_eq!(&entry[told], here, "{entry}");
        }
        assert_eq!(entry["classes"], info["network"]["classes"], "{entry}");

        let class = if entry["classes"] == 0 { "" } else { "--class 0" };
        let seeds: Vec<u32> = serde_json::from_value(entry["posterSeeds"].clone()).expect("seeds");
        let list = seeds.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        scene
            .r3gan(&format!("sample --network model.safetensors --seeds {list} {class} --out s --device cpu"))
            .done();
        let poster = image::load_from_memory(&bytes(&entry["poster"])).expect("a picture").into_rgb8();
        let [columns, side] = ["posterColumns", "side"].map(|key| entry[key].as_u64().expect(key) as u32);
        for (n, seed) in (0..).zip(seeds) {
            let sample = scene.read(&format!("s/seed{seed:04}.png"));
            let sample = image::load_from_memory(&sample).expect("a picture").into_rgb8();
            assert_eq!(sample.dimensions(), (side, side), "{entry}");
            let (left, top) = (n % columns * side, n / columns * side);
            for (x, y, pixel) in sample.enumerate_pixels() {
                let there = poster.get_pixel(left + x, top + y).0;
                // Processors add in other orders, and a fraction that is cut off may fall on the other side.
                let near = pixel.0.iter().zip(there).all(|(&a, b)| a.abs_diff(b) <= 1);
                assert!(near, "seed {seed} at {x}, {y}: {pixel:?}, poster {there:?}");
            }
        }
    }
}

#[test]
fn data_sets_open_with_their_presets() {
    for set in catalog("datasets") {
        let scene = Scene::new();
        let files: Vec<Value> = serde_json::from_value(set["files"].clone()).expect("files");
        for file in &files {
            scene.write(&format!("data/{}", file["name"].as_str().expect("a name")), bytes(&file["url"]));
        }
        let data = match files.as_slice() {
            [zip] => format!("data/{}", zip["name"].as_str().expect("a name")),
            _ => "data".into(),
        };
        let labels = if set["labels"] == true { "--cond" } else { "" };
        let preset = set["preset"].as_str().expect("a preset");
        let line = format!("train --data {data} --preset {preset} {labels} --out run --device cpu --dry-run");
        let told = scene.r3gan(&line).done().stdout;
        let samples = format!("# data: {} samples, ", set["items"]);
        assert!(told.contains(&samples), "{set}: {told}");
        assert_eq!(told.contains(&format!("{samples}0 classes")), set["labels"] == false, "{set}: {told}");
    }
}
