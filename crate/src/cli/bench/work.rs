//! The work that is measured, and how.

use std::time::Instant;

use crate::config::TrainingConfig;
use crate::network::{Format, Keep};
use crate::schedule::Schedule;
use crate::training::{Phase, Trainer};
use crate::{Error, Result, backend, sampling};
use burn::tensor::{Device, Distribution, Tensor, TensorData};

use super::What;

/// A trainer with random weights, and the size of its batches.
pub struct Bench {
    trainer: Trainer,
    batch: usize,
}

impl Bench {
    pub fn new(mut config: TrainingConfig, batch: usize, device: &Device) -> Result<Self> {
        config.batch = batch;
        config.micro_batch = 0;
        config.gamma = Schedule::new(0.05, 0.05);
        // A trainer computes in no f16; its generator may.
        let f16 = config.precision == Format::F16;
        if f16 {
            config.precision = Format::F32;
        }
        let mut trainer = Trainer::new(config, device)?;
        if f16 {
            let stages = trainer.config.network.reduced().generator;
            Format::F16.check(stages, device)?;
            trainer.generator = trainer.config.network.generator_in(Format::F16, stages)?;
        }
        Ok(Self { trainer, batch })
    }

    /// Numbers of weights of generator and critic.
    pub fn parameter_counts(&self) -> (usize, usize) {
        (self.trainer.generator.parameter_count(), self.trainer.critic.parameter_count())
    }

    /// Seconds of `runs` runs after `warmup` others.
    pub fn measure(&mut self, what: What, runs: usize, warmup: u16) -> Result<Vec<f64>> {
        self.repeat(runs, warmup, self.batch, |trainer, phase| match what {
            What::Sample => {
                trainer.sample(phase.latents.clone(), phase.labels.as_ref()).narrow(0, 0, 1).flatten(0, 3)
            }
            What::Critic => trainer.critic_step(phase).swap_remove(0).loss,
            What::Generator => trainer.generator_step(phase).swap_remove(0).loss,
            What::Iteration | What::All | What::Kernels => {
                let loss = trainer.critic_step(phase).swap_remove(0).loss;
                let _ = trainer.generator_step(phase);
                trainer.move_average(phase.len());
                loss
            }
        })
    }

    /// Seconds of the critic's step on reals and fakes that are there: its gradient, Adam.
    pub fn measure_critic_on_given(&mut self, runs: usize, warmup: u16) -> Result<Vec<f64>> {
        let fakes = self.draw(self.batch)?.reals;
        self.repeat(runs, warmup, self.batch, |trainer, phase| {
            trainer
                .critic_step_on(phase, |_, part| fakes.clone().narrow(0, 0, part.len()))
                .swap_remove(0)
                .loss
        })
    }

    /// Seconds of one forward pass of the critic, keeping nothing, on as many images as its step sees.
    pub fn measure_critic_forward(&mut self, runs: usize, warmup: u16) -> Result<Vec<f64>> {
        self.repeat(runs, warmup, 2 * self.batch, |trainer, phase| {
            let (critic, weights) = (&trainer.critic, &trainer.players.critic);
            let x = phase.reals.clone();
            critic.forward(weights, x, phase.labels.as_ref(), Keep::Nothing).0.flatten(0, 3)
        })
    }

    /// Highest memory so far: of the process on the CPU, of the device's allocator elsewhere.
    pub fn peak_bytes(&self) -> u64 {
        if let Some(reserved) = backend::reserved_memory(self.trainer.device()) {
            return reserved;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
        kib.unwrap_or(0) << 10
    }

    fn repeat(
        &mut self,
        runs: usize,
        warmup: u16,
        count: usize,
        mut work: impl FnMut(&mut Trainer, &Phase) -> Tensor<1>,
    ) -> Result<Vec<f64>> {
        let mut seconds = Vec::with_capacity(runs);
        for run in 0..runs + usize::from(warmup) {
            let phase = self.draw(count)?;
            self.finish()?;
            let start = Instant::now();
            let value = work(&mut self.trainer, &phase);
            // The value is small; what it depends on and all that was queued beside it is waited for.
            pollster::block_on(value.into_data_async()).map_err(|e| self.lost(e))?;
            self.finish()?;
            if run >= usize::from(warmup) {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        Ok(seconds)
    }

    fn draw(&self, count: usize) -> Result<Phase> {
        let network = &self.trainer.config.network;
        let device = self.trainer.device();
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
        self.trainer.device().sync().map_err(|e| self.lost(e))
    }

    fn lost(&self, e: impl std::fmt::Display) -> Error {
        Error::device(format!("{:?}", self.trainer.device()), format!("failed while computing ({e})"))
    }
}
