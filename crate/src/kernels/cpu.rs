//! Direct grouped 3x3 convolution for the CPU, channels-last f32.
//!
//! A task takes a few rows of one picture. Group by group it copies them, with their border, into a
//! buffer that stays in the cache; the inner loops keep a tile of pixels times all outputs of the group
//! in registers. Nothing is reduced across threads, so a result never depends on their number.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Taps of the 3x3 window, row by row.
pub const TAPS: usize = 9;

/// Channels per group that have a kernel.
pub const GROUP_WIDTHS: [usize; 3] = [8, 16, 32];

/// Pixels that a task handles at a time, about: the copy of one group then fits the cache.
const TASK_PIXELS: usize = 256;

/// `[batch, height, width, channels]`
pub type Shape = [usize; 4];

/// Correlates `x` with `kernel [groups, 9, in, out]`, zero padding.
///
/// Panics if the group width is not one of [`GROUP_WIDTHS`].
pub fn correlate(x: &[f32], shape: Shape, kernel: &[f32], groups: usize) -> Vec<f32> {
    match shape[3] / groups {
        8 => correlate_width::<8, 8>(x, shape, kernel),
        16 => correlate_width::<16, 4>(x, shape, kernel),
        32 => correlate_width::<32, 2>(x, shape, kernel),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

/// Gradient of the kernel, `[groups, 9, in, out]`. Panics as [`correlate`] does.
pub fn kernel_gradient(x: &[f32], delta: &[f32], shape: Shape, groups: usize) -> Vec<f32> {
    match shape[3] / groups {
        8 => kernel_gradient_width::<8>(x, delta, shape),
        16 => kernel_gradient_width::<16>(x, delta, shape),
        32 => kernel_gradient_width::<32>(x, delta, shape),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

/// Multiplies the entries of `x` whose byte in `mask` is not zero by `factor`, in place.
pub fn scale_where(x: &mut [f32], mask: &[u8], factor: f32) {
    /// Entries of one task.
    const TASK: usize = 1 << 15;
    let arch = Arch::new();
    let tasks = x.par_chunks_mut(TASK).zip(mask.par_chunks(TASK));
    tasks.for_each(|(x, mask)| arch.dispatch(ScaleWhere { x, mask, factor }));
}

struct ScaleWhere<'a> {
    x: &'a mut [f32],
    mask: &'a [u8],
    factor: f32,
}

impl WithSimd for ScaleWhere<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (x, mask) in self.x.iter_mut().zip(self.mask) {
            *x *= if *mask == 0 { 1.0 } else { self.factor };
        }
    }
}

fn correlate_width<const W: usize, const TILE: usize>(x: &[f32], shape: Shape, kernel: &[f32]) -> Vec<f32> {
    let [batch, height, width, channels] = shape;
    let rows = rows_per_task(height, width);
    let arch = Arch::new();
    let mut y = vec![0.0; batch * height * width * channels];
    y.par_chunks_mut(rows * width * channels).enumerate().for_each(|(task, y)| {
        let tasks_per_picture = height / rows;
        let (picture, first_row) = (task / tasks_per_picture, task % tasks_per_picture * rows);
        let x = &x[picture * height * width * channels..][..height * width * channels];
        let mut window = Window::<W>::new(rows, width);
        for group in 0..channels / W {
            window.load(x, [height, width, channels], first_row, group);
            let kernel = as_rows::<W>(&kernel[group * TAPS * W * W..][..TAPS * W * W]);
            let out = Out { y: &mut *y, channels, offset: group * W };
            arch.dispatch(Correlate::<W, TILE> { window: &window, kernel, out });
        }
    });
    y
}

/// Rows of `W` outputs, one per tap and input.
fn as_rows<const W: usize>(values: &[f32]) -> &[[f32; W]] {
    values.as_chunks::<W>().0
}

/// Where the outputs of one group go.
struct Out<'a> {
    y: &'a mut [f32],
    channels: usize,
    offset: usize,
}

/// One group of one task's rows; compiled once for each set of vector instructions.
struct Correlate<'a, const W: usize, const TILE: usize> {
    window: &'a Window<W>,
    kernel: &'a [[f32; W]],
    out: Out<'a>,
}

impl<const W: usize, const TILE: usize> Correlate<'_, W, TILE> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { window, kernel, mut out } = self;
        for row in 0..window.rows {
            let mut column = 0;
            while column + TILE <= window.width {
                correlate_tile::<W, TILE, FMA>(window, kernel, row, column, &mut out);
                column += TILE;
            }
            while column < window.width {
                correlate_tile::<W, 1, FMA>(window, kernel, row, column, &mut out);
                column += 1;
            }
        }
    }
}

impl<const W: usize, const TILE: usize> WithSimd for Correlate<'_, W, TILE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if has_fma::<S>() { self.run::<true>() } else { self.run::<false>() }
    }
}

