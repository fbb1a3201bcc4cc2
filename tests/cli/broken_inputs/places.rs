//! Places where nothing can be written, and places where something else is.

use std::process::{Command, Stdio};

use super::{INPUT, OUTPUT, Row, check, row};
use crate::inputs::faces;
use crate::scene::Scene;
use crate::trained::{faces_run, model};

/// Many latents make a model of half a MiB and a checkpoint of more than one, and cost little time.
const LARGE: &str = "train --data faces --out disk/run --kimg 1 --device cpu TINY --set network.latent=16384";

fn faces_and_model(s: &Scene) {
    faces(s);
    s.write("m.safetensors", model());
}

fn locked(s: &Scene) {
    faces_and_model(s);
    s.locked_folder("locked");
}

fn sample(name: &'static str, prepare: fn(&Scene), line: &'static str, says: &'static str) -> Row {
    row(name, prepare, line, OUTPUT, says)
}

#[test]
fn what_is_in_the_way() {
    check(&[
        row(
            "a file as run directory",
            faces,
            "train --data faces --out faces/00.png TINY --device cpu",
            OUTPUT,
            "faces/00.png: is a file",
        ),
        row(
            "a file above it",
            faces,
            "train --data faces --out faces/00.png/run TINY --device cpu",
            OUTPUT,
            "faces/00.png/run: ",
        ),
        row(
            "a file to resume in",
            faces,
            "train --data faces --out faces/00.png --resume auto TINY --device cpu",
            OUTPUT,
            "faces/00.png: is a file",
        ),
        row(
            "a finished run",
            |s| {
                faces(s);
                faces_run(s, "run");
            },
            "train --data faces --out run TINY --device cpu",
            OUTPUT,
            "run: already holds a run; pass --resume auto",
        ),
        sample(
            "a file for pictures",
            faces_and_model,
            "sample --network m.safetensors --out faces/00.png --device cpu",
            "faces/00.png: is a file",
        ),
        sample(
            "a folder for a file",
            faces_and_model,
            "sample --network m.safetensors --raw faces --device cpu",
            "faces: is a directory",
        ),
        sample(
            "a file above a file",
            faces_and_model,
            "sample --network m.safetensors --out p --raw m.safetensors/r --device cpu",
            "m.safetensors: is a file",
        ),
        row(
            "a folder for options",
            |s| {
                faces(s);
                std::fs::create_dir_all(s.path("run/options.toml")).expect("a folder");
            },
            "train --data faces --out run TINY --device cpu",
            OUTPUT,
            "run/options.toml: is a directory",
        ),
        row(
            "a folder as configuration",
            faces,
            "train --data faces --out run --config faces TINY --device cpu",
            INPUT,
            "faces: ",
        ),
    ]);
}

#[test]
fn locked_folders() {
    check(&[
        row(
            "a run in a locked folder",
            locked,
            "train --data faces --out locked/run TINY --device cpu",
            OUTPUT,
            "locked/run: cannot be",
        ),
        row(
            "a run that is a locked folder",
            locked,
            "train --data faces --out locked TINY --device cpu",
            OUTPUT,
            "locked: cannot be",
        ),
        sample(
            "pictures in a locked folder",
            locked,
            "sample --network m.safetensors --out locked/p --device cpu",
            "locked/p: cannot be",
        ),
        sample(
            "pictures straight in it",
            locked,
            "sample --network m.safetensors --out locked --device cpu",
            "cannot be written",
        ),
        sample(
            "a file in a locked folder",
            locked,
            "sample --network m.safetensors --out p --raw locked/r --device cpu",
            "locked/r: cannot be",
        ),
    ]);
}

/// What was whole before the disk was full may stay; nothing is cut off.
#[test]
fn full_disks() {
    fn small_disk(s: &Scene) {
        faces(s);
        s.small_disk("disk", 1024);
    }
    fn short_files(s: &Scene) {
        faces(s);
        s.longest_file.set(Some(256));
    }
    fn no_disk(s: &Scene) {
        faces_and_model(s);
        s.small_disk("disk", 16);
    }
    const STARTED: &[&str] = &[
        "disk/run/events.out.tfevents.*",
        "disk/run/options.toml",
        "disk/run/reals.png",
        "disk/run/fakes-000000.png",
        "disk/run/model-000000.safetensors",
        "disk/run/stats.jsonl",
        "disk/run/log.txt",
    ];
    let raw = "sample --network m.safetensors --seeds 0-99 --raw disk/r.safetensors --device cpu";
    check(&[
        row("a full disk", small_disk, LARGE, OUTPUT, "disk/run/").leaving(STARTED),
        row("files that may not grow", short_files, LARGE, OUTPUT, "disk/run/").leaving(STARTED),
        sample("a full disk for values", no_disk, raw, "disk/r.safetensors: "),
    ]);
}

/// What cannot be told is an error; who does not listen is not.
#[test]
fn stdout() {
    let scene = Scene::new();
    faces_and_model(&scene);
    let start = |line: &str, stdout: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_r3gan"));
        command.args(line.split(' ')).current_dir(scene.path("")).stdout(stdout).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    };
    let dry_run = "train --data faces --preset demo-16 --out run --device cpu --dry-run";
    for line in ["info m.safetensors", dry_run] {
        if cfg!(target_os = "linux") {
            let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
            let ended = start(line, full.into()).wait_with_output().expect("it ends");
            let told = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(OUTPUT), "{told}");
            assert!(
                told.starts_with("error: stdout: cannot be written") && told.lines().count() == 1,
                "{told}"
            );
        }
        let mut child = start(line, Stdio::piped());
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    }
}
