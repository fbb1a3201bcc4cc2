//! Grouped 3x3 convolution on matrix units, in half precision: nine products of 16 pixels with a group's channels, and for
//! the weight nine of a group's channels with 16 pixels. Sums are f32.
//!
//! A work group takes a strip of a picture with the pixels around it into shared memory, zeros where the picture ends, so
//! that a tap is the same tile from another pixel on. A byte of a feature map is read once, but for the strip's rim.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::features::MmaConfig;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::finish::{Finisher, PIXELS, finish_tile, finisher};
use super::{LANES, assert_addressable, element, empty_like, empty_of, multiprocessors};
use crate::backend::{FinishedOn, Gpu};
use crate::kernels::{Finishing, TAPS};

/// Rows, columns and terms of the products.
const SIDE: usize = 16;
/// Vectors in a row of such a tile, and in all of it.
const ROW: usize = SIDE / LANES;
const TILE: usize = SIDE * ROW;
/// Units that have matrix units together, and how many such planes are a work group.
const PLANE: usize = 32;
const PLANES: usize = 4;
/// Rows of a strip, and tiles side by side where the picture is that wide.
const ROWS: usize = 8;
const ABREAST: usize = 2;
/// Work groups for each multiprocessor that sum a gradient: they hold nine tiles of sums in registers.
const SUMMING: usize = 4;

/// What is fixed while a kernel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Strip {
    /// Channels of a group, and those of them that the shared memory has.
    width: usize,
    staged: usize,
    /// Tiles of 16 pixels in a row.
    abreast: usize,
}

impl Strip {
    fn of(x: &CubeTensor, width: usize, staged: usize) -> Self {
        let abreast = if x.meta.shape()[2].is_multiple_of(ABREAST * SIDE) { ABREAST } else { 1 };
        Self { width, staged, abreast }
    }

    /// Strips of `x [b, h, w, c]`.
    fn count(self, x: &CubeTensor) -> usize {
        let [batch, height, width, _] = x.meta.shape().dims();
        batch * height.div_ceil(ROWS) * (width / (self.abreast * SIDE))
    }
}

/// Whether the device multiplies such tiles of the format of `x [b, h, w, c]`, whose rows are whole tiles, in groups of 16
/// or 32 channels.
pub fn applies(x: &CubeTensor, group: usize) -> bool {
    let (properties, format) = (x.client.properties(), element(x));
    let tiles = |size: &MmaConfig| {
        [size.m, size.n, size.k] == [SIDE as u32; 3]
            && [size.a_type, size.b_type, size.cd_type] == [format, format, f32::elem_type_native()]
    };
    matches!(x.dtype, DType::F16 | DType::BF16)
        && matches!(group, 16 | 32)
        && x.meta.shape()[2].is_multiple_of(SIDE)
        && properties.hardware.plane_size_min as usize == PLANE
        && properties.hardware.plane_size_max as usize == PLANE
        && properties.features.matmul.cmma.iter().any(tiles)
}

/// So many work groups, and the size of one.
fn launched(x: &CubeTensor, groups: usize) -> (CubeCount, CubeDim) {
    assert_addressable([x.meta.shape().num_elements(), groups * PLANES * PLANE]);
    let dim = CubeDim::new_2d(PLANE as u32, PLANES as u32);
    (cubecl::calculate_cube_count_elemwise(&x.client, groups * PLANES * PLANE, dim), dim)
}

/// As [`super::grouped`], where this [`applies`].
pub fn grouped(x: CubeTensor, kernel: CubeTensor, finish: Finishing<Gpu>) -> FinishedOn<Gpu> {
    let [groups, _, _, width]: [usize; 4] = kernel.meta.shape().dims();
    let strip = Strip::of(&x, width, width);
    let y = empty_like(&x, x.meta.shape().dims::<4>());
    let (finisher, recorded) = finisher(finish, &x, x.meta.shape().num_elements(), groups * width);
    let (count, dim) = launched(&x, strip.count(&x) * groups);
    let (client, dtype) = (x.client.clone(), element(&x));
    correlate_strips::launch(
        &client,
        count,
        dim,
        LANES,
        x.into_tensor_arg(),
        kernel.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        finisher,
        strip,
        dtype,
    );
    (y, recorded)
}

