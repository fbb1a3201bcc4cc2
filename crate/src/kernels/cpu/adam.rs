//! The updates after a gradient, in place; see [`crate::training::Adam`] and [`crate::training::average`].

use pulp::Arch;

use super::{Cores, TASK, each};
use crate::kernels::AdamStep;

/// Adam without momentum on `weight` and its second `moment`.
pub fn adam(weight: &mut [f32], moment: &mut [f32], gradient: &[f32], step: AdamStep) {
    let (rate, beta2, rest) = (step.rate as f32, step.beta2 as f32, (1.0 - step.beta2) as f32);
    let (correction, epsilon) = (step.correction as f32, step.epsilon as f32);
    let arch = Arch::new();
    let tasks = weight.chunks_mut(TASK).zip(moment.chunks_mut(TASK)).zip(gradient.chunks(TASK));
    each(Cores::All, tasks, |((weight, moment), gradient)| {
        arch.dispatch(|| {
            for ((weight, moment), gradient) in weight.iter_mut().zip(moment).zip(gradient) {
                *moment = *moment * beta2 + gradient * gradient * rest;
                *weight -= gradient / (moment.sqrt() / correction + epsilon) * rate;
            }
        });
    });
}

/// Moves `average` towards `weight`, rounded as the reference's `lerp` does.
pub fn average(average: &mut [f32], weight: &[f32], decay: f32, rest: f32) {
    let arch = Arch::new();
    each(Cores::All, average.chunks_mut(TASK).zip(weight.chunks(TASK)), |(average, weight)| {
        arch.dispatch(|| {
            for (average, weight) in average.iter_mut().zip(weight) {
                let distance = *average - weight;
                *average = if decay < 0.5 { weight + distance * decay } else { *average - distance * rest };
            }
        });
    });
}
