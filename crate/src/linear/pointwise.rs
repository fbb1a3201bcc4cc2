//! 1x1 convolutions and linear layers: one matrix product over all pixels.

use burn::tensor::Tensor;

use crate::kernels;

/// `[batch, h, w, c]` as the matrix `[batch * h * w, c]`.
pub fn rows(x: Tensor<4>) -> Tensor<2> {
    let [batch, height, width, channels] = x.dims();
    x.reshape([batch * height * width, channels])
}

/// `x [b, h, w, inputs]` times the transpose of `weight [outputs, inputs]`: `[b, h, w, outputs]`.
pub fn apply(x: Tensor<4>, weight: Tensor<2>) -> Tensor<4> {
    let [batch, height, width, _] = x.dims();
    let outputs = weight.dims()[0];
    product(rows(x), weight.transpose()).reshape([batch, height, width, outputs])
}

/// Gradient of the weight, `[outputs, inputs]`, summed over batch and pixels.
pub fn weight_gradient(x: Tensor<4>, delta: Tensor<4>) -> Tensor<2> {
    product(rows(delta).transpose(), rows(x))
}

fn product(left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
    kernels::product(left.unsqueeze(), right.unsqueeze()).squeeze_dim(0)
}