/// Where a strip begins.
#[derive(CubeType, Clone, Copy)]
struct Corner {
    picture: usize,
    row: usize,
    column: usize,
}

/// The strip of this number of `x [b, h, w, c]`.
#[cube]
fn corner<F: Float, N: Size>(x: &Tensor<Vector<F, N>>, number: usize, #[comptime] strip: Strip) -> Corner {
    let across = x.shape(2) / comptime!(strip.abreast * SIDE);
    let down = (x.shape(1) + ROWS - 1) / ROWS;
    Corner {
        picture: number / (across * down),
        row: number / across % down * ROWS,
        column: number % across * comptime!(strip.abreast * SIDE),
    }
}

/// Takes a strip and the pixels around it, of the vectors of channels from `first` on: `[rows + 2, columns + 2, staged]`.
#[cube]
fn stage<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    staged: &mut Shared<[Vector<F, N>]>,
    from: &Corner,
    first: usize,
    #[comptime] strip: Strip,
) {
    let columns = comptime!(strip.abreast * SIDE + 2);
    let vectors = comptime!(strip.staged / LANES);
    let all = comptime!((ROWS + 2) * columns * vectors);
    let (height, width, blocks) = (x.shape(1), x.shape(2), x.shape(3) / LANES);
    let unit = UNIT_POS as usize;
    #[unroll]
    for step in 0..comptime!(all.div_ceil(PLANES * PLANE)) {
        let at = unit + comptime!(step * PLANES * PLANE);
        if at < all {
            let (row, column) = (from.row + at / (columns * vectors), from.column + at / vectors % columns);
            let mut value = Vector::<F, N>::zero();
            // Both count from the rim.
            if row >= 1 && row <= height && column >= 1 && column <= width {
                let pixel = (from.picture * height + row - 1) * width + column - 1;
                value = x[pixel * blocks + first + at % vectors];
            }
            staged[at] = value;
        }
    }
}

/// A tile in the registers of a plane, whose rows (or columns) lie `stride` entries apart from the beginning of `values` on.
#[cube]
fn tile_of<F: Float, N: Size>(
    #[comptime] ident: cmma::MatrixIdent,
    layout: cmma::MatrixLayout,
    values: &[Vector<F, N>],
    stride: u32,
) -> cmma::Matrix<Vector<F, N>> {
    cmma::Matrix::<Vector<F, N>>::from_slice(ident, SIDE, SIDE, SIDE, layout, values, stride)
}

#[cube]
fn zeros() -> cmma::Matrix<f32> {
    let sums = cmma::MatrixIdent::Accumulator;
    cmma::Matrix::<f32>::from_value(sums, SIDE, SIDE, SIDE, cmma::MatrixLayout::Undefined, 0.0)
}

