//! The 4x4 bases: the generator's first layer and the critic's last, one 4x4 pattern a channel.

use burn::tensor::Tensor;

use crate::kernels::{self, Finish, Finished};

/// Side of the smallest feature maps.
pub const SIDE: usize = 4;

/// `[b, 1, 1, c]` to `[b, 4, 4, c]`: each channel times its pattern, finished.
pub fn expand(x: Tensor<4>, weight: &Tensor<1>, finish: Finish) -> Finished<Tensor<4>> {
    if kernels::has_bases(&x) {
        return kernels::expand(x, weight.clone(), finish);
    }
    kernels::finished(x * patterns(weight), finish)
}

/// `[b, 4, 4, c]` to `[b, 1, 1, c]`: each channel summed against its pattern, finished.
pub fn contract(x: Tensor<4>, weight: &Tensor<1>, finish: Finish) -> Finished<Tensor<4>> {
    let y = match kernels::has_bases(&x) {
        true => kernels::contract(x, weight.clone()),
        false => (x * patterns(weight)).sum_dim(1).sum_dim(2),
    };
    kernels::finished(y, finish)
}

/// Gradient of the patterns from the vector side `[b, 1, 1, c]` and the picture side `[b, 4, 4, c]`.
pub fn weight_gradient(vector: Tensor<4>, picture: Tensor<4>) -> Tensor<1> {
    if kernels::has_bases(&picture) {
        return kernels::basis_weight_gradient(vector, picture);
    }
    let channels = vector.dims()[3];
    let gradient = (vector * picture).sum_dim(0).reshape([SIDE * SIDE, channels]);
    gradient.transpose().flatten(0, 1)
}

/// `[c * 16]` as published to `[1, 4, 4, c]`.
fn patterns(weight: &Tensor<1>) -> Tensor<4> {
    let channels = weight.dims()[0] / (SIDE * SIDE);
    weight.clone().reshape([channels, SIDE * SIDE]).transpose().reshape([1, SIDE, SIDE, channels])
}
