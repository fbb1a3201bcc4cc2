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
    // An axis is added before the turn: after it, it would be a copy.
    times(x, weight.unsqueeze::<3>().swap_dims(1, 2), finish)
}

/// Gradient with respect to the input, finished: `delta [b, h, w, outputs]` times the weight.
pub fn adjoint(delta: Tensor<4>, weight: Tensor<2>, finish: Finish) -> Tensor<4> {
    times(delta, weight.unsqueeze(), finish).0
}

/// Every pixel times a matrix `[1, channels before, channels after]`.
fn times(x: Tensor<4>, matrix: Tensor<3>, finish: Finish) -> Finished<Tensor<4>> {
    let [batch, height, width, _] = x.dims();
    let shape = [batch, height, width, matrix.dims()[2]];
    let x = rows(x).unsqueeze::<3>();
    if !kernels::ours(&x) {
        return kernels::finished(x.matmul(matrix).reshape(shape), finish);
    }
    let (y, slopes) = kernels::finished_product(x, matrix, finish);
    (y.reshape(shape), slopes)
}

/// Gradient of the weight, `[outputs, inputs]`, summed over batch and pixels.
pub fn weight_gradient(x: Tensor<4>, delta: Tensor<4>) -> Tensor<2> {
    let (delta, x) = (rows(delta).unsqueeze::<3>().swap_dims(1, 2), rows(x).unsqueeze::<3>());
    kernels::product(delta, x).squeeze_dim(0)
}
