//! Adam without momentum: beta1 = 0, and a beta2 that changes every step (training notes, section 1).

use burn::tensor::Tensor;

use crate::kernels::{self, AdamStep};
use crate::network::{Gradients, Weights};

const EPSILON: f64 = 1e-8;

/// Second moments and step count. With beta1 = 0 the first moment is the gradient and is not kept.
#[derive(Clone, Debug)]
pub struct Adam {
    pub second_moments: Weights,
    pub steps: u64,
}

impl Adam {
    pub fn new(weights: &Weights) -> Self {
        Self { second_moments: weights.iter().map(Tensor::zeros_like).collect(), steps: 0 }
    }

    /// One step. The bias correction `1 - beta2^t` uses the current beta2, as the reference does.
    pub fn step(&mut self, weights: &mut Weights, gradients: Gradients, rate: f64, beta2: f64) {
        self.steps += 1;
        let correction = (1.0 - beta2.powf(self.steps as f64)).sqrt();
        let step = AdamStep { rate, beta2, correction, epsilon: EPSILON };
        // Taken out, so that what no one else holds is changed in place.
        let (old, moments) = (std::mem::take(weights), std::mem::take(&mut self.second_moments));
        if old.iter().all(kernels::ours_in_f32) {
            (*weights, self.second_moments) = kernels::adam(old, moments, gradients, step);
            return;
        }
        let updated = old.into_iter().zip(moments).zip(gradients).map(|((weight, moment), gradient)| {
            let squared = gradient.clone().square() * (1.0 - beta2);
            let moment = moment * beta2 + squared;
            let denominator = moment.clone().sqrt() / correction + EPSILON;
            (weight - gradient / denominator * rate, moment)
        });
        (*weights, self.second_moments) = updated.unzip();
    }
}
