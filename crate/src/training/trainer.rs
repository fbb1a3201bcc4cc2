//! The trainer: two players, their optimisers, the average. No files, no clock, no data set.

use burn::tensor::{Device, Tensor, TensorData};

use super::adam::Adam;
use super::average;
use super::footprint;
use super::gradients::{CriticTask, Phase, Player, critic_gradients, generator_gradients};
use super::origin::{OfficialPrecision, Origin};
use super::stats::StepStats;
use super::{CriticValues, GeneratorValues};
use crate::augment::{Augmentations, Pipeline};
use crate::config::TrainingConfig;
use crate::error::Result;
use crate::network::{Gradients, Network, Reduced, Weights};
use crate::random::RandomState;

/// All that training changes: the weights of both players, their average, and the optimisers.
#[derive(Clone, Debug)]
pub struct Players {
    pub generator: Weights,
    pub critic: Weights,
    /// Moving average of the generator: what is sampled and shared.
    pub average: Weights,
    pub generator_adam: Adam,
    pub critic_adam: Adam,
}

/// Trains one pair of networks on one device.
pub struct Trainer {
    pub config: TrainingConfig,
    pub generator: Network,
    pub critic: Network,
    pub players: Players,
    /// Real images that the critic has seen.
    pub images: u64,
    /// Source of latents and augmentations, on the host so that a seed means the same on every device.
    pub noise: RandomState,
    /// Goes into every file of the weights.
    pub origin: Origin,
    /// What samples are augmented by, once they are.
    pipeline: Option<Pipeline>,
    device: Device,
}

impl Trainer {
    /// A fresh pair: initial weights and noise follow from the configuration's seed.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] if the configuration cannot be trained, [`crate::Error::Memory`] if not in the memory that
    /// is free.
    pub fn new(config: TrainingConfig, device: &Device) -> Result<Self> {
        config.validate()?;
        footprint::check(&config, device)?;
        let (generator, critic) = (config.network.generator()?, config.network.critic()?);
        let mut random = RandomState::new(config.seed);
        let generator_weights = generator.initialize(&mut random, device);
        let critic_weights = critic.initialize(&mut random, device);
        let players = Players {
            average: generator_weights.clone(),
            generator_adam: Adam::new(&generator_weights),
            critic_adam: Adam::new(&critic_weights),
            generator: generator_weights,
            critic: critic_weights,
        };
        Self::from_parts(config, players, random, Origin::default(), device)
    }

    /// A trainer whose players have been loaded.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] if the networks cannot be computed in the configuration's format.
    pub(crate) fn from_parts(
        config: TrainingConfig,
        players: Players,
        noise: RandomState,
        origin: Origin,
        device: &Device,
    ) -> Result<Self> {
        let Reduced { generator, critic } =
            OfficialPrecision::reduced(origin.official_precision.as_ref(), &config.network);
        config.precision.check(generator.min(critic), device)?;
        Ok(Self {
            generator: config.network.generator_in(config.precision, generator)?,
            critic: config.network.critic_in(config.precision, critic)?,
            config,
            players,
            images: 0,
            noise,
            origin,
            pipeline: None,
            device: device.clone(),
        })
    }

    /// The same run with another configuration of the same networks.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn reconfigured(self, config: TrainingConfig) -> Result<Self> {
        config.validate()?;
        footprint::check(&config, &self.device)?;
        let Self { players, noise, origin, images, device, .. } = self;
        Ok(Self { images, ..Self::from_parts(config, players, noise, origin, &device)? })
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Latents `[count, 1, 1, latent]` from the trainer's noise.
    pub fn draw_latents(&mut self, count: usize) -> Tensor<4> {
        let latent = self.config.network.latent;
        let mut values = vec![0.0; count * latent];
        self.noise.fill_randn(&mut values);
        Tensor::from_data(TensorData::new(values, [count, 1, 1, latent]), &self.device)
    }

    /// Augmentations for a phase of `count` samples, from the trainer's noise, as likely as they are by now.
    pub fn draw_augmentations(&mut self, count: usize) -> Option<Augmentations> {
        if !self.config.augments() {
            return None;
        }
        let [side, _, channels] = self.config.network.sample_shape();
        let pipeline = self.pipeline.get_or_insert_with(|| Pipeline::new(side, channels, &self.device));
        let probability = self.config.scheduled(self.images).augmentation;
        let mut draw = || pipeline.draw(&mut self.noise, probability, count);
        Some(Augmentations { reals: draw(), fakes: draw() })
    }

    /// One iteration (training notes, section 1): critic, generator against the new critic, average.
    ///
    /// Schedules are read before the count of images moves. Nothing is read back from the device.
    pub fn step(&mut self, critic: &Phase, generator: &Phase) -> StepStats {
        self.step_marked(critic, generator, |_| {})
    }

