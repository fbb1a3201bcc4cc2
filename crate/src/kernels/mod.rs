//! Our own kernels for hot operations, and where they apply.
//!
//! A kernel is an alternative to a portable form in [`crate::linear`] and is tested against it. The
//! choice is fixed: by device, type and shape, never by timing.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod warp;

use burn::backend::Dispatch;
use burn::tensor::{Bool, DType, Int, Tensor, activation};

use crate::backend::{self, Kernels};
pub use cpu::TAPS;

/// Whether the direct grouped convolution applies to `x`.
pub fn has_grouped(x: &Tensor<4>, groups: usize) -> bool {
    let width = x.dims()[3] / groups;
    if on_cpu(x) { cpu::GROUP_WIDTHS.contains(&width) } else { on_gpu(x) && width.is_multiple_of(LANES) }
}

/// Whether the GPU's kernels apply to `x` at all, and for slopes, resampling and Adam that is all: they are written for f32.
pub fn on_gpu<const D: usize>(x: &Tensor<D>) -> bool {
    cfg!(feature = "gpu") && x.dtype() == DType::F32 && !backend::is_cpu(&x.device())
}

/// Whether the CPU's kernels apply to `x` at all: they are written for f32.
fn on_cpu(x: &Tensor<4>) -> bool {
    x.dtype() == DType::F32 && backend::is_cpu(&x.device())
}

/// Channels that the GPU's kernels read at a time.
const LANES: usize = 4;

/// The widest result of [`product`]'s own kernels; beyond it tiles shared by a work group pay.
const WIDEST: usize = 512;

/// Samples `x [b, h, w, 3]` on a GPU as [`crate::pictures::to_rgba`] makes pixels, for a texture: `[b, h, row]` words
/// of RGBA, the first byte red, with rows of whole 64 pixels.
pub fn rgba(x: Tensor<4>) -> Tensor<3, Int> {
    Tensor::from_dispatch(Dispatch::rgba(x.into_dispatch()))
}

/// Batched matrix product, `left [groups, m, k]` times `right [groups, k, n]`: `[groups, m, n]`.
///
/// On GPUs narrow products have kernels of ours that need no barrier.
pub fn product(left: Tensor<3>, right: Tensor<3>) -> Tensor<3> {
    let empty = left.shape().num_elements() * right.shape().num_elements() == 0;
    if empty || right.dims()[2] > WIDEST || left.dtype() != DType::F32 {
        return left.matmul(right);
    }
    Tensor::from_dispatch(Dispatch::product(left.into_dispatch(), right.into_dispatch()))
}

/// `x` with the entries under `mask` multiplied by `factor`.
pub fn scale_where(x: Tensor<4>, mask: &Tensor<4, Bool>, factor: f64) -> Tensor<4> {
    if on_cpu(&x) {
        let (x, mask) = (x.into_dispatch(), mask.clone().into_dispatch());
        return Tensor::from_dispatch(Dispatch::scale_where(x, mask, factor as f32));
    }
    let scaled = x.clone() * factor;
    x.mask_where(mask.clone(), scaled)
}

/// A bit for each entry of `x`, 1 where it is not positive: `[ceil(entries / 32)]`. A Boolean would take a word.
pub fn slope_bits(x: Tensor<4>) -> Tensor<1, Int> {
    Tensor::from_dispatch(Dispatch::slope_bits(x.into_dispatch()))
}

/// `x` with the entries that are not positive multiplied by `slope`.
pub fn leaky_relu(x: Tensor<4>, slope: f64) -> Tensor<4> {
    if on_gpu(&x) {
        return Tensor::from_dispatch(Dispatch::leaky_relu(x.into_dispatch(), slope as f32));
    }
    activation::leaky_relu(x, slope)
}

/// `x` with the entries under a bit multiplied by `factor`.
pub fn scale_bits(x: Tensor<4>, bits: &Tensor<1, Int>, factor: f64) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::scale_bits(
        x.into_dispatch(),
        bits.clone().into_dispatch(),
        factor as f32,
    ))
}

/// The numbers of one step of Adam.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    pub rate: f64,
    pub beta2: f64,
    /// What the root of the second moment is divided by.
    pub correction: f64,
    pub epsilon: f64,
}

/// The new weight and second moment, each `[n]`.
pub fn adam(
    weight: Tensor<1>,
    moment: Tensor<1>,
    gradient: Tensor<1>,
    step: AdamStep,
) -> (Tensor<1>, Tensor<1>) {
    let [weight, moment, gradient] = [weight, moment, gradient].map(Tensor::into_dispatch);
    let (weight, moment) = Dispatch::adam(weight, moment, gradient, step);
    (Tensor::from_dispatch(weight), Tensor::from_dispatch(moment))
}

/// Correlates `x [b, h, w, c]` with `kernel [groups, 9, in, out]`, zero padding: `[b, h, w, c]`.
pub fn grouped_correlate(x: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::grouped_correlate(x.into_dispatch(), kernel.into_dispatch()))
}

/// Gradient of the kernel, `[groups, 9, in, out]`, from inputs and output signals `[b, h, w, c]`.
pub fn grouped_kernel_gradient(x: Tensor<4>, delta: Tensor<4>, groups: usize) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::grouped_kernel_gradient(x.into_dispatch(), delta.into_dispatch(), groups))
}

/// `x [b, h, w, c]` in twice the size, or half of it, by the filter of [`crate::linear::resample`], times `factor`.
pub fn resample(x: Tensor<4>, up: bool, factor: f64) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::resample(x.into_dispatch(), up, factor as f32))
}

/// Whether the augmentation's direct warp applies to `x`.
pub fn has_warp(x: &Tensor<4>) -> bool {
    on_cpu(x)
}

/// Resamples pictures `x [b, side, side, c]` along `geometry [b, 2, 3]`: the same shape.
pub fn warp(x: Tensor<4>, geometry: Tensor<3>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::warp(x.into_dispatch(), geometry.into_dispatch()))
}

/// The adjoint of [`warp`].
pub fn warp_adjoint(delta: Tensor<4>, geometry: Tensor<3>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::warp_adjoint(delta.into_dispatch(), geometry.into_dispatch()))
}
