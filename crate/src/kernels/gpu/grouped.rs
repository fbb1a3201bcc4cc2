//! Grouped 3x3 convolution, channels-last, for groups of a multiple of [`LANES`] channels.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::choice::{Convolution, Convolve};
use super::finish::{self, Finisher, PIXELS, finish_tile, finisher};
use super::grouped_matrix;
use super::{LANES, capacity, chosen, element, empty_like, empty_of, enough, launched};
use crate::backend::{FinishedOn, Gpu};
use crate::kernels::{Finishing, TAPS};

/// `weight [groups, out, in, 9]` as `[groups, 9, in, out]`, or for the adjoint with turned taps and inputs and outputs
/// changed.
pub fn taps_first(weight: CubeTensor, adjoint: bool) -> CubeTensor {
    let weight = into_contiguous(weight);
    let [groups, width, ..]: [usize; 4] = weight.meta.shape().dims();
    let kernel = empty_like(&weight, [groups, TAPS, width, width]);
    let (count, dim) = launched([&weight], weight.meta.shape().num_elements());
    let (client, dtype) = (weight.client.clone(), element(&weight));
    let (from, to) = (weight.into_tensor_arg(), kernel.clone().into_tensor_arg());
    turn_taps::launch(&client, count, dim, from, to, adjoint, dtype);
    kernel
}

#[cube(launch)]
fn turn_taps<F: Float>(
    weight: &Tensor<F>,
    kernel: &mut Tensor<F>,
    #[comptime] adjoint: bool,
    #[define(F)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit >= kernel.len() {
        terminate!();
    }
    let width = kernel.shape(3);
    let (second, first) = (unit % width, unit / width % width);
    let (tap, group) = (unit / (width * width) % TAPS, unit / (width * width * TAPS));
    if adjoint {
        kernel[unit] = weight[((group * width + first) * width + second) * TAPS + TAPS - 1 - tap];
    } else {
        kernel[unit] = weight[((group * width + second) * width + first) * TAPS + tap];
    }
}

/// The convolution of `x [b, h, w, c]` with `kernel [groups, 9, in, out]`, zero padding, finished.
///
/// A unit computes 4 channels of 4 pixels, 192 products for 18 vectors read, or twice as many of each, 768 for 34.
pub fn grouped(x: CubeTensor, kernel: CubeTensor, finish: Finishing<Gpu>) -> FinishedOn<Gpu> {
    let (x, kernel) = (into_contiguous(x), into_contiguous(kernel));
    let [batch, height, width, channels] = x.meta.shape().dims();
    let [groups, _, _, side]: [usize; 4] = kernel.meta.shape().dims();
    let finishes = !matches!(finish, Finishing::Nothing);
    let case = Convolve { format: x.dtype, batch, height, width, channels, groups, finishes };
    // Tiles of slopes count pixels through rows and pictures: a unit has a whole one only where rows are of whole tiles.
    if finishes && !case.is_whole() {
        let (y, _) = grouped(x, kernel, Finishing::Nothing);
        return finish::finish(y, finish);
    }
    let Convolution::Tiles { tiles, vectors } = chosen(case, capacity(&x, grouped_matrix::applies(&x, side)))
    else {
        return grouped_matrix::grouped(x, kernel, finish);
    };
    let y = empty_like(&x, [batch, height, width, channels]);
    let entries = batch * height * width * channels;
    let (finisher, recorded) = finisher(finish, &x, entries, channels);
    let (across, blocks) = (width.div_ceil(PIXELS), channels / LANES);
    let units = batch * height * across.div_ceil(tiles) * (blocks / vectors);
    let (count, dim) = launched([&x, &kernel], units);
    let (client, dtype) = (x.client.clone(), element(&x));
    correlate_tiles::launch(
        &client,
        count,
        dim,
        LANES,
        x.into_tensor_arg(),
        kernel.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        finisher,
        tiles,
        vectors,
        dtype,
    );
    (y, recorded)
}

