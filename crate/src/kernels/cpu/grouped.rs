//! Direct grouped 3x3 convolution for the CPU, channels-last f32.
//!
//! A task takes some groups of a few rows of one picture. Group by group it copies them, with their border, into a
//! buffer that stays in the cache; the inner loops keep a tile of pixels times all outputs of the group
//! in registers.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};

use super::finish::{Block, Finish, blocks};
use super::{Cores, Shape, each, enough_tasks};

/// Taps of the 3x3 window, row by row.
pub const TAPS: usize = 9;

/// Channels per group that have a kernel.
pub const GROUP_WIDTHS: [usize; 3] = [8, 16, 32];

/// Pixels that a task handles at a time, about: the copy of one group then fits the cache.
const TASK_PIXELS: usize = 256;

/// Entries of a weight whose order one task changes.
const TASK_WEIGHTS: usize = 1 << 16;

/// The fewest and most channels of a task: small maps have work for several cores.
const TASK_CHANNELS: [usize; 2] = [32, 128];

/// A weight `[groups, out, in, 3, 3]` of groups of `width` channels as `[groups, 9, in, out]`, or for the adjoint with turned
/// taps and inputs and outputs changed. Panics if the width is not one of [`GROUP_WIDTHS`], as all here.
pub fn taps_first(weight: &[f32], width: usize, adjoint: bool) -> Vec<f32> {
    match width {
        8 => turn_taps::<8>(weight, adjoint),
        16 => turn_taps::<16>(weight, adjoint),
        32 => turn_taps::<32>(weight, adjoint),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

/// The convolution of `x` with `kernel [groups, 9, in, out]`, zero padding, finished.
pub fn grouped(
    x: &[f32],
    shape: Shape,
    kernel: &[f32],
    groups: usize,
    record: &mut [u32],
    finish: Finish,
) -> Vec<f32> {
    match shape[3] / groups {
        8 => correlate_width::<8>(x, shape, kernel, record, finish),
        16 => correlate_width::<16>(x, shape, kernel, record, finish),
        32 => correlate_width::<32>(x, shape, kernel, record, finish),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

/// Gradient of the weight.
pub fn weight_gradient(x: &[f32], delta: &[f32], shape: Shape, groups: usize) -> Vec<f32> {
    match shape[3] / groups {
        8 => taps_last::<8>(&kernel_gradient_width::<8>(x, delta, shape)),
        16 => taps_last::<16>(&kernel_gradient_width::<16>(x, delta, shape)),
        32 => taps_last::<32>(&kernel_gradient_width::<32>(x, delta, shape)),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

fn turn_taps<const W: usize>(weight: &[f32], adjoint: bool) -> Vec<f32> {
    /// Neighbours in the result that are gathered at a time.
    const TURNED: usize = 8;
    let mut kernel = vec![0.0; weight.len()];
    // Entries from one neighbour to the next, and from one of `W` lines of neighbours to the next.
    let [near, far] = if adjoint { [TAPS, W * TAPS] } else { [W * TAPS, TAPS] };
    each_group::<W>(weight, &mut kernel, |weight, kernel| {
        for (tap, lines) in kernel.chunks_exact_mut(W * W).enumerate() {
            let tap = if adjoint { TAPS - 1 - tap } else { tap };
            for (line, neighbours) in lines.as_chunks_mut::<W>().0.iter_mut().enumerate() {
                for (part, to) in neighbours.as_chunks_mut::<TURNED>().0.iter_mut().enumerate() {
                    let from = &weight[line * far + part * TURNED * near + tap..];
                    *to = from_fn(|i| from[i * near]);
                }
            }
        }
    });
    kernel
}

/// `[groups, 9, in, out]` as `[groups, out, in, 9]`.
fn taps_last<const W: usize>(kernel: &[f32]) -> Vec<f32> {
    let mut weight = vec![0.0; kernel.len()];
    each_group::<W>(kernel, &mut weight, |kernel, weight| {
        for (pair, taps) in weight.as_chunks_mut::<TAPS>().0.iter_mut().enumerate() {
            let (output, input) = (pair / W, pair % W);
            for (tap, value) in taps.iter_mut().enumerate() {
                *value = kernel[(tap * W + input) * W + output];
            }
        }
    });
    weight
}

/// Each group of one order of a weight, and of the other.
fn each_group<const W: usize>(from: &[f32], to: &mut [f32], turn: impl Fn(&[f32], &mut [f32]) + Sync) {
    let (group, task) = (W * W * TAPS, TASK_WEIGHTS / (W * W * TAPS) * W * W * TAPS);
    each(Cores::All, from.chunks(task).zip(to.chunks_mut(task)), |(from, to)| {
        from.chunks_exact(group).zip(to.chunks_exact_mut(group)).for_each(|(from, to)| turn(from, to));
    });
}

fn correlate_width<const W: usize>(
    x: &[f32],
    shape: Shape,
    kernel: &[f32],
    record: &mut [u32],
    finish: Finish,
) -> Vec<f32> {
    let [batch, height, width, channels] = shape;
    let (rows, picture) = (rows_per_task(height, width), height * width);
    let strips = batch * height / rows;
    let [fewest, most] = TASK_CHANNELS;
    let wide = (channels * strips / enough_tasks()).next_multiple_of(fewest).clamp(fewest, most);
    let work = (batch * picture * channels).saturating_mul(W * TAPS);
    blocks([batch * picture, channels], [rows * width, wide], work, record, finish, |block| {
        let x = &x[block.first_row / picture * picture * channels..][..picture * channels];
        let first_row = block.first_row % picture / width;
        let first_group = block.first_channel / W;
        let mut window = Window::<W>::new(rows, width);
        for index in 0..block.width / W {
            let group = first_group + index;
            window.load(x, [height, width, channels], first_row, group);
            let kernel = &kernel[group * TAPS * W * W..][..TAPS * W * W];
            let out = Out { block, offset: index * W };
            dispatch::<W, _>(Correlate::<W> { window: &window, kernel, out });
        }
    })
}

fn kernel_gradient_width<const W: usize>(x: &[f32], delta: &[f32], shape: Shape) -> Vec<f32> {
    let [batch, height, width, channels] = shape;
    let rows = rows_per_task(height, width);
    let mut gradient = vec![0.0; channels / W * TAPS * W * W];
    each(Cores::All, gradient.chunks_mut(TAPS * W * W).enumerate(), |(group, gradient)| {
        let mut window = Window::<W>::new(rows, width);
        let mut signal = vec![[0.0; W]; rows * width];
        for picture in 0..batch {
            let range = picture * height * width * channels..(picture + 1) * height * width * channels;
            for first_row in (0..height).step_by(rows) {
                window.load(&x[range.clone()], [height, width, channels], first_row, group);
                let delta = &delta[range.clone()][first_row * width * channels..];
                for (signal, pixel) in signal.iter_mut().zip(delta.chunks_exact(channels)) {
                    signal.copy_from_slice(&pixel[group * W..(group + 1) * W]);
                }
                dispatch::<W, _>(Gradient { window: &window, signal: &signal, gradient: &mut *gradient });
            }
        }
    });
    gradient
}

/// Runs with the widest vectors that do not exceed a group.
fn dispatch<const W: usize, Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    if W == 8
        && let Some(simd) = pulp::x86::V3::try_new()
    {
        return Simd::vectorize(simd, op);
    }
    Arch::new().dispatch(op)
}

/// A body of [`by_registers`]: `VECTORS` hold a group, and `TILE` times as many sums stay in registers.
trait Tiled<const W: usize> {
    fn run<S: Simd, const VECTORS: usize, const TILE: usize>(self, simd: S);
}

/// The tile that leaves registers for weights and inputs: 32 of 16 numbers, else 16.
#[inline(always)]
fn by_registers<const W: usize, S: Simd>(simd: S, body: impl Tiled<W>) {
    match W / S::F32_LANES {
        1 => body.run::<S, 1, 8>(simd),
        2 if S::F32_LANES == 16 => body.run::<S, 2, 8>(simd),
        2 => body.run::<S, 2, 4>(simd),
        4 => body.run::<S, 4, 2>(simd),
        8 => body.run::<S, 8, 1>(simd),
        16 => body.run::<S, 16, 1>(simd),
        32 => body.run::<S, 32, 1>(simd),
        _ => unreachable!("vectors are not wider than a group"),
    }
}

/// Where the outputs of one group go: in each line from `offset` on.
struct Out<'a, 'b> {
    block: &'a mut Block<'b>,
    offset: usize,
}

/// One group of one task's rows; `kernel` is `[9, in, out]`.
struct Correlate<'a, 'b, const W: usize> {
    window: &'a Window<W>,
    kernel: &'a [f32],
    out: Out<'a, 'b>,
}

impl<const W: usize> WithSimd for Correlate<'_, '_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        by_registers::<W, S>(simd, self);
    }
}

impl<const W: usize> Tiled<W> for Correlate<'_, '_, W> {
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize, const TILE: usize>(mut self, simd: S) {
        let (weights, _) = S::as_simd_f32s(self.kernel).0.as_chunks::<VECTORS>();
        for row in 0..self.window.rows {
            let mut column = 0;
            while column + TILE <= self.window.width {
                self.tile::<S, VECTORS, TILE>(simd, weights, row, column);
                column += TILE;
            }
            while TILE > 4 && column + 4 <= self.window.width {
                self.tile::<S, VECTORS, 4>(simd, weights, row, column);
                column += 4;
            }
            while column < self.window.width {
                self.tile::<S, VECTORS, 1>(simd, weights, row, column);
                column += 1;
            }
        }
    }
}

impl<const W: usize> Correlate<'_, '_, W> {
    #[inline(always)]
    fn tile<S: Simd, const VECTORS: usize, const TILE: usize>(
        &mut self,
        simd: S,
        weights: &[[S::f32s; VECTORS]],
        row: usize,
        column: usize,
    ) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; TILE];
        for (tap, weights) in weights.chunks_exact(W).enumerate() {
            let pixels: &[[f32; W]; TILE] = self.window.pixels(row + tap / 3, column + tap % 3);
            for (input, weights) in weights.iter().enumerate().take(W) {
                for (sums, pixel) in sums.iter_mut().zip(pixels) {
                    let value = simd.splat_f32s(pixel[input]);
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(value, *weight, *sum);
                    }
                }
            }
        }
        for (pixel, sums) in sums.iter().enumerate() {
            let line = row * self.window.width + column + pixel;
            let start = line * self.out.block.width + self.out.offset;
            S::as_mut_simd_f32s(&mut self.out.block.values[start..start + W]).0.copy_from_slice(sums);
        }
    }
}

