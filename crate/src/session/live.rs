//! A run in memory that moves when it is asked to: no clock, no files, no threads.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::health::{ailment, diverged};
use super::snapshot::{Snapshot, reals, samples};
use super::statistics::Statistics;
use super::{check_data, fit};
use crate::checkpoint::model::encode_model;
use crate::checkpoint::training::{decode_checkpoint, encode_checkpoint};
use crate::checkpoint::{DataState, Precision};
use crate::config::TrainingConfig;
use crate::data::{Batch, Dataset, InfiniteSampler, Kind};
use crate::error::{Error, Result};
use crate::sampling;
use crate::schedule::Schedule;
use crate::training::{Phase, StepStats, Trainer, footprint, iterate, next_phase, read_values};

/// Points of the critic's surface that are judged at a time.
const SURFACE_PASS: usize = 4096;

/// One pair of networks learning one data set.
pub struct Live {
    trainer: Trainer,
    dataset: Dataset,
    order: InfiniteSampler,
}

impl Live {
    /// A fresh run.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`fit`]; [`Error::Setting`] if the networks' classes are not the data set's.
    pub fn new(config: TrainingConfig, dataset: Dataset, device: &Device) -> Result<Self> {
        let (asked, given) = (config.network.classes, dataset.classes());
        if asked != given {
            let reason = format!("is {asked}, but the data set gives {given} (0 without labels)");
            return Err(Error::setting("network.classes", reason));
        }
        let dataset = fit(dataset, &config)?;
        let trainer = Trainer::new(config, device)?;
        Ok(Self::at(trainer, dataset, 0))
    }

    /// The run of a checkpoint, on its data set; `origin` names the checkpoint in errors.
    ///
    /// # Errors
    /// [`Error::Input`] for a file that is no checkpoint, or one of another data set.
    pub fn resume(checkpoint: &[u8], origin: &Path, dataset: Dataset, device: &Device) -> Result<Self> {
        let (trainer, place) = decode_checkpoint(checkpoint, origin, device)?;
        let dataset = fit(dataset, &trainer.config)?;
        check_data(origin, &trainer.config, &place, &dataset)?;
        footprint::check(&trainer.config, device)?;
        Ok(Self::at(trainer, dataset, place.position))
    }

    fn at(trainer: Trainer, dataset: Dataset, position: u64) -> Self {
        let order = InfiniteSampler::at(dataset.len() as u32, trainer.config.seed, position);
        Self { trainer, dataset, order }
    }

    /// Goes on from another checkpoint of the same data set. A refused one leaves the run as it is.
    ///
    /// # Errors
    /// As [`Live::resume`].
    pub fn restore(&mut self, checkpoint: &[u8], origin: &Path) -> Result<()> {
        let (trainer, place) = decode_checkpoint(checkpoint, origin, self.trainer.device())?;
        if trainer.config.network != self.trainer.config.network {
            return Err(Error::input(origin, "has other networks than this run; start a new run with it"));
        }
        check_data(origin, &trainer.config, &place, &self.dataset)?;
        self.order = InfiniteSampler::at(self.dataset.len() as u32, trainer.config.seed, place.position);
        self.trainer = trainer;
        Ok(())
    }

    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// `count` iterations of both players, and the statistics of all of them.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a value is not a number or the penalties explode: the run is then of no use until it is restored.
    pub async fn steps(&mut self, count: usize) -> Result<Statistics> {
        let mut statistics = Statistics::default();
        // One iteration's values are read while the device works on the next.
        let mut pending: Option<StepStats> = None;
        for _ in 0..count {
            let Self { trainer, dataset, order } = self;
            let batch = trainer.config.batch;
            let stats = iterate(trainer, || dataset.batch(&order.take(batch)))?;
            if let Some(earlier) = pending.replace(stats) {
                self.account(earlier, &mut statistics).await?;
            }
        }
        if let Some(last) = pending {
            self.account(last, &mut statistics).await?;
        }
        Ok(statistics)
    }

    /// One step of the critic alone; the schedules move with the images that it sees.
    ///
    /// # Errors
    /// As [`Live::steps`].
    pub async fn step_critic(&mut self) -> Result<Statistics> {
        self.step_alone(Trainer::step_critic_alone).await
    }

    /// One step of the generator alone, and of its average.
    ///
    /// # Errors
    /// As [`Live::steps`].
    pub async fn step_generator(&mut self) -> Result<Statistics> {
        self.step_alone(Trainer::step_generator_alone).await
    }

    async fn step_alone(&mut self, step: fn(&mut Trainer, &Phase) -> StepStats) -> Result<Statistics> {
        let Self { trainer, dataset, order } = self;
        let batch = trainer.config.batch;
        let phase = next_phase(trainer, || dataset.batch(&order.take(batch)))?;
        let stats = step(trainer, &phase);
        let mut statistics = Statistics::default();
        self.account(stats, &mut statistics).await?;
        Ok(statistics)
    }