#[cube(launch)]
fn correlate_tiles<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    kernel: &Tensor<Vector<F, N>>,
    y: &mut Tensor<Vector<F, N>>,
    finisher: &mut Finisher<F, N>,
    #[comptime] tiles: usize,
    #[comptime] vectors: usize,
    #[define(F)] _dtype: ElemType,
) {
    let reach = comptime!(tiles * PIXELS);
    let (height, width) = (x.shape(1), x.shape(2));
    // In vectors: of a pixel, and of a group's inputs and outputs.
    let blocks = x.shape(3) / LANES;
    let depth = kernel.shape(2) / LANES;
    let across = (width + reach - 1) / reach;
    let per_pixel = blocks / vectors;
    let unit = ABSOLUTE_POS;
    if unit >= x.shape(0) * height * across * per_pixel {
        terminate!();
    }
    let block = unit % per_pixel * vectors;
    let column = unit / per_pixel % across * reach;
    let row = unit / (per_pixel * across) % height;
    let picture = unit / (per_pixel * across * height);
    let group = block / depth;

    let mut inputs = Array::<Vector<f32, N>>::new(reach + 2);
    let mut sums = Array::<Vector<f32, N>>::new(vectors * reach);
    #[unroll]
    for i in 0..vectors * reach {
        sums[i] = Vector::zero();
    }
    for down in 0..3usize {
        let line = row + down;
        if line >= 1 && line <= height {
            let pixels = (picture * height + line - 1) * width;
            for k in 0..depth {
                #[unroll]
                for i in 0..reach + 2 {
                    let at = column + i;
                    inputs[i] = Vector::zero();
                    if at >= 1 && at <= width {
                        inputs[i] = Vector::cast_from(x[(pixels + at - 1) * blocks + group * depth + k]);
                    }
                }
                #[unroll]
                for right in 0..3usize {
                    let tap = (group * 9 + down * 3 + right) * depth + k;
                    #[unroll]
                    for lane in 0..LANES {
                        let at = (tap * LANES + lane) * depth + block % depth;
                        #[unroll]
                        for vector in 0..vectors {
                            let weights = Vector::<f32, N>::cast_from(kernel[at + vector]);
                            #[unroll]
                            for i in 0..reach {
                                let input = Vector::new(inputs[i + right].extract(lane));
                                sums[vector * reach + i] += weights * input;
                            }
                        }
                    }
                }
            }
        }
    }
    let pixel = (picture * height + row) * width + column;
    let pixels = x.shape(0) * height * width;
    #[unroll]
    for vector in 0..vectors {
        let block = block + vector;
        #[unroll]
        for tile in 0..tiles {
            let (first, sum) = comptime!((tile * PIXELS, vector * reach + tile * PIXELS));
            finish_tile::<F, N>(finisher, &mut sums, sum, pixel + first, pixels, block, blocks);
        }
        #[unroll]
        for i in 0..reach {
            if column + i < width {
                y[(pixel + i) * blocks + block] = Vector::cast_from(sums[vector * reach + i]);
            }
        }
    }
}

/// The gradient of the weight, flat, in f32.
pub fn grouped_weight_gradient(x: CubeTensor, delta: CubeTensor, groups: usize) -> CubeTensor {
    let parts = kernel_gradient(x, delta, groups);
    let [_, groups, taps, width, _] = parts.meta.shape().dims();
    let length = groups * taps * width * width;
    let gradient = empty_like(&parts, [length]);
    let (count, dim) = launched([&parts], length);
    let client = parts.client.clone();
    taps_last::launch(&client, count, dim, parts.into_tensor_arg(), gradient.clone().into_tensor_arg());
    gradient
}

/// The sum of `[parts, groups, 9, in, out]` over its parts as `[groups, out, in, 9]`.
#[cube(launch)]
fn taps_last(parts: &Tensor<f32>, gradient: &mut Tensor<f32>) {
    let unit = ABSOLUTE_POS;
    if unit >= gradient.len() {
        terminate!();
    }
    let width = parts.shape(3);
    let (tap, pair) = (unit % TAPS, unit / TAPS);
    let (input, output, group) = (pair % width, pair / width % width, pair / (width * width));
    let from = ((group * TAPS + tap) * width + input) * width + output;
    let mut sum = 0.0f32;
    for part in 0..parts.shape(0) {
        sum += parts[part * gradient.len() + from];
    }
    gradient[unit] = sum;
}

