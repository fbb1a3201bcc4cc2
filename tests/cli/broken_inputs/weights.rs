//! Models, checkpoints and files of latents that cannot be used.

use serde_json::json;

use super::{INPUT, Row, USAGE, check, row};
use crate::inputs::{faces, labelled_zip, png};
use crate::scene::Scene;
use crate::trained::{checkpoint, conditional_model, model};
use crate::weights::{Weights, changed, one_tensor};

const SAMPLE: &str = "sample --network model.safetensors --seeds 0,1 --out pictures --device cpu";
const RESUME: &str = "train --data faces --out run --resume old.safetensors --kimg 2 --device cpu";
const RESUME_AUTO: &str = "train --data faces --out run --resume auto --kimg 2 --device cpu";

/// Makes every value of the first tensor NaN.
fn poison(weights: &mut Weights) {
    let (_, _, data) = weights.tensors.values_mut().next().expect("a tensor");
    data.as_chunks_mut::<4>().0.fill(f32::NAN.to_le_bytes());
}

/// Takes a tensor away.
fn thin_out(weights: &mut Weights) {
    weights.tensors.pop_last();
}

/// Gives a tensor another shape of as many values.
fn flatten(weights: &mut Weights) {
    let (_, shape, data) = weights.tensors.values_mut().next().expect("a tensor");
    *shape = vec![1, data.len() / 4];
}

fn lying_about_its_size(bytes: &[u8], size: u64) -> Vec<u8> {
    [&size.to_le_bytes(), &bytes[8..]].concat()
}

#[test]
fn models() {
    fn with(s: &Scene, bytes: impl AsRef<[u8]>) {
        s.write("model.safetensors", bytes);
    }
    fn edited(s: &Scene, change: impl FnOnce(&mut Weights)) {
        with(s, changed(model(), change));
    }
    let sample = |name, prepare: fn(&Scene), says| row(name, prepare, SAMPLE, INPUT, says);
    check(&[
        sample("missing", |_| {}, "model.safetensors: does not exist"),
        sample(
            "a PNG",
            |s| with(s, png(8)),
            "model.safetensors: is not a safetensors file: it is a PNG picture",
        ),
        sample("empty", |s| with(s, []), "model.safetensors: is not a safetensors file: it is empty"),
        sample(
            "cut short",
            |s| with(s, &model()[..model().len() - 100]),
            "model.safetensors: is not a safetensors",
        ),
        sample("cut in its header", |s| with(s, &model()[..100]), "model.safetensors: is not a safetensors"),
        sample(
            "a header too long",
            |s| with(s, lying_about_its_size(model(), u64::MAX)),
            "is not a safetensors",
        ),
        sample(
            "a header longer than the file",
            |s| with(s, lying_about_its_size(model(), 90_000_000)),
            "is not a",
        ),
        sample("a header cut short", |s| with(s, lying_about_its_size(model(), 40)), "is not a safetensors"),
        sample("of another program", |s| with(s, one_tensor("x", &[1], &[0.0])), "was not written by r3gan"),
        sample("a missing tensor", |s| edited(s, thin_out), "model.safetensors: lacks the tensor '"),
        sample("a tensor of wrong shape", |s| edited(s, flatten), "has shape [1, "),
        sample("NaN weights", |s| edited(s, poison), "holds values that are not finite"),
        sample("a future format", |s| edited(s, |w| w.header["format"] = json!(999)), "has format 999"),
        sample(
            "an unknown kind",
            |s| edited(s, |w| w.header["kind"] = json!("dream")),
            "metadata that this version",
        ),
        sample(
            "no configuration",
            |s| edited(s, |w| w.header["network"] = json!(null)),
            "metadata that this version",
        ),
        sample(
            "absurd widths",
            |s| {
                edited(s, |w| {
                    w.header["network"]["architecture"]["widths"] = json!([1_000_000_000, 1_000_000_000])
                })
            },
            "model.safetensors: has a configuration that cannot be used",
        ),
        sample(
            "absurd latents",
            |s| edited(s, |w| w.header["network"]["latent"] = json!(u64::MAX)),
            "cannot be used",
        ),
        sample(
            "negative classes",
            |s| edited(s, |w| w.header["network"]["classes"] = json!(-1)),
            "metadata that",
        ),
        row(
            "a folder",
            faces,
            "sample --network faces --seeds 0 --out pictures --device cpu",
            INPUT,
            "faces: is a directory",
        ),
        row(
            "info of a PNG",
            faces,
            "info faces/00.png",
            INPUT,
            "faces/00.png: is not a safetensors file: it is a PNG",
        ),
        row("info of nothing", faces, "info nothing", INPUT, "nothing: does not exist"),
        row("info without end", |_| {}, "info /dev/zero", INPUT, "/dev/zero: is not a regular file"),
        row("info of NaN", |s| edited(s, poison), "info model.safetensors", INPUT, "not finite"),
        row(
            "info of half a file",
            |s| with(s, &model()[..3000]),
            "info model.safetensors --json",
            INPUT,
            "is not a saf",
        ),
    ]);
}

