//! Biases: a row that is added to every pixel, times a number for each sample.

use burn::tensor::{DType, Tensor};

use crate::kernels;

/// Gradient of the row, `[c]`, from that of the sum, `delta [b, h, w, c]`, and the samples' `scale [b, 1, 1, 1]`, one if
/// absent. Half precision is added up in f32.
pub fn gradient(delta: Tensor<4>, scale: Option<&Tensor<4>>) -> Tensor<1> {
    if kernels::has_channel_sums(&delta) {
        return kernels::channel_sums(delta, scale.cloned());
    }
    let channels = delta.dims()[3];
    let delta = match delta.dtype() {
        DType::F16 | DType::BF16 => delta.cast(DType::F32),
        _ => delta,
    };
    let sums = delta.sum_dim(1).sum_dim(2);
    let sums = match scale {
        Some(scale) => sums * scale.clone(),
        None => sums,
    };
    sums.sum_dim(0).reshape([channels])
}
