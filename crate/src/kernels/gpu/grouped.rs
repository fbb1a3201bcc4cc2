//! Grouped 3x3 convolution, channels-last, for groups of a multiple of [`LANES`] channels.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::{ENOUGH, LANES, empty_like, launched};

/// Pixels of a row that a unit computes.
const PIXELS: usize = 4;

/// Correlates `x [b, h, w, c]` with `kernel [groups, 9, in, out]`, zero padding.
///
/// A unit computes 4 channels of 4 pixels: 192 products for 18 vectors read.
pub fn correlate(x: CubeTensor, kernel: CubeTensor) -> CubeTensor {
    let (x, kernel) = (into_contiguous(x), into_contiguous(kernel));
    let [batch, height, width, channels] = x.meta.shape().dims();
    let y = empty_like(&x, [batch, height, width, channels]);
    let (count, dim) = launched(&x, batch * height * width.div_ceil(PIXELS) * (channels / LANES));
    let client = x.client.clone();
    correlate_tiles::launch(
        &client,
        count,
        dim,
        LANES,
        x.into_tensor_arg(),
        kernel.into_tensor_arg(),
        y.clone().into_tensor_arg(),
    );
    y
}

#[cube(launch)]
fn correlate_tiles<N: Size>(
    x: &Tensor<Vector<f32, N>>,
    kernel: &Tensor<Vector<f32, N>>,
    y: &mut Tensor<Vector<f32, N>>,
) {
    let (height, width) = (x.shape(1), x.shape(2));
    // In vectors: of a pixel, and of a group's inputs and outputs.
    let blocks = x.shape(3) / LANES;
    let depth = kernel.shape(2) / LANES;
    let across = (width + PIXELS - 1) / PIXELS;
    let unit = ABSOLUTE_POS;
    if unit >= x.shape(0) * height * across * blocks {
        terminate!();
    }
    let block = unit % blocks;
    let column = unit / blocks % across * PIXELS;
    let row = unit / (blocks * across) % height;
    let picture = unit / (blocks * across * height);
    let group = block / depth;

    let mut inputs = Array::<Vector<f32, N>>::new(PIXELS + 2);
    let mut sums = Array::<Vector<f32, N>>::new(PIXELS);
    #[unroll]
    for i in 0..PIXELS {
        sums[i] = Vector::zero();
    }
    for down in 0..3usize {
        let line = row + down;
        if line >= 1 && line <= height {
            let pixels = (picture * height + line - 1) * width;
            for k in 0..depth {
                #[unroll]
                for i in 0..PIXELS + 2 {
                    let at = column + i;
                    inputs[i] = Vector::zero();
                    if at >= 1 && at <= width {
                        inputs[i] = x[(pixels + at - 1) * blocks + group * depth + k];
                    }
                }
                #[unroll]
                for right in 0..3usize {
                    let tap = (group * 9 + down * 3 + right) * depth + k;
                    #[unroll]
                    for lane in 0..LANES {
                        let weights = kernel[(tap * LANES + lane) * depth + block % depth];
                        #[unroll]
                        for i in 0..PIXELS {
                            sums[i] += weights * Vector::new(inputs[i + right].extract(lane));
                        }
                    }
                }
            }
        }
    }
    #[unroll]
    for i in 0..PIXELS {
        if column + i < width {
            y[((picture * height + row) * width + column + i) * blocks + block] = sums[i];
        }
    }
}

/// Parts of the gradient of the kernel, `[parts, groups, 9, in, out]`, whose sum it is: each over some rows of the
/// pictures.
///
/// A unit sums 3 taps of 4 x 4 channels along rows: 48 products for 2 vectors read.
pub fn kernel_gradient(x: CubeTensor, delta: CubeTensor, groups: usize) -> CubeTensor {
    let (x, delta) = (into_contiguous(x), into_contiguous(delta));
    let [batch, height, _, channels] = x.meta.shape().dims();
    let width = channels / groups;
    let depth = width / LANES;
    let units = groups * 3 * depth * depth;
    let parts = ENOUGH.div_ceil(units).min(batch * height);
    let gradient = empty_like(&x, [parts, groups, 9, width, width]);
    let (count, dim) = launched(&x, parts * units);
    let client = x.client.clone();
    sum_taps::launch(
        &client,
        count,
        dim,
        LANES,
        x.into_tensor_arg(),
        delta.into_tensor_arg(),
        gradient.clone().into_tensor_arg(),
    );
    gradient
}

#[cube(launch)]
fn sum_taps<N: Size>(
    x: &Tensor<Vector<f32, N>>,
    delta: &Tensor<Vector<f32, N>>,
    gradient: &mut Tensor<Vector<f32, N>>,
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
            let mut here = x[from];
            for column in 0..width {
                let mut after = Vector::<f32, N>::zero();
                if column + 1 < width {
                    after = x[from + (column + 1) * blocks];
                }
                let signal = delta[to + column * blocks];
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