#[cube(launch)]
fn correlate_strips<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    kernel: &Tensor<Vector<F, N>>,
    y: &mut Tensor<Vector<F, N>>,
    finisher: &mut Finisher<F, N>,
    #[comptime] strip: Strip,
    #[define(F)] _dtype: ElemType,
) {
    let columns = comptime!(strip.abreast * SIDE + 2);
    let vectors = comptime!(strip.width / LANES);
    // Tiles of pixels that a plane computes, one under or beside the other.
    let tiles = comptime!(ROWS * strip.abreast / PLANES);
    let (height, width, blocks) = (x.shape(1), x.shape(2), x.shape(3) / LANES);
    let (groups, pixels) = (kernel.shape(0), x.shape(0) * height * width);
    let strips = x.shape(0) * ((height + ROWS - 1) / ROWS) * (width / comptime!(strip.abreast * SIDE));
    if CUBE_POS >= strips * groups {
        terminate!();
    }
    let group = CUBE_POS % groups;
    let from = corner::<F, N>(x, CUBE_POS / groups, strip);
    let mut inputs =
        Shared::<[Vector<F, N>]>::new_aligned_slice(comptime!((ROWS + 2) * columns * vectors), 128usize);
    let mut outputs =
        Shared::<[Vector<f32, N>]>::new_aligned_slice(comptime!(PLANES * tiles * TILE), 128usize);
    stage::<F, N>(x, &mut inputs, &from, group * vectors, strip);
    sync_cube();

    let (plane, lane) = (UNIT_POS_Y as usize, UNIT_POS_X as usize);
    #[unroll]
    for output in 0..comptime!(strip.width / SIDE) {
        let mut sums = Sequence::<cmma::Matrix<f32>>::new();
        #[unroll]
        for _ in 0..tiles {
            sums.push(zeros());
        }
        #[unroll]
        for tap in 0..TAPS {
            #[unroll]
            for input in 0..comptime!(strip.width / SIDE) {
                // Of `[groups, 9, in, out]`.
                let at = ((group * TAPS + tap) * comptime!(strip.width) + comptime!(input * SIDE)) * vectors
                    + comptime!(output * ROW);
                let weights = tile_of::<F, N>(
                    cmma::MatrixIdent::B,
                    cmma::MatrixLayout::RowMajor,
                    &kernel[at..at + TILE],
                    comptime!(strip.width as u32),
                );
                #[unroll]
                for tile in 0..tiles {
                    let place = plane * tiles + tile;
                    let row = place / comptime!(strip.abreast) + comptime!(tap / 3);
                    let column = place % comptime!(strip.abreast) * SIDE + comptime!(tap % 3);
                    let at = (row * columns + column) * vectors + comptime!(input * ROW);
                    let pixels = tile_of::<F, N>(
                        cmma::MatrixIdent::A,
                        cmma::MatrixLayout::RowMajor,
                        &inputs[at..at + TILE],
                        comptime!(strip.width as u32),
                    );
                    cmma::execute(&pixels, &weights, &sums[tile], &sums[tile]);
                }
            }
        }
        #[unroll]
        for tile in 0..tiles {
            let at = (plane * tiles + tile) * TILE;
            cmma::store(
                &mut outputs[at..at + TILE],
                &sums[tile],
                comptime!(SIDE as u32),
                cmma::MatrixLayout::RowMajor,
            );
        }
        sync_plane();
        // Each unit finishes 4 pixels of a vector of channels at a time, as the other kernels do.
        let block = group * vectors + comptime!(output * ROW) + lane % ROW;
        #[unroll]
        for step in 0..comptime!((tiles * TILE).div_ceil(PLANE * PIXELS)) {
            let work = lane + comptime!(step * PLANE);
            if work < comptime!(tiles * TILE / PIXELS) {
                let place = plane * tiles + work / comptime!(TILE / PIXELS);
                let quad = work / ROW % comptime!(SIDE / PIXELS) * PIXELS;
                let row = from.row + place / comptime!(strip.abreast);
                let column = from.column + place % comptime!(strip.abreast) * SIDE + quad;
                if row < height {
                    let mut values = Array::<Vector<f32, N>>::new(PIXELS);
                    #[unroll]
                    for i in 0..PIXELS {
                        values[i] = outputs[place * TILE + (quad + i) * ROW + lane % ROW];
                    }
                    let pixel = (from.picture * height + row) * width + column;
                    finish_tile::<F, N>(finisher, &mut values, 0usize, pixel, pixels, block, blocks);
                    #[unroll]
                    for i in 0..PIXELS {
                        y[(pixel + i) * blocks + block] = Vector::cast_from(values[i]);
                    }
                }
            }
        }
        sync_plane();
    }
}

/// Parts of the gradient of the kernel, `[parts, groups, 9, in, out]` in f32, whose sum it is, where this [`applies`].
pub fn kernel_gradient(x: CubeTensor, delta: CubeTensor, groups: usize) -> CubeTensor {
    const UNKNOWN: usize = 64;
    let width = x.meta.shape()[3] / groups;
    let strip = Strip::of(&x, width, SIDE);
    let tiles = groups * (width / SIDE) * (width / SIDE);
    let enough = multiprocessors(&x).unwrap_or(UNKNOWN) * SUMMING;
    let shares = enough.div_ceil(tiles).min(strip.count(&x));
    let gradient = empty_of(&x, [shares * PLANES, groups, TAPS, width, width], DType::F32);
    let (count, dim) = launched(&x, shares * tiles);
    let (client, dtype) = (x.client.clone(), element(&x));
    sum_strips::launch(
        &client,
        count,
        dim,
        LANES,
        x.into_tensor_arg(),
        delta.into_tensor_arg(),
        gradient.clone().into_tensor_arg(),
        strip,
        dtype,
    );
    gradient
}

