//! This crate beside others: the same networks, losses and steps, timed in turn on the same machine.
//!
//! Each measurement is a process of its own, because peak memory is a process's; the sides alternate,
//! because a machine's speed drifts.

mod browser;
mod lines;
mod native;

use crate::python;
use crate::run::{command, output, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    /// A Python that has torch, onnx and onnxruntime; without it, they are installed into target/peers (some gigabytes)
    #[arg(long)]
    python: Option<String>,
    /// Only this preset: demo-32, cifar10, ffhq-256; in the browser points too
    #[arg(long)]
    preset: Option<String>,
    /// Only this: sample, critic, generator, iteration; in the browser first too, the time to the first sample
    #[arg(long)]
    what: Option<String>,
    /// PyTorch's device: cpu, cuda; in the browser ours and theirs: cpu, webgpu [default: cpu; in the browser both]
    #[arg(long)]
    device: Option<String>,
    /// Our device, where it is another: cpu, vulkan, cuda
    #[arg(long, conflicts_with = "browser")]
    ours: Option<String>,
    /// How often the sides take turns
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Timed runs within a turn
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// In Chromium: the package beside ONNX Runtime Web and TensorFlow.js
    #[arg(long)]
    browser: bool,
    /// In the browser also what takes minutes for each number
    #[arg(long, requires = "browser")]
    all: bool,
    /// A built site whose package is measured in the browser; without it, it is built
    #[arg(long, requires = "browser")]
    site: Option<PathBuf>,
}

/// Prints a line of JSON for each measurement, then a table of ratios.
pub fn compare(args: &Args) -> Result<()> {
    if args.browser { browser::compare(args) } else { native::compare(args) }
}

impl Args {
    fn chosen(&self, preset: &str, what: &str, device: &str) -> bool {
        let meets = |only: &Option<String>, name: &str| only.as_deref().is_none_or(|only| only == name);
        meets(&self.preset, preset) && meets(&self.what, what) && meets(&self.device, device)
    }

    fn python(&self) -> Result<String> {
        const IMPORT: &str = "import torch, onnx, onnxruntime";
        let Some(python) = &self.python else {
            let packages = ["torch", "numpy", "onnx", "onnxruntime"];
            return python::with_packages("target/peers/venv", IMPORT, &packages);
        };
        if output(python, &["-c", IMPORT]).is_none() {
            bail!(
                "{python} does not have all of torch, onnx and onnxruntime: leave --python out, or install them"
            );
        }
        Ok(python.clone())
    }
}

/// The peers' name of a preset.
fn peer_name(preset: &str) -> String {
    preset.replace('-', "")
}

/// A preset's generator with random weights as an ONNX file of batch 1, made where there is none yet or its scripts
/// have changed since.
fn onnx(python: &str, preset: &str) -> Result<PathBuf> {
    const SCRIPTS: [&str; 2] = ["tests/peers/r3gan_onnx.py", "tests/peers/r3gan_torch.py"];
    let path = PathBuf::from(format!("target/peers/onnx/{preset}.onnx"));
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified());
    let made = changed(&path).ok();
    for script in SCRIPTS {
        if made.is_none_or(|made| changed(Path::new(script)).is_ok_and(|changed| changed > made)) {
            fs::create_dir_all("target/peers/onnx")?;
            let unfinished = path.with_extension("unfinished").display().to_string();
            run(&mut command(python, &[SCRIPTS[0], "--preset", &peer_name(preset), "--out", &unfinished]))?;
            fs::rename(unfinished, &path)?;
            break;
        }
    }
    Ok(path)
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
    Ok(fs::canonicalize(&program).with_context(|| program.display().to_string())?.display().to_string())
}
