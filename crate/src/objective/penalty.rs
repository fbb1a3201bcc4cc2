//! Gradient penalties: functions of the critic's gradient with respect to its input.
//!
//! Linear replay needs two things of a penalty: its value per sample, and its derivative with respect to
//! the input gradient, which is the vector that the frozen critic is replayed along. A later penalty
//! (WGAN-GP, DRAGAN) is a variant that changes that vector, or the samples at which it is taken.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::network::{Format, rounded_to};

/// Penalty on the gradient of the logit, weighted by gamma / 2 per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// Squared norm at real samples (R1) and at fake ones (R2).
    #[default]
    R1R2,
    /// Squared norm at real samples only.
    R1,
    /// Squared norm at fake samples only.
    R2,
    /// No penalty.
    None,
}

impl Penalty {
    /// Squared norm of each sample's gradient, `[samples]`, before any weight; gradient, squares and sum are rounded
    /// to `format`, that of the samples (training notes, section 1).
    pub fn squared_norm(gradient: &Tensor<4>, format: Format) -> Tensor<1> {
        let samples = gradient.dims()[0];
        let squares = rounded_to(rounded_to(gradient.clone(), format).square(), format);
        rounded_to(squares.sum_dim(3).sum_dim(2).sum_dim(1).reshape([samples]), format)
    }

    /// Derivative of gamma / 2 times the squared norm with respect to the gradient, for a stack of
    /// `reals` real samples followed by the fake ones; zero where the penalty does not apply.
    pub fn tangent(self, gradient: Tensor<4>, reals: usize, gamma: f64) -> Tensor<4> {
        let samples = gradient.dims()[0];
        let (at_reals, at_fakes) = match self {
            Self::R1R2 => return gradient * gamma,
            Self::R1 => (gamma, 0.0),
            Self::R2 => (0.0, gamma),
            Self::None => (0.0, 0.0),
        };
        let real = gradient.clone().narrow(0, 0, reals) * at_reals;
        let fake = gradient.narrow(0, reals, samples - reals) * at_fakes;
        Tensor::cat(vec![real, fake], 0)
    }
}
