//! The exact gradients of one phase: where networks, objective and penalty meet.
//!
//! The critic's gradient is linear replay (design notes): forward, input gradient, replay. The
//! generator's is one back-propagation through the frozen critic and the generator.

use burn::tensor::Tensor;

use crate::augment::{Augmentation, Augmentations};
use crate::network::{Format, Gradients, Keep, Network, Weights};
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
    /// What the critic sees the samples through.
    pub augmentations: Option<Augmentations>,
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
            augmentations: self.augmentations.as_ref().map(|both| both.slice(start, length)),
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

/// Gradient of mean(loss + gamma / 2 * penalty) over a batch of `batch`, of which `phase` and its `fakes` are
/// all or a part (the mean is always over the whole batch, so that parts add up).
///
/// The penalty is on the gradient at the samples as they are, before their augmentation.
pub fn critic_gradients(
    critic: Player,
    phase: &Phase,
    fakes: Tensor<4>,
    task: CriticTask,
    batch: usize,
) -> (Gradients, CriticValues) {
    let Player { network, weights } = critic;
    let count = phase.len();
    let labels = phase.labels.as_ref().map(|labels| Tensor::cat(vec![labels.clone(), labels.clone()], 0));
    let labels = labels.as_ref();
    let augmentation = phase.augmentations.as_ref().map(|both| both.reals.stacked(&both.fakes));
    let augmentation = augmentation.as_ref();
    let x = augmented(augmentation, Tensor::cat(vec![phase.reals.clone(), fakes], 0));

    let (logits, trace) = network.forward(weights, x.clone(), labels, Keep::Slopes);
    let (real, fake) = halves(&logits, count);
    let loss = task.objective.critic(real.clone(), fake.clone());

    let (gradient, deltas) = network.input_gradient(weights, logits.ones_like(), labels, &trace);
    let gradient = unaugmented(augmentation, gradient);
    let norms = Penalty::squared_norm(&gradient, Format::F32);
    let r1 = norms.clone().narrow(0, 0, count);
    // Fakes come in the generator's format, which is the critic's, and so does what is computed from them alone.
    let r2 = match network.format() {
        Format::F32 => norms.narrow(0, count, count),
        format => Penalty::squared_norm(&gradient.clone().narrow(0, count, count), format),
    };

    // c and u of linear replay, step 3 and 4; a replay at c x + v carries loss and penalty at once.
    let scale = Tensor::cat(vec![loss.real, loss.fake], 0).reshape([2 * count, 1, 1, 1]) / batch as f64;
    let tangent = task.penalty.tangent(gradient, count, task.gamma) / batch as f64;
    let tangent = match augmentation {
        Some(augmentation) => augmentation.linear(tangent),
        None => tangent,
    };
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
    let (of_reals, of_fakes) = match &phase.augmentations {
        Some(Augmentations { reals, fakes }) => (Some(reals), Some(fakes)),
        None => (None, None),
    };
    let count = phase.len();
    let (fakes, generator_trace) =
        generator.network.forward(generator.weights, phase.latents.clone(), labels, Keep::Everything);
    let reals = augmented(of_reals, phase.reals.clone());
    let real = critic.network.evaluate(critic.weights, reals, labels).reshape([count]);
    let fakes = augmented(of_fakes, fakes);
    let (logits, critic_trace) = critic.network.forward(critic.weights, fakes, labels, Keep::Slopes);
    let fake = logits.reshape([count]);
    let loss = objective.generator(real.clone(), fake.clone());

    let signal = loss.fake.reshape([count, 1, 1, 1]) / batch as f64;
    let signal = critic.network.input_gradient_only(critic.weights, signal, labels, &critic_trace);
    drop(critic_trace);
    let signal = unaugmented(of_fakes, signal);
    let gradients = generator.network.backward(generator.weights, signal, labels, generator_trace);
    (gradients, GeneratorValues { loss: loss.loss, difference: fake - real })
}

fn augmented(augmentation: Option<&Augmentation>, x: Tensor<4>) -> Tensor<4> {
    match augmentation {
        Some(augmentation) => augmentation.apply(x),
        None => x,
    }
}

/// The gradient at samples, from that at augmented ones.
fn unaugmented(augmentation: Option<&Augmentation>, gradient: Tensor<4>) -> Tensor<4> {
    match augmentation {
        Some(augmentation) => augmentation.adjoint(gradient),
        None => gradient,
    }
}

/// Logits `[2 * count, 1, 1, 1]` as those of the reals and those of the fakes.
fn halves(logits: &Tensor<4>, count: usize) -> (Tensor<1>, Tensor<1>) {
    let flat: Tensor<1> = logits.clone().reshape([2 * count]);
    (flat.clone().narrow(0, 0, count), flat.narrow(0, count, count))
}
