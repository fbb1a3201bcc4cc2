//! Forward passes, penalties and gradients of the tiny networks, against the reference's autograd.

use burn::tensor::{Device, Tensor, TensorData};
use r3gan::augment::{Augmentations, Pipeline};
use r3gan::linear::resample::Resample;
use r3gan::network::{Gradients, Keep, Network, NetworkConfig, Weights, published};
use r3gan::objective::{Objective, penalty::Penalty};
use r3gan::training::{CriticTask, Phase, Player, critic_gradients, generator_gradients};

use crate::augmentation::at_percentile;
use crate::compare::{FORWARD, GRADIENT, assert_close, assert_within, host};
use crate::fixtures::{File, Fixture, folders_with};
use crate::platform::on_devices;

/// A pair of networks with its inputs and the reference's outputs.
pub struct Pair {
    pub fixture: Fixture,
    pub config: NetworkConfig,
    pub generator: Network,
    pub critic: Network,
    pub generator_weights: Weights,
    pub critic_weights: Weights,
    pub io: File,
}

impl Pair {
    pub fn all(device: &Device) -> Vec<Self> {
        folders_with(&["G.safetensors", "D.safetensors", "io.safetensors", "D_grads.safetensors"])
            .into_iter()
            .map(|fixture| {
                let config = fixture.config();
                let (generator, critic) =
                    (config.generator().expect("a generator"), config.critic().expect("a critic"));
                let load =
                    |file: &str, network: &Network| fixture.file(file).weights(&config, network, "", device);
                Self {
                    generator_weights: load("G.safetensors", &generator),
                    critic_weights: load("D.safetensors", &critic),
                    io: fixture.file("io.safetensors"),
                    config,
                    generator,
                    critic,
                    fixture,
                }
            })
            .collect()
    }

    pub fn generator(&self) -> Player<'_> {
        Player { network: &self.generator, weights: &self.generator_weights }
    }

    pub fn critic(&self) -> Player<'_> {
        Player { network: &self.critic, weights: &self.critic_weights }
    }

    pub fn phase(&self, device: &Device) -> Phase {
        let labels = self.fixture.meta["c_labels"].as_array().map(|labels| {
            let classes = self.config.classes;
            let mut one_hot = vec![0.0f32; labels.len() * classes];
            for (row, label) in labels.iter().enumerate() {
                one_hot[row * classes + label.as_u64().expect("a class") as usize] = 1.0;
            }
            Tensor::from_data(TensorData::new(one_hot, [labels.len(), classes]), device)
        });
        Phase {
            reals: self.io.pictures("real", device),
            latents: self.io.rows("z", device),
            labels,
            augmentations: None,
        }
    }

    async fn assert_gradients(&self, network: &Network, ours: Gradients, file: &str) {
        let theirs = self.fixture.file(file);
        let names = published::names(&self.config, network).expect("a published family");
        for (name, ours) in names.iter().zip(ours) {
            let (_, expected) = theirs.values(name);
            let what = format!("{} {file} {name}", self.fixture.name);
            let ours = host(ours).await;
            if expected.iter().all(|v| *v == 0.0) {
                assert!(ours.iter().all(|v| v.abs() < 1e-6), "{what} should be zero");
            } else {
                assert_close(&what, &ours, &expected, GRADIENT);
            }
        }
    }
}

/// Our `[n, h, w, c]` in the order of `[n, c, h, w]`.
pub async fn channels_first(x: Tensor<4>) -> Vec<f32> {
    host(x.permute([0, 3, 1, 2])).await
}

async fn forward_passes(device: &Device) {
    for pair in Pair::all(device) {
        let Phase { reals, latents, labels, .. } = pair.phase(device);
        let fakes = pair.generator.evaluate(&pair.generator_weights, latents.clone(), labels.as_ref());
        assert_close("fake", &channels_first(fakes.clone()).await, &pair.io.values("fake").1, FORWARD);
        let prepared = pair.generator.prepare(pair.generator_weights.clone());
        let sampled = pair.generator.evaluate_prepared(&prepared, latents, labels.as_ref());
        assert_close("fake, prepared", &channels_first(sampled).await, &pair.io.values("fake").1, FORWARD);
        for (what, images) in [("logits_real", reals), ("logits_fake", fakes)] {
            let logits = pair.critic.evaluate(&pair.critic_weights, images, labels.as_ref());
            assert_close(what, &host(logits).await, &pair.io.values(what).1, FORWARD);
        }
    }
}

