//! The orders of a weight's entries: as a checkpoint has them, and as the kernels read and write them.

use std::array::from_fn;

use super::super::{Cores, each};
use super::TAPS;

/// Entries of a weight whose order one task changes.
const TASK_WEIGHTS: usize = 1 << 16;

/// `[groups, out, in, 9]` as `[groups, 9, in, out]`, or for the adjoint with turned taps and inputs and outputs changed.
pub(super) fn turn_taps<const W: usize>(weight: &[f32], adjoint: bool) -> Vec<f32> {
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
pub(super) fn taps_last<const W: usize>(kernel: &[f32]) -> Vec<f32> {
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