/// Adds the outer products of shifted inputs and signals of one task's rows to `gradient [9, in, out]`.
struct Gradient<'a, const W: usize> {
    window: &'a Window<W>,
    signal: &'a [[f32; W]],
    gradient: &'a mut [f32],
}

impl<const W: usize> WithSimd for Gradient<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        by_registers::<W, S>(simd, self);
    }
}

impl<const W: usize> Tiled<W> for Gradient<'_, W> {
    /// The tile is of inputs.
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize, const TILE: usize>(self, simd: S) {
        let Self { window, signal, gradient } = self;
        let (gradient, _) = S::as_mut_simd_f32s(gradient).0.as_chunks_mut::<VECTORS>();
        for (tap, gradient) in gradient.chunks_exact_mut(W).enumerate() {
            for (tile, totals) in gradient.chunks_exact_mut(TILE).enumerate() {
                let first = tile * TILE;
                let mut sums = [[simd.splat_f32s(0.0); VECTORS]; TILE];
                for row in 0..window.rows {
                    let signal = &signal[row * window.width..(row + 1) * window.width];
                    let start = (row + tap / 3) * (window.width + 2) + tap % 3;
                    let pixels = &window.values[start..start + window.width];
                    for (pixel, signal) in pixels.iter().zip(signal) {
                        let signal = S::as_simd_f32s(signal).0;
                        // Arrays, so that the sums are known to fit registers.
                        let inputs: &[f32; TILE] =
                            pixel[first..].first_chunk().expect("tiles divide a group");
                        let signal: &[S::f32s; VECTORS] = signal.first_chunk().expect("vectors hold a group");
                        for (sums, input) in sums.iter_mut().zip(inputs) {
                            let input = simd.splat_f32s(*input);
                            for (sum, signal) in sums.iter_mut().zip(signal) {
                                *sum = simd.mul_add_e_f32s(input, *signal, *sum);
                            }
                        }
                    }
                }
                for (totals, sums) in totals.iter_mut().zip(&sums) {
                    for (total, sum) in totals.iter_mut().zip(sums) {
                        *total = simd.add_f32s(*total, *sum);
                    }
                }
            }
        }
    }
}

