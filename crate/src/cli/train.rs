//! `r3gan train`: flags to a session, events to a progress bar.

mod console;
mod dry_run;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use self::console::{print_line, stop_on_signal};
use self::dry_run::{describe, foretell};
use super::metrics::{self, Measuring};
use super::{exit, open_data, open_device, precision};
use crate::checkpoint::training::decode_checkpoint;
use crate::checkpoint::{DataState, Precision, read};
use crate::config::TrainingConfig;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::metrics::{Evaluator, Metric, Progress};
use crate::network::Format;
use crate::preset;
use crate::schedule::Schedule;
use crate::session::{Event, Grid, Outcome, RunDirectory, Session, SessionOptions, check_data, fit, plan};
use crate::training::Trainer;

const EXAMPLES: &str = "\
Examples:
  r3gan train --data mnist/ --preset demo-32 --out runs/digits
  r3gan train --data cifar10.zip --preset cifar10 --cond --mirror --out runs/cifar --device cuda
  r3gan train --data ring8 --preset points --out runs/ring
  r3gan train --data mnist/ --out runs/digits --resume auto --kimg 200
  r3gan train --data faces/ --preset demo-64 --out runs/faces --set gamma.base=8 --set learning_rate.base=3e-4
  r3gan train --data faces/ --preset demo-64 --out runs/faces --metrics fid5k_full --extractor inception.safetensors

--data takes a folder or zip of square pictures (with an optional dataset.json of labels), MNIST-like IDX files,
CIFAR-10 (its python archive as it is, or the batches), or the names ring8 and grid25. Ctrl-C finishes the step and
writes a checkpoint.";

/// Train a generator and a critic on a data set.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Train {
    /// Pictures or points to learn: a folder, a zip, IDX or CIFAR-10 files, ring8 or grid25.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Networks and settings to start from: demo-16, demo-32, demo-64, points, cifar10, ffhq-64, ffhq-256,
    /// imagenet-32 or imagenet-64; not needed with --resume.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Directory that the run writes to; created if it does not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// auto, cpu, wgpu, vulkan or cuda[:N].
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
    /// Samples per iteration.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: Option<u32>,
    /// Samples per forward pass; less memory, same gradients (a divisor of the batch).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    micro_batch: Option<u32>,
    /// Length of the whole run in thousands of images, also when it is resumed; the schedules' length is the
    /// key decay_images.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    kimg: Option<u64>,
    /// Train with the labels of the data set.
    #[arg(long)]
    cond: bool,
    /// Add every picture flipped left to right.
    #[arg(long)]
    mirror: bool,
    /// Gamma at the start, which falls to a tenth; `auto` takes it from the resolution [default: the preset's].
    #[arg(long, value_name = "auto|G", allow_negative_numbers = true, value_parser = gamma)]
    gamma: Option<Gamma>,
    /// Probability that each augmentation rises to; 0 for none [default: the preset's].
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    augment: Option<f64>,
    /// What the stages next to the pictures compute in; weights, Adam and average are f32 all the same [default:
    /// auto, and what it was in a resumed run].
    #[arg(long, value_enum, value_name = "FORMAT")]
    precision: Option<precision::Precision>,
    /// Seed of weights, data order and noise.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u32>,
    /// Go on from a checkpoint: a file, or `auto` for the newest in --out.
    #[arg(long, value_name = "auto|PATH")]
    resume: Option<PathBuf>,
    /// Replace a key of the configuration, for example gamma.base=2.0; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// TOML file with keys of the configuration; options.toml of another run fits.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Length of a tick (a line of statistics) in thousands of images.
    #[arg(long, value_name = "KIMG", allow_negative_numbers = true, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    tick: u64,
    /// Ticks between snapshots: pictures, model and checkpoint [default: 5, or 50 for more than 10,000 kimg].
    #[arg(long, value_name = "TICKS", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    snap: Option<u64>,
    /// Pictures of a snapshot, across and down; with labels a row shows one class [default: 10x10 on the CPU; on a GPU as
    /// the official code: 32x32 of up to 135 pixels, 30x16 of 256].
    #[arg(long, value_name = "WxH")]
    grid: Option<Grid>,
    /// Write models in f16: half the size, for sharing.
    #[arg(long)]
    half: bool,
    /// Measure every snapshot and keep the best by the first metric: a list of what `r3gan metrics` takes, such as
    /// fid50k_full,kid50k_full [default: none].
    #[arg(long, value_name = "LIST")]
    metrics: Option<String>,
    #[command(flatten)]
    measuring: Measuring,
    /// Print configuration, networks, data, memory and time, measured by a few steps, then stop; nothing is written.
    #[arg(long)]
    dry_run: bool,
}

