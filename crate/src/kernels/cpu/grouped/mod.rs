//! Direct grouped 3x3 convolution for the CPU, channels-last f32.
//!
//! A task takes some groups of a few rows of one picture. Group by group it copies them, with their border, into a
//! buffer that stays in the cache; the inner loops keep a tile of pixels times all outputs of the group
//! in registers.

mod correlate;
mod gradient;
mod taps;
mod window;

use pulp::{Arch, Simd, WithSimd};

use super::Shape;
use super::finish::Finish;
use correlate::correlate;
use gradient::kernel_gradient;
use taps::{taps_last, turn_taps};

/// Taps of the 3x3 window, row by row.
pub const TAPS: usize = 9;

/// Channels per group that have a kernel.
pub const GROUP_WIDTHS: [usize; 3] = [8, 16, 32];

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
        8 => correlate::<8>(x, shape, kernel, record, finish),
        16 => correlate::<16>(x, shape, kernel, record, finish),
        32 => correlate::<32>(x, shape, kernel, record, finish),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

/// Gradient of the weight.
pub fn weight_gradient(x: &[f32], delta: &[f32], shape: Shape, groups: usize) -> Vec<f32> {
    match shape[3] / groups {
        8 => taps_last::<8>(&kernel_gradient::<8>(x, delta, shape)),
        16 => taps_last::<16>(&kernel_gradient::<16>(x, delta, shape)),
        32 => taps_last::<32>(&kernel_gradient::<32>(x, delta, shape)),
        width => panic!("no kernel for groups of {width} channels"),
    }
}

/// A loop over tiles that stay in registers: `VECTORS` hold a group, and a tile has `TILE` times as many sums.
trait Tiled<const W: usize> {
    fn run<S: Simd, const VECTORS: usize, const TILE: usize>(self, simd: S);
}

/// Runs with the widest vectors that do not exceed a group.
fn run<const W: usize>(body: impl Tiled<W>) {
    let body = ByRegisters::<W, _>(body);
    #[cfg(target_arch = "x86_64")]
    if W == 8
        && let Some(simd) = pulp::x86::V3::try_new()
    {
        return Simd::vectorize(simd, body);
    }
    Arch::new().dispatch(body)
}

/// With the tile that leaves registers for weights and inputs: 32 of 16 numbers, else 16.
struct ByRegisters<const W: usize, T>(T);

impl<const W: usize, T: Tiled<W>> WithSimd for ByRegisters<W, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(body) = self;
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
