//! Whole training runs of the reference: the same data, noise and schedules, weight by weight.

use burn::tensor::{Device, Tensor, TensorData};
use r3gan::config::TrainingConfig;
use r3gan::network::{Format, Network, Weights, published};
use r3gan::objective::{Objective, penalty::Penalty};
use r3gan::schedule::Schedule;
use r3gan::training::{Adam, Phase, Trainer};

use crate::compare::{assert_close, assert_within, host};
use crate::fixtures::{File, Fixture, folders_with, pictures};
use crate::platform::{self, on_devices};

/// Of a weight, absolutely, after up to 20 steps.
const WEIGHT: f32 = 1e-5;
/// Of per-sample values during the run; the reference's own drift from f64 is 2e-6 at most.
const VALUE: f32 = 1e-4;

/// A run's folder, and the trainer with its initial weights.
struct Run {
    fixture: Fixture,
    data: File,
    trainer: Trainer,
    device: Device,
}

impl Run {
    fn open(fixture: Fixture, device: &Device) -> Self {
        let network = fixture.config();
        let meta = &fixture.meta;
        let schedule = |name: &str| {
            let entry = &meta["schedulers"][name];
            let value = |key: &str| entry[key].as_f64().unwrap_or(0.0);
            Schedule::new(value("base_value"), value("final_value"))
        };
        let number = |key: &str| meta[key].as_u64().expect("a number") as usize;
        let total = meta["schedulers"]["lr_scheduler"]["total_nimg"].as_f64().expect("images");
        let config = TrainingConfig {
            preset: fixture.name.clone(),
            network: network.clone(),
            objective: Objective::RelativisticPairing,
            penalty: Penalty::R1R2,
            batch: number("batch"),
            precision: Format::F32,
            micro_batch: number("d_batch_gpu"),
            kimg: 1,
            seed: 0,
            learning_rate: schedule("lr_scheduler"),
            beta2: schedule("beta2_scheduler"),
            gamma: schedule("gamma_scheduler"),
            average_half_life: schedule("ema_scheduler"),
            augmentation: Schedule::default(),
            decay_images: total,
        };
        let mut trainer = Trainer::new(config, device).expect("a trainer");
        let load = |file: &str, net: &Network| fixture.file(file).weights(&network, net, "", device);
        trainer.players.generator = load("init_G.safetensors", &trainer.generator);
        trainer.players.critic = load("init_D.safetensors", &trainer.critic);
        trainer.players.average = trainer.players.generator.clone();
        trainer.players.generator_adam = Adam::new(&trainer.players.generator);
        trainer.players.critic_adam = Adam::new(&trainer.players.critic);
        Self { data: fixture.file("data.safetensors"), fixture, trainer, device: device.clone() }
    }

    /// The inputs of step `step` of phase `D` or `G`.
    fn phase(&self, phase: &str, step: usize) -> Phase {
        let (shape, pixels) = self.data.pixels(&format!("{phase}_img_uint8"));
        let size: usize = shape[1..].iter().product();
        let values: Vec<f32> =
            pixels[step * size..(step + 1) * size].iter().map(|p| f32::from(*p) / 127.5 - 1.0).collect();
        let row = |name: &str| {
            let (shape, values) = self.data.values(name);
            let size = shape[1] * shape[2];
            (values[step * size..(step + 1) * size].to_vec(), [shape[1], shape[2]])
        };
        let (latents, [batch, latent]) = row(&format!("{phase}_z"));
        let latents = Tensor::from_data(TensorData::new(latents, [batch, 1, 1, latent]), &self.device);
        let labels = self.data.names().into_iter().find(|name| name == &format!("{phase}_c")).map(|name| {
            let (values, shape) = row(&name);
            Tensor::from_data(TensorData::new(values, shape), &self.device)
        });
        Phase { reals: pictures(values, &shape[1..], &self.device), latents, labels, augmentations: None }
    }

    async fn assert_weights(&self, file: &str, network: &Network, weights: &Weights, prefix: &str) {
        if !self.fixture.has(file) {
            return;
        }
        let theirs = self.fixture.file(file);
        let names = published::names(&self.trainer.config.network, network).expect("a published family");
        for (name, ours) in names.iter().zip(weights) {
            let (_, expected) = theirs.values(&format!("{prefix}{name}"));
            assert_within(&format!("{file} {prefix}{name}"), &host(ours.clone()).await, &expected, WEIGHT);
        }
    }

    async fn assert_step(&self, name: &str) {
        let Trainer { generator, critic, players, .. } = &self.trainer;
        self.assert_weights(&format!("{name}_G.safetensors"), generator, &players.generator, "").await;
        self.assert_weights(&format!("{name}_D.safetensors"), critic, &players.critic, "").await;
        self.assert_weights(&format!("{name}_G_ema.safetensors"), generator, &players.average, "").await;
    }

    /// Second moments reach 1e2 here, so they are compared relative to each tensor's largest.
    async fn assert_adam(&self) {
        let Trainer { generator, critic, players, .. } = &self.trainer;
        for (file, network, adam) in [
            ("final_adam_G.safetensors", generator, &players.generator_adam),
            ("final_adam_D.safetensors", critic, &players.critic_adam),
        ] {
            let theirs = self.fixture.file(file);
            assert_eq!(theirs.values("step").1, [adam.steps as f32]);
            let names = published::names(&self.trainer.config.network, network).expect("a published family");
            for (name, ours) in names.iter().zip(&adam.second_moments) {
                let name = format!("exp_avg_sq.{name}");
                // Gradients agree to 1e-4, their squares to twice that.
                assert_close(&name, &host(ours.clone()).await, &theirs.values(&name).1, 2e-4);
            }
        }
    }
}

async fn whole_runs(device: &Device) {
    for fixture in folders_with(&["init_G.safetensors", "data.safetensors", "per_step.safetensors"]) {
        let per_step = fixture.file("per_step.safetensors");
        let all = fixture.meta["steps"].as_u64().expect("a number of steps") as usize;
        let steps = platform::steps(all, device);
        let mut run = Run::open(fixture, device);
        for step in 0..steps {
            let (critic, generator) = (run.phase("D", step), run.phase("G", step));
            let values = run.trainer.step(&critic, &generator).read().await.expect("values");
            for (name, ours) in [
                ("D.AdversarialLoss", &values.critic_loss),
                ("D.RelativisticLogits", &values.critic_difference),
                ("D.R1Penalty", &values.r1),
                ("D.R2Penalty", &values.r2),
                ("G.AdversarialLoss", &values.generator_loss),
                ("G.RelativisticLogits", &values.generator_difference),
            ] {
                let (shape, theirs) = per_step.values(name);
                let batch: usize = shape[1..].iter().product();
                let expected = &theirs[step * batch..(step + 1) * batch];
                assert_close(&format!("{name} at step {step}"), ours, expected, VALUE);
            }
            run.assert_step(&format!("step{}", step + 1)).await;
        }
        if steps < all {
            continue;
        }
        run.assert_step("final").await;
        if run.fixture.has("final_adam_D.safetensors") {
            run.assert_adam().await;
        }
    }
}

on_devices! { whole_runs }
