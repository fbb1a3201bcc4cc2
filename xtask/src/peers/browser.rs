//! In Chromium: the package, through its bench page, beside ONNX Runtime Web (samples) and TensorFlow.js (training).

use super::lines::{measure, median};
use super::{Args, onnx};
use crate::browser::{absolute, chromium};
use crate::run::{command, say};
use crate::{node, site};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::path::Path;

const FOLDER: &str = "tests/peers/web";

/// Work, and a library that does it.
struct Entry {
    work: Work,
    /// As `run.mjs` knows the library.
    peer: &'static str,
    /// As the table shows it.
    title: &'static str,
    /// What `run.mjs` takes beside: backend, formulation, objective.
    options: Value,
    /// A number takes minutes.
    slow: bool,
}

/// What we do as well, once a turn for all entries of the same work.
#[derive(Clone, Copy, PartialEq)]
struct Work {
    preset: &'static str,
    what: &'static [&'static str],
    batch: usize,
    device: &'static str,
    /// Of the CPU, for either side.
    threads: usize,
}

const TRAINING: &[&str] = &["critic", "generator", "iteration"];

fn entries() -> Vec<Entry> {
    let mut list = Vec::new();
    let mut add =
        |work: Work, peer, title, options, slow| list.push(Entry { work, peer, title, options, slow });
    // On a software GPU the larger networks take a minute or more a picture.
    for (preset, slow) in [("demo-32", false), ("cifar10", true), ("ffhq-256", true)] {
        for what in [&["sample"], &["first"]] {
            let on = |device, threads| Work { preset, what, batch: 1, device, threads };
            let peer = "onnxruntime-web";
            add(on("cpu", 1), peer, "ORT wasm", json!({}), false);
            add(on("cpu", 2), peer, "ORT wasm", json!({}), false);
            add(on("webgpu", 1), peer, "ORT WebGPU", json!({}), slow);
        }
    }
    let peer = "tensorflow";
    let points = |device| Work { preset: "points", what: TRAINING, batch: 256, device, threads: 2 };
    let with = |backend: &str, objective: &str| json!({ "backend": backend, "objective": objective });
    add(points("cpu"), peer, "TF.js wasm", with("wasm", "r3gan"), false);
    add(points("cpu"), peer, "TF.js wasm, simple GAN", with("wasm", "simple"), false);
    add(points("cpu"), peer, "TF.js plain", with("cpu", "r3gan"), true);
    add(points("cpu"), peer, "TF.js plain, simple GAN", with("cpu", "simple"), true);
    add(points("webgpu"), peer, "TF.js WebGPU", with("webgpu", "r3gan"), false);
    add(points("webgpu"), peer, "TF.js WebGPU, simple GAN", with("webgpu", "simple"), false);
    let pictures = |device| Work { preset: "demo-32", what: TRAINING, batch: 8, device, threads: 2 };
    let with = |backend: &str, formulation: &str| json!({ "backend": backend, "formulation": formulation });
    // A convolution for each group has no gradient on wasm.
    add(pictures("cpu"), peer, "TF.js wasm, gathered", with("wasm", "gathered"), true);
    add(pictures("cpu"), peer, "TF.js wasm, shifted", with("wasm", "shifted"), false);
    add(pictures("cpu"), peer, "TF.js plain, shifted", with("cpu", "shifted"), true);
    add(pictures("webgpu"), peer, "TF.js WebGPU, gathered", with("webgpu", "gathered"), true);
    add(pictures("webgpu"), peer, "TF.js WebGPU, shifted", with("webgpu", "shifted"), true);
    add(pictures("webgpu"), peer, "TF.js WebGPU, by group", with("webgpu", "groups"), true);
    list
}

