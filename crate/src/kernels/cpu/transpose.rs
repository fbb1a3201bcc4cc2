//! Turning a matrix, block by block, so that both sides stay in the cache.

use rayon::prelude::*;

/// Side of a block: a line of the cache.
const SIDE: usize = 16;

/// `x [rows, columns]` as `[columns, rows]`.
pub fn transpose(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    let task = |(block, y): (usize, &mut [f32])| {
        let first = block * SIDE;
        for start in (0..rows).step_by(SIDE) {
            let end = (start + SIDE).min(rows);
            for (offset, line) in y.chunks_exact_mut(rows).enumerate() {
                let from = x[start * columns + first + offset..].iter().step_by(columns);
                line[start..end].iter_mut().zip(from).for_each(|(to, value)| *to = *value);
            }
        }
    };
    y.par_chunks_mut(SIDE * rows).enumerate().for_each(task);
    y
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
