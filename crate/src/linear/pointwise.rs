//! 1x1 convolutions and linear layers: one matrix product over all pixels.

use burn::tensor::Tensor;

use crate::kernels::{self, Finish, Finished};

/// `[batch, h, w, c]` as the matrix `[batch * h * w, c]`.
pub fn rows(x: Tensor<4>) -> Tensor<2> {
    let [batch, height, width, channels] = x.dims();
    x.reshape([batch * height * width, channels])
}

/// `x [b, h, w, inputs]` times the transpose of `weight [outputs, inputs]`, finished: `[b, h, w, outputs]`.
pub fn apply(x: Tensor<4>, weight: Tensor<2>, finish: Finish) -> Finished<Tensor<4>> {
    let [batch, height, width, _] = x.dims();
    let shape = [batch, height, width, weight.dims()[0]];
    let (x, weight) = (rows(x).unsqueeze::<3>(), weight.transpose().unsqueeze::<3>());
    if !kernels::ours(&x) {
        return kernels::finished(x.matmul(weight).reshape(shape), finish);
    }
    let (y, slopes) = kernels::finished_product(x, weight, finish);
    (y.reshape(shape), slopes)
}

/// Gradient of the weight, `[outputs, inputs]`, summed over batch and pixels.
pub fn weight_gradient(x: Tensor<4>, delta: Tensor<4>) -> Tensor<2> {
    let (delta, x) = (rows(delta).transpose(), rows(x));
    kernels::product(delta.unsqueeze(), x.unsqueeze()).squeeze_dim(0)
}
