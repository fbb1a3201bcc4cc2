//! The slopes of a leaky ReLU, a bit for each entry.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{LANES, empty_like, launched};

/// Entries of a word.
const BITS: usize = 32;

/// A bit for each entry of `x [b, h, w, c]`, 1 where it is not positive: `[ceil(entries / 32)]`.
pub fn slope_bits(x: CubeTensor) -> CubeTensor {
    let x = into_contiguous(x);
    let entries = x.meta.shape().num_elements();
    let words = entries.div_ceil(BITS);
    let shape = Shape::new([words]);
    let bits = empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, DType::U32);
    let (count, dim) = launched(&x, words);
    let client = x.client.clone();
    collect::launch(&client, count, dim, lanes(entries), x.into_tensor_arg(), bits.clone().into_tensor_arg());
    bits
}

/// `x [b, h, w, c]` with the entries that are not positive multiplied by `slope`.
pub fn leaky_relu(x: CubeTensor, slope: f32) -> CubeTensor {
    let (x, y) = entrywise(x);
    let (lanes, count, dim) = by_vectors(&x);
    let client = x.client.clone();
    activate::launch(&client, count, dim, lanes, x.into_tensor_arg(), y.clone().into_tensor_arg(), slope);
    y
}

/// `x [b, h, w, c]` with the entries under a bit multiplied by `factor`.
pub fn scale_bits(x: CubeTensor, bits: CubeTensor, factor: f32) -> CubeTensor {
    let (x, y) = entrywise(x);
    let (lanes, count, dim) = by_vectors(&x);
    let client = x.client.clone();
    let (from, bits, to) = (x.into_tensor_arg(), bits.into_tensor_arg(), y.clone().into_tensor_arg());
    scale::launch(&client, count, dim, lanes, from, bits, to, factor);
    y
}

/// `x [b, h, w, c]` entry after entry, and a tensor of its shape that is yet to be written.
fn entrywise(x: CubeTensor) -> (CubeTensor, CubeTensor) {
    let x = into_contiguous(x);
    let shape: [usize; 4] = x.meta.shape().dims();
    let y = empty_like(&x, shape);
    (x, y)
}

/// Entries that a unit takes, and the work groups for all of them.
fn by_vectors(x: &CubeTensor) -> (usize, CubeCount, CubeDim) {
    let entries = x.meta.shape().num_elements();
    let (count, dim) = launched(x, entries / lanes(entries));
    (lanes(entries), count, dim)
}

fn lanes(entries: usize) -> usize {
    if entries.is_multiple_of(LANES) { LANES } else { 1 }
}

#[cube(launch)]
fn collect<N: Size>(x: &Tensor<Vector<f32, N>>, bits: &mut Tensor<u32>) {
    let word = ABSOLUTE_POS;
    if word >= bits.len() {
        terminate!();
    }
    let lanes = x.vector_size();
    let each = comptime!(BITS / lanes);
    let mut found = 0u32;
    for i in 0..each {
        let at = word * each + i;
        if at < x.len() {
            let values = x[at];
            #[unroll]
            for lane in 0..lanes {
                if values.extract(lane) <= 0.0 {
                    found |= 1u32 << (i * lanes + lane) as u32;
                }
            }
        }
    }
    bits[word] = found;
}

#[cube(launch)]
fn activate<N: Size>(x: &Tensor<Vector<f32, N>>, y: &mut Tensor<Vector<f32, N>>, slope: f32) {
    let unit = ABSOLUTE_POS;
    if unit >= y.len() {
        terminate!();
    }
    let mut values = x[unit];
    #[unroll]
    for lane in 0..x.vector_size() {
        let value = values.extract(lane);
        if value <= 0.0 {
            values.insert(lane, value * slope);
        }
    }
    y[unit] = values;
}

#[cube(launch)]
fn scale<N: Size>(
    x: &Tensor<Vector<f32, N>>,
    bits: &Tensor<u32>,
    y: &mut Tensor<Vector<f32, N>>,
    factor: f32,
) {
    let unit = ABSOLUTE_POS;
    if unit >= y.len() {
        terminate!();
    }
    let lanes = x.vector_size();
    let first = unit * lanes;
    let word = bits[first / BITS] >> (first % BITS) as u32;
    let mut values = x[unit];
    #[unroll]
    for lane in 0..lanes {
        if (word >> lane as u32) & 1u32 == 1u32 {
            let value = values.extract(lane);
            values.insert(lane, value * factor);
        }
    }
    y[unit] = values;
}
