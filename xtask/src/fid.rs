//! `cargo xtask fid`: how far a generator's samples are from its data, by `xtask/fid/fid.py`.

use crate::run::{command, run, say};
use crate::{peers, python};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = "target/fid";

#[derive(clap::Args)]
pub struct Args {
    /// Model or checkpoint, unconditional
    #[arg(long)]
    network: PathBuf,
    /// Folder or zip of PNGs that it learned from
    #[arg(long)]
    data: PathBuf,
    /// Samples, of the seeds from 0; more samples give a lower FID, so compare only equal numbers
    #[arg(long, default_value_t = 5000)]
    count: u32,
    /// Device that the samples are made on: cpu, vulkan, cuda
    #[arg(long, default_value = "cpu")]
    device: String,
    /// A Python that has what xtask/fid/requirements.txt lists; without it, that is installed into target/fid
    #[arg(long)]
    python: Option<String>,
    /// An r3gan to use; without it, it is built
    #[arg(long)]
    r3gan: Option<String>,
}

/// Prints one line of JSON: `{"fid": ..., "reals": ..., "fakes": ...}`.
pub fn measure(args: &Args) -> Result<()> {
    let r3gan = args.r3gan.clone().map_or_else(|| peers::build(&args.device), Ok)?;
    let python = match &args.python {
        Some(python) => python.clone(),
        None => {
            let venv = format!("{FOLDER}/venv");
            python::with_packages(&venv, "import torch, PIL", &["-r", "xtask/fid/requirements.txt"])?
        }
    };
    let fakes = Path::new(FOLDER).join("fakes");
    if fakes.exists() {
        fs::remove_dir_all(&fakes)?;
    }
    let seeds = format!("0-{}", args.count.checked_sub(1).context("--count 0 leaves nothing to measure")?);
    let mut sample = command(&r3gan, &["sample", "--seeds", &seeds, "--device", &args.device]);
    run(sample.arg("--network").arg(&args.network).arg("--out").arg(&fakes))?;
    let name = args.data.file_stem().context("--data names a folder or a zip")?;
    let cache = Path::new(FOLDER).join(name).with_extension("npz");
    let mut script = command(&python, &["xtask/fid/fid.py"]);
    script.arg("--reals").arg(&args.data).arg("--fakes").arg(&fakes).arg("--cache").arg(&cache);
    run(&mut script)?;
    say(format!("{} samples of {}", args.count, args.network.display()));
    Ok(fs::remove_dir_all(fakes)?)
}
