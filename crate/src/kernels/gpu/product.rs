//! Products of narrow matrices.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{empty_like, launched};

/// Rows and columns of the result that a unit computes, in registers.
const TILE: usize = 4;
/// `left [groups, m, k]` times `right [groups, k, n]`, of any strides: `[groups, m, n]`, contiguous.
///
/// Each unit sums a tile of 4 x 4 results: 16 products for 8 values read, from a cache that its neighbours share.
/// There is no shared memory and no barrier: on the narrow matrices of small networks nothing is gained by them,
/// and a software device pays for each. Rows and columns beyond the edge repeat the last one and are not written.
pub fn product(left: CubeTensor, right: CubeTensor) -> CubeTensor {
    let [groups, rows, _] = left.meta.shape().dims();
    let [_, _, columns] = right.meta.shape().dims();
    let result = empty_like(&left, [groups, rows, columns]);
    let (count, dim) = launched(&left, groups * rows.div_ceil(TILE) * columns.div_ceil(TILE));
    let client = left.client.clone();
    product_tiles::launch(
        &client,
        count,
        dim,
        left.into_tensor_arg(),
        right.into_tensor_arg(),
        result.clone().into_tensor_arg(),
    );
    result
}

#[cube(launch)]
fn product_tiles(left: &Tensor<f32>, right: &Tensor<f32>, result: &mut Tensor<f32>) {
    let rows = result.shape(1);
    let columns = result.shape(2);
    let depth = left.shape(2);
    let tiles_down = (rows + TILE - 1) / TILE;
    let tiles_across = (columns + TILE - 1) / TILE;
    let tile = ABSOLUTE_POS;
    if tile >= result.shape(0) * tiles_down * tiles_across {
        terminate!();
    }
    let group = tile / (tiles_down * tiles_across);
    let row = tile / tiles_across % tiles_down * TILE;
    let column = tile % tiles_across * TILE;

    let mut from_left = Array::<usize>::new(TILE);
    let mut from_right = Array::<usize>::new(TILE);
    let mut sums = Array::<f32>::new(TILE * TILE);
    #[unroll]
    for i in 0..TILE {
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
    for k in 0..depth {
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
                result[(group * rows + row + i) * columns + column + j] = sums[i * TILE + j];
            }
        }
    }
}