#[test]
fn samples() {
    fn plain(s: &Scene) {
        s.write("m.safetensors", model());
    }
    fn conditional(s: &Scene) {
        s.write("m.safetensors", conditional_model());
    }
    fn latents(s: &Scene, name: &str, shape: &[usize]) {
        plain(s);
        s.write("z.safetensors", one_tensor(name, shape, &vec![0.5; shape.iter().product()]));
    }
    let seeds = |name, line| row(name, plain, line, USAGE, "--seeds");
    let from_file = "sample --network m.safetensors --latents z.safetensors --out p --device cpu";
    check(&[
        seeds("a range backwards", "sample --network m.safetensors --seeds 5-2 --out p --device cpu"),
        seeds("no seeds", "sample --network m.safetensors --seeds '' --out p --device cpu"),
        seeds("a word", "sample --network m.safetensors --seeds x --out p --device cpu"),
        seeds("a negative seed", "sample --network m.safetensors --seeds -3 --out p --device cpu"),
        seeds("a billion seeds", "sample --network m.safetensors --seeds 0-1000000000 --out p --device cpu"),
        row("no place", plain, "sample --network m.safetensors --device cpu", USAGE, "--out"),
        row(
            "a grid without place",
            plain,
            "sample --network m.safetensors --grid --raw r --device cpu",
            USAGE,
            "--out",
        ),
        row(
            "no class",
            conditional,
            "sample --network m.safetensors --out p --device cpu",
            USAGE,
            "--class: this network is conditional",
        ),
        row(
            "a class too high",
            conditional,
            "sample --network m.safetensors --class 3 --out p --device cpu",
            USAGE,
            "--class: 3 is not a class",
        ),
        row(
            "a negative class",
            conditional,
            "sample --network m.safetensors --class -1 --out p --device cpu",
            USAGE,
            "--class",
        ),
        row(
            "no batch",
            plain,
            "sample --network m.safetensors --batch 0 --out p --device cpu",
            USAGE,
            "--batch",
        ),
        row(
            "latents of another width",
            |s| latents(s, "z", &[2, 9]),
            from_file,
            INPUT,
            "z.safetensors: tensor 'z' has shape [2, 9]",
        ),
        row(
            "latents of one dimension",
            |s| latents(s, "z", &[8]),
            from_file,
            INPUT,
            "z.safetensors: tensor 'z' has shape [8]",
        ),
        row(
            "no latents at all",
            |s| latents(s, "z", &[0, 8]),
            from_file,
            INPUT,
            "z.safetensors: tensor 'z' has shape [0, 8]",
        ),
        row(
            "latents by another name",
            |s| latents(s, "noise", &[2, 8]),
            from_file,
            INPUT,
            "z.safetensors: has no tensor 'z'",
        ),
        row(
            "latents in a PNG",
            |s| {
                plain(s);
                s.write("z.safetensors", png(8));
            },
            from_file,
            INPUT,
            "z.safetensors: is not a safetensors file",
        ),
        row(
            "latents that are NaN",
            |s| {
                plain(s);
                s.write("z.safetensors", one_tensor("z", &[1, 8], &[f32::NAN; 8]));
            },
            from_file,
            INPUT,
            "z.safetensors: tensor 'z' holds values that are not finite",
        ),
        row("a missing file of latents", plain, from_file, INPUT, "z.safetensors: does not exist"),
    ]);
}

