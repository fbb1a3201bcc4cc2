//! Kernels that are chosen by measuring them, on a GPU: software will do.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::scene::Scene;

const SAMPLING: &str = "bench --preset points --what sample --batch 4 --runs 1 --warmup 0 --device vulkan";

#[test]
fn measured_kernels_are_kept_for_the_next_process() {
    let scene = Scene::new();
    let told = scene.r3gan(&format!("{SAMPLING} --tune --json")).done().stdout;
    let lines: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    let parts: Vec<_> = lines[1..].iter().map(|line| line["what"].as_str().expect("a name")).collect();
    let (measured, after) = parts[1..].split_at(parts.len() - 3);
    assert_eq!((parts[0], after), ("sample", &["tuned", "sample"][..]), "{told}");
    assert!(!measured.is_empty() && measured.iter().all(|what| *what == "tune"), "{told}");
    let mut replaced = 0;
    for line in lines.iter().filter(|line| line["what"] == "tune") {
        let [table, kernel] = ["table_s", "kernel_s"].map(|key| line[key].as_f64().expect("seconds"));
        assert!(kernel > 0.0 && kernel <= table, "{line}");
        replaced += u64::from(line["table"] != line["kernel"]);
    }
    let tuned = &lines[lines.len() - 2];
    assert_eq!(tuned["sizes"], replaced);
    let path = Path::new(tuned["file"].as_str().expect("a path"));
    assert!(path.starts_with(scene.cache()), "{told}");

    let silent = |scene: &Scene| assert_eq!(scene.r3gan(SAMPLING).done().stderr, "");
    silent(&scene);
    let whole = fs::read_to_string(path).expect("what was kept");
    for (text, reason) in [
        (whole.replace(env!("CARGO_PKG_VERSION"), "0.0.7"), "was measured by another version, 0.0.7"),
        (whole.replace("vulkan ", "vulkan G"), "was measured on another device, vulkan G"),
        (whole[..whole.len() / 2].to_owned(), "is not what `r3gan bench --tune` writes"),
        (" ".repeat(2 << 20), "is larger than"),
    ] {
        fs::write(path, text).expect("it can be replaced");
        let told = scene.r3gan(SAMPLING).done().stderr;
        assert!(told.contains(reason) && told.contains(&path.display().to_string()), "{told}");
        assert!(told.starts_with("warning: ") && told.lines().count() == 1, "{told}");
    }
    // What no network asks for stays what it is, whatever it says.
    let strange = r#""convolutions":[[{"format":"F32","batch":0,"height":0,"width":0,"channels":8,"groups":0,
        "finishes":true},"strips"]]"#;
    let with_strange = whole.replace(r#""convolutions":[]"#, strange);
    assert_ne!(with_strange, whole);
    fs::write(path, with_strange).expect("it can be replaced");
    silent(&scene);
    scene.r3gan(&format!("{SAMPLING} --tune")).done();
    silent(&scene);
    // Known, and so kept beside what was measured now.
    let kept = fs::read_to_string(path).expect("what was kept");
    assert!(kept.contains(r#""groups":0"#), "{kept}");
    // Sampling looks there too, and a file does not write to the terminal.
    fs::write(path, whole.replace(env!("CARGO_PKG_VERSION"), "\\u001b[2J\\n0.0.7"))
        .expect("it can be replaced");
    let model =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pictures_by_seed/model.safetensors");
    fs::copy(model, scene.path("model.safetensors")).expect("the fixture");
    let told = scene
        .r3gan("sample --network model.safetensors --seeds 0 --out one.png --device vulkan")
        .done()
        .stderr;
    let line = told.lines().find(|line| line.starts_with("warning: ")).expect("a warning");
    assert!(line.contains(r"another version, \u{1b}[2J\n0.0.7; "), "{told}");
}
