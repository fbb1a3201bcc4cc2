//! Our own kernels for hot operations, and where they apply.
//!
//! A kernel is an alternative to a portable form in [`crate::linear`] and is tested against it. The choice is fixed, by
//! device, type and shape; what `r3gan bench --tune` measured may replace it, never in a page.

pub(crate) mod cpu;
mod finish;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
mod update;
pub(crate) mod warp;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType};
use burn::tensor::{DType, Int, Tensor};

use crate::backend::{self, Kernels};
pub use cpu::TAPS;
pub use finish::{Finish, Finished, Finishing, NEGATIVE_SLOPE, Slopes, finished};
pub use update::{AdamStep, Parameters, adam, average};

/// Whether our kernels are for tensors like `x` at all: in f32 everywhere, in half precision on GPUs.
pub fn ours<const D: usize>(x: &Tensor<D>) -> bool {
    match x.dtype() {
        DType::F32 => true,
        DType::F16 | DType::BF16 => !backend::is_cpu(&x.device()),
        _ => false,
    }
}

/// The same for what happens in f32 alone, whatever a stage computes in: resampling, and the updates of weights.
pub fn ours_in_f32<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32
}

/// Whether the direct grouped convolution is for tensors like `x`, and groups of `width` channels.
pub fn has_grouped<const D: usize>(x: &Tensor<D>, width: usize) -> bool {
    ours(x)
        && match backend::is_cpu(&x.device()) {
            true => cpu::GROUP_WIDTHS.contains(&width),
            false => width.is_multiple_of(LANES),
        }
}

/// Channels that the GPU's kernels read at a time.
const LANES: usize = 4;

/// Samples `x [b, h, w, 3]`, f32, as [`crate::pictures::to_rgba`] makes pixels, for a texture: `[b, h, row]` words
/// of RGBA, the first byte red, with rows of whole 64 pixels.
pub fn rgba(x: Tensor<4>) -> Tensor<3, Int> {
    Tensor::from_dispatch(Dispatch::rgba(x.into_dispatch()))
}

/// Batched matrix product, `left [groups, m, k]` times `right [groups, k, n]`: `[groups, m, n]`.
pub fn product(left: Tensor<3>, right: Tensor<3>) -> Tensor<3> {
    if !ours(&left) {
        return left.matmul(right);
    }
    finished_product(left, right, Finish::Nothing).0
}

/// `left [m, k]` times `right [k, n]`. Burn's own product would round f32 to TF32 on CUDA.
pub fn matrix_product(left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
    product(left.unsqueeze(), right.unsqueeze()).squeeze_dim(0)
}

/// The same as [`product`] for formats that are [`ours`], finished: rows are pixels and columns are channels.
pub fn finished_product(left: Tensor<3>, right: Tensor<3>, finish: Finish) -> Finished<Tensor<3>> {
    if left.shape().num_elements() == 0 || right.shape().num_elements() == 0 {
        let product = left.matmul(right);
        let [groups, rows, columns] = product.dims();
        let (y, slopes) = finished(product.reshape([groups, rows, 1, columns]), finish);
        return (y.reshape([groups, rows, columns]), slopes);
    }
    finish::wrapped(Dispatch::product(left.into_dispatch(), right.into_dispatch(), finish.lowered()))
}

/// `left [1, m, k]` times several panels that [`packed`] made, finished: `[1, m, n]`.
pub(crate) fn product_of_panels(left: Tensor<3>, panels: Tensor<3>, finish: Finish) -> Finished<Tensor<3>> {
    let (left, panels) = (left.into_dispatch(), panels.into_dispatch());
    finish::wrapped(Dispatch::product_of_panels(left, panels, finish.lowered()))
}

/// The transpose of `weight [outputs, inputs]` as its device reads it best on the right of many products:
/// `[panels, inputs, outputs / panels]`, panels of neighbouring outputs, one where there is no kernel for more.
pub(crate) fn packed(weight: Tensor<2>) -> Tensor<3> {
    let [outputs, inputs] = weight.dims();
    let wide = cpu::panel_width();
    let panels = match ours(&weight) && backend::is_cpu(&weight.device()) && outputs.is_multiple_of(wide) {
        true => outputs / wide,
        false => 1,
    };
    contiguous(weight.reshape([panels, outputs / panels, inputs]).swap_dims(1, 2))
}

