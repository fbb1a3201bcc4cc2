//! The loop around the trainer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::Device;

use super::directory::{LOG, RunDirectory};
use super::event::{Event, Tick, gib, now};
use super::grid::Grid;
use super::health::{ailment, diverged};
use super::scores;
use super::snapshot::{Snapshot, reals};
use super::statistics::{Statistic, Statistics};
use super::tensorboard::EventFile;
use crate::checkpoint::training::encode_checkpoint;
use crate::checkpoint::{DataState, Model, Precision};
use crate::data::{Batch, Dataset, InfiniteSampler, Kind, Prefetcher, Values};
use crate::error::Result;
use crate::metrics::{Evaluator, Fakes};
use crate::sampling::Sampler;
use crate::training::{StepStats, Trainer, iterate_marked};
use crate::{backend, pictures};

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
    /// Pictures of a snapshot; none: [`Grid::usual`].
    pub grid: Option<Grid>,
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
    grid: Grid,
    evaluator: Option<Evaluator>,
    snapshot: Snapshot,
    /// Real samples that lie beside those of the snapshot.
    reals: Batch,
    events: EventFile,
    statistics: Statistics,
    started: Instant,
    tick_started: Instant,
    /// The end of the tick before.
    tick_ended: Instant,
    tick_images: u64,
    /// Seconds of the phases of the iteration that ended the tick.
    phases: Option<[f64; 2]>,
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
        let started = Instant::now();
        let position = place.map_or(0, |place| place.position);
        let dataset = Arc::new(dataset);
        let sampler = InfiniteSampler::at(dataset.len() as u32, trainer.config.seed, position);
        let batches = Prefetcher::new(dataset.clone(), sampler, trainer.config.batch, PREFETCH)?;
        let grid = options.grid.unwrap_or_else(|| Grid::usual(dataset.side(), trainer.device()));
        let reals = match dataset.kind() {
            Kind::Images { .. } => dataset.batch(&grid.items(&dataset))?,
            Kind::Points => reals(&dataset, 0)?,
        };
        let snapshot = Snapshot::new(&trainer, reals.count, reals.labels.clone());
        Ok(Self {
            tick_images: trainer.images,
            trainer,
            dataset,
            batches,
            directory,
            options,
            grid,
            evaluator: None,
            snapshot,
            reals,
            events: EventFile::new(),
            statistics: Statistics::default(),
            started,
            tick_started: started,
            tick_ended: started,
            phases: None,
        })
    }

    /// Measures the model of every snapshot and keeps the best by the first metric.
    /// [`Evaluator::check`] says beforehand whether it can.
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
            tell(Event::Wrote(self.directory.write("reals.png", &self.reals_picture()?)?));
        }
        let mut first = fresh;
        self.tick_started = Instant::now();
        // One iteration's values are read while the device works on the next.
        let mut pending: Option<StepStats> = None;
        while self.trainer.images < total {
            let before = self.trainer.images;
            let after = before + self.trainer.config.batch as u64;
            let boundary = before / self.options.tick != after / self.options.tick;
            let ends_tick = first || boundary || after >= total;
            let stats = self.iterate(ends_tick)?;
            if let Some(earlier) = pending.replace(stats) {
                self.account(earlier).await?;
            }
            tell(Event::Step { images: self.trainer.images });
            let done = self.trainer.images >= total;
            let interrupted = stop.load(Ordering::Relaxed) && !done;
            if !(ends_tick || interrupted) {
                continue;
            }
            if let Some(last) = pending.take() {
                self.account(last).await?;
            }
            let tick = self.end_tick()?;
            self.directory.append_line(LOG, &tick.line())?;
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

    /// One iteration. The one that ends a tick is timed: only there the device is waited for between the phases, as it
    /// is anyway when the tick's values are read.
    fn iterate(&mut self, timed: bool) -> Result<StepStats> {
        let mut marks = Vec::new();
        let mark = |device: &Device| {
            if timed {
                // What fails here fails again where the values are read.
                let _ = device.sync();
                marks.push(Instant::now());
            }
        };
        let stats = iterate_marked(&mut self.trainer, || self.batches.next(), mark)?;
        if let [start, critic, generator] = marks[..] {
            self.phases = Some([critic - start, generator - critic].map(|time| time.as_secs_f64()));
        }
        Ok(stats)
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
            maintenance: (self.tick_started - self.tick_ended).as_secs_f64(),
            phases: self.phases.take(),
            total_seconds: self.started.elapsed().as_secs_f64(),
            memory: resident_memory(),
            device_memory: backend::reserved_memory(self.trainer.device()),
            scheduled: self.trainer.config.scheduled(images),
            statistics: std::mem::take(&mut self.statistics),
        };
        self.tick_images = images;
        self.tick_ended = Instant::now();
        let all = all_statistics(&tick);
        self.directory.append_line("stats.jsonl", &statistics_line(&all))?;
        self.plot(all.iter().map(|(name, statistic)| (*name, statistic.mean)))?;
        Ok(tick)
    }

    /// Adds scalars to TensorBoard's file.
    fn plot<'a>(&mut self, scalars: impl Iterator<Item = (&'a str, f64)>) -> Result<()> {
        let records = self.events.scalars(self.trainer.images / 1000, scalars);
        self.directory.append(&self.events.name, &records)
    }

    async fn write_snapshot(&mut self, stop: &AtomicBool, tell: &mut impl FnMut(Event)) -> Result<()> {
        let images = self.trainer.images;
        let name = |kind, extension| RunDirectory::name(kind, images, extension);
        let fakes = self.fakes_picture().await?;
        tell(Event::Wrote(self.directory.write(&name("fakes", "png"), &fakes)?));
        let model = Model::average_of(&self.trainer, self.options.precision);
        let bytes = model.encode(self.options.precision).await?;
        let file = name("model", "safetensors");
        tell(Event::Wrote(self.directory.write(&file, &bytes)?));
        tell(Event::Wrote(self.write_checkpoint().await?));
        self.measure(model, &bytes, &file, stop, tell).await
    }

    /// Measures a model as it was written to `file`, if metrics were asked for and the run is not to stop.
    async fn measure(
        &mut self,
        mut model: Model,
        bytes: &[u8],
        file: &str,
        stop: &AtomicBool,
        tell: &mut impl FnMut(Event),
    ) -> Result<()> {
        let Some(evaluator) = &mut self.evaluator else { return Ok(()) };
        model.weights = Model::decode(bytes, self.directory.path(), self.trainer.device())?.weights;
        let mut listen = |progress| {
            tell(Event::Measuring(progress));
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let fakes = Fakes::Sampler(&Sampler::new(model));
        let Some(scores) = evaluator.evaluate(&fakes, &self.dataset, &mut listen).await? else {
            tell(Event::Unmeasured(self.directory.path().join(file)));
            return Ok(());
        };
        let best = scores.first().filter(|first| scores::is_best(&self.directory, first));
        if let Some(first) = best {
            let best = format!("best-{}.safetensors", first.metric);
            tell(Event::Wrote(self.directory.write(&best, bytes)?));
        }
        scores::append(&self.directory, &scores, file)?;
        let results = scores.iter().flat_map(|score| &score.results);
        let scalars: Vec<_> = results.map(|(name, value)| (format!("Metrics/{name}"), *value)).collect();
        self.plot(scalars.iter().map(|(name, value)| (name.as_str(), *value)))?;
        tell(Event::Measured(scores));
        Ok(())
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

    /// PNG of the real samples.
    fn reals_picture(&self) -> Result<Vec<u8>> {
        pictures::encode_png(&match &self.reals.values {
            Values::Pixels(pixels) => pictures::grid(pixels, self.reals.side, self.grid.columns),
            Values::Points(points) => pictures::scatter(points, &[], SCATTER_SIDE),
        })
    }

    /// PNG of the averaged generator's samples; points are drawn over the real ones.
    async fn fakes_picture(&self) -> Result<Vec<u8>> {
        let Self { snapshot, trainer, .. } = self;
        pictures::encode_png(&match &self.reals.values {
            Values::Pixels(_) => {
                let pixels = snapshot.fakes(trainer, pictures::to_pixels_rounded).await?;
                pictures::grid(&pixels, self.reals.side, self.grid.columns)
            }
            Values::Points(points) => {
                let fakes = snapshot.fakes(trainer, <[f32]>::to_vec).await?;
                pictures::scatter(points, &fakes, SCATTER_SIDE)
            }
        })
    }
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
        ("Timing/maintenance_sec", tick.maintenance),
        ("Resources/cpu_mem_gb", gib(tick.memory)),
    ] {
        statistics.add_value(name, value);
    }
    if let Some([critic, generator]) = tick.phases {
        statistics.add_value("Timing/D", critic * 1e3);
        statistics.add_value("Timing/G", generator * 1e3);
    }
    if let Some(bytes) = tick.device_memory {
        statistics.add_value("Resources/peak_gpu_mem_reserved_gb", gib(bytes));
    }
    statistics.all()
}

/// One line of `stats.jsonl`.
fn statistics_line(all: &BTreeMap<&'static str, Statistic>) -> String {
    let mut object = serde_json::to_value(all).expect("statistics are plain numbers");
    object["timestamp"] = now().into();
    object.to_string()
}

/// Resident memory of this process in bytes; 0 where it is not known.
fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
