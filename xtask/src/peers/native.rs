//! Beside PyTorch, and for single samples on the CPU beside ONNX Runtime.

use super::lines::{measure, median};
use super::{Args, build, onnx, peer_name};
use crate::run::{command, output, say};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::process::Command;

const WORK: [&str; 4] = ["sample", "critic", "generator", "iteration"];
/// Presets and the batch at which all work is compared.
const TRAINING: [(&str, usize); 2] = [("demo-32", 32), ("cifar10", 4)];
/// Presets of which one sample at a time is compared.
const SINGLE: [&str; 3] = ["demo-32", "cifar10", "ffhq-256"];

#[derive(Clone, Copy, PartialEq)]
enum Peer {
    PyTorch,
    OnnxRuntime,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::PyTorch => "PyTorch",
            Self::OnnxRuntime => "ONNX Runtime",
        }
    }

    /// What its process holds at its peak before it has computed anything.
    fn baseline_bytes(self, python: &str) -> Result<f64> {
        let module = if self == Self::PyTorch { "torch" } else { "onnxruntime, numpy" };
        let script = format!(
            "import {module}, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
        );
        let bytes =
            output(python, &["-c", &script]).with_context(|| format!("{python} cannot import {module}"))?;
        Ok(bytes.parse()?)
    }
}

pub fn compare(args: &Args) -> Result<()> {
    let device = args.device.as_deref().unwrap_or("cpu");
    let our_device = args.ours.as_deref().unwrap_or(device);
    let mut cases = Vec::new();
    for (preset, batch) in TRAINING {
        cases.extend(WORK.map(|what| (preset, what, batch, vec![Peer::PyTorch])));
    }
    // ONNX Runtime's package has its CPU provider only.
    let both = if device == "cpu" { vec![Peer::PyTorch, Peer::OnnxRuntime] } else { vec![Peer::PyTorch] };
    cases.extend(SINGLE.map(|preset| (preset, "sample", 1, both.clone())));
    cases.retain(|(preset, what, ..)| args.chosen(preset, what, device));
    if cases.is_empty() {
        bail!("no such preset or work");
    }

    let python = args.python()?;
    let ours = build(our_device)?;
    let threads = std::thread::available_parallelism()?.to_string();
    let runs = args.runs.to_string();
    // On a GPU both sides count the memory they allocate there; on the CPU, all that the process held.
    let mut baselines = Vec::new();
    if device == "cpu" {
        for peer in both {
            baselines.push((peer, peer.baseline_bytes(&python)?));
        }
    }
    let baseline = |of: Peer| baselines.iter().find(|(peer, _)| *peer == of).map_or(0.0, |(_, bytes)| *bytes);
    let start = |peer: Peer, preset: &str, what: &str, batch: &str| -> Result<Command> {
        let mut process = match peer {
            Peer::PyTorch => {
                let work =
                    ["--preset", &peer_name(preset), "--device", device, "--what", what, "--batch", batch];
                command(&python, &[&["tests/peers/r3gan_torch.py"][..], &work].concat())
            }
            Peer::OnnxRuntime => {
                let model = onnx(&python, preset)?.display().to_string();
                let script = "tests/peers/r3gan_onnxruntime.py";
                command(&python, &[script, "--model", &model, "--preset", preset])
            }
        };
        process.args(["--runs", &runs, "--threads", &threads]);
        Ok(process)
    };

    let mut table = Vec::new();
    for (preset, what, batch, peers) in cases {
        let batch = batch.to_string();
        let mut theirs = vec![Vec::new(); peers.len()];
        let mut own = Vec::new();
        for round in 0..args.rounds.max(1) {
            say(format!("{preset}, {what}, batch {batch}, turn {}", round + 1));
            for (peer, lines) in peers.iter().zip(&mut theirs) {
                for mut line in measure(&mut start(*peer, preset, what, &batch)?, round)? {
                    line["baseline_bytes"] = json!(baseline(*peer));
                    lines.push(line);
                }
            }
            let work = ["--what", what, "--batch", &batch, "--runs", &runs];
            let bench = ["bench", "--json", "--preset", preset, "--device", our_device];
            let mut bench = command(&ours, &[&bench[..], &work].concat());
            own.extend(measure(bench.env("RAYON_NUM_THREADS", &threads), round)?);
        }
        for (peer, lines) in peers.iter().zip(&theirs) {
            table.push(row(preset, what, &batch, peer.name(), lines, &own)?);
        }
    }
    println!(
        "\nr3gan on {our_device} beside others on {device}, {threads} threads; a ratio below 1.00 is ours"
    );
    for (peer, bytes) in &baselines {
        let (name, held) = (peer.name(), bytes / 1e6);
        println!("memory is a process's peak; {name}'s holds {held:.0} MB once imported");
    }
    println!(
        "{:10} {:10} {:>5} {:12} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6}",
        "preset", "what", "batch", "beside", "its s", "r3gan s", "ratio", "its MB", "r3gan MB", "ratio"
    );
    table.iter().for_each(|row| println!("{row}"));
    Ok(())
}

fn row(
    preset: &str,
    what: &str,
    batch: &str,
    peer: &str,
    theirs: &[Value],
    ours: &[Value],
) -> Result<String> {
    let seconds = (median(theirs, "median_s")?, median(ours, "median_s")?);
    let bytes = (median(theirs, "peak_bytes")?, median(ours, "peak_bytes")?);
    Ok(format!(
        "{preset:10} {what:10} {batch:>5} {peer:12} {:9.4} {:9.4} {:6.2} {:9.0} {:9.0} {:6.2}",
        seconds.0,
        seconds.1,
        seconds.1 / seconds.0,
        bytes.0 / 1e6,
        bytes.1 / 1e6,
        bytes.1 / bytes.0
    ))
}
