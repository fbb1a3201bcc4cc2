//! The updates after a gradient; see [`crate::training::Adam`] and [`crate::training::average`].
//!
//! Each is in place in buffers that hold many parameters, and reaches as many as it has buffers for: a launch costs a page
//! more than the arithmetic on a small parameter.

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::flat::{Flat, runs};
use super::launched;
use crate::kernels::AdamStep;

/// Gradients of one launch, at most: each is a line of the kernel. WebGPU promises buffers for five.
const MOST: usize = 16;

/// The new weights and second moments.
pub fn adam(
    weights: Vec<CubeTensor>,
    moments: Vec<CubeTensor>,
    gradients: Vec<CubeTensor>,
    step: AdamStep,
) -> (Vec<CubeTensor>, Vec<CubeTensor>) {
    let mut left = [weights, moments, gradients].map(Vec::into_iter);
    let (mut weights, mut moments) = (Vec::new(), Vec::new());
    for count in runs(lengths(left[0].as_slice())) {
        let [weight, moment, gradient] = left.each_mut().map(|left| left.take(count).collect());
        let (weight, moment) = (Flat::owned(weight), Flat::owned(moment));
        step_in_place(&weight, &moment, gradient, step);
        weights.extend(weight.into_tensors());
        moments.extend(moment.into_tensors());
    }
    (weights, moments)
}

fn lengths(tensors: &[CubeTensor]) -> impl Iterator<Item = usize> {
    tensors.iter().map(|tensor| tensor.meta.shape().num_elements())
}

fn step_in_place(weights: &Flat, moments: &Flat, gradients: Vec<CubeTensor>, step: AdamStep) {
    let client = weights.buffer.client.clone();
    let most = (client.properties().hardware.max_bindings as usize).saturating_sub(2).clamp(1, MOST);
    let mut gradients = gradients.into_iter().map(into_contiguous);
    for places in weights.places.chunks(most) {
        let (first, end) = (places[0].start, places[places.len() - 1].end());
        let (count, dim) = launched([&weights.buffer, &moments.buffer], end - first);
        adam_step::launch(
            &client,
            count,
            dim,
            weights.buffer.clone().into_tensor_arg(),
            moments.buffer.clone().into_tensor_arg(),
            gradients.by_ref().take(places.len()).map(CubeTensor::into_tensor_arg).collect(),
            places.iter().map(|place| place.start).collect(),
            first,
            step.rate as f32,
            step.beta2 as f32,
            (1.0 - step.beta2) as f32,
            step.correction as f32,
            step.epsilon as f32,
        );
    }
}

/// `starts` are the places of the gradients' parameters, of which `first` is the first one's.
#[cube(launch)]
fn adam_step(
    weights: &mut Tensor<f32>,
    moments: &mut Tensor<f32>,
    gradients: Sequence<OwnedTensor<f32>>,
    starts: Sequence<usize>,
    first: usize,
    rate: f32,
    beta2: f32,
    rest: f32,
    correction: f32,
    epsilon: f32,
) {
    let at = first + ABSOLUTE_POS;
    let mut g = 0.0f32;
    let mut inside = false;
    #[unroll]
    for i in 0..gradients.len() {
        let start = starts[i];
        if at >= start && at < start + gradients[i].len() {
            g = gradients[i][at - start];
            inside = true;
        }
    }
    if inside {
        let v = moments[at] * beta2 + g * g * rest;
        moments[at] = v;
        weights[at] -= g / (v.sqrt() / correction + epsilon) * rate;
    }
}

/// `averages` moved towards `weights`, rounded as the reference's `lerp` does.
pub fn average(averages: Vec<CubeTensor>, weights: Vec<CubeTensor>, decay: f64) -> Vec<CubeTensor> {
    let mut left = [averages, weights].map(Vec::into_iter);
    let mut moved = Vec::new();
    for count in runs(lengths(left[0].as_slice())) {
        let [average, weight] = left.each_mut().map(|left| left.take(count).collect());
        let (average, weight) = (Flat::owned(average), Flat::of(weight));
        let (count, dim) = launched([&average.buffer, &weight.buffer], average.entries());
        let client = average.buffer.client.clone();
        move_average::launch(
            &client,
            count,
            dim,
            average.buffer.clone().into_tensor_arg(),
            weight.buffer.into_tensor_arg(),
            decay as f32,
            (1.0 - decay) as f32,
        );
        moved.extend(average.into_tensors());
    }
    moved
}

#[cube(launch)]
fn move_average(average: &mut Tensor<f32>, weight: &Tensor<f32>, decay: f32, rest: f32) {
    let at = ABSOLUTE_POS;
    if at >= average.len() {
        terminate!();
    }
    let distance = average[at] - weight[at];
    let near = weight[at] + distance * decay;
    let far = average[at] - distance * rest;
    average[at] = select(decay < 0.5, near, far);
}
