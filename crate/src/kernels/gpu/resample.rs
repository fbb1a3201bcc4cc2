//! Resampling by two with `[1, 3, 3, 1] / 8` on each axis, in one pass; see [`crate::linear::resample`].

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::{empty_like, launched, vectors};

/// `x [b, h, w, c]` in twice or half the size, times `factor`. Channels that are no whole vectors go one by one.
pub fn resample(x: CubeTensor, up: bool, factor: f32) -> CubeTensor {
    let x = into_contiguous(x);
    let [batch, height, width, channels] = x.meta.shape().dims();
    let lanes = vectors(channels);
    let (height, width) = if up { (2 * height, 2 * width) } else { (height / 2, width / 2) };
    let y = empty_like(&x, [batch, height, width, channels]);
    let (count, dim) = launched([&x, &y], batch * height * width * channels / lanes);
    let client = x.client.clone();
    let (from, to) = (x.into_tensor_arg(), y.clone().into_tensor_arg());
    if up {
        double::launch(&client, count, dim, lanes, from, to, factor);
    } else {
        halve::launch(&client, count, dim, lanes, from, to, factor);
    }
    y
}

/// Picture, row, column and vector of channels that a unit writes.
#[cube]
fn place(unit: usize, height: usize, width: usize, blocks: usize) -> (usize, usize, usize, usize) {
    let pixel = unit / blocks;
    (pixel / (width * height), pixel / width % height, pixel % width, unit % blocks)
}

/// Even outputs are (x[i-1] + 3 x[i]) / 4, odd ones (3 x[i] + x[i+1]) / 4, on each axis; outside is zero.
#[cube(launch)]
fn double<N: Size>(x: &Tensor<Vector<f32, N>>, y: &mut Tensor<Vector<f32, N>>, factor: f32) {
    let (height, width) = (x.shape(1), x.shape(2));
    let blocks = x.shape(3) / x.vector_size();
    let unit = ABSOLUTE_POS;
    if unit >= y.shape(0) * y.shape(1) * y.shape(2) * blocks {
        terminate!();
    }
    let (picture, row, column, block) = place(unit, y.shape(1), y.shape(2), blocks);
    // The near input, and the far one counted from 1, so that 0 is outside.
    let (near_row, far_row) = (row / 2, row / 2 + row % 2 * 2);
    let (near_column, far_column) = (column / 2, column / 2 + column % 2 * 2);
    let inside_down = far_row >= 1 && far_row <= height;
    let inside_across = far_column >= 1 && far_column <= width;
    let near_line = (picture * height + near_row) * width;
    let mut near = x[(near_line + near_column) * blocks + block] * Vector::new(0.5625);
    if inside_across {
        near += x[(near_line + far_column - 1) * blocks + block] * Vector::new(0.1875);
    }
    if inside_down {
        let far_line = (picture * height + far_row - 1) * width;
        near += x[(far_line + near_column) * blocks + block] * Vector::new(0.1875);
        if inside_across {
            near += x[(far_line + far_column - 1) * blocks + block] * Vector::new(0.0625);
        }
    }
    y[unit] = near * Vector::new(factor);
}

/// Output i is (x[2i-1] + 3 x[2i] + 3 x[2i+1] + x[2i+2]) / 8 on each axis; outside is zero.
#[cube(launch)]
fn halve<N: Size>(x: &Tensor<Vector<f32, N>>, y: &mut Tensor<Vector<f32, N>>, factor: f32) {
    let (height, width) = (x.shape(1), x.shape(2));
    let blocks = x.shape(3) / x.vector_size();
    let unit = ABSOLUTE_POS;
    if unit >= y.shape(0) * y.shape(1) * y.shape(2) * blocks {
        terminate!();
    }
    let (picture, half_row, half_column, block) = place(unit, y.shape(1), y.shape(2), blocks);
    let (row, column) = (2 * half_row, 2 * half_column);
    let mut sum = Vector::<f32, N>::zero();
    #[unroll]
    for down in 0..4usize {
        let line = row + down;
        if line >= 1 && line <= height {
            let pixels = (picture * height + line - 1) * width;
            let mut across = Vector::<f32, N>::zero();
            #[unroll]
            for right in 0..4usize {
                let at = column + right;
                if at >= 1 && at <= width {
                    let weight = comptime!(if right == 1 || right == 2 { 0.375f32 } else { 0.125f32 });
                    across += x[(pixels + at - 1) * blocks + block] * Vector::new(weight);
                }
            }
            let weight = comptime!(if down == 1 || down == 2 { 0.375f32 } else { 0.125f32 });
            sum += across * Vector::new(weight);
        }
    }
    y[unit] = sum * Vector::new(factor);
}
