//! Sums over the pixels of feature maps: the gradients of biases.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::{element, empty_of, enough, launched, vectors};

/// A piece of a sample has at least so many pixels.
const LONG: usize = 1 << 6;
/// Pixels that a unit reads without waiting for one another.
const READS: usize = 8;

/// The sum of `x [b, h, w, c]`, nothing of it empty, over all but channels, each sample times its `scale [b, 1, 1, 1]`:
/// `[c]`. In f32, as the scale is.
///
/// Pieces of samples first, then the pieces: few terms follow one another, since the gradient of a bias is often a small
/// difference of large sums, and Adam looks at its sign.
pub fn channel_sums(x: CubeTensor, scale: Option<CubeTensor>) -> CubeTensor {
    let x = into_contiguous(x);
    let [batch, height, width, channels] = x.meta.shape().dims();
    let area = height * width;
    if area == 1 {
        return row_sums(x, scale, Rows { channels, wholes: 1, rows: batch, pieces: 1, per_scale: 1 });
    }
    let units = batch * channels / vectors(channels);
    let pieces = enough(&x).div_ceil(units).min(area / LONG).max(1);
    let parts = row_sums(x, None, Rows { channels, wholes: batch, rows: area, pieces, per_scale: 1 });
    row_sums(parts, scale, Rows { channels, wholes: 1, rows: batch * pieces, pieces: 1, per_scale: pieces })
}

/// How rows of `channels` are added up: `wholes` of so many `rows`, each in `pieces`, and how many rows have a scale in common.
struct Rows {
    channels: usize,
    wholes: usize,
    rows: usize,
    pieces: usize,
    per_scale: usize,
}

/// Sums of rows of the contiguous `x`: `[wholes * pieces * channels]`.
fn row_sums(x: CubeTensor, scale: Option<CubeTensor>, by: Rows) -> CubeTensor {
    let Rows { channels, wholes, rows, pieces, per_scale } = by;
    let lanes = vectors(channels);
    let (client, dtype) = (x.client.clone(), element(&x));
    let sums = empty_of(&x, [wholes * pieces * channels], DType::F32);
    let (count, dim) = launched([&x, &sums], wholes * pieces * channels / lanes);
    sum_rows::launch(
        &client,
        count,
        dim,
        lanes,
        x.into_tensor_arg(),
        scale.map(|scale| into_contiguous(scale).into_tensor_arg()).into(),
        sums.clone().into_tensor_arg(),
        channels / lanes,
        rows,
        pieces,
        per_scale,
        dtype,
    );
    sums
}

#[cube(launch)]
fn sum_rows<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    scale: ComptimeOption<&Tensor<f32>>,
    sums: &mut Tensor<Vector<f32, N>>,
    blocks: usize,
    rows: usize,
    pieces: usize,
    per_scale: usize,
    #[define(F)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit >= sums.len() {
        terminate!();
    }
    let block = unit % blocks;
    let (whole, piece) = (unit / blocks / pieces, unit / blocks % pieces);
    let per_piece = (rows + pieces - 1) / pieces;
    let first = select(piece * per_piece < rows, piece * per_piece, rows);
    let count = select(first + per_piece < rows, per_piece, rows - first);
    let first = whole * rows + first;
    let mut found = Array::<Vector<f32, N>>::new(READS);
    #[unroll]
    for i in 0..READS {
        found[i] = Vector::zero();
    }
    for step in 0..(count + READS - 1) / READS {
        #[unroll]
        for i in 0..READS {
            let at = step * READS + i;
            if at < count {
                let row = first + at;
                let value = Vector::<f32, N>::cast_from(x[row * blocks + block]);
                #[comptime]
                match scale {
                    ComptimeOption::Some(scale) => {
                        found[i] += value * Vector::new(scale[row / per_scale]);
                    }
                    ComptimeOption::None => found[i] += value,
                }
            }
        }
    }
    let mut sum = Vector::<f32, N>::zero();
    #[unroll]
    for i in 0..READS {
        sum += found[i];
    }
    sums[unit] = sum;
}
