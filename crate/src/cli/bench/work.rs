//! The work that is measured, and how.

use std::time::Instant;

use crate::config::TrainingConfig;
use crate::network::{Format, Keep};
use crate::random::RandomState;
use crate::schedule::Schedule;
use crate::training::{Phase, Trainer, footprint};
use crate::{Error, Result, backend, sampling};
use burn::tensor::{Device, Distribution, Tensor, TensorData};

/// Forward passes that take about as long as the critic's step. The median of single ones would be of fast moments alone, where
/// a step is long enough for slow ones too.
const FORWARDS: usize = 4;

/// What is measured of networks with random weights, and how often.
pub struct Bench {
    config: TrainingConfig,
    device: Device,
    runs: usize,
    /// Runs before those.
    warmup: usize,
}

impl Bench {
    /// # Errors
    /// As [`footprint::check`].
    pub fn new(
        mut config: TrainingConfig,
        batch: usize,
        device: &Device,
        runs: usize,
        warmup: u16,
    ) -> Result<Self> {
        config.batch = batch;
        config.micro_batch = 0;
        config.gamma = Schedule::new(0.05, 0.05);
        footprint::check(&config, device)?;
        Ok(Self { config, device: device.clone(), runs, warmup: warmup.into() })
    }

    pub fn format(&self) -> Format {
        self.config.precision
    }

    /// Numbers of weights of generator and critic.
    ///
    /// # Errors
    /// As [`crate::network::NetworkConfig::generator`].
    pub fn parameter_counts(&self) -> Result<(usize, usize)> {
        let network = &self.config.network;
        Ok((network.generator()?.parameter_count(), network.critic()?.parameter_count()))
    }

    /// Seconds of a forward pass of the generator, as a sampler has it.
    ///
    /// # Errors
    /// As [`Format::check`](crate::network::Format::check), and the device's.
    pub fn sample(&self) -> Result<Vec<f64>> {
        let (network, format) = (&self.config.network, self.config.precision);
        let stages = network.reduced().generator;
        format.check(stages, &self.device)?;
        let generator = network.generator_in(format, stages)?;
        let weights = generator.initialize(&mut RandomState::new(self.config.seed), &self.device);
        let weights = generator.prepare(weights);
        self.repeat(self.config.batch, |phase| {
            let x = generator.evaluate_prepared(&weights, phase.latents.clone(), phase.labels.as_ref());
            x.narrow(0, 0, 1).flatten(0, 3)
        })
    }

    /// A trainer to measure.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn training(&self) -> Result<Training<'_>> {
        Ok(Training { bench: self, trainer: Trainer::new(self.config.clone(), &self.device)? })
    }

    /// Highest memory so far: of the process on the CPU, of the device's allocator elsewhere.
    pub fn peak_bytes(&self) -> u64 {
        if let Some(reserved) = backend::reserved_memory(&self.device) {
            return reserved;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.unwrap_or(0) << 10
    }

    /// Seconds of each timed run.
    fn repeat(&self, count: usize, mut work: impl FnMut(&Phase) -> Tensor<1>) -> Result<Vec<f64>> {
        for _ in 0..self.warmup {
            self.time(count, &mut work)?;
        }
        (0..self.runs).map(|_| self.time(count, &mut work)).collect()
    }

    fn time(&self, count: usize, work: impl FnOnce(&Phase) -> Tensor<1>) -> Result<f64> {
        let phase = self.draw(count)?;
        self.finish()?;
        let start = Instant::now();
        let value = work(&phase);
        // The value is small; what it depends on and all that was queued beside it is waited for.
        pollster::block_on(value.into_data_async()).map_err(|e| self.lost(e))?;
        self.finish()?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn draw(&self, count: usize) -> Result<Phase> {
        let (network, device) = (&self.config.network, &self.device);
        let [height, width, channels] = network.sample_shape();
        let uniform = Distribution::Uniform(-1.0, 1.0);
        let classes = network.classes;
        let labels = if classes > 0 {
            let numbers: Vec<usize> = (0..count).map(|i| i % classes).collect();
            let values = TensorData::new(sampling::one_hot(&numbers, classes)?, [count, classes]);
            Some(Tensor::from_data(values, device))
        } else {
            None
        };
        Ok(Phase {
            reals: Tensor::random([count, height, width, channels], uniform, device),
            latents: Tensor::random([count, 1, 1, network.latent], Distribution::Normal(0.0, 1.0), device),
            labels,
            // The peer has none; what they cost is another question.
            augmentations: None,
        })
    }

    fn finish(&self) -> Result<()> {
        self.device.sync().map_err(|e| self.lost(e))
    }

    fn lost(&self, e: impl std::fmt::Display) -> Error {
        Error::device(format!("{:?}", self.device), format!("failed while computing ({e})"))
    }
}

/// The parts of a step of one trainer, all in seconds; errors are the device's.
pub struct Training<'a> {
    bench: &'a Bench,
    trainer: Trainer,
}

impl Training<'_> {
    pub fn critic(&mut self) -> Result<Vec<f64>> {
        self.step(|trainer, phase| trainer.critic_step(phase).swap_remove(0).loss)
    }

    pub fn generator(&mut self) -> Result<Vec<f64>> {
        self.step(|trainer, phase| trainer.generator_step(phase).swap_remove(0).loss)
    }

    /// Both, and the average.
    pub fn iteration(&mut self) -> Result<Vec<f64>> {
        self.step(|trainer, phase| {
            let loss = trainer.critic_step(phase).swap_remove(0).loss;
            let _ = trainer.generator_step(phase);
            trainer.move_average(phase.len());
            loss
        })
    }

    fn step(&mut self, work: impl Fn(&mut Trainer, &Phase) -> Tensor<1>) -> Result<Vec<f64>> {
        let trainer = &mut self.trainer;
        self.bench.repeat(self.bench.config.batch, |phase| work(trainer, phase))
    }

    /// The critic's step on reals and fakes that are there (its gradient, Adam), and one forward pass of the critic, keeping
    /// nothing, on as many images: in turns of about the same time each, since a machine's speed changes while it works.
    pub fn critic_and_forward(&mut self) -> Result<Vec<[f64; 2]>> {
        let Self { bench, trainer } = self;
        let batch = bench.config.batch;
        let fakes = bench.draw(batch)?.reals;
        let mut pairs = Vec::with_capacity(bench.runs);
        for run in 0..bench.warmup + bench.runs {
            let step = bench.time(batch, |phase| {
                let given = |_: &Trainer, part: &Phase| fakes.clone().narrow(0, 0, part.len());
                trainer.critic_step_on(phase, given).swap_remove(0).loss
            })?;
            let (critic, weights) = (&trainer.critic, &trainer.players.critic);
            let mut forwards = 0.0;
            for _ in 0..FORWARDS {
                forwards += bench.time(2 * batch, |phase| {
                    let x = phase.reals.clone();
                    critic.forward(weights, x, phase.labels.as_ref(), Keep::Nothing).0.flatten(0, 3)
                })?;
            }
            if run >= bench.warmup {
                pairs.push([step, forwards / FORWARDS as f64]);
            }
        }
        Ok(pairs)
    }
}
