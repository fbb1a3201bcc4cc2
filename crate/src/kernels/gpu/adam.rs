//! The updates after a gradient; see [`crate::training::Adam`] and [`crate::training::average`].

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{empty_like, launched};
use crate::kernels::AdamStep;

/// The new weight and second moment, each `[n]`.
pub fn adam(
    weight: CubeTensor,
    moment: CubeTensor,
    gradient: CubeTensor,
    step: AdamStep,
) -> (CubeTensor, CubeTensor) {
    let [length] = weight.meta.shape().dims();
    let (new_weight, new_moment) = (empty_like(&weight, [length]), empty_like(&weight, [length]));
    let (count, dim) = launched(&weight, length);
    let client = weight.client.clone();
    adam_step::launch(
        &client,
        count,
        dim,
        into_contiguous(weight).into_tensor_arg(),
        into_contiguous(moment).into_tensor_arg(),
        into_contiguous(gradient).into_tensor_arg(),
        new_weight.clone().into_tensor_arg(),
        new_moment.clone().into_tensor_arg(),
        step.rate as f32,
        step.beta2 as f32,
        (1.0 - step.beta2) as f32,
        step.correction as f32,
        step.epsilon as f32,
    );
    (new_weight, new_moment)
}

#[cube(launch)]
fn adam_step(
    weight: &Tensor<f32>,
    moment: &Tensor<f32>,
    gradient: &Tensor<f32>,
    new_weight: &mut Tensor<f32>,
    new_moment: &mut Tensor<f32>,
    rate: f32,
    beta2: f32,
    rest: f32,
    correction: f32,
    epsilon: f32,
) {
    let at = ABSOLUTE_POS;
    if at >= new_weight.len() {
        terminate!();
    }
    let g = gradient[at];
    let v = moment[at] * beta2 + g * g * rest;
    new_moment[at] = v;
    new_weight[at] = weight[at] - g / (v.sqrt() / correction + epsilon) * rate;
}

/// `average` moved towards `weight`, rounded as the reference's `lerp` does.
pub fn average(average: CubeTensor, weight: CubeTensor, decay: f64) -> CubeTensor {
    let [length] = average.meta.shape().dims();
    let moved = empty_like(&average, [length]);
    let (count, dim) = launched(&average, length);
    let client = average.client.clone();
    move_average::launch(
        &client,
        count,
        dim,
        into_contiguous(average).into_tensor_arg(),
        into_contiguous(weight).into_tensor_arg(),
        moved.clone().into_tensor_arg(),
        decay as f32,
        (1.0 - decay) as f32,
    );
    moved
}

#[cube(launch)]
fn move_average(average: &Tensor<f32>, weight: &Tensor<f32>, moved: &mut Tensor<f32>, decay: f32, rest: f32) {
    let at = ABSOLUTE_POS;
    if at >= moved.len() {
        terminate!();
    }
    let distance = average[at] - weight[at];
    let near = weight[at] + distance * decay;
    let far = average[at] - distance * rest;
    moved[at] = select(decay < 0.5, near, far);
}