pub fn compare(args: &Args) -> Result<()> {
    let mut entries = entries();
    let chosen =
        |work: &Work, what: &str| args.chosen(work.preset, what, work.device) && work.what.contains(&what);
    entries.retain(|entry| {
        (args.all || !entry.slow) && entry.work.what.iter().any(|what| chosen(&entry.work, what))
    });
    if entries.is_empty() {
        bail!("no such preset, work or device; what takes minutes is measured with --all");
    }

    for folder in ["tests/browser", FOLDER] {
        node::packages(folder)?;
    }
    let chromium = chromium()?;
    let site = match &args.site {
        Some(site) => absolute(site)?,
        None => {
            site::build()?;
            absolute(Path::new(site::FOLDER))?
        }
    };
    let sampled: Vec<_> = entries.iter().filter(|entry| entry.peer == "onnxruntime-web").collect();
    if !sampled.is_empty() {
        let python = args.python()?;
        for entry in sampled {
            onnx(&python, entry.work.preset)?;
        }
    }
    let run = |peer: &str, work: &Work, what: &str, options: &Value, round: usize| -> Vec<Value> {
        let Work { preset, batch, device, threads, .. } = work;
        let limit = if args.all { 600 } else { 60 };
        let mut job = json!({
            "peer": peer, "preset": preset, "what": what, "batch": batch, "device": device,
            "threads": threads, "runs": args.runs, "warmup": 2, "least": 2, "limit": limit,
        });
        for (key, value) in options.as_object().into_iter().flatten() {
            job[key] = value.clone();
        }
        let script = format!("{FOLDER}/run.mjs");
        let mut node = command("node", &[&script, &job.to_string()]);
        node.env("R3GAN_CHROMIUM", &chromium).env("R3GAN_SITE", &site);
        // What one of them cannot do is no reason to leave out the others.
        measure(&mut node, round).unwrap_or_else(|error| {
            say(format!("{error:#}"));
            Vec::new()
        })
    };

    let mut table = Vec::new();
    while let Some(Entry { work, .. }) = entries.first() {
        let work = *work;
        let (together, others) = entries.into_iter().partition(|entry| entry.work == work);
        entries = others;
        let together: Vec<Entry> = together;
        let what: Vec<_> = work.what.iter().copied().filter(|what| chosen(&work, what)).collect();
        let mut theirs = vec![Vec::new(); together.len()];
        let mut ours = Vec::new();
        for round in 0..args.rounds.max(1) {
            let Work { preset, device, threads, .. } = work;
            let all = what.join(", ");
            say(format!("{preset}, {all}, on {device}, {threads} threads, turn {}", round + 1));
            for (entry, lines) in together.iter().zip(&mut theirs) {
                lines.extend(run(entry.peer, &work, what[0], &entry.options, round));
            }
            ours.extend(run("r3gan", &work, &what.join(","), &json!({}), round));
        }
        for what in what {
            for (entry, lines) in together.iter().zip(&theirs) {
                table.push(row(entry, what, lines, &ours));
            }
        }
    }
    println!(
        "
r3gan beside others in the same Chromium; a ratio below 1.00 is ours"
    );
    println!(
        "{:10} {:10} {:>5} {:7} {:>7} {:24} {:>9} {:>9} {:>6}",
        "preset", "what", "batch", "device", "threads", "beside", "its s", "r3gan s", "ratio"
    );
    table.iter().for_each(|row| println!("{row}"));
    Ok(())
}

fn row(entry: &Entry, what: &str, theirs: &[Value], ours: &[Value]) -> String {
    let seconds = |lines: &[Value]| {
        let of_this: Vec<_> = lines.iter().filter(|line| line["what"] == what).cloned().collect();
        median(&of_this, "median_s").ok()
    };
    let number = |value: Option<f64>, digits| value.map_or("-".into(), |value| format!("{value:.digits$}"));
    let (theirs, ours) = (seconds(theirs), seconds(ours));
    let ratio = ours.zip(theirs).map(|(ours, theirs)| ours / theirs);
    let Work { preset, batch, device, threads, .. } = entry.work;
    // A GPU has one that asks it.
    let threads = if device == "cpu" { threads.to_string() } else { "-".into() };
    format!(
        "{preset:10} {what:10} {batch:>5} {device:7} {threads:>7} {:24} {:>9} {:>9} {:>6}",
        entry.title,
        number(theirs, 4),
        number(ours, 4),
        number(ratio, 2)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_ratio_where_both_have_measured() {
        let entry = entries().remove(0);
        let lines = |seconds: f64| [json!({ "what": "sample", "median_s": seconds })];
        assert!(row(&entry, "sample", &lines(2.0), &lines(1.0)).ends_with("2.0000    1.0000   0.50"));
        assert!(row(&entry, "sample", &[], &lines(1.0)).ends_with("-    1.0000      -"));
    }

    #[test]
    fn each_device_has_a_quick_measurement_of_each_kind() {
        let quick: Vec<_> = entries().into_iter().filter(|entry| !entry.slow).collect();
        for device in ["cpu", "webgpu"] {
            for what in ["sample", "first", "critic", "generator", "iteration"] {
                let measured = |entry: &Entry| entry.work.device == device && entry.work.what.contains(&what);
                assert!(quick.iter().any(measured), "{what} on {device}");
            }
        }
    }
}