/// Parts of the gradient of the kernel, `[parts, groups, 9, in, out]` in f32, whose sum it is: each over some rows of the
/// pictures.
///
/// A unit sums 3 taps of 4 x 4 channels along rows: 48 products for 2 vectors read.
fn kernel_gradient(x: CubeTensor, delta: CubeTensor, groups: usize) -> CubeTensor {
    let (x, delta) = (into_contiguous(x), into_contiguous(delta));
    let [batch, height, _, channels] = x.meta.shape().dims();
    let width = channels / groups;
    if grouped_matrix::applies(&x, width) {
        return grouped_matrix::kernel_gradient(x, delta, groups);
    }
    let depth = width / LANES;
    let units = groups * 3 * depth * depth;
    let parts = enough(&x).div_ceil(units).min(batch * height);
    let gradient = empty_of(&x, [parts, groups, TAPS, width, width], DType::F32);
    let (count, dim) = launched([&x, &delta, &gradient], parts * units);
    let (client, dtype) = (x.client.clone(), element(&x));
    sum_taps::launch(
        &client,
        count,
        dim,
        LANES,
        x.into_tensor_arg(),
        delta.into_tensor_arg(),
        gradient.clone().into_tensor_arg(),
        dtype,
    );
    gradient
}

#[cube(launch)]
fn sum_taps<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    delta: &Tensor<Vector<F, N>>,
    gradient: &mut Tensor<Vector<f32, N>>,
    #[define(F)] _dtype: ElemType,
) {
    let (height, width) = (x.shape(1), x.shape(2));
    let blocks = x.shape(3) / LANES;
    let (parts, groups) = (gradient.shape(0), gradient.shape(1));
    let depth = gradient.shape(3) / LANES;
    let unit = ABSOLUTE_POS;
    if unit >= parts * groups * 3 * depth * depth {
        terminate!();
    }
    let output = unit % depth;
    let input = unit / depth % depth;
    let down = unit / (depth * depth) % 3;
    let group = unit / (depth * depth * 3) % groups;
    let part = unit / (depth * depth * 3 * groups);

    let mut sums = Array::<Vector<f32, N>>::new(3 * LANES);
    #[unroll]
    for i in 0..3 * LANES {
        sums[i] = Vector::zero();
    }
    let lines = x.shape(0) * height;
    let per_part = (lines + parts - 1) / parts;
    let first = part * per_part;
    let end = select(first + per_part < lines, first + per_part, lines);
    for line in first..end {
        let row = line % height + down;
        if row >= 1 && row <= height {
            let from = (line + down - 1) * width * blocks + group * depth + input;
            let to = line * width * blocks + group * depth + output;
            let mut before = Vector::<f32, N>::zero();
            let mut here = Vector::<f32, N>::cast_from(x[from]);
            for column in 0..width {
                let mut after = Vector::<f32, N>::zero();
                if column + 1 < width {
                    after = Vector::cast_from(x[from + (column + 1) * blocks]);
                }
                let signal = Vector::<f32, N>::cast_from(delta[to + column * blocks]);
                #[unroll]
                for lane in 0..LANES {
                    sums[lane] += signal * Vector::new(before.extract(lane));
                    sums[LANES + lane] += signal * Vector::new(here.extract(lane));
                    sums[2 * LANES + lane] += signal * Vector::new(after.extract(lane));
                }
                before = here;
                here = after;
            }
        }
    }
    #[unroll]
    for right in 0..3usize {
        #[unroll]
        for lane in 0..LANES {
            let tap = (part * groups + group) * 9 + down * 3 + right;
            gradient[((tap * depth + input) * LANES + lane) * depth + output] = sums[right * LANES + lane];
        }
    }
}
