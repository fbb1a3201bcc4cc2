//! Matrix products of the shapes that 1x1 convolutions have: many rows and few columns, or the reverse and a long sum.
//!
//! | kernel | left | right | a unit's tile | products for a vector read |
//! |---|---|---|---|---|
//! | `product_rows` | terms lie together | columns lie together | 8 x 8, few: 8 x 4 | 256 / 16, 128 / 12 |
//! | `product_columns` | rows lie together | columns lie together | 8 x 8, few: 4 x 4 | 64 / 4, 16 / 2 |
//! | `product_scalars` | any | any | 4 x 4 | 16 / 8 scalars |
//!
//! The first is a forward pass or an input gradient and finishes what it computes, the second a weight gradient, the last whatever has 3 channels.
//! Long sums are split over units, since a weight gradient has few results.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level;
use cubek::matmul::routine::BlueprintStrategy;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

use super::choice::{Capacity, Layout, Multiply, Product, ROWS, TILE};
use super::finish::{Finisher, PIXELS, finish_tile, finisher};
use super::{LANES, chosen, element, empty_like, launched};
use crate::backend::{FinishedOn, Gpu};
use crate::kernels::Finishing;

/// Which kernel computes `left [groups, m, k]` times `right [groups, k, n]`, where something may be done to the result.
pub fn product_kernel(left: &CubeTensor, right: &CubeTensor, finishes: bool) -> Product {
    chosen(multiply(left, right, finishes), capacity(left))
}

fn multiply(left: &CubeTensor, right: &CubeTensor, finishes: bool) -> Multiply {
    let [groups, rows, terms] = left.meta.shape().dims();
    let [_, _, columns] = right.meta.shape().dims();
    let format = left.dtype;
    Multiply { format, groups, rows, terms, columns, left: layout(left), right: layout(right), finishes }
}

fn capacity(x: &CubeTensor) -> Capacity {
    super::capacity(x, !x.client.properties().features.matmul.cmma.is_empty())
}

/// Which entries of a matrix are neighbours in memory.
fn layout(x: &CubeTensor) -> Layout {
    let strides = x.meta.strides();
    // Every row of neighbours begins at a whole vector.
    let along = |axis: usize| {
        strides[axis] == 1 && (0..3).all(|other| other == axis || strides[other].is_multiple_of(LANES))
    };
    match (along(2), along(1)) {
        (true, _) => Layout::Rows,
        (_, true) => Layout::Columns,
        _ => Layout::Scattered,
    }
}

/// `left [groups, m, k]` times `right [groups, k, n]` where [`Product::Rows`] of so many `vectors` was chosen:
/// `[groups, m, n]`. Finished too if it is one group: the slopes of several would be in each other's words.
pub fn finished_product(
    left: CubeTensor,
    right: CubeTensor,
    finish: Finishing<Gpu>,
    vectors: usize,
) -> FinishedOn<Gpu> {
    let [groups, rows, _] = left.meta.shape().dims();
    let [_, _, columns] = right.meta.shape().dims();
    // A weight that is read as its transpose is small beside the pictures.
    let right = if layout(&right) == Layout::Rows { right } else { into_contiguous(right) };
    let result = empty_like(&left, [groups, rows, columns]);
    let (finisher, recorded) = finisher(finish, &left, rows * columns, columns);
    let (down, across) = (groups * rows.div_ceil(ROWS), columns / LANES);
    let (count, dim) = launched([&left, &right, &result], down * (across / vectors));
    let (client, dtype) = (left.client.clone(), element(&left));
    product_rows::launch(
        &client,
        count,
        dim,
        LANES,
        left.into_tensor_arg(),
        right.into_tensor_arg(),
        result.clone().into_tensor_arg(),
        finisher,
        vectors,
        dtype,
    );
    (result, recorded)
}

/// Parts of `left [groups, m, k]` times `right [groups, k, n]` where [`Product::Columns`] or [`Product::Scalars`] was chosen:
/// `[parts, groups, m, n]`, whose sum it is.
pub fn product(left: CubeTensor, right: CubeTensor, kernel: Product) -> CubeTensor {
    let case = multiply(&left, &right, false);
    let Multiply { groups, rows, columns, .. } = case;
    let side = if let Product::Columns { vectors } = kernel { vectors * TILE } else { TILE };
    let (tiles, parts) = case.parts(side, capacity(&left));
    let result = empty_like(&left, [parts, groups, rows, columns]);
    let (count, dim) = launched([&left, &right, &result], parts * tiles);
    let client = left.client.clone();
    let (left, right, to) =
        (left.into_tensor_arg(), right.into_tensor_arg(), result.clone().into_tensor_arg());
    match kernel {
        Product::Columns { vectors } => {
            product_columns::launch(&client, count, dim, LANES, left, right, to, vectors)
        }
        _ => product_scalars::launch(&client, count, dim, left, right, to),
    }
    result
}

