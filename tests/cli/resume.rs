//! Exact resume: however a run was stopped, it ends with the bits of one that was not.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::sync::LazyLock;

use crate::inputs;
use crate::scene::{Running, Scene};
use crate::trained::checkpoint;
use crate::weights::changed;

const TRAIN: &str =
    "train --data faces --mirror --augment 0.5 --out run --tick 1 --snap 2 --kimg 5 --device cpu TINY";
const RESUME: &str =
    "train --data faces --mirror --out run --tick 1 --snap 2 --kimg 5 --device cpu --resume auto";
/// What the end of a run consists of.
const RESULTS: [&str; 3] = ["checkpoint-000005.safetensors", "model-000005.safetensors", "fakes-000005.png"];

/// The results of a run that nothing disturbed.
static UNDISTURBED: LazyLock<BTreeMap<&str, Vec<u8>>> = LazyLock::new(|| {
    let scene = prepared();
    scene.r3gan(TRAIN).done();
    results(&scene)
});

fn prepared() -> Scene {
    let scene = Scene::new();
    inputs::faces(&scene);
    scene
}

fn results(scene: &Scene) -> BTreeMap<&'static str, Vec<u8>> {
    RESULTS.iter().map(|name| (*name, scene.read(&format!("run/{name}")))).collect()
}

