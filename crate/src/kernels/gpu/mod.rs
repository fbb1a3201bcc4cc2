//! Kernels for GPUs in CubeCL: one source for WGSL, SPIR-V and CUDA.
//!
//! None has shared memory or a barrier: neighbouring units read the same values, which a GPU's cache serves, and a
//! device made of software pays dearly for each barrier. Sums have a fixed order, so that a result is the same every
//! time.

mod adam;
mod choice;
mod finish;
mod flat;
mod grouped;
mod pixels;
mod product;
mod resample;
mod sums;

pub use adam::{adam, average};
pub use choice::Product;
pub use finish::finish;
pub use grouped::{grouped, grouped_weight_gradient};
pub use pixels::rgba;
pub use product::{finished_product, product, product_kernel};
pub use resample::resample;
pub use sums::channel_sums;

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::Shape;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::LANES;

/// Units of a work group.
const UNITS: u32 = 64;
/// Units that fill a large GPU a few times over; fewer leave parts of it idle.
const ENOUGH: usize = 1 << 15;

/// A tensor like `x`, of another shape, yet to be written.
fn empty_like<const D: usize>(x: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), Shape::new(shape), x.dtype)
}

/// Work groups for so many units, and the size of one.
fn launched(x: &CubeTensor, units: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(UNITS);
    (cubecl::calculate_cube_count_elemwise(&x.client, units, dim), dim)
}

/// Channels that a unit reads at a time: [`LANES`] where rows of them are whole vectors.
fn vectors(channels: usize) -> usize {
    if channels.is_multiple_of(LANES) { LANES } else { 1 }
}

/// The format of `x`, as kernels are told it. They add up in f32 whatever it is.
fn element(x: &CubeTensor) -> ElemType {
    dtype_to_storage_type(x.dtype)
}