async fn input_gradients(device: &Device) {
    for pair in Pair::all(device) {
        let labels = pair.phase(device).labels;
        for (images, expected) in [("real", "dlogits_dreal"), ("fake", "dlogits_dfake")] {
            let x = pair.io.pictures(images, device);
            let (logits, trace) = pair.critic.forward(&pair.critic_weights, x, labels.as_ref(), Keep::Slopes);
            let (gradient, _) =
                pair.critic.input_gradient(&pair.critic_weights, logits.ones_like(), labels.as_ref(), &trace);
            assert_close(expected, &channels_first(gradient).await, &pair.io.values(expected).1, GRADIENT);
        }
    }
}

async fn critic_losses_and_gradients(device: &Device) {
    for pair in Pair::all(device) {
        let gamma = pair.fixture.meta["gamma"].as_f64().expect("gamma");
        let phase = pair.phase(device);
        let fakes = pair.io.pictures("fake", device);
        let run = |gamma: f64, penalty: Penalty| {
            let task = CriticTask { objective: Objective::RelativisticPairing, penalty, gamma };
            critic_gradients(pair.critic(), &phase, fakes.clone(), task, phase.len())
        };

        let (gradients, values) = run(gamma, Penalty::R1R2);
        for (ours, name) in [
            (values.loss, "D_step.AdversarialLoss"),
            (values.difference, "D_step.RelativisticLogits"),
            (values.r1, "D_step.R1Penalty"),
            (values.r2, "D_step.R2Penalty"),
        ] {
            assert_close(name, &host(ours).await, &pair.io.values(name).1, FORWARD);
        }
        let (adversarial, _) = run(gamma, Penalty::None);
        // R1 and R2 alone are the parts of both together.
        let (r1, r2) = (run(gamma, Penalty::R1).0, run(gamma, Penalty::R2).0);
        let both = r1.into_iter().zip(r2).zip(&adversarial).map(|((a, b), c)| a + b - c.clone()).collect();
        pair.assert_gradients(&pair.critic, both, "D_grads.safetensors").await;
        let penalty: Gradients =
            gradients.iter().zip(&adversarial).map(|(a, b)| a.clone() - b.clone()).collect();
        pair.assert_gradients(&pair.critic, gradients, "D_grads.safetensors").await;
        pair.assert_gradients(&pair.critic, adversarial, "D_grads_gamma0.safetensors").await;
        pair.assert_gradients(&pair.critic, penalty, "D_grads_penalty.safetensors").await;
    }
}

async fn generator_losses_and_gradients(device: &Device) {
    for pair in Pair::all(device) {
        let phase = pair.phase(device);
        let objective = Objective::RelativisticPairing;
        let (gradients, values) =
            generator_gradients(pair.generator(), pair.critic(), &phase, objective, phase.len());
        let expected = |name: &str| pair.io.values(name).1;
        let (loss, logits) = ("G_step.AdversarialLoss", "G_step.RelativisticLogits");
        assert_close(loss, &host(values.loss).await, &expected(loss), FORWARD);
        assert_close(logits, &host(values.difference).await, &expected(logits), FORWARD);
        pair.assert_gradients(&pair.generator, gradients, "G_grads.safetensors").await;
    }
}

