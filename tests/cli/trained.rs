//! Runs that many tests share: trained once, kept in memory.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::inputs;
use crate::scene::Scene;

/// The files of a finished run, by name.
type Run = BTreeMap<String, Vec<u8>>;

/// A thousand images on `faces`.
static FACES: LazyLock<Run> = LazyLock::new(|| {
    let scene = Scene::new();
    inputs::faces(&scene);
    scene.r3gan("train --data faces --out run --kimg 1 TINY --device cpu").done();
    files(&scene)
});

/// A thousand images on `classes.zip`, with its labels.
static CLASSES: LazyLock<Run> = LazyLock::new(|| {
    let scene = Scene::new();
    inputs::labelled_zip(&scene);
    scene.r3gan("train --data classes.zip --cond --out run --kimg 1 TINY --device cpu").done();
    files(&scene)
});

fn files(scene: &Scene) -> Run {
    let of_run = |(name, bytes): (String, Vec<u8>)| Some((name.strip_prefix("run/")?.to_owned(), bytes));
    scene.files().into_iter().filter_map(of_run).collect()
}

pub fn model() -> &'static [u8] {
    &FACES["model-000001.safetensors"]
}

pub fn checkpoint() -> &'static [u8] {
    &FACES["checkpoint-000001.safetensors"]
}

pub fn conditional_model() -> &'static [u8] {
    &CLASSES["model-000001.safetensors"]
}

/// Puts the finished run on `faces` into `folder`.
pub fn faces_run(scene: &Scene, folder: &str) {
    for (name, bytes) in &*FACES {
        scene.write(&format!("{folder}/{name}"), bytes);
    }
}