#[test]
fn checkpoints() {
    fn with(s: &Scene, bytes: impl AsRef<[u8]>) {
        faces(s);
        s.write("old.safetensors", bytes);
    }
    fn whole(s: &Scene) {
        with(s, checkpoint());
    }
    fn edited(s: &Scene, change: impl FnOnce(&mut Weights)) {
        with(s, changed(checkpoint(), change));
    }
    fn line(name: &'static str, line: &'static str, code: i32, says: &'static str) -> Row {
        row(name, whole, line, code, says)
    }
    let resume = |name, prepare: fn(&Scene), says| row(name, prepare, RESUME, INPUT, says);
    check(&[
        resume("missing", faces, "old.safetensors: does not exist"),
        resume("a model", |s| with(s, model()), "old.safetensors: is a model, which has no training state"),
        resume("cut short", |s| with(s, &checkpoint()[..5000]), "old.safetensors: is not a safetensors file"),
        resume("empty", |s| with(s, []), "old.safetensors: is not a safetensors file: it is empty"),
        resume("a missing tensor", |s| edited(s, thin_out), "old.safetensors: lacks the tensor '"),
        resume("NaN weights", |s| edited(s, poison), "holds values that are not finite"),
        resume(
            "a future format",
            |s| edited(s, |w| w.header["format"] = json!(2)),
            "old.safetensors: has format 2",
        ),
        resume(
            "a batch of nothing",
            |s| edited(s, |w| w.header["config"]["batch"] = json!(0)),
            "cannot be used (batch",
        ),
        resume(
            "a random state beyond its end",
            |s| edited(s, |w| w.header["noise_position"] = json!(9999)),
            "random state",
        ),
        resume(
            "a place in the data beyond all runs",
            |s| edited(s, |w| w.header["data"]["position"] = json!(u64::MAX)),
            "old.safetensors: claims ",
        ),
        resume(
            "more steps than images",
            |s| edited(s, |w| w.header["critic_steps"] = json!(u64::MAX)),
            "old.safetensors: claims",
        ),
        resume(
            "images beyond all runs",
            |s| edited(s, |w| w.header["images"] = json!(u64::MAX)),
            "old.safetensors: claims ",
        ),
        line(
            "a folder",
            "train --data faces --out run --resume faces --device cpu",
            INPUT,
            "faces: is a directory",
        ),
        line(
            "another preset",
            "train --data faces --out run --resume old.safetensors --preset demo-32 --device cpu",
            INPUT,
            "old.safetensors: was trained with",
        ),
        line(
            "other networks",
            "train --data faces --out run --resume old.safetensors --set network.latent=9 --device cpu",
            INPUT,
            "old.safetensors: has other networks",
        ),
        line(
            "another seed",
            "train --data faces --out run --resume old.safetensors --seed 1 --device cpu",
            USAGE,
            "--seed: a resumed run keeps its seed",
        ),
        line(
            "mirrored data",
            "train --data faces --mirror --out run --resume old.safetensors --device cpu",
            INPUT,
            "old.safetensors: was trained on other data",
        ),
        row(
            "other data",
            |s| {
                whole(s);
                s.write("faces/16.png", png(8));
            },
            RESUME,
            INPUT,
            "old.safetensors: was trained on other data",
        ),
        row(
            "labels that were not there",
            |s| {
                whole(s);
                labelled_zip(s);
            },
            "train --data classes.zip --cond --out run --resume old.safetensors --device cpu",
            INPUT,
            "old.safetensors: ",
        ),
        row(
            "points instead of pictures",
            whole,
            "train --data ring8 --out run --resume old.safetensors --device cpu",
            USAGE,
            "makes pictures",
        ),
    ]);
}

/// With `--resume auto` every checkpoint is tried, and each one that cannot be read is told before the end.
#[test]
fn no_checkpoint_is_left() {
    let scene = Scene::new();
    faces(&scene);
    for kimg in [1, 2] {
        scene.write(&format!("run/checkpoint-00000{kimg}.safetensors"), &checkpoint()[..5000]);
    }
    let before = scene.files();
    let ended = scene.r3gan(RESUME_AUTO);
    assert_eq!(ended.status.code(), Some(INPUT), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: run/checkpoint-000002.safetensors: is not a safetensors"), "{ended:?}");
    assert_eq!(ended.stderr.matches("warning: run/checkpoint-").count(), 2, "{ended:?}");
    assert_eq!(scene.files(), before);
}