impl Train {
    pub fn run(self) -> Result<Outcome> {
        // A mistake in the flags is told before a driver is started and a data set is read.
        let preset = self.preset.as_deref().map(|name| preset::config(name, 0)).transpose()?;
        let metrics = self.metrics.as_deref().map(Metric::list).transpose()?.unwrap_or_default();
        self.measuring.check(&metrics)?;
        let device = open_device(&self.device)?;
        let resumed = self.resumed(&device)?;
        let dataset = open_data(&self.data, self.cond, self.mirror)?;
        let (trainer, place) = match resumed {
            Some(checkpoint) => {
                let trainer = self.reconfigure(&checkpoint.path, checkpoint.trainer, preset.as_ref())?;
                (trainer, Some((checkpoint.path, checkpoint.place)))
            }
            None => (self.fresh(dataset.classes(), &device)?, None),
        };
        let dataset = fit(dataset, &trainer.config)?;
        if let Some((path, place)) = &place {
            check_data(path, &trainer.config, place, &dataset)?;
        }
        if self.dry_run {
            exit::say(describe(&trainer, &dataset).trim_end())?;
            exit::say(foretell(&pollster::block_on(plan(trainer, &dataset))?, &self.device).trim_end())?;
            return Ok(Outcome::Finished);
        }
        let evaluator = self.measuring.evaluator(metrics, &device)?;
        if let Some(evaluator) = &evaluator {
            evaluator.check_network(&trainer.config.network, &dataset)?;
        }
        let directory = RunDirectory::create(&self.out)?;
        let continues = match &place {
            Some((path, _)) => same_directory(path, &self.out),
            None => self.resume.is_some(),
        };
        if !continues && directory.holds_run()? {
            let reason = "already holds a run; pass --resume auto to continue it, or choose another --out";
            return Err(Error::output(&self.out, reason));
        }
        directory.clear_unfinished()?;
        directory.set_aside_after(trainer.images)?;
        directory.rewind_statistics(trainer.images)?;
        directory.rewind_log(trainer.images)?;
        directory.write("options.toml", self.options(&trainer.config).as_bytes())?;
        self.train(trainer, place, dataset, directory, evaluator)
    }

    fn fresh(&self, classes: usize, device: &Device) -> Result<Trainer> {
        let Some(name) = &self.preset else {
            let known = preset::names().collect::<Vec<_>>().join(", ");
            return Err(Error::setting(
                "--preset",
                format!("is needed for a new run; choose one of {known}"),
            ));
        };
        let mut config = preset::config(name, classes)?;
        config.precision = precision::Precision::Auto.format(preset::published_format(name), device);
        let config = self.configure(config, device)?;
        if config.network.classes != classes {
            let asked = config.network.classes;
            let reason = format!(
                "is {asked}, but the data set gives {classes} (0 without --cond); leave it out of --config and --set"
            );
            return Err(Error::setting("network.classes", reason));
        }
        Trainer::new(config, device)
    }

    /// A resumed trainer with the flags applied; networks and seed cannot change in a run.
    fn reconfigure(&self, path: &Path, trainer: Trainer, preset: Option<&TrainingConfig>) -> Result<Trainer> {
        let config = self.configure(trainer.config.clone(), trainer.device())?;
        if let Some(preset) = preset
            && preset.network.architecture != trainer.config.network.architecture
        {
            let trained = &trainer.config.preset;
            let reason = format!(
                "was trained with preset {trained}, not {}; drop --preset or start a new run",
                preset.preset
            );
            return Err(Error::input(path, reason));
        }
        if config.network != trainer.config.network {
            let reason = "has other networks than --config or --set ask for; they cannot change in a run";
            return Err(Error::input(path, reason));
        }
        if config.seed != trainer.config.seed {
            return Err(Error::setting("--seed", "a resumed run keeps its seed; drop the flag"));
        }
        trainer.reconfigured(config)
    }

    /// The checkpoint that --resume means; with `auto`, the newest one that can be read.
    fn resumed(&self, device: &Device) -> Result<Option<Resumed>> {
        let load = |path: &Path| {
            let (trainer, place) = decode_checkpoint(&read(path)?, path, device)?;
            Ok(Resumed { path: path.into(), trainer, place })
        };
        match &self.resume {
            None => Ok(None),
            Some(path) if path != Path::new("auto") => load(path).map(Some),
            Some(_) if !self.out.exists() => Ok(None),
            Some(_) => {
                let mut first_error = None;
                for path in RunDirectory::create(&self.out)?.checkpoints()? {
                    match load(&path) {
                        Ok(found) => return Ok(Some(found)),
                        Err(e) => {
                            exit::warn(&format!("{e}; trying the checkpoint before it"));
                            first_error.get_or_insert(e);
                        }
                    }
                }
                first_error.map_or(Ok(None), Err)
            }
        }
    }

