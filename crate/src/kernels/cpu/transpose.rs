//! Turning a matrix, block by block, so that both sides stay in the cache.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Side of a block: a line of the cache.
const SIDE: usize = 16;

/// `x [rows, columns]` as `[columns, rows]`.
pub fn transpose(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    let arch = Arch::new();
    let lines = y.par_chunks_mut(SIDE * rows).enumerate();
    lines.for_each(|(block, y)| arch.dispatch(Lines { x, rows, columns, first: block * SIDE, y }));
    y
}

/// Up to [`SIDE`] lines of the result, from `first` on.
struct Lines<'a> {
    x: &'a [f32],
    rows: usize,
    columns: usize,
    first: usize,
    y: &'a mut [f32],
}

impl WithSimd for Lines<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, rows, columns, first, y } = self;
        let width = SIDE.min(columns - first);
        for start in (0..rows).step_by(SIDE) {
            let height = SIDE.min(rows - start);
            let mut block = [[0.0f32; SIDE]; SIDE];
            for (row, line) in block.iter_mut().enumerate().take(height) {
                let from = &x[(start + row) * columns + first..][..width];
                // Whole lines are a move of known length.
                match from.first_chunk() {
                    Some(whole) => *line = *whole,
                    None => line[..width].copy_from_slice(from),
                }
            }
            for (column, line) in y.chunks_exact_mut(rows).enumerate() {
                let turned: [f32; SIDE] = std::array::from_fn(|row| block[row][column]);
                let to = &mut line[start..start + height];
                match to.first_chunk_mut() {
                    Some(whole) => *whole = turned,
                    None => to.copy_from_slice(&turned[..height]),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(1, 1), (3, 40), (16, 16), (17, 33), (100, 7)] {
            let x: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let y = transpose(&x, rows, columns);
            for (place, value) in y.iter().enumerate() {
                assert_eq!(*value, x[place % rows * columns + place / rows]);
            }
        }
    }
}