/// Both phases seen through every transform at once, each sample through the same.
async fn gradients_through_augmentation(device: &Device) {
    let mut checked = 0;
    for pair in Pair::all(device) {
        let [side, _, channels] = pair.config.sample_shape();
        let pipeline = Pipeline::new(side, channels, device);
        let objective = Objective::RelativisticPairing;
        let gamma = pair.fixture.meta["gamma"].as_f64().expect("gamma");
        for percentile in [0.1f32, 0.3, 0.5, 0.7, 0.9] {
            let name = |what: &str| format!("aug{percentile}_{what}.safetensors");
            if !pair.fixture.has(&name("io")) {
                continue;
            }
            checked += 1;
            let (io, phase) = (pair.fixture.file(&name("io")), pair.phase(device));
            let all = pipeline.augmentation(&vec![at_percentile("all", percentile); phase.len()]);
            let augmentations = Some(Augmentations { reals: all.clone(), fakes: all.clone() });
            let phase = Phase { augmentations, ..phase };
            let expected = |name: &str| io.values(name).1;

            let fakes = pair.io.pictures("fake", device);
            let seen = channels_first(all.apply(phase.reals.clone())).await;
            assert_within("aug_real", &seen, &expected("aug_real"), GRADIENT);
            let task = CriticTask { objective, penalty: Penalty::R1R2, gamma };
            let (gradients, values) = critic_gradients(pair.critic(), &phase, fakes, task, phase.len());
            for (ours, name) in [
                (values.loss, "D_step.AdversarialLoss"),
                (values.difference, "D_step.RelativisticLogits"),
                (values.r1, "D_step.R1Penalty"),
                (values.r2, "D_step.R2Penalty"),
            ] {
                assert_close(name, &host(ours).await, &expected(name), GRADIENT);
            }
            pair.assert_gradients(&pair.critic, gradients, &name("D_grads")).await;

            let (gradients, values) =
                generator_gradients(pair.generator(), pair.critic(), &phase, objective, phase.len());
            let loss = "G_step.AdversarialLoss";
            assert_close(loss, &host(values.loss).await, &expected(loss), GRADIENT);
            pair.assert_gradients(&pair.generator, gradients, &name("G_grads")).await;
        }
    }
    assert!(checked > 0, "no fixture has gradients through augmentation");
}

async fn micro_batches_add_up(device: &Device) {
    for pair in Pair::all(device) {
        let phase = pair.phase(device);
        let (batch, half) = (phase.len(), phase.len() / 2);
        let objective = Objective::RelativisticPairing;
        let part = |start| {
            let part = phase.slice(start, half);
            generator_gradients(pair.generator(), pair.critic(), &part, objective, batch).0
        };
        let sum = part(0).into_iter().zip(part(half)).map(|(a, b)| a + b).collect();
        pair.assert_gradients(&pair.generator, sum, "G_grads.safetensors").await;

        let gamma = pair.fixture.meta["gamma"].as_f64().expect("gamma");
        let task = CriticTask { objective, penalty: Penalty::R1R2, gamma };
        let fakes = pair.io.pictures("fake", device);
        let part = |start| {
            let fakes = fakes.clone().narrow(0, start, half);
            critic_gradients(pair.critic(), &phase.slice(start, half), fakes, task, batch).0
        };
        let sum = part(0).into_iter().zip(part(half)).map(|(a, b)| a + b).collect();
        pair.assert_gradients(&pair.critic, sum, "D_grads.safetensors").await;
    }
}

async fn resampling_and_its_adjoint(device: &Device) {
    for fixture in folders_with(&["resamplers.safetensors"]) {
        let file = fixture.file("resamplers.safetensors");
        for input in file.names().iter().filter_map(|name| name.strip_suffix(".x")) {
            let x = file.pictures(&format!("{input}.x"), device);
            for (direction, resample) in [("up", Resample::Up), ("down", Resample::Down)] {
                let name = |what: &str| format!("{input}.{direction}.{what}");
                let y = resample.apply(x.clone());
                assert_close(&name("y"), &channels_first(y).await, &file.values(&name("y")).1, FORWARD);
                let dx = resample.adjoint(file.pictures(&name("v"), device));
                assert_close(&name("dx"), &channels_first(dx).await, &file.values(&name("dx")).1, FORWARD);
            }
        }
    }
}

on_devices! {
    forward_passes,
    input_gradients,
    critic_losses_and_gradients,
    generator_losses_and_gradients,
    gradients_through_augmentation,
    micro_batches_add_up,
    resampling_and_its_adjoint,
}