    /// As [`step`](Self::step); `mark` is called where each of the two phases begins, and where the second one ends: when
    /// the device was given the work, not when it has done it.
    pub fn step_marked(
        &mut self,
        critic: &Phase,
        generator: &Phase,
        mut mark: impl FnMut(&Device),
    ) -> StepStats {
        mark(&self.device);
        let critic_values = self.critic_step(critic);
        mark(&self.device);
        let generator_values = self.generator_step(generator);
        mark(&self.device);
        self.move_average(critic.len());
        self.images += critic.len() as u64;
        StepStats { critic: critic_values, generator: generator_values }
    }

    /// The critic's half of an iteration, out of turn: it has then seen more images.
    pub fn step_critic_alone(&mut self, phase: &Phase) -> StepStats {
        let critic = self.critic_step(phase);
        self.images += phase.len() as u64;
        StepStats { critic, generator: Vec::new() }
    }

    /// The generator's half of an iteration, out of turn; the average follows.
    pub fn step_generator_alone(&mut self, phase: &Phase) -> StepStats {
        let generator = self.generator_step(phase);
        self.move_average(phase.len());
        StepStats { critic: Vec::new(), generator }
    }

    /// The critic's phase alone: gradient over the batch in micro-batches, one Adam step.
    pub fn critic_step(&mut self, phase: &Phase) -> Vec<CriticValues> {
        self.critic_step_on(phase, |trainer, part| {
            trainer.generator.evaluate(&trainer.players.generator, part.latents.clone(), part.labels.as_ref())
        })
    }

    /// The same, with fakes `[batch, height, width, channels]` for each micro-batch from `fakes`.
    pub fn critic_step_on(
        &mut self,
        phase: &Phase,
        fakes: impl Fn(&Self, &Phase) -> Tensor<4>,
    ) -> Vec<CriticValues> {
        let scheduled = self.config.scheduled(self.images);
        let TrainingConfig { objective, penalty, .. } = self.config;
        let task = CriticTask { objective, penalty, gamma: scheduled.gamma };
        let (gradients, values) = accumulate(phase, self.config.pass(), |part| {
            let critic = Player { network: &self.critic, weights: &self.players.critic };
            critic_gradients(critic, part, fakes(self, part), task, phase.len())
        });
        let (rate, beta2) = (scheduled.learning_rate, scheduled.beta2);
        self.players.critic_adam.step(&mut self.players.critic, gradients, rate, beta2);
        values
    }

    /// The generator's phase alone: gradient over the batch in micro-batches, one Adam step.
    pub fn generator_step(&mut self, phase: &Phase) -> Vec<GeneratorValues> {
        let scheduled = self.config.scheduled(self.images);
        let (gradients, values) = accumulate(phase, self.config.pass(), |part| {
            let generator = Player { network: &self.generator, weights: &self.players.generator };
            let critic = Player { network: &self.critic, weights: &self.players.critic };
            generator_gradients(generator, critic, part, self.config.objective, phase.len())
        });
        let (rate, beta2) = (scheduled.learning_rate, scheduled.beta2);
        self.players.generator_adam.step(&mut self.players.generator, gradients, rate, beta2);
        values
    }

    /// Moves the average towards the generator by as much as `batch` images are worth.
    pub fn move_average(&mut self, batch: usize) {
        let half_life = self.config.scheduled(self.images).average_half_life;
        let decay = average::decay(batch, half_life);
        average::update(&mut self.players.average, &self.players.generator, decay);
    }

    /// Samples of the averaged generator for latents `[n, 1, 1, latent]`: `[n, height, width, channels]`.
    pub fn sample(&self, latents: Tensor<4>, labels: Option<&Tensor<2>>) -> Tensor<4> {
        self.generator.evaluate(&self.players.average, latents, labels)
    }
}

/// Sums gradients over micro-batches; each part already carries 1 / batch.
fn accumulate<V>(
    phase: &Phase,
    micro_batch: usize,
    mut part: impl FnMut(&Phase) -> (Gradients, V),
) -> (Gradients, Vec<V>) {
    let mut sum: Option<Gradients> = None;
    let mut values = Vec::new();
    for start in (0..phase.len()).step_by(micro_batch) {
        let length = micro_batch.min(phase.len() - start);
        let (gradients, value) = part(&phase.slice(start, length));
        sum = Some(match sum.take() {
            None => gradients,
            Some(sum) => sum.into_iter().zip(gradients).map(|(a, b)| a + b).collect(),
        });
        values.push(value);
    }
    (sum.unwrap_or_default(), values)
}