/// Whether fused multiply-add is an instruction: always on 64-bit Arm, from AVX2 on x86, not in wasm.
#[inline(always)]
fn has_fma<S: Simd>() -> bool {
    cfg!(target_arch = "aarch64") || S::F32_LANES > 4
}

#[inline(always)]
fn correlate_tile<const W: usize, const TILE: usize, const FMA: bool>(
    window: &Window<W>,
    kernel: &[[f32; W]],
    row: usize,
    column: usize,
    out: &mut Out,
) {
    let mut sums = [[0.0f32; W]; TILE];
    for tap in 0..TAPS {
        let pixels: &[[f32; W]; TILE] = window.pixels(row + tap / 3, column + tap % 3);
        for (input, weights) in kernel[tap * W..(tap + 1) * W].iter().enumerate() {
            for (sum, pixel) in sums.iter_mut().zip(pixels) {
                for (sum, weight) in sum.iter_mut().zip(weights) {
                    *sum = multiply_add::<FMA>(pixel[input], *weight, *sum);
                }
            }
        }
    }
    for (pixel, sum) in sums.iter().enumerate() {
        let start = (row * window.width + column + pixel) * out.channels + out.offset;
        out.y[start..start + W].copy_from_slice(sum);
    }
}

fn kernel_gradient_width<const W: usize>(x: &[f32], delta: &[f32], shape: Shape) -> Vec<f32> {
    let [batch, height, width, channels] = shape;
    let rows = rows_per_task(height, width);
    let arch = Arch::new();
    let mut gradient = vec![0.0; channels / W * TAPS * W * W];
    gradient.par_chunks_mut(TAPS * W * W).enumerate().for_each(|(group, gradient)| {
        let (gradient, _) = gradient.as_chunks_mut::<W>();
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
                arch.dispatch(Gradient { window: &window, signal: &signal, gradient: &mut *gradient });
            }
        }
    });
    gradient
}

/// Adds the outer products of shifted inputs and signals of one task's rows.
struct Gradient<'a, const W: usize> {
    window: &'a Window<W>,
    signal: &'a [[f32; W]],
    gradient: &'a mut [[f32; W]],
}

impl<const W: usize> Gradient<'_, W> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        /// Inputs whose sums stay in registers.
        const INPUTS: usize = 4;
        let Self { window, signal, gradient } = self;
        for tap in 0..TAPS {
            for first in (0..W).step_by(INPUTS) {
                let mut sums = [[0.0f32; W]; INPUTS];
                for row in 0..window.rows {
                    let signal = &signal[row * window.width..(row + 1) * window.width];
                    let start = (row + tap / 3) * (window.width + 2) + tap % 3;
                    let pixels = &window.values[start..start + window.width];
                    for (pixel, signal) in pixels.iter().zip(signal) {
                        // An array, so that the sums are known to fit registers.
                        let inputs: &[f32; INPUTS] =
                            pixel[first..].first_chunk().expect("a group has a multiple of 4 channels");
                        for input in 0..INPUTS {
                            for output in 0..W {
                                let sum = &mut sums[input][output];
                                *sum = multiply_add::<FMA>(inputs[input], signal[output], *sum);
                            }
                        }
                    }
                }
                for (row, sum) in gradient[tap * W + first..].iter_mut().zip(&sums) {
                    for (total, sum) in row.iter_mut().zip(sum) {
                        *total += sum;
                    }
                }
            }
        }
    }
}

impl<const W: usize> WithSimd for Gradient<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if has_fma::<S>() { self.run::<true>() } else { self.run::<false>() }
    }
}

#[inline(always)]
fn multiply_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    // Without the instruction `mul_add` is a slow library call.
    if FMA { a.mul_add(b, c) } else { a * b + c }
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
    use crate::random::RandomState;

    /// The definition, straight from the sum.
    fn naive(x: &[f32], [b, h, w, c]: Shape, kernel: &[f32], groups: usize) -> Vec<f32> {
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
                    let weight = kernel[((group * TAPS + tap) * width + input) * width + output];
                    sum +=
                        f64::from(x[((n * h + r) * w + q) * c + group * width + input]) * f64::from(weight);
                }
            }
            *y = sum as f32;
        }
        assert_eq!(y.len(), b * h * w * c);
        y
    }

    fn random(random: &mut RandomState, n: usize) -> Vec<f32> {
        (0..n).map(|_| random.randn() as f32).collect()
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
            let x = random(&mut source, b * h * w * c);
            let kernel = random(&mut source, groups * TAPS * width * width);
            let y = correlate(&x, shape, &kernel, groups);
            let expected = naive(&x, shape, &kernel, groups);
            let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            for (a, b) in y.iter().zip(&expected) {
                assert!((a - b).abs() <= 1e-5 * largest, "{shape:?}: {a} is not {b}");
            }
            // The kernel's gradient is the adjoint in the other argument: <y(k), d> = <k, gradient(d)>.
            let delta = random(&mut source, x.len());
            let gradient = kernel_gradient(&x, &delta, shape, groups);
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
