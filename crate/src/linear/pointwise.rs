//! 1x1 convolutions and linear layers: one matrix product over all pixels.

use burn::tensor::Tensor;

use crate::kernels::{self, Finish, Finished};

/// `[batch, h, w, c]` as the matrix `[batch * h * w, c]`.
pub fn rows(x: Tensor<4>) -> Tensor<2> {
    let [batch, height, width, channels] = x.dims();
    x.reshape([batch * height * width, channels])
}

/// The matrix `[1, inputs, outputs]` that [`times`] takes for a forward pass with `weight [outputs, inputs]`.
pub fn turned(weight: Tensor<2>) -> Tensor<3> {
    // An axis is added before the turn: after it, it would be a copy.
    weight.unsqueeze::<3>().swap_dims(1, 2)
}

/// Gradient with respect to the input, finished: `delta [b, h, w, outputs]` times `weight [outputs, inputs]`.
pub fn adjoint(delta: Tensor<4>, weight: Tensor<2>, finish: Finish) -> Tensor<4> {
    times(delta, weight.unsqueeze(), finish).0
}

/// Every pixel of `x [b, h, w, k]` times a matrix `[1, k, n]`, or one in panels (`kernels::packed`), finished:
/// `[b, h, w, n]`.
pub fn times(x: Tensor<4>, matrix: Tensor<3>, finish: Finish) -> Finished<Tensor<4>> {
    let [batch, height, width, _] = x.dims();
    let [panels, _, columns] = matrix.dims();
    let shape = [batch, height, width, panels * columns];
    let x = rows(x).unsqueeze::<3>();
    let (y, slopes) = match panels {
        1 if !kernels::ours(&x) => return kernels::finished(x.matmul(matrix).reshape(shape), finish),
        1 => kernels::finished_product(x, matrix, finish),
        _ => kernels::product_of_panels(x, matrix, finish),
    };
    (y.reshape(shape), slopes)
}

/// Gradient of the weight, `[outputs, inputs]`, summed over batch and pixels.
pub fn weight_gradient(x: Tensor<4>, delta: Tensor<4>) -> Tensor<2> {
    let (delta, x) = (rows(delta).unsqueeze::<3>().swap_dims(1, 2), rows(x).unsqueeze::<3>());
    kernels::product(delta, x).squeeze_dim(0)
}
