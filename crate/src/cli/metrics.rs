//! `r3gan metrics`: how good generated pictures are.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Args;
use indicatif::ProgressBar;

use super::precision::Precision;
use super::{exit, open_data, open_device, progress};
use crate::checkpoint::Model;
use crate::data::{self, Dataset, Kind, OpenOptions};
use crate::metrics::{Evaluator, Extractor, Fakes, Metric, Progress, Score};
use crate::sampling::Sampler;
use crate::session::{RunDirectory, scores};
use crate::{Error, Result, cache};

const EXAMPLES: &str = "\
Examples:
  r3gan metrics --network runs/faces/model-000100.safetensors --data faces.zip --extractor inception.safetensors
  r3gan metrics --network runs/cifar/model-*.safetensors --data cifar10.zip --metrics fid10k_full,kid10k_full \\
                --extractor inception.safetensors
  r3gan metrics --fakes pictures/ --data faces.zip --metrics fid5k_full --extractor inception.safetensors

Metrics are fid50k, kid50k, pr50k3, each also with _full, and is50k. With _full, 50,000 samples are compared with all
real pictures, else with 50,000. Fewer samples (fid5k_full) are quicker and give larger, less certain distances: compare
only like with like.
A model that lies in its run's directory has its results added to metric-NAME.jsonl there.
`cargo xtask data inception` fetches FID's Inception; `r3gan import` takes over other published files of it.";

/// Measure generators, or pictures that were generated before, against real pictures.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Metrics {
    /// Models, checkpoints or official .pkl to measure (of the latter two, the averaged generator)
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "fakes", conflicts_with = "fakes")]
    network: Vec<PathBuf>,
    /// Folder or zip of generated pictures to measure in place of a network
    #[arg(long, value_name = "PATH")]
    fakes: Option<PathBuf>,
    /// Real pictures: what `train --data` takes
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Metrics by published name; another number of samples may stand for 50k
    #[arg(long, value_name = "LIST", default_value = "fid50k_full")]
    metrics: String,
    /// Add the mirror images of the real pictures, for metrics without _full
    #[arg(long)]
    mirror: bool,
    #[command(flatten)]
    measuring: Measuring,
    /// Number formats of the stages next to the pictures
    #[arg(long, value_enum, default_value = "auto", conflicts_with = "fakes")]
    precision: Precision,
    /// Print one JSON object for each network
    #[arg(long)]
    json: bool,
    /// auto, cpu, wgpu, vulkan or cuda[:N]
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
}

/// What measuring needs beside pictures.
#[derive(Args, Debug)]
pub struct Measuring {
    /// Networks that pictures are compared by, as `r3gan import` makes them: FID's Inception, and VGG16 for precision and
    /// recall
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    extractor: Vec<PathBuf>,
    /// Directory that keeps statistics of real pictures for the next time [default: r3gan/metrics in the user's cache].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Measuring {
    /// Refuses metrics without an extractor, and the other way round.
    pub fn check(&self, metrics: &[Metric]) -> Result<()> {
        if metrics.is_empty() {
            let unused = [("--extractor", !self.extractor.is_empty()), ("--cache", self.cache.is_some())];
            return match unused.into_iter().find(|(_, given)| *given) {
                Some((flag, _)) => Err(Error::setting(flag, "is for --metrics; name some, or leave it out")),
                None => Ok(()),
            };
        }
        if !self.extractor.is_empty() {
            return Ok(());
        }
        let reason = "is needed to measure; `cargo xtask data inception` makes target/data/inception/inception.safetensors";
        Err(Error::setting("--extractor", reason))
    }

    /// None where nothing is to be measured.
    pub fn evaluator(&self, metrics: Vec<Metric>, device: &Device) -> Result<Option<Evaluator>> {
        if metrics.is_empty() {
            return Ok(None);
        }
        let extractors = self.extractor.iter().map(|path| Extractor::open(path, device));
        let cache = self.cache.clone().or_else(|| cache::folder("metrics"));
        let evaluator = Evaluator::new(extractors.collect::<Result<_>>()?, metrics, cache)?;
        for metric in evaluator.unpublished() {
            exit::warn(&format!(
                "{metric} is taken from Inception's features, and does not compare with published numbers, which are \
                 VGG16's; --extractor takes both"
            ));
        }
        Ok(Some(evaluator))
    }
}