/// Rows of one group with a border of one pixel.
struct Window<const W: usize> {
    rows: usize,
    width: usize,
    values: Vec<[f32; W]>,
}

impl<const W: usize> Window<W> {
    fn new(rows: usize, width: usize) -> Self {
        Self { rows, width, values: vec![[0.0; W]; (rows + 2) * (width + 2)] }
    }

    /// Copies the rows from `first_row` on of a picture `[height, width, channels]`, zero outside.
    fn load(
        &mut self,
        picture: &[f32],
        [height, width, channels]: [usize; 3],
        first_row: usize,
        group: usize,
    ) {
        for (index, line) in self.values.chunks_exact_mut(width + 2).enumerate() {
            // The border's columns were zero from the start and are never written.
            let line = &mut line[1..=width];
            match (first_row + index).checked_sub(1).filter(|row| *row < height) {
                None => line.fill([0.0; W]),
                Some(row) => {
                    let source = &picture[row * width * channels..(row + 1) * width * channels];
                    for (value, pixel) in line.iter_mut().zip(source.chunks_exact(channels)) {
                        value.copy_from_slice(&pixel[group * W..(group + 1) * W]);
                    }
                }
            }
        }
    }

    /// `N` neighbouring pixels of a row, in the coordinates with the border.
    #[inline(always)]
    fn pixels<const N: usize>(&self, row: usize, column: usize) -> &[[f32; W]; N] {
        let start = row * (self.width + 2) + column;
        self.values[start..].first_chunk().expect("the tile lies in the window")
    }
}

