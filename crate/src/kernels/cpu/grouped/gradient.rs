//! The gradient of the weight: tiles of inputs, which are summed over pixels.

use pulp::Simd;

use super::super::{Cores, Shape, each};
use super::window::{Window, rows_per_task};
use super::{TAPS, Tiled, run};

/// `[groups, 9, in, out]` for groups of `W` channels.
pub(super) fn kernel_gradient<const W: usize>(x: &[f32], delta: &[f32], shape: Shape) -> Vec<f32> {
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
                run::<W>(Gradient { window: &window, signal: &signal, gradient: &mut *gradient });
            }
        }
    });
    gradient
}

/// Adds the outer products of shifted inputs and signals of one task's rows to `gradient [9, in, out]`.
struct Gradient<'a, const W: usize> {
    window: &'a Window<W>,
    signal: &'a [[f32; W]],
    gradient: &'a mut [f32],
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