/// A plane sums 16 x 16 channels of all taps over its tiles of a share of the strips.
#[cube(launch)]
fn sum_strips<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    delta: &Tensor<Vector<F, N>>,
    gradient: &mut Tensor<Vector<f32, N>>,
    #[comptime] strip: Strip,
    #[define(F)] _dtype: ElemType,
) {
    let columns = comptime!(strip.abreast * SIDE + 2);
    let tiles = comptime!(ROWS * strip.abreast / PLANES);
    let deep = comptime!(strip.width / SIDE);
    let (height, width, blocks) = (x.shape(1), x.shape(2), x.shape(3) / LANES);
    let (shares, groups) = (gradient.shape(0) / PLANES, gradient.shape(1));
    if CUBE_POS >= shares * groups * comptime!(deep * deep) {
        terminate!();
    }
    let output = CUBE_POS % deep;
    let input = CUBE_POS / deep % deep;
    let group = CUBE_POS / comptime!(deep * deep) % groups;
    let share = CUBE_POS / (comptime!(deep * deep) * groups);
    let mut inputs =
        Shared::<[Vector<F, N>]>::new_aligned_slice(comptime!((ROWS + 2) * columns * ROW), 128usize);
    let mut sums = Sequence::<cmma::Matrix<f32>>::new();
    #[unroll]
    for _ in 0..TAPS {
        sums.push(zeros());
    }

    let plane = UNIT_POS_Y as usize;
    let strips = x.shape(0) * ((height + ROWS - 1) / ROWS) * (width / comptime!(strip.abreast * SIDE));
    let per_share = (strips + shares - 1) / shares;
    let first = share * per_share;
    let end = select(first + per_share < strips, first + per_share, strips);
    let first_block = group * comptime!(strip.width / LANES);
    for number in first..end {
        let from = corner::<F, N>(x, number, strip);
        sync_cube();
        stage::<F, N>(x, &mut inputs, &from, first_block + input * ROW, strip);
        sync_cube();
        #[unroll]
        for tile in 0..tiles {
            let place = plane * tiles + tile;
            let (row, column) = (place / comptime!(strip.abreast), place % comptime!(strip.abreast) * SIDE);
            if from.row + row < height {
                let pixel = (from.picture * height + from.row + row) * width + from.column + column;
                let at = pixel * blocks + first_block + output * ROW;
                let signals = tile_of::<F, N>(
                    cmma::MatrixIdent::B,
                    cmma::MatrixLayout::RowMajor,
                    &delta[at..at + ROW],
                    x.shape(3) as u32,
                );
                #[unroll]
                for tap in 0..TAPS {
                    let at = ((row + comptime!(tap / 3)) * columns + column + comptime!(tap % 3)) * ROW;
                    let pixels = tile_of::<F, N>(
                        cmma::MatrixIdent::A,
                        cmma::MatrixLayout::ColMajor,
                        &inputs[at..at + TILE],
                        comptime!(SIDE as u32),
                    );
                    cmma::execute(&pixels, &signals, &sums[tap], &sums[tap]);
                }
            }
        }
    }
    let part = share * PLANES + plane;
    #[unroll]
    for tap in 0..TAPS {
        let row = ((part * groups + group) * TAPS + tap) * comptime!(strip.width) + input * SIDE;
        let at = row * comptime!(strip.width / LANES) + output * ROW;
        cmma::store(
            &mut gradient[at..at + ROW],
            &sums[tap],
            comptime!(strip.width as u32),
            cmma::MatrixLayout::RowMajor,
        );
    }
}