    /// The configuration with file, flags and --set applied, in this order.
    fn configure(&self, mut config: TrainingConfig, device: &Device) -> Result<TrainingConfig> {
        if let Some(path) = &self.config {
            let text = String::from_utf8(read(path)?)
                .map_err(|_| Error::input(path, "is not a text file; --config takes TOML"))?;
            config = config.with_toml(&text, path)?;
        }
        if let Some(batch) = self.batch {
            config.batch = batch as usize;
        }
        if let Some(micro_batch) = self.micro_batch {
            config.micro_batch = micro_batch as usize;
        }
        if let Some(kimg) = self.kimg {
            config.kimg = kimg;
        }
        if let Some(gamma) = self.gamma {
            let base = match gamma {
                // --set may change the networks.
                Gamma::Auto => match config.with_overrides(&self.overrides)?.network.sample_shape() {
                    [1, ..] => {
                        let reason = "auto goes by the resolution of pictures; give points a number";
                        return Err(Error::setting("--gamma", reason));
                    }
                    [side, ..] => preset::gamma_for(side),
                },
                Gamma::Value(value) => value,
            };
            config.gamma = Schedule::new(base, base / 10.0);
        }
        if let Some(probability) = self.augment {
            config.augmentation = Schedule::new(0.0, probability);
        }
        if let Some(precision) = self.precision {
            config.precision = precision.format(preset::published_format(&config.preset), device);
        }
        if let Some(seed) = self.seed {
            config.seed = seed;
        }
        let config = config.with_overrides(&self.overrides)?;
        config.validate()?;
        Ok(config)
    }

    fn options(&self, config: &TrainingConfig) -> String {
        let started = format!(
            "# r3gan {} train --data {} --out {}{}{}\n",
            env!("CARGO_PKG_VERSION"),
            self.data.display(),
            self.out.display(),
            if self.cond { " --cond" } else { "" },
            if self.mirror { " --mirror" } else { "" },
        );
        started + &toml::to_string(config).expect("a configuration is plain data")
    }

    fn train(
        &self,
        trainer: Trainer,
        place: Option<(PathBuf, DataState)>,
        dataset: Dataset,
        directory: RunDirectory,
        evaluator: Option<Evaluator>,
    ) -> Result<Outcome> {
        let stop = stop_on_signal()?;
        let images = trainer.images;
        let bar = ProgressBar::new(trainer.config.kimg * 1000).with_position(images);
        let template = "{elapsed_precise} [{wide_bar}] {pos}/{len} images, {per_sec}, {eta} left{msg}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.reset_eta();
        if let Some((path, _)) = &place {
            print_line(&bar, &format!("resumed {} at {images} images", path.display()));
        }
        if trainer.config.precision != Format::F32 {
            print_line(&bar, &precision::told(trainer.config.precision, trainer.device()));
        }
        let options = SessionOptions {
            tick: self.tick * 1000,
            snapshot_ticks: self.snap.unwrap_or(if trainer.config.kimg > 10_000 { 50 } else { 5 }),
            grid: self.grid,
            precision: if self.half { Precision::F16 } else { Precision::F32 },
        };
        let place = place.map(|(_, place)| place);
        let mut session = Session::new(trainer, place, dataset, directory, options)?;
        if let Some(evaluator) = evaluator {
            session = session.measured_by(evaluator);
        }
        let mut last_checkpoint = None;
        let outcome = pollster::block_on(session.run(&stop, &mut |event| match event {
            Event::Step { images } => {
                bar.set_message("");
                bar.set_position(images);
            }
            Event::Measuring(Progress { what, done, total }) => {
                bar.set_message(format!(", measuring {what} {done}/{total}"));
            }
            Event::Measured(scores) => print_line(&bar, &metrics::lines(&scores)),
            Event::Unmeasured(model) => {
                let how = format!("r3gan metrics --network {}", model.display());
                print_line(&bar, &format!("stopped before {} was measured; `{how}` does", model.display()));
            }
            Event::Tick(tick) => print_line(&bar, &tick.line()),
            Event::Wrote(path) => {
                if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("checkpoint")) {
                    last_checkpoint = Some(path);
                }
            }
        }));
        bar.finish_and_clear();
        let outcome = outcome?;
        let written =
            last_checkpoint.map_or_else(String::new, |path| format!("; checkpoint {}", path.display()));
        match outcome {
            Outcome::Finished => exit::say(&format!("finished: {}{written}", self.out.display()))?,
            Outcome::Interrupted => exit::say(&format!("interrupted{written}; continue with --resume auto"))?,
        }
        Ok(outcome)
    }
}

/// A checkpoint that the run goes on from.
struct Resumed {
    path: PathBuf,
    trainer: Trainer,
    place: DataState,
}

/// Whether a checkpoint lies in the directory that the run writes to.
fn same_directory(checkpoint: &Path, directory: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let parent = checkpoint.canonicalize().ok().and_then(|path| path.parent().map(Path::to_path_buf));
    parent.is_some() && parent == real(directory)
}

/// What --gamma takes.
#[derive(Clone, Copy, Debug)]
enum Gamma {
    Auto,
    Value(f64),
}

fn gamma(text: &str) -> std::result::Result<Gamma, String> {
    match text {
        "auto" => Ok(Gamma::Auto),
        _ => text.parse().map(Gamma::Value).map_err(|_| "it is neither `auto` nor a number".into()),
    }
}