/// The largest divisor of the height that keeps a task near [`TASK_PIXELS`].
fn rows_per_task(height: usize, width: usize) -> usize {
    let most = (TASK_PIXELS / width).max(1);
    (1..=height.min(most)).rev().find(|rows| height.is_multiple_of(*rows)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::{Activation, normal};
    use crate::random::RandomState;

    /// The definition, straight from the sum.
    fn naive(x: &[f32], [b, h, w, c]: Shape, weight: &[f32], groups: usize) -> Vec<f32> {
        let width = c / groups;
        let mut y = vec![0.0; x.len()];
        for (index, y) in y.iter_mut().enumerate() {
            let (n, row, column, channel) =
                (index / (h * w * c), index / (w * c) % h, index / c % w, index % c);
            let (group, output) = (channel / width, channel % width);
            let mut sum = 0.0f64;
            for tap in 0..TAPS {
                let (Some(r), Some(q)) = ((row + tap / 3).checked_sub(1), (column + tap % 3).checked_sub(1))
                else {
                    continue;
                };
                for input in (0..width).filter(|_| r < h && q < w) {
                    let weight = weight[((group * width + output) * width + input) * TAPS + tap];
                    sum +=
                        f64::from(x[((n * h + r) * w + q) * c + group * width + input]) * f64::from(weight);
                }
            }
            *y = sum as f32;
        }
        assert_eq!(y.len(), b * h * w * c);
        y
    }

    #[test]
    fn agrees_with_the_definition_on_odd_shapes() {
        let mut source = RandomState::new(5);
        for (shape, groups) in [
            ([1, 1, 1, 8], 1),
            ([2, 5, 7, 16], 2),
            ([1, 3, 9, 48], 3),
            ([2, 4, 4, 64], 2),
            ([1, 33, 31, 16], 1),
        ] {
            let [b, h, w, c] = shape;
            let width = c / groups;
            let x = normal(&mut source, b * h * w * c);
            let weight = normal(&mut source, groups * TAPS * width * width);
            let nothing = Finish { bias: None, activation: Activation::Nothing, other: None, slope: 0.0 };
            let kernel = taps_first(&weight, width, false);
            let y = grouped(&x, shape, &kernel, groups, &mut [], nothing);
            let expected = naive(&x, shape, &weight, groups);
            let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            for (a, b) in y.iter().zip(&expected) {
                assert!((a - b).abs() <= 1e-5 * largest, "{shape:?}: {a} is not {b}");
            }
            // The weight's gradient is the adjoint in the other argument: <y(w), d> = <w, gradient(d)>.
            let delta = normal(&mut source, x.len());
            let gradient = weight_gradient(&x, &delta, shape, groups);
            for probe in [0, gradient.len() / 2, gradient.len() - 1] {
                let mut unit = vec![0.0; gradient.len()];
                unit[probe] = 1.0;
                let moved = naive(&x, shape, &unit, groups);
                let sum: f64 = moved.iter().zip(&delta).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                assert!(
                    (f64::from(gradient[probe]) - sum).abs() < 1e-3 * (1.0 + sum.abs()),
                    "{shape:?} at {probe}"
                );
            }
        }
    }
}
