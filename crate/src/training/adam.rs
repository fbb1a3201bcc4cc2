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
        for ((weight, moment), gradient) in weights.iter_mut().zip(&mut self.second_moments).zip(gradients) {
            if kernels::on_gpu(weight) {
                (*weight, *moment) = kernels::adam(weight.clone(), moment.clone(), gradient, step);
                continue;
            }
            let squared = gradient.clone().square() * (1.0 - beta2);
            moment.inplace(|moment| moment * beta2 + squared);
            let denominator = moment.clone().sqrt() / correction + EPSILON;
            weight.inplace(|weight| weight - gradient / denominator * rate);
        }
    }
}
