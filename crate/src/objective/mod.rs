//! Adversarial objectives: how pairs of logits become losses.
//!
//! An objective knows nothing of networks or penalties; it gives per-sample losses and their derivatives
//! with respect to the logits. A new one (GAN, Wasserstein, hinge, least squares) is a sibling of
//! `relativistic.rs` and a variant of [`Objective`].

pub mod penalty;
mod relativistic;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// What the two players minimise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// RpGAN: softplus of minus the difference of paired logits (paper, section 2).
    #[default]
    RelativisticPairing,
}

/// The critic's side: losses and derivatives, `[batch]` each, not yet averaged.
#[derive(Clone, Debug)]
pub struct CriticLoss {
    pub loss: Tensor<1>,
    /// Derivative of a pair's loss with respect to its real logit.
    pub real: Tensor<1>,
    /// Derivative of a pair's loss with respect to its fake logit.
    pub fake: Tensor<1>,
}

/// The generator's side: losses and their derivatives with respect to the fake logits, `[batch]` each.
#[derive(Clone, Debug)]
pub struct GeneratorLoss {
    pub loss: Tensor<1>,
    pub fake: Tensor<1>,
}

impl Objective {
    /// Losses of the critic for logits `[batch]` of paired real and fake samples.
    pub fn critic(self, real: Tensor<1>, fake: Tensor<1>) -> CriticLoss {
        match self {
            Self::RelativisticPairing => relativistic::critic(real, fake),
        }
    }

    /// Losses of the generator for logits `[batch]` of paired real and fake samples.
    pub fn generator(self, real: Tensor<1>, fake: Tensor<1>) -> GeneratorLoss {
        match self {
            Self::RelativisticPairing => relativistic::generator(real, fake),
        }
    }
}
