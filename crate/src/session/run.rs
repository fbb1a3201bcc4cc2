//! The loop around the trainer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::directory::RunDirectory;
use super::event::{Event, Tick};
use super::health::{ailment, diverged};
use super::scores;
use super::snapshot::{Snapshot, reals};
use super::statistics::{Statistic, Statistics};
use super::tensorboard::EventFile;
use crate::checkpoint::training::encode_checkpoint;
use crate::checkpoint::{DataState, Model, Precision};
use crate::data::{Batch, Dataset, InfiniteSampler, Prefetcher, Values};
use crate::error::Result;
use crate::metrics::{Evaluator, Fakes, Score};
use crate::pictures;
use crate::training::{StepStats, Trainer, iterate};

/// Pictures of a snapshot, per row and column.
const GRID: usize = 10;
/// Side of the picture of a point cloud.
const SCATTER_SIDE: usize = 512;
/// Batches that are decoded ahead.
const PREFETCH: usize = 4;

/// How a run is paced and what it writes.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Length of a tick in images.
    pub tick: u64,
    /// Ticks between snapshots (pictures, model, checkpoint).
    pub snapshot_ticks: u64,
    /// Number format of the models.
    pub precision: Precision,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All images of the configuration were seen.
    Finished,
    /// The flag was raised; a checkpoint was written.
    Interrupted,
}

/// A run in progress.
pub struct Session {
    trainer: Trainer,
    dataset: Arc<Dataset>,
    batches: Prefetcher,
    directory: RunDirectory,
    options: SessionOptions,
    evaluator: Option<Evaluator>,
    snapshot: Snapshot,
    /// Real samples that lie beside those of the snapshot.
    reals: Batch,
    events: EventFile,
    statistics: Statistics,
    started: Instant,
    tick_started: Instant,
    tick_images: u64,
}

impl Session {
    /// A run of a fresh trainer, or of one that a checkpoint brought with its place in the data.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if the data set does not fit the networks or is not the checkpoint's.
    pub fn new(
        trainer: Trainer,
        place: Option<DataState>,
        dataset: Dataset,
        directory: RunDirectory,
        options: SessionOptions,
    ) -> Result<Self> {
        let position = place.map_or(0, |place| place.position);
        let dataset = Arc::new(dataset);
        let sampler = InfiniteSampler::at(dataset.len() as u32, trainer.config.seed, position);
        let batches = Prefetcher::new(dataset.clone(), sampler, trainer.config.batch, PREFETCH)?;
        let snapshot = Snapshot::new(&trainer, dataset.kind(), GRID * GRID, GRID);
        let reals = reals(&dataset, GRID * GRID)?;
        let now = Instant::now();
        Ok(Self {
            tick_images: trainer.images,
            trainer,
            dataset,
            batches,
            directory,
            options,
            evaluator: None,
            snapshot,
            reals,
            events: EventFile::new(),
            statistics: Statistics::default(),
            started: now,
            tick_started: now,
        })
    }

    /// Measures the model of every snapshot and keeps the best by the first metric.
    pub fn measured_by(mut self, evaluator: Evaluator) -> Self {
        self.evaluator = Some(evaluator);
        self
    }

    /// Trains until the configuration's length or until `stop` is raised; the step in progress is finished.
    ///
    /// # Errors
    /// [`crate::Error::Diverged`] if a loss is not finite or the penalties explode; the last checkpoint is then from before.
    pub async fn run(&mut self, stop: &AtomicBool, tell: &mut impl FnMut(Event)) -> Result<Outcome> {
        let total = self.trainer.config.kimg * 1000;
        let fresh = self.trainer.images == 0;
        if fresh {
            tell(Event::Wrote(self.directory.write("reals.png", &reals_picture(&self.reals)?)?));
        }
        let mut first = fresh;
        // One iteration's values are read while the device works on the next.
        let mut pending: Option<StepStats> = None;
        while self.trainer.images < total {
            let before = self.trainer.images;
            let stats = iterate(&mut self.trainer, || self.batches.next())?;
            if let Some(earlier) = pending.replace(stats) {
                self.account(earlier).await?;
            }
            tell(Event::Step { images: self.trainer.images });
            let done = self.trainer.images >= total;
            let interrupted = stop.load(Ordering::Relaxed) && !done;
            let boundary = before / self.options.tick != self.trainer.images / self.options.tick;
            if !(first || boundary || done || interrupted) {
                continue;
            }
            if let Some(last) = pending.take() {
                self.account(last).await?;
            }
            let tick = self.end_tick()?;
            self.directory.append_line("log.txt", &tick.line())?;
            tell(Event::Tick(tick));
            if interrupted {
                tell(Event::Wrote(self.write_checkpoint().await?));
                return Ok(Outcome::Interrupted);
            }
            let period = self.options.tick.saturating_mul(self.options.snapshot_ticks);
            if first || done || before / period != self.trainer.images / period {
                self.write_snapshot(stop, tell).await?;
            }
            first = false;
            self.tick_started = Instant::now();
        }
        Ok(Outcome::Finished)
    }

    async fn account(&mut self, stats: StepStats) -> Result<()> {
        let values = stats.read().await?;
        let config = &self.trainer.config;
        let gamma = config.scheduled(self.trainer.images).gamma;
        if let Some(ailment) = ailment(&values, gamma, config.penalty) {
            let last = match self.directory.checkpoints().unwrap_or_default().first() {
                Some(path) => format!("{} is from before", path.display()),
                None => "no checkpoint was written yet".into(),
            };
            return Err(diverged(&self.trainer, &ailment, &last));
        }
        self.statistics.add_iteration(&values);
        Ok(())
    }