    async fn account(&self, stats: StepStats, statistics: &mut Statistics) -> Result<()> {
        let values = stats.read().await?;
        let config = &self.trainer.config;
        let gamma = config.scheduled(self.trainer.images).gamma;
        if let Some(ailment) = ailment(&values, gamma, config.penalty) {
            return Err(diverged(&self.trainer, &ailment, "go back to the last checkpoint"));
        }
        statistics.add_iteration(&values);
        Ok(())
    }

    /// Samples of the averaged generator at latents that stay the same: `count` pictures, with labels one class
    /// after the other, or 2000 points.
    ///
    /// # Shapes
    /// `[count, height, width, channels]`
    pub async fn samples(&self, count: usize) -> Result<Vec<f32>> {
        let (count, classes) = (samples(self.dataset.kind(), count), self.dataset.classes());
        let numbers: Vec<usize> = (0..count).filter(|_| classes > 0).map(|sample| sample % classes).collect();
        let labels = sampling::one_hot(&numbers, classes)?;
        Snapshot::new(&self.trainer, count, labels).fakes(&self.trainer, <[f32]>::to_vec).await
    }

    /// Real samples as the critic sees them: the first `count` of a fixed shuffle; all that are shown of a cloud.
    pub fn reals(&self, count: usize) -> Result<Batch> {
        reals(&self.dataset, count)
    }

    /// The critic's logit on a square of points from (-reach, reach), row by row downwards.
    ///
    /// # Shapes
    /// `[side, side]`
    ///
    /// # Errors
    /// [`Error::Setting`] unless the run learns points without labels.
    pub async fn critic_surface(&self, side: usize, reach: f32) -> Result<Vec<f32>> {
        if self.dataset.kind() != Kind::Points || self.dataset.classes() > 0 {
            return Err(Error::setting("critic surface", "only point sets without labels have one"));
        }
        if !((2..=512).contains(&side) && reach.is_finite() && reach > 0.0) {
            return Err(Error::setting("critic surface", "needs a side of 2 to 512 and a positive reach"));
        }
        let at = |i: usize| (2.0 * i as f32 / (side - 1) as f32 - 1.0) * reach;
        let points: Vec<f32> = (0..side * side).flat_map(|i| [at(i % side), -at(i / side)]).collect();
        let mut logits = Vec::with_capacity(side * side);
        for part in points.chunks(2 * SURFACE_PASS) {
            let data = TensorData::new(part.to_vec(), [part.len() / 2, 1, 1, 2]);
            let points = Tensor::from_data(data, self.trainer.device());
            let Trainer { critic, players, .. } = &self.trainer;
            logits.extend(read_values(critic.evaluate(&players.critic, points, None)).await?);
        }
        Ok(logits)
    }

    /// Changes settings while the run goes on: a schedule becomes this constant.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value out of range, [`Error::Memory`] for a batch beyond it; nothing has then changed.
    pub fn set(
        &mut self,
        gamma: Option<f64>,
        learning_rate: Option<f64>,
        batch: Option<usize>,
    ) -> Result<()> {
        let mut config = self.trainer.config.clone();
        let constant = |value: f64| Schedule::new(value, value);
        config.gamma = gamma.map_or(config.gamma, constant);
        config.learning_rate = learning_rate.map_or(config.learning_rate, constant);
        if let Some(batch) = batch {
            (config.batch, config.micro_batch) = (batch, 0);
        }
        config.validate()?;
        footprint::check(&config, self.trainer.device())?;
        self.trainer.config = config;
        Ok(())
    }

    /// The bytes of a checkpoint.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a weight is not a number.
    pub async fn checkpoint(&self) -> Result<Vec<u8>> {
        let place =
            DataState { fingerprint: Some(self.dataset.fingerprint()), position: self.order.position() };
        encode_checkpoint(&self.trainer, &place).await
    }