#[track_caller]
fn ends_like_the_undisturbed(scene: &Scene) {
    for (name, bytes) in results(scene) {
        assert!(
            bytes == UNDISTURBED[name],
            "{name} has other bits than that of the run that was not stopped"
        );
    }
    let lines: Vec<serde_json::Value> = scene
        .text("run/stats.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    let told: Vec<_> = lines.iter().filter_map(|line| line["Progress/kimg"]["mean"].as_f64()).collect();
    assert!(told.is_sorted() && told.last() == Some(&5.0), "statistics of images {told:?}");
    let counted: u64 = lines.iter().filter_map(|line| line["Loss/D/loss"]["num"].as_u64()).sum();
    assert_eq!(counted, 5000, "every image is in one line of the statistics");
    assert_eq!(scene.text("run/log.txt").lines().count(), lines.len(), "and so with the log");
    assert!(scene.names("run", ".").is_empty(), "nothing temporary stays");
}

/// Waits for the tick line after so many thousand images; checkpoints are written after every second one.
fn wait_for_tick(run: &mut Running, scene: &Scene, kimg: u32) {
    let line = format!("kimg {kimg}.0 ");
    run.wait_until(&format!("the tick at {kimg} kimg"), || {
        scene.has("run/log.txt") && scene.text("run/log.txt").contains(&line)
    });
}

#[test]
fn a_killed_run_ends_with_the_same_bits() {
    let scene = prepared();
    let mut run = scene.start(TRAIN);
    // The checkpoint of 2 kimg is there; the twenty steps since then are lost and made again.
    wait_for_tick(&mut run, &scene, 3);
    run.signal("KILL");
    assert_eq!(run.wait().status.signal(), Some(9));
    assert!(scene.has("run/checkpoint-000002.safetensors") && !scene.has("run/model-000005.safetensors"));

    // What is left when the kill comes while a file is written.
    scene.write("run/.writing-a1B2c3", "half a checkpo");
    let resumed = scene.r3gan(RESUME).done();
    assert!(
        resumed.stdout.contains("resumed run/checkpoint-000002.safetensors at 2000 images"),
        "{resumed:?}"
    );
    ends_like_the_undisturbed(&scene);
}

#[test]
fn an_interrupted_run_ends_with_the_same_bits() {
    let scene = prepared();
    let mut run = scene.start(TRAIN);
    wait_for_tick(&mut run, &scene, 1);
    run.signal("INT");
    let interrupted = run.wait();
    assert_eq!(interrupted.status.code(), Some(130), "{interrupted:?}");
    assert!(!interrupted.stderr.contains("error: "), "{interrupted:?}");
    let written = "interrupted; checkpoint run/checkpoint-000001.safetensors; continue with --resume auto";
    assert!(interrupted.stdout.contains(written), "{interrupted:?}");
    assert!(!scene.has("run/model-000005.safetensors"));

    scene.r3gan(RESUME).done();
    ends_like_the_undisturbed(&scene);
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let scene = prepared();
    scene.r3gan(&TRAIN.replace("--kimg 5", "--kimg 3")).done();
    let newest = "run/checkpoint-000003.safetensors";
    let whole = scene.read(newest);
    scene.write(newest, &whole[..whole.len() / 2]);

    let resumed = scene.r3gan(RESUME).done();
    let told = "warning: run/checkpoint-000003.safetensors: is not a safetensors file";
    assert!(resumed.stderr.starts_with(told), "{resumed:?}");
    assert!(resumed.stderr.contains("trying the checkpoint before it"), "{resumed:?}");
    assert!(resumed.stdout.contains("resumed run/checkpoint-000002.safetensors"), "{resumed:?}");
    ends_like_the_undisturbed(&scene);
}

#[test]
fn a_finished_run_can_be_made_longer() {
    let scene = prepared();
    scene.r3gan(&TRAIN.replace("--kimg 5", "--kimg 2")).done();
    let before = scene.files();
    let again = scene.r3gan(&RESUME.replace("--kimg 5", "--kimg 2")).done();
    assert!(again.stdout.contains("finished: run"), "{again:?}");
    assert_eq!(scene.files(), before);
    scene.r3gan(RESUME).done();
    ends_like_the_undisturbed(&scene);
}

#[test]
fn a_run_taken_back_keeps_what_it_had() {
    let scene = prepared();
    scene.r3gan(&TRAIN.replace("--kimg 5", "--kimg 3")).done();
    let newest = scene.read("run/checkpoint-000003.safetensors");
    let back = RESUME.replace("auto", "run/checkpoint-000002.safetensors");
    scene.r3gan(&back).done();
    assert_eq!(scene.read("run/set-aside-checkpoint-000003.safetensors"), newest);
    ends_like_the_undisturbed(&scene);
}

#[test]
fn a_checkpoint_does_not_go_on_over_another_run() {
    let scene = prepared();
    scene.r3gan(&TRAIN.replace("--kimg 5", "--kimg 1")).done();
    scene.r3gan(&TRAIN.replace("--kimg 5", "--kimg 1").replace("--out run", "--out other")).done();
    let before = scene.files();
    let refused = scene.r3gan(&RESUME.replace("auto", "other/checkpoint-000001.safetensors"));
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    assert!(refused.stderr.contains("already holds a run"), "{refused:?}");
    assert_eq!(scene.files(), before);
}

#[test]
fn a_run_in_bf16_goes_on_in_it() {
    let scene = prepared();
    let line = "train --data faces --tick 1 --snap 1 --device cpu";
    scene.r3gan(&format!("{line} --out whole --kimg 2 --precision bf16 TINY")).done();
    scene.r3gan(&format!("{line} --out halves --kimg 1 --precision bf16 TINY")).done();
    scene.r3gan(&format!("{line} --out halves --kimg 2 --resume auto")).done();
    for file in ["checkpoint-000002.safetensors", "model-000002.safetensors"] {
        let [whole, halves] = ["whole", "halves"].map(|folder| scene.read(&format!("{folder}/{file}")));
        assert!(whole == halves, "{file} has other bits than that of the run that was not stopped");
    }
    // It can be changed by name, and then stays changed.
    let again = scene.r3gan(&format!("{line} --out halves --kimg 3 --resume auto --precision f32")).done();
    assert!(!again.stdout.contains("precision"), "{again:?}");
    assert!(scene.text("halves/options.toml").contains("precision = \"f32\""));
}

/// Checkpoints did not always say what they were computed in: it was f32.
#[test]
fn a_checkpoint_without_a_precision_goes_on() {
    let scene = prepared();
    let run = |out: &str| {
        format!("train --data faces --out {out} --resume {out}.safetensors --kimg 2 --device cpu")
    };
    let old = changed(checkpoint(), |file| {
        let config = file.header["config"].as_object_mut().expect("a configuration");
        assert_eq!(config.remove("precision"), Some("f32".into()));
    });
    scene.write("old.safetensors", old);
    scene.write("new.safetensors", checkpoint());
    let [old, new] = ["old", "new"].map(|out| {
        scene.r3gan(&run(out)).done();
        scene.read(&format!("{out}/checkpoint-000002.safetensors"))
    });
    assert!(old == new);
}
