//! The command line: it translates, the library computes.

mod bench;
mod dataset;
mod doctor;
pub mod exit;
mod import;
mod info;
mod metrics;
mod precision;
mod process;
mod sample;
mod train;

use std::path::Path;
use std::process::ExitCode;

use crate::data::{self, Dataset, OpenOptions};
#[cfg(feature = "gpu")]
use crate::kernels::gpu::tuned::file;
use crate::session::Outcome;
use crate::{Error, Result, backend};
use burn::tensor::Device;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

const EXAMPLES: &str = "\
Examples:
  r3gan train --data mnist/ --preset demo-32 --out runs/digits
  r3gan sample --network runs/digits/model-000100.safetensors --seeds 0-15 --out samples
  r3gan import network-snapshot-000250000.pkl --out model.safetensors
  r3gan info runs/digits/model-000100.safetensors
  r3gan doctor
";

/// Train GANs with R3GAN's objective and networks, and sample from what was trained.
#[derive(Parser)]
#[command(name = "r3gan", version, after_help = format!("{EXAMPLES}\n{}", exit::CODES))]
#[command(arg_required_else_help = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a pair of networks on pictures or points.
    Train(train::Train),
    /// Make pictures with a trained model.
    Sample(sample::Sample),
    /// Turn an official snapshot (.pkl) into a model or a checkpoint, or FID's Inception into an extractor.
    Import(import::Import),
    /// Tell what a model, a checkpoint or an official snapshot is.
    Info(info::Info),
    /// Measure generators: FID, KID, precision and recall, inception score.
    Metrics(metrics::Metrics),
    /// Check, convert and look at data sets.
    Dataset(dataset::Dataset),
    /// List the devices, check that they compute, and say what to do about what is missing.
    Doctor(doctor::Doctor),
    /// Measure time and memory of sampling and training.
    Bench(bench::Bench),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    process::keep_freed();
    process::quiet_drivers();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(e) => return refuse(&e),
    };
    // The bench starts its own, and the others' comes by itself where this fails.
    if !matches!(command, Command::Bench(_)) {
        let _ = process::start_pool(0);
    }
    let done = match command {
        Command::Train(train) => match train.run() {
            Ok(Outcome::Interrupted) => return ExitCode::from(exit::INTERRUPTED),
            outcome => outcome.map(|_| ()),
        },
        Command::Sample(sample) => sample.run(),
        Command::Import(import) => import.run(),
        Command::Info(info) => info.run(),
        Command::Metrics(metrics) => metrics.run(),
        Command::Dataset(dataset) => match dataset.run() {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Doctor(doctor) => doctor.run(),
        Command::Bench(bench) => bench.run(),
    };
    done.map_or_else(|error| exit::report(&error), |()| ExitCode::SUCCESS)
}

/// Help and version go to stdout; a usage error becomes one line.
fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(exit::USAGE)
        }
        _ => {
            let text = error.render().to_string();
            let sentence = text.split("\n\n").next().unwrap_or_default();
            exit::complain(&format!("{}; see --help", sentence.trim_start_matches("error: ")));
            ExitCode::from(exit::USAGE)
        }
    }
}

/// Parses a number of things: at least one, and not absurdly many.
pub fn count(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=65_536) => Ok(number),
        _ => Err("it is not a whole number from 1 to 65536".into()),
    }
}

/// A bar on stderr for long work, hidden where stderr is no terminal.
pub fn progress(total: usize, what: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template(&format!("{{bar:40}} {{human_pos}}/{{human_len}} {what}, {{eta}} left"));
    ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The data of a command, with labels or mirror images where they are asked for.
fn open_data(path: &Path, labels: bool, mirror: bool) -> Result<Dataset> {
    let dataset = data::open(path, &OpenOptions { labels, ..OpenOptions::default() })?;
    if mirror { dataset.with_mirror() } else { Ok(dataset) }
}

/// Refuses an --out that would replace what is read.
pub fn not_over(input: &Path, out: &Path) -> Result<()> {
    let real = |path: &Path| path.canonicalize().ok();
    if real(out).is_some_and(|out| real(input) == Some(out)) {
        return Err(Error::setting("--out", format!("is {} itself; choose another name", input.display())));
    }
    Ok(())
}

/// Opens a device, whose kernels are then as `r3gan bench --tune` measured them, if it did.
fn open_device(name: &str) -> Result<Device> {
    let name = backend::resolve(name)?;
    let device = backend::open(&name)?;
    #[cfg(feature = "gpu")]
    if !backend::is_cpu(&device)
        && let Some(path) = file::place(&name, &device)
    {
        match file::load(&path, &name, &device) {
            Ok(measured) => measured.unwrap_or_default().adopt(),
            Err(e) => exit::warn(&format!("{e}; until then kernels are chosen by the table")),
        }
    }
    Ok(device)
}

/// Makes a directory for results, with its parents.
pub fn create_directory(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(|e| {
        use std::io::ErrorKind;
        let reason = match e.kind() {
            ErrorKind::AlreadyExists => "is a file; results need a directory".into(),
            ErrorKind::NotADirectory => "cannot be created: part of its path is a file".into(),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "cannot be created: permission denied; choose a directory that you own".into()
            }
            _ => format!("cannot be created ({e})"),
        };
        Error::output(path, reason)
    })
}