    fn end_tick(&mut self) -> Result<Tick> {
        let images = self.trainer.images;
        let tick = Tick {
            number: images / self.options.tick,
            images,
            stretch: images - self.tick_images,
            seconds: self.tick_started.elapsed().as_secs_f64(),
            total_seconds: self.started.elapsed().as_secs_f64(),
            memory: resident_memory(),
            scheduled: self.trainer.config.scheduled(images),
            statistics: std::mem::take(&mut self.statistics),
        };
        self.tick_images = images;
        let all = all_statistics(&tick);
        self.directory.append_line("stats.jsonl", &statistics_line(&all))?;
        let scalars = all.iter().map(|(name, statistic)| (*name, statistic.mean));
        let records = self.events.scalars(images / 1000, scalars);
        self.directory.append(&self.events.name, &records)?;
        Ok(tick)
    }

    async fn write_snapshot(&mut self, stop: &AtomicBool, tell: &mut impl FnMut(Event)) -> Result<()> {
        let images = self.trainer.images;
        let name = |kind, extension| RunDirectory::name(kind, images, extension);
        let fakes = fakes_picture(&self.snapshot.fakes(&self.trainer).await?, &self.reals)?;
        tell(Event::Wrote(self.directory.write(&name("fakes", "png"), &fakes)?));
        let model = Model::average_of(&self.trainer, self.options.precision);
        let bytes = model.encode(self.options.precision).await?;
        let file = name("model", "safetensors");
        tell(Event::Wrote(self.directory.write(&file, &bytes)?));
        tell(Event::Wrote(self.write_checkpoint().await?));
        if let Some(scores) = self.measure(&model, stop, tell).await? {
            if let Some(first) = scores.first().filter(|first| scores::is_best(&self.directory, first)) {
                let best = format!("best-{}.safetensors", first.metric);
                tell(Event::Wrote(self.directory.write(&best, &bytes)?));
            }
            scores::append(&self.directory, &scores, &file)?;
            let results = scores.iter().flat_map(|score| &score.results);
            let scalars: Vec<_> = results.map(|(name, value)| (format!("Metrics/{name}"), *value)).collect();
            let scalars = scalars.iter().map(|(name, value)| (name.as_str(), *value));
            let records = self.events.scalars(images / 1000, scalars);
            self.directory.append(&self.events.name, &records)?;
            tell(Event::Measured(scores));
        }
        Ok(())
    }

    /// Nothing without metrics, and when the run is to stop: the next start measures its own models.
    async fn measure(
        &mut self,
        model: &Model,
        stop: &AtomicBool,
        tell: &mut impl FnMut(Event),
    ) -> Result<Option<Vec<Score>>> {
        let Some(evaluator) = &mut self.evaluator else { return Ok(None) };
        let mut listen = |progress| {
            tell(Event::Measuring(progress));
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        evaluator.evaluate(&Fakes::Model(model), &self.dataset, &mut listen).await
    }

    async fn write_checkpoint(&mut self) -> Result<PathBuf> {
        let place =
            DataState { fingerprint: Some(self.dataset.fingerprint()), position: self.batches.consumed() };
        let bytes = encode_checkpoint(&self.trainer, &place).await?;
        let name = RunDirectory::name("checkpoint", self.trainer.images, "safetensors");
        let path = self.directory.write(&name, &bytes)?;
        self.directory.prune_checkpoints()?;
        Ok(path)
    }
}

/// PNG of the real samples.
fn reals_picture(reals: &Batch) -> Result<Vec<u8>> {
    pictures::encode_png(&match &reals.values {
        Values::Pixels(pixels) => pictures::grid(pixels, reals.side, GRID),
        Values::Points(points) => pictures::scatter(points, &[], SCATTER_SIDE),
    })
}

/// PNG of the averaged generator's samples; points are drawn over the real ones.
fn fakes_picture(fakes: &[f32], reals: &Batch) -> Result<Vec<u8>> {
    pictures::encode_png(&match &reals.values {
        Values::Pixels(_) => pictures::grid(&pictures::to_pixels_rounded(fakes), reals.side, GRID),
        Values::Points(points) => pictures::scatter(points, fakes, SCATTER_SIDE),
    })
}

/// What a tick's stretch came to, by its published name.
fn all_statistics(tick: &Tick) -> BTreeMap<&'static str, Statistic> {
    let mut statistics = tick.statistics.clone();
    let Tick { scheduled, .. } = tick;
    for (name, value) in [
        ("Progress/tick", tick.number as f64),
        ("Progress/kimg", tick.images as f64 / 1e3),
        ("Progress/lr", scheduled.learning_rate),
        ("Progress/ema_mimg", scheduled.average_half_life / 1e6),
        ("Progress/augment", scheduled.augmentation),
        ("Progress/beta2", scheduled.beta2),
        ("Progress/gamma", scheduled.gamma),
        ("Timing/total_sec", tick.total_seconds),
        ("Timing/total_hours", tick.total_seconds / 3600.0),
        ("Timing/total_days", tick.total_seconds / 86_400.0),
        ("Timing/sec_per_tick", tick.seconds),
        ("Timing/sec_per_kimg", tick.seconds_per_kimg()),
        ("Resources/cpu_mem_gb", tick.memory as f64 / 2f64.powi(30)),
    ] {
        statistics.add_value(name, value);
    }
    statistics.all()
}

/// One line of `stats.jsonl`.
fn statistics_line(all: &BTreeMap<&'static str, Statistic>) -> String {
    let mut object = serde_json::to_value(all).expect("statistics are plain numbers");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64());
    object["timestamp"] = now.into();
    object.to_string()
}

/// Resident memory of this process in bytes; 0 where it is not known.
fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