/// `left [groups, m, k]` times `right [groups, k, n]` where [`Product::Library`] was chosen. Left to itself it would round
/// f32 to TF32 where matrix units take that.
pub fn library_product(left: CubeTensor, right: CubeTensor) -> CubeTensor {
    let [groups, rows, _] = left.meta.shape().dims();
    let [_, _, columns] = right.meta.shape().dims();
    let strategy = match left.dtype {
        DType::F32 => multi_level::Strategy::SimpleUnit(BlueprintStrategy::default()).into(),
        _ => Strategy::Auto,
    };
    let result = empty_like(&left, [groups, rows, columns]);
    let (client, dtype) = (left.client.clone(), element(&left));
    let [left, right] = [left, right].map(|factor| InputBinding::new(factor.binding(), dtype));
    let mut formats = MatmulElems::from_globals(&MatmulGlobalElems { lhs: dtype, rhs: dtype, out: dtype });
    let launched = launch_ref(&strategy, &client, left, right, result.clone().binding(), &mut formats);
    launched.expect("the library multiplies all matrices in these formats");
    result
}

#[cube(launch)]
fn product_rows<F: Float, N: Size>(
    left: &Tensor<Vector<F, N>>,
    right: &Tensor<Vector<F, N>>,
    result: &mut Tensor<Vector<F, N>>,
    finisher: &mut Finisher<F, N>,
    #[comptime] vectors: usize,
    #[define(F)] _dtype: ElemType,
) {
    let rows = result.shape(1);
    let blocks = result.shape(2) / LANES;
    let across = blocks / vectors;
    let down = (rows + ROWS - 1) / ROWS;
    let tile = ABSOLUTE_POS;
    if tile >= result.shape(0) * down * across {
        terminate!();
    }
    let group = tile / (down * across);
    let row = tile / across % down * ROWS;
    let column = tile % across * vectors;

    let mut from = Array::<usize>::new(ROWS);
    let mut sums = Array::<Vector<f32, N>>::new(vectors * ROWS);
    #[unroll]
    for i in 0..ROWS {
        // Rows beyond the edge repeat the last one and are not written.
        let last = rows - 1;
        let at = select(row + i < rows, row + i, last);
        from[i] = group * (left.stride(0) / LANES) + at * (left.stride(1) / LANES);
    }
    #[unroll]
    for i in 0..vectors * ROWS {
        sums[i] = Vector::zero();
    }
    let right_step = right.stride(1) / LANES;
    let right_from = group * (right.stride(0) / LANES) + column;
    for k in 0..left.shape(2) / LANES {
        let mut values = Array::<Vector<f32, N>>::new(vectors * LANES);
        #[unroll]
        for lane in 0..LANES {
            let at = right_from + (k * LANES + lane) * right_step;
            #[unroll]
            for vector in 0..vectors {
                values[vector * LANES + lane] = Vector::cast_from(right[at + vector]);
            }
        }
        #[unroll]
        for i in 0..ROWS {
            let terms = Vector::<f32, N>::cast_from(left[from[i] + k]);
            #[unroll]
            for lane in 0..LANES {
                let term = Vector::new(terms.extract(lane));
                #[unroll]
                for vector in 0..vectors {
                    sums[vector * ROWS + i] += values[vector * LANES + lane] * term;
                }
            }
        }
    }
    #[unroll]
    for vector in 0..vectors {
        #[unroll]
        for half in 0..ROWS / PIXELS {
            let first = comptime!(half * PIXELS);
            if row + first < rows {
                let sum = comptime!(vector * ROWS + first);
                finish_tile::<F, N>(finisher, &mut sums, sum, row + first, rows, column + vector, blocks);
            }
        }
        #[unroll]
        for i in 0..ROWS {
            if row + i < rows {
                let at = (group * rows + row + i) * blocks + column + vector;
                result[at] = Vector::cast_from(sums[vector * ROWS + i]);
            }
        }
    }
}

