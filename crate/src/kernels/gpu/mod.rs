//! Kernels for GPUs in CubeCL: one source for WGSL, SPIR-V and CUDA.
//!
//! None has shared memory or a barrier, but for those of matrix units: neighbouring units read the same values, which a
//! GPU's cache serves, and a device made of software pays dearly for each barrier. Sums have a fixed order, so that a
//! result is the same every time.

mod adam;
mod basis;
mod choice;
mod finish;
mod flat;
mod grouped;
mod grouped_matrix;
mod pixels;
mod product;
mod resample;
mod sums;
#[cfg(feature = "cli")]
pub mod tuned;

pub use adam::{adam, average};
pub use basis::{basis_weight_gradient, contract, expand};
pub use choice::Product;
pub use finish::finish;
pub use grouped::{grouped, grouped_weight_gradient, taps_first};
pub use pixels::rgba;
pub use product::{finished_product, library_product, product, product_kernel};
pub use resample::resample;
pub use sums::channel_sums;

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use self::choice::Capacity;
#[cfg(feature = "cli")]
use self::tuned::chosen;
use super::LANES;

/// Units of a work group.
const UNITS: u32 = 64;
/// Units that fill a GPU which does not say how large it is, and those that fill each multiprocessor of one that does.
const FEW: usize = 1 << 12;
const PER_MULTIPROCESSOR: usize = 1 << 8;
/// Units that fill a large GPU a few times over, and how many times over they fill one that says how large it is.
const ENOUGH: usize = 1 << 15;
const TIMES_OVER: usize = 4;

/// Entries of a tensor, and units of a launch: half of what 32 bits count, since whole work groups go beyond the end.
const MOST_ENTRIES: usize = 1 << 31;

/// Which kernel computes this on a device with such a capacity: the table's. Nothing is ever measured in a page.
#[cfg(not(feature = "cli"))]
fn chosen<O: choice::Operation>(operation: O, capacity: Capacity) -> O::Kernel {
    operation.fixed(capacity)
}

/// A tensor like `x`, of another shape, yet to be written.
fn empty_like<const D: usize>(x: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    empty_of(x, shape, x.dtype)
}

/// The same in another format.
fn empty_of<const D: usize>(x: &CubeTensor, shape: [usize; D], dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), Shape::new(shape), dtype)
}

/// Work groups for so many units over `tensors`, and the size of one.
///
/// # Panics
/// If a kernel could not count the entries of a tensor.
fn launched<const N: usize>(tensors: [&CubeTensor; N], units: usize) -> (CubeCount, CubeDim) {
    assert_addressable(tensors.iter().map(|tensor| tensor.meta.shape().num_elements()).chain([units]));
    let dim = CubeDim::new_1d(UNITS);
    (cubecl::calculate_cube_count_elemwise(&tensors[0].client, units, dim), dim)
}

/// Refuses what would wrap around: kernels count in 32 bits.
fn assert_addressable(counts: impl IntoIterator<Item = usize>) {
    for count in counts {
        assert!(
            count <= MOST_ENTRIES,
            "a tensor of {count} entries is more than the {MOST_ENTRIES} that a kernel counts; choose a smaller \
             (micro-)batch"
        );
    }
}

/// Channels that a unit reads at a time: [`LANES`] where rows of them are whole vectors.
fn vectors(channels: usize) -> usize {
    if channels.is_multiple_of(LANES) { LANES } else { 1 }
}

/// Of the device of `x`, where it says so.
fn multiprocessors(x: &CubeTensor) -> Option<usize> {
    x.client.properties().hardware.num_streaming_multiprocessors.map(|count| count as usize)
}

/// Of the device of `x`.
fn capacity(x: &CubeTensor, matrix_units: bool) -> Capacity {
    let full = multiprocessors(x).map_or(FEW, |count| count * PER_MULTIPROCESSOR);
    Capacity { full, enough: enough(x), matrix_units }
}

/// Units to split a long sum over: fewer leave parts of the device of `x` idle.
fn enough(x: &CubeTensor) -> usize {
    multiprocessors(x).map_or(ENOUGH, |count| count * PER_MULTIPROCESSOR * TIMES_OVER)
}

/// The format of `x`, as kernels are told it. They add up in f32 whatever it is.
fn element(x: &CubeTensor) -> ElemType {
    dtype_to_storage_type(x.dtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_32_bits_do_not_count_is_refused() {
        assert_addressable([0, MOST_ENTRIES]);
        assert!(std::panic::catch_unwind(|| assert_addressable([1, MOST_ENTRIES + 1])).is_err());
    }
}