impl Metrics {
    pub fn run(self) -> Result<()> {
        let metrics = Metric::list(&self.metrics)?;
        if metrics.is_empty() {
            return Err(Error::setting("--metrics", "none leaves nothing to do; name one"));
        }
        self.measuring.check(&metrics)?;
        let device = open_device(&self.device)?;
        let Some(mut evaluator) = self.measuring.evaluator(metrics, &device)? else { return Ok(()) };
        if let Some(path) = &self.fakes {
            let fakes = data::open(path, &OpenOptions::default())?;
            let reals = framed(self.open_data(0)?, fakes.side())?;
            let scores = evaluate(&mut evaluator, &Fakes::Pictures(&fakes), &reals)?;
            return self.tell(path, &scores);
        }
        // All of them are looked at before hours are spent on the first.
        for path in &self.network {
            let (model, reals) = self.subject(path, &device)?;
            evaluator.check_network(&model.header.network, &reals)?;
        }
        for path in &self.network {
            let (model, reals) = self.subject(path, &device)?;
            let scores = evaluate(&mut evaluator, &Fakes::Sampler(&Sampler::new(model)), &reals)?;
            self.tell(path, &scores)?;
            record(path, &scores)?;
        }
        Ok(())
    }

    /// A model, and real pictures of its size.
    fn subject(&self, path: &Path, device: &Device) -> Result<(Model, Dataset)> {
        let mut model = Model::open(path, device)?;
        model.compute_in(self.precision.format(model.header.published_format(), device))?;
        let network = &model.header.network;
        let reals = self.open_data(network.classes)?;
        // Points are refused with another sentence.
        let reals =
            if network.sample_shape()[0] > 1 { framed(reals, network.sample_shape()[0])? } else { reals };
        Ok((model, reals))
    }

    fn tell(&self, measured: &Path, scores: &[Score]) -> Result<()> {
        if !self.json {
            return exit::say(&format!("{}\n{}", measured.display(), lines(scores)));
        }
        let results = scores.iter().flat_map(|score| &score.results);
        let results = results.map(|(name, value)| (name.clone(), (*value).into()));
        let measured = ("measured".to_owned(), measured.display().to_string().into());
        let results = results.chain([measured]);
        exit::say(&serde_json::Value::Object(results.collect()).to_string())
    }

    /// With labels where a network draws by them.
    fn open_data(&self, classes: usize) -> Result<Dataset> {
        open_data(&self.data, classes > 0, self.mirror)
    }
}

/// Smaller pictures in a black frame, as `train` frames them; points are refused later.
fn framed(reals: Dataset, side: usize) -> Result<Dataset> {
    match reals.kind() {
        Kind::Images { side: own, .. } if own != side => reals.padded_to(side),
        _ => Ok(reals),
    }
}

fn evaluate(evaluator: &mut Evaluator, fakes: &Fakes, reals: &Dataset) -> Result<Vec<Score>> {
    let mut bar: Option<(&str, ProgressBar)> = None;
    let mut listen = |Progress { what, done, total }| {
        if bar.as_ref().is_none_or(|(shown, _)| *shown != what) {
            if let Some((_, bar)) = bar.take() {
                bar.finish_and_clear();
            }
            bar = Some((what, progress(total, what)));
        }
        if let Some((_, bar)) = &bar {
            bar.set_position(done as u64);
        }
        ControlFlow::Continue(())
    };
    let scores = pollster::block_on(evaluator.evaluate(fakes, reals, &mut listen))?;
    if let Some((_, bar)) = bar {
        bar.finish_and_clear();
    }
    Ok(scores.unwrap_or_default())
}

/// A line for each result.
pub fn lines(scores: &[Score]) -> String {
    let line = |(score, (name, value)): (&Score, &(String, f64))| {
        format!("{name} {value:.6} ({:.0} s)", score.seconds)
    };
    let results = scores.iter().flat_map(|score| score.results.iter().map(move |result| (score, result)));
    results.map(line).collect::<Vec<_>>().join("\n")
}

/// Adds the scores to the run that the model lies in, if it does.
fn record(model: &Path, scores: &[Score]) -> Result<()> {
    let directory = model.parent().unwrap_or(Path::new(""));
    let Some(name) = model.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    if !directory.join("options.toml").is_file() {
        return Ok(());
    }
    scores::append(&RunDirectory::create(directory)?, scores, name)
}
