//! One step of Adam without momentum on one weight; see [`crate::training::Adam`].

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
