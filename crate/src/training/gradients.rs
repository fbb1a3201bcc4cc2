//! The exact gradients of one phase: where networks, objective and penalty meet.
//!
//! The critic's gradient is linear replay (design notes): forward, input gradient, replay. The
//! generator's is one back-propagation through the frozen critic and the generator.

use burn::tensor::Tensor;

use crate::network::{Gradients, Keep, Network, Weights};
use crate::objective::{Objective, penalty::Penalty};

/// A network and the weights it runs with.
#[derive(Clone, Copy)]
pub struct Player<'a> {
    pub network: &'a Network,
    pub weights: &'a Weights,
}

/// One phase's inputs: paired real samples and latents, both `[batch, ...]`.
#[derive(Clone, Debug)]
pub struct Phase {
    /// `[batch, height, width, channels]` in [-1, 1].
    pub reals: Tensor<4>,
    /// `[batch, 1, 1, latent]`
    pub latents: Tensor<4>,
    /// `[batch, classes]`; the i-th fake takes the label of the i-th real sample.
    pub labels: Option<Tensor<2>>,
}

impl Phase {
    pub fn len(&self) -> usize {
        self.reals.dims()[0]
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples `start .. start + length` of the phase.
    pub fn slice(&self, start: usize, length: usize) -> Self {
        Self {
            reals: self.reals.clone().narrow(0, start, length),
            latents: self.latents.clone().narrow(0, start, length),
            labels: self.labels.clone().map(|labels| labels.narrow(0, start, length)),
        }
    }
}

/// Per-sample values of a critic phase, `[batch]` each.
#[derive(Clone, Debug)]
pub struct CriticValues {
    /// Adversarial part of the loss.
    pub loss: Tensor<1>,
    /// Real minus fake logit.
    pub difference: Tensor<1>,
    /// Squared gradient norms at reals and fakes, without gamma / 2.
    pub r1: Tensor<1>,
    pub r2: Tensor<1>,
}

/// Per-sample values of a generator phase, `[batch]` each.
#[derive(Clone, Debug)]
pub struct GeneratorValues {
    pub loss: Tensor<1>,
    /// Fake minus real logit.
    pub difference: Tensor<1>,
}

/// How the critic is trained.
#[derive(Clone, Copy, Debug)]
pub struct CriticTask {
    pub objective: Objective,
    pub penalty: Penalty,
    pub gamma: f64,
}

/// Gradient of mean(loss + gamma / 2 * penalty) over a batch of `batch`, of which `reals` and `fakes` are
/// all or a part (the mean is always over the whole batch, so that parts add up).
pub fn critic_gradients(
    critic: Player,
    reals: Tensor<4>,
    fakes: Tensor<4>,
    labels: Option<&Tensor<2>>,
    task: CriticTask,
    batch: usize,
) -> (Gradients, CriticValues) {
    let Player { network, weights } = critic;
    let count = reals.dims()[0];
    let x = Tensor::cat(vec![reals, fakes], 0);
    let labels = labels.map(|labels| Tensor::cat(vec![labels.clone(), labels.clone()], 0));
    let labels = labels.as_ref();

    let (logits, trace) = network.forward(weights, x.clone(), labels, Keep::Slopes);
    let (real, fake) = halves(&logits, count);
    let loss = task.objective.critic(real.clone(), fake.clone());

    let (gradient, deltas) = network.input_gradient(weights, logits.ones_like(), labels, &trace);
    let norms = Penalty::squared_norm(&gradient);
    let (r1, r2) = (norms.clone().narrow(0, 0, count), norms.narrow(0, count, count));

    // c and u of linear replay, step 3 and 4; a replay at c x + v carries loss and penalty at once.
    let scale = Tensor::cat(vec![loss.real, loss.fake], 0).reshape([2 * count, 1, 1, 1]) / batch as f64;
    let tangent = task.penalty.tangent(gradient, count, task.gamma) / batch as f64;
    let u = x * scale.clone() + tangent;
    let gradients = network.replay(weights, u, scale, labels, &trace, deltas);
    (gradients, CriticValues { loss: loss.loss, difference: real - fake, r1, r2 })
}

/// Gradient of mean(loss) over a batch of `batch`, of which `phase` is all or a part.
pub fn generator_gradients(
    generator: Player,
    critic: Player,
    phase: &Phase,
    objective: Objective,
    batch: usize,
) -> (Gradients, GeneratorValues) {
    let labels = phase.labels.as_ref();
    let count = phase.len();
    let (fakes, generator_trace) =
        generator.network.forward(generator.weights, phase.latents.clone(), labels, Keep::Everything);
    let real = critic.network.evaluate(critic.weights, phase.reals.clone(), labels).reshape([count]);
    let (logits, critic_trace) = critic.network.forward(critic.weights, fakes, labels, Keep::Slopes);
    let fake = logits.reshape([count]);
    let loss = objective.generator(real.clone(), fake.clone());

    let signal = loss.fake.reshape([count, 1, 1, 1]) / batch as f64;
    let signal = critic.network.input_gradient_only(critic.weights, signal, labels, &critic_trace);
    drop(critic_trace);
    let gradients = generator.network.backward(generator.weights, signal, labels, generator_trace);
    (gradients, GeneratorValues { loss: loss.loss, difference: fake - real })
}

/// Logits `[2 * count, 1, 1, 1]` as those of the reals and those of the fakes.
fn halves(logits: &Tensor<4>, count: usize) -> (Tensor<1>, Tensor<1>) {
    let flat: Tensor<1> = logits.clone().reshape([2 * count]);
    (flat.clone().narrow(0, 0, count), flat.narrow(0, count, count))
}
