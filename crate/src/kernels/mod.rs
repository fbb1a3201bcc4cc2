//! Our own kernels for hot operations, and where they apply.
//!
//! A kernel is an alternative to a portable form in [`crate::linear`] and is tested against it. The
//! choice is fixed: by device, type and group width, never by timing.

pub(crate) mod cpu;

use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};

use crate::backend::{self, Kernels};

/// Whether the direct grouped convolution applies to `x`.
pub fn has_grouped(x: &Tensor<4>, groups: usize) -> bool {
    x.dtype() == DType::F32
        && cpu::GROUP_WIDTHS.contains(&(x.dims()[3] / groups))
        && backend::is_cpu(&x.device())
}

/// Correlates `x [b, h, w, c]` with `kernel [groups, 9, in, out]`, zero padding: `[b, h, w, c]`.
pub fn grouped_correlate(x: Tensor<4>, kernel: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::grouped_correlate(x.into_dispatch(), kernel.into_dispatch()))
}

/// Gradient of the kernel, `[groups, 9, in, out]`, from inputs and output signals `[b, h, w, c]`.
pub fn grouped_kernel_gradient(x: Tensor<4>, delta: Tensor<4>, groups: usize) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::grouped_kernel_gradient(x.into_dispatch(), delta.into_dispatch(), groups))
}