    /// The bytes of a model: the averaged generator.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a weight is not a number, or beyond f16.
    pub async fn model(&self, precision: Precision) -> Result<Vec<u8>> {
        encode_model(&self.trainer, precision).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::PointCloud;
    use crate::{backend, preset};

    const NAME: &str = "checkpoint";

    fn config() -> TrainingConfig {
        let small = ["network.architecture.hidden=[8, 8]", "network.latent=4", "batch=50", "kimg=1"];
        preset::config("points", 0).unwrap().with_overrides(&small.map(String::from)).unwrap()
    }

    fn ring() -> Dataset {
        Dataset::points(PointCloud::Ring8, false).unwrap()
    }

    fn run() -> Live {
        Live::new(config(), ring(), &backend::open("cpu").unwrap()).unwrap()
    }

    #[cfg(feature = "cli")]
    #[test]
    fn takes_the_steps_of_a_session() {
        use crate::checkpoint::Precision;
        use crate::session::{RunDirectory, Session, SessionOptions};

        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path()).unwrap();
        let options = SessionOptions { tick: 1000, snapshot_ticks: 1, grid: None, precision: Precision::F32 };
        let trainer = Trainer::new(config(), &backend::open("cpu").unwrap()).unwrap();
        let mut session = Session::new(trainer, None, ring(), directory, options).unwrap();
        pollster::block_on(session.run(&false.into(), &mut |_| {})).unwrap();
        let native = std::fs::read(folder.path().join("checkpoint-000001.safetensors")).unwrap();

        let mut live = run();
        pollster::block_on(live.steps(20)).unwrap();
        assert!(pollster::block_on(live.checkpoint()).unwrap() == native, "the bytes differ");
    }

    #[test]
    fn goes_on_exactly_after_any_mixture_of_steps() {
        pollster::block_on(async {
            let mut live = run();
            live.steps(2).await.unwrap();
            for _ in 0..3 {
                live.step_generator().await.unwrap();
            }
            live.step_critic().await.unwrap();
            assert_eq!(live.trainer().images, 150);
            let saved = live.checkpoint().await.unwrap();
            live.set(Some(2.0), Some(1e-3), Some(25)).unwrap();
            live.steps(3).await.unwrap();
            let moved = live.checkpoint().await.unwrap();
            assert!(moved != saved);

            let (origin, device) = (Path::new(NAME), backend::open("cpu").unwrap());
            let mut resumed = Live::resume(&saved, origin, ring(), &device).unwrap();
            resumed.set(Some(2.0), Some(1e-3), Some(25)).unwrap();
            resumed.steps(3).await.unwrap();
            assert!(resumed.checkpoint().await.unwrap() == moved);
            live.restore(&saved, origin).unwrap();
            assert!(live.checkpoint().await.unwrap() == saved);
        });
    }

    #[test]
    fn refuses_what_does_not_fit_and_stays_as_it_is() {
        pollster::block_on(async {
            let device = backend::open("cpu").unwrap();
            let mut live = run();
            let saved = live.checkpoint().await.unwrap();
            let grid = Dataset::points(PointCloud::Grid25, false).unwrap();
            let other = Live::resume(&saved, Path::new(NAME), grid, &device).err().unwrap().to_string();
            assert!(other.starts_with("checkpoint: was trained on other data"), "{other}");
            assert!(live.restore(&saved[..1000], Path::new(NAME)).is_err());
            for broken in [f64::NAN, -1.0, 1e10] {
                assert!(live.set(Some(broken), None, None).is_err());
            }
            assert!(live.set(None, None, Some(0)).is_err());
            assert!(live.checkpoint().await.unwrap() == saved);
            let labelled = Dataset::points(PointCloud::Ring8, true).unwrap();
            let refused = Live::new(config(), labelled, &device).err().unwrap().to_string();
            assert!(refused.starts_with("network.classes: "), "{refused}");
        });
    }

    #[test]
    fn divergence_is_told_and_survived() {
        pollster::block_on(async {
            let mut live = run();
            let saved = live.checkpoint().await.unwrap();
            let broken = live.trainer.players.critic[0].clone() * f32::NAN;
            live.trainer.players.critic[0] = broken;
            assert!(matches!(live.steps(2).await, Err(Error::Diverged(_))));
            assert!(matches!(live.checkpoint().await, Err(Error::Diverged(_))));
            live.restore(&saved, Path::new(NAME)).unwrap();
            live.steps(2).await.unwrap();
        });
    }

    #[test]
    fn the_surface_is_the_critics() {
        pollster::block_on(async {
            let live = run();
            let surface = live.critic_surface(3, 2.0).await.unwrap();
            let corner =
                Tensor::from_data(TensorData::new(vec![2.0f32, -2.0], [1, 1, 1, 2]), live.trainer.device());
            let Trainer { critic, players, .. } = &live.trainer;
            let logit = read_values(critic.evaluate(&players.critic, corner, None)).await.unwrap();
            // The last value of the last row: right and below.
            assert!((surface[8] - logit[0]).abs() < 1e-6, "{surface:?} {logit:?}");
            assert_eq!(surface.len(), 9);
            assert!(live.critic_surface(1, 1.0).await.is_err());
        });
    }

    #[test]
    fn shows_two_thousand_points() {
        let live = run();
        let samples = pollster::block_on(live.samples(16)).unwrap();
        assert_eq!((samples.len(), live.reals(16).unwrap().count), (4000, 2000));
    }
}
