//! 3x3 convolution in groups, stride 1, zero padding: the mixing layer of a residual block.
//!
//! The portable form gathers the nine shifted pictures and is one batched matrix product over the
//! groups. Where it can, [`crate::kernels`] has direct kernels that never build the nine copies.

use burn::tensor::Tensor;

use crate::kernels::{self, Finish, Finished, TAPS};

/// The flat `weight [c, c / groups, 3, 3]` as [`correlate`] reads it, `[groups, 9, in, out]`. For the adjoint taps are
/// turned, and inputs and outputs changed.
pub fn taps_first(weight: Tensor<1>, channels: usize, groups: usize, adjoint: bool) -> Tensor<4> {
    let width = channels / groups;
    let weight = weight.reshape([groups, width, width, TAPS]);
    if kernels::has_grouped(&weight, width) {
        return kernels::taps_first(weight, adjoint);
    }
    let kernel = weight.permute([0, 3, 2, 1]);
    if adjoint { kernel.flip([1]).swap_dims(2, 3) } else { kernel }
}

/// `x [b, h, w, c]` with the kernel of its channels, finished: `[b, h, w, c]`.
pub fn correlate(x: Tensor<4>, kernel: Tensor<4>, finish: Finish) -> Finished<Tensor<4>> {
    let [groups, _, width, _] = kernel.dims();
    if kernels::has_grouped(&x, width) {
        return kernels::grouped(x, kernel, finish);
    }
    let shape = x.dims();
    let kernel = kernel.reshape([groups, TAPS * width, width]);
    let y = kernels::product(windows(x, groups), kernel).permute([1, 0, 2]).reshape(shape);
    kernels::finished(y, finish)
}

/// Gradient of the weight, flat, summed over batch and pixels.
pub fn weight_gradient(x: Tensor<4>, delta: Tensor<4>, groups: usize) -> Tensor<1> {
    let [batch, height, columns, channels] = delta.dims();
    let width = channels / groups;
    if kernels::has_grouped(&x, width) {
        return kernels::grouped_weight_gradient(x, delta, groups);
    }
    let delta = delta.reshape([batch * height * columns, groups, width]).permute([1, 0, 2]);
    let gradient = kernels::product(windows(x, groups).swap_dims(1, 2), delta);
    let gradient = gradient.reshape([groups, TAPS, width, width]);
    gradient.permute([0, 3, 2, 1]).reshape([channels * width * TAPS])
}

/// The 3x3 window around every pixel: `[groups, b * h * w, 9 * width]`, taps before channels.
fn windows(x: Tensor<4>, groups: usize) -> Tensor<3> {
    let [batch, height, columns, channels] = x.dims();
    let padded = pad::<2>(pad::<1>(x));
    let shifted = (0..TAPS)
        .map(|tap| {
            let picture = padded.clone().narrow(1, tap / 3, height).narrow(2, tap % 3, columns);
            picture.reshape([batch * height * columns, groups, channels / groups])
        })
        .collect();
    Tensor::cat(shifted, 2).permute([1, 0, 2])
}

/// One row of zeros on both sides of an axis.
fn pad<const AXIS: usize>(x: Tensor<4>) -> Tensor<4> {
    let border = x.clone().narrow(AXIS, 0, 1).zeros_like();
    Tensor::cat(vec![border.clone(), x, border], AXIS)
}
