//! This crate beside PyTorch: the same networks, losses and steps, timed in turn on the same machine.
//!
//! Each measurement is a process of its own, because peak memory is a process's; the two sides alternate,
//! because a machine's speed drifts.

use crate::python;
use crate::run::{command, output, run, say};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

const PEER: &str = "tests/peers/r3gan_torch.py";
const WORK: [&str; 4] = ["sample", "critic", "generator", "iteration"];
/// Our name of a preset, the peer's, and the batch at which they meet.
const PRESETS: [(&str, &str, usize); 2] = [("demo-32", "demo32", 32), ("cifar10", "cifar10", 4)];

#[derive(clap::Args)]
pub struct Args {
    /// A Python that has torch; without it, torch is installed into target/peers (some gigabytes)
    #[arg(long)]
    python: Option<String>,
    /// Only this preset: demo-32, cifar10
    #[arg(long)]
    preset: Option<String>,
    /// Only this: sample, critic, generator, iteration
    #[arg(long)]
    what: Option<String>,
    /// PyTorch's device: cpu, cuda
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Our device, where it is another: cpu, vulkan, cuda
    #[arg(long)]
    ours: Option<String>,
    /// How often the two sides take turns
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Timed runs within a turn
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// Prints a line of JSON for each measurement, then a table of ratios.
pub fn compare(args: &Args) -> Result<()> {
    let chosen = |name: &str, only: &Option<String>| only.as_deref().is_none_or(|only| only == name);
    let python = match &args.python {
        Some(python) => python.clone(),
        None => python::with_packages("target/peers/venv", "import torch", &["torch", "numpy"])?,
    };
    let (device, our_device) = (args.device.as_str(), args.ours.as_ref().unwrap_or(&args.device).as_str());
    let ours = build(our_device)?;
    // On a GPU both sides count the memory they allocate there; on the CPU, all that the process held.
    let baseline = if device == "cpu" { baseline_bytes(&python)? } else { 0.0 };
    let threads = std::thread::available_parallelism()?.to_string();
    let runs = args.runs.to_string();
    let mut table = Vec::new();
    for (preset, peer_preset, batch) in PRESETS.into_iter().filter(|(name, ..)| chosen(name, &args.preset)) {
        let batch = batch.to_string();
        for what in WORK.into_iter().filter(|name| chosen(name, &args.what)) {
            let work = ["--what", what, "--batch", &batch, "--runs", &runs];
            let mut turns = (Vec::new(), Vec::new());
            for round in 0..args.rounds.max(1) {
                say(format!("{preset}, {what}, batch {batch}, turn {}", round + 1));
                let start = [PEER, "--threads", &threads, "--preset", peer_preset, "--device", device];
                turns.0.push(measure(&mut command(&python, &[&start[..], &work].concat()), round, baseline)?);
                let start = ["bench", "--json", "--preset", preset, "--device", our_device];
                let mut bench = command(&ours, &[&start[..], &work].concat());
                turns.1.push(measure(bench.env("RAYON_NUM_THREADS", &threads), round, 0.0)?);
            }
            table.push(row(preset, what, &batch, &turns.0, &turns.1)?);
        }
    }
    if table.is_empty() {
        bail!("no such preset or work");
    }
    println!(
        "\nr3gan on {our_device} beside PyTorch on {device}, {threads} threads; a ratio below 1.00 is ours"
    );
    if baseline > 0.0 {
        println!("memory is a process's peak; PyTorch's holds {:.0} MB once imported", baseline / 1e6);
    }
    println!(
        "{:10} {:10} {:>5} {:>10} {:>10} {:>7} {:>9} {:>9} {:>7}",
        "preset", "what", "batch", "PyTorch s", "r3gan s", "ratio", "PyTorch MB", "r3gan MB", "ratio"
    );
    table.iter().for_each(|row| println!("{row}"));
    Ok(())
}

/// One process, one measurement: its line of JSON, with the turn and the memory held before any work.
fn measure(command: &mut Command, round: usize, baseline: f64) -> Result<Value> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("starting {program}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = found.filter(|value| value["median_s"].is_number());
    let mut line = found.next().with_context(|| {
        format!("{program} printed no measurement ({}); it printed: {}", output.status, text.trim())
    })?;
    line["turn"] = json!(round + 1);
    line["baseline_bytes"] = json!(baseline);
    println!("{line}");
    Ok(line)
}

fn row(preset: &str, what: &str, batch: &str, peer: &[Value], ours: &[Value]) -> Result<String> {
    let seconds = (median(peer, "median_s")?, median(ours, "median_s")?);
    let bytes = (median(peer, "peak_bytes")?, median(ours, "peak_bytes")?);
    Ok(format!(
        "{preset:10} {what:10} {batch:>5} {:10.4} {:10.4} {:7.2} {:9.0} {:9.0} {:7.2}",
        seconds.0,
        seconds.1,
        seconds.1 / seconds.0,
        bytes.0 / 1e6,
        bytes.1 / 1e6,
        bytes.1 / bytes.0
    ))
}

fn median(lines: &[Value], key: &str) -> Result<f64> {
    let mut values = Vec::new();
    for line in lines {
        values
            .push(line[key].as_f64().with_context(|| format!("a measurement has no number {key}: {line}"))?);
    }
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    Ok((low + high) / 2.0)
}

/// The command line, optimized as a user's.
pub fn build(device: &str) -> Result<String> {
    let features = if device == "cuda" { "cuda" } else { "native" };
    run(&mut command(
        "cargo",
        &["build", "--release", "-p", "r3gan", "--bin", "r3gan", "--features", features],
    ))?;
    let folder = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let program = Path::new(&folder).join("release/r3gan");
    Ok(std::fs::canonicalize(&program).with_context(|| program.display().to_string())?.display().to_string())
}

/// What PyTorch's process holds at its peak before it has computed anything.
fn baseline_bytes(python: &str) -> Result<f64> {
    let script = "import torch, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)";
    let bytes = output(python, &["-c", script]).with_context(|| format!("{python} cannot import torch"))?;
    Ok(bytes.parse()?)
}
