//! The 4x4 bases: the generator's first layer and the critic's last, one 4x4 pattern a channel.

use burn::tensor::Tensor;

/// Side of the smallest feature maps.
pub const SIDE: usize = 4;

/// `[b, 1, 1, c]` to `[b, 4, 4, c]`: each channel times its pattern.
pub fn expand(x: Tensor<4>, weight: &Tensor<1>) -> Tensor<4> {
    x * patterns(weight)
}

/// `[b, 4, 4, c]` to `[b, 1, 1, c]`: each channel summed against its pattern.
pub fn contract(x: Tensor<4>, weight: &Tensor<1>) -> Tensor<4> {
    (x * patterns(weight)).sum_dim(1).sum_dim(2)
}

/// Gradient of the patterns from the vector side `[b, 1, 1, c]` and the picture side `[b, 4, 4, c]`.
pub fn weight_gradient(vector: Tensor<4>, picture: Tensor<4>) -> Tensor<1> {
    let channels = vector.dims()[3];
    let gradient = (vector * picture).sum_dim(0).reshape([SIDE * SIDE, channels]);
    gradient.transpose().flatten(0, 1)
}

/// `[c * 16]` as published to `[1, 4, 4, c]`.
fn patterns(weight: &Tensor<1>) -> Tensor<4> {
    let channels = weight.dims()[0] / (SIDE * SIDE);
    weight.clone().reshape([channels, SIDE * SIDE]).transpose().reshape([1, SIDE, SIDE, channels])
}
