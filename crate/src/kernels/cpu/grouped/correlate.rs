//! The convolution itself, which is its data gradient too: tiles of pixels.

use pulp::Simd;

use super::super::finish::{Block, Finish, blocks};
use super::super::{Shape, enough_tasks};
use super::window::{Window, rows_per_task};
use super::{TAPS, Tiled, run};

/// The fewest and most channels of a task: small maps have work for several cores.
const TASK_CHANNELS: [usize; 2] = [32, 128];

/// The convolution of `x` with `kernel [groups, 9, in, out]`, groups of `W` channels.
pub(super) fn correlate<const W: usize>(
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
            run::<W>(Correlate::<W> { window: &window, kernel, out });
        }
    })
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