/// A tensor that lies in memory in the order of its axes.
pub(crate) fn contiguous<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let shape = x.dims();
    // One axis has one order; to the same axes a tensor may stay as it lies.
    x.flatten::<1>(0, D - 1).reshape(shape)
}

/// `weight [groups, out, in, 9]` of a convolution in groups as [`grouped`] reads it, `[groups, 9, in, out]`, or for its
/// adjoint with turned taps and inputs and outputs changed.
pub fn taps_first(weight: Tensor<4>, adjoint: bool) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::taps_first(weight.into_dispatch(), adjoint))
}

/// 3x3 convolution in groups of `x [b, h, w, c]` with `kernel [groups, 9, in, out]`, zero padding, finished:
/// `[b, h, w, c]`.
pub fn grouped(x: Tensor<4>, kernel: Tensor<4>, finish: Finish) -> Finished<Tensor<4>> {
    finish::wrapped(Dispatch::grouped(x.into_dispatch(), kernel.into_dispatch(), finish.lowered()))
}

/// Gradient of its weight, flat, from inputs and output signals `[b, h, w, c]`.
pub fn grouped_weight_gradient(x: Tensor<4>, delta: Tensor<4>, groups: usize) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::grouped_weight_gradient(x.into_dispatch(), delta.into_dispatch(), groups))
}

/// `x [b, h, w, c]` in twice the size, or half of it, by the filter of [`crate::linear::resample`], times `factor`.
pub fn resample(x: Tensor<4>, up: bool, factor: f64) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::resample(x.into_dispatch(), up, factor as f32))
}

/// Whether sums over the pixels of `x` have a kernel.
pub fn has_channel_sums(x: &Tensor<4>) -> bool {
    ours(x) && x.shape().num_elements() > 0
}

/// Whether the 4x4 bases have kernels for `x`: where launches are what they cost.
pub fn has_bases(x: &Tensor<4>) -> bool {
    has_channel_sums(x) && !backend::is_cpu(&x.device())
}

/// `x [b, 1, 1, c]` times the patterns of a flat `weight [c, 4, 4]`, finished: `[b, 4, 4, c]`.
pub fn expand(x: Tensor<4>, weight: Tensor<1>, finish: Finish) -> Finished<Tensor<4>> {
    finish::wrapped(Dispatch::expand(x.into_dispatch(), weight.into_dispatch(), finish.lowered()))
}

/// `x [b, 4, 4, c]` summed against those patterns: `[b, 1, 1, c]`.
pub fn contract(x: Tensor<4>, weight: Tensor<1>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::contract(x.into_dispatch(), weight.into_dispatch()))
}

/// Gradient of the patterns, flat, in f32, from the side of the vector and that of the picture.
pub fn basis_weight_gradient(vector: Tensor<4>, picture: Tensor<4>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::basis_weight_gradient(vector.into_dispatch(), picture.into_dispatch()))
}

/// The sum of `x [b, h, w, c]` over all but channels, each sample times its `scale [b, 1, 1, 1]`, one if absent: `[c]`, f32.
pub fn channel_sums(x: Tensor<4>, scale: Option<Tensor<4>>) -> Tensor<1> {
    let scale = match scale {
        Some(scale) => Scaling::Samples { scale: scale.into_dispatch() },
        None => Scaling::None,
    };
    Tensor::from_dispatch(Dispatch::channel_sums(x.into_dispatch(), scale))
}

/// What samples are multiplied by.
#[derive(ExtensionType)]
pub enum Scaling<B: Backend> {
    None,
    Samples { scale: FloatTensor<B> },
}

impl<B: Backend> Scaling<B> {
    pub(crate) fn samples(self) -> Option<FloatTensor<B>> {
        match self {
            Self::None => None,
            Self::Samples { scale } => Some(scale),
        }
    }
}

/// Whether the augmentation's direct warp applies to `x`.
pub fn has_warp(x: &Tensor<4>) -> bool {
    x.dtype() == DType::F32 && backend::is_cpu(&x.device())
}

/// Resamples pictures `x [b, side, side, c]` along `geometry [b, 2, 3]`: the same shape.
pub fn warp(x: Tensor<4>, geometry: Tensor<3>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::warp(x.into_dispatch(), geometry.into_dispatch()))
}

/// The adjoint of [`warp`].
pub fn warp_adjoint(delta: Tensor<4>, geometry: Tensor<3>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::warp_adjoint(delta.into_dispatch(), geometry.into_dispatch()))
}