#[cube(launch)]
fn product_columns<N: Size>(
    left: &Tensor<Vector<f32, N>>,
    right: &Tensor<Vector<f32, N>>,
    result: &mut Tensor<Vector<f32, N>>,
    #[comptime] vectors: usize,
) {
    let (parts, groups) = (result.shape(0), result.shape(1));
    let blocks = result.shape(3) / LANES;
    let across = blocks / vectors;
    let down = result.shape(2) / LANES / vectors;
    let tile = ABSOLUTE_POS;
    if tile >= parts * groups * down * across {
        terminate!();
    }
    let group = tile / (down * across) % groups;
    let row = tile / across % down * vectors;
    let column = tile % across * vectors;
    let part = tile / (down * across * groups);

    // A vector of columns for each row.
    let mut sums = Array::<Vector<f32, N>>::new(vectors * vectors * LANES);
    #[unroll]
    for i in 0..vectors * vectors * LANES {
        sums[i] = Vector::zero();
    }
    let (left_step, right_step) = (left.stride(2) / LANES, right.stride(1) / LANES);
    let left_from = group * left.stride(0) / LANES + row;
    let right_from = group * right.stride(0) / LANES + column;
    let terms = left.shape(2);
    let per_part = (terms + parts - 1) / parts;
    let first = part * per_part;
    let end = select(first + per_part < terms, first + per_part, terms);
    for k in first..end {
        let mut b = Array::<Vector<f32, N>>::new(vectors);
        #[unroll]
        for j in 0..vectors {
            b[j] = right[right_from + k * right_step + j];
        }
        #[unroll]
        for i in 0..vectors {
            let a = left[left_from + k * left_step + i];
            #[unroll]
            for lane in 0..LANES {
                let value = Vector::new(a.extract(lane));
                #[unroll]
                for j in 0..vectors {
                    sums[(i * LANES + lane) * vectors + j] += b[j] * value;
                }
            }
        }
    }
    let line = ((part * groups + group) * down * vectors + row) * LANES;
    #[unroll]
    for i in 0..vectors * LANES {
        #[unroll]
        for j in 0..vectors {
            result[(line + i) * blocks + column + j] = sums[i * vectors + j];
        }
    }
}

#[cube(launch)]
fn product_scalars(left: &Tensor<f32>, right: &Tensor<f32>, result: &mut Tensor<f32>) {
    let (parts, groups) = (result.shape(0), result.shape(1));
    let rows = result.shape(2);
    let columns = result.shape(3);
    let down = (rows + TILE - 1) / TILE;
    let across = (columns + TILE - 1) / TILE;
    let tile = ABSOLUTE_POS;
    if tile >= parts * groups * down * across {
        terminate!();
    }
    let group = tile / (down * across) % groups;
    let row = tile / across % down * TILE;
    let column = tile % across * TILE;
    let part = tile / (down * across * groups);

    let mut from_left = Array::<usize>::new(TILE);
    let mut from_right = Array::<usize>::new(TILE);
    let mut sums = Array::<f32>::new(TILE * TILE);
    #[unroll]
    for i in 0..TILE {
        // Rows and columns beyond the edge repeat the last one and are not written.
        let last_row = rows - 1;
        let last_column = columns - 1;
        from_left[i] = group * left.stride(0) + select(row + i < rows, row + i, last_row) * left.stride(1);
        from_right[i] =
            group * right.stride(0) + select(column + i < columns, column + i, last_column) * right.stride(2);
    }
    #[unroll]
    for i in 0..TILE * TILE {
        sums[i] = 0.0;
    }
    let terms = left.shape(2);
    let per_part = (terms + parts - 1) / parts;
    let first = part * per_part;
    let end = select(first + per_part < terms, first + per_part, terms);
    for k in first..end {
        let left_step = k * left.stride(2);
        let right_step = k * right.stride(1);
        #[unroll]
        for i in 0..TILE {
            let a = left[from_left[i] + left_step];
            #[unroll]
            for j in 0..TILE {
                sums[i * TILE + j] += a * right[from_right[j] + right_step];
            }
        }
    }
    #[unroll]
    for i in 0..TILE {
        #[unroll]
        for j in 0..TILE {
            if row + i < rows && column + j < columns {
                result[((part * groups + group) * rows + row + i) * columns + column + j] =
                    sums[i * TILE + j];
            }
        }
    }
}
