//! Gradients of 1x1 weights: products whose sums are over pixels, of which there are many.
//!
//! A task sums a block of the gradient, some pixels after the others: what it needs of those it packs, and multiplies it as
//! [`super::product`] does.

use std::cell::RefCell;

use pulp::{Arch, Simd, WithSimd};

use super::enough_tasks;
use super::finish::{Activation, Block, Finish, blocks};
use super::product::{Out, TASK_COLUMNS, VECTORS, aligned, pack_rows, rows_of_tile, tile};

/// Pixels at a time: a panel of their channels stays in the first cache.
const TERMS: usize = 256;

/// The fewest and most rows of a task.
const TASK_ROWS: [usize; 2] = [48, 256];

/// `left [terms, rows]`, turned, times `right [terms, columns]`, none of them empty: `[rows, columns]`.
pub fn outer(left: &[f32], right: &[f32], [terms, rows, columns]: [usize; 3]) -> Vec<f32> {
    let arch = Arch::new();
    let [fewest, most] = TASK_ROWS;
    let tall = (rows * columns.div_ceil(TASK_COLUMNS) / enough_tasks()).clamp(fewest, most);
    let work = rows.saturating_mul(terms).saturating_mul(columns);
    let nothing = Finish { bias: None, activation: Activation::Nothing, other: None, slope: 0.0 };
    blocks([rows, columns], [tall, TASK_COLUMNS], work, &mut [], nothing, |block| {
        PACKED.with_borrow_mut(|packed| arch.dispatch(Sum { left, right, rows, columns, block, packed }));
    })
}

thread_local! {
    /// Kept, as a product's panel is.
    static PACKED: RefCell<Packed> = const { RefCell::new(Packed { left: Vec::new(), right: Vec::new() }) };
}

struct Packed {
    /// Tiles of rows, each term by term.
    left: Vec<f32>,
    /// A panel of columns.
    right: Vec<f32>,
}

/// One task.
struct Sum<'a, 'b> {
    left: &'a [f32],
    right: &'a [f32],
    rows: usize,
    columns: usize,
    block: &'a mut Block<'b>,
    packed: &'a mut Packed,
}

impl WithSimd for Sum<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match rows_of_tile::<S>() {
            12 => self.sum::<S, 12>(simd),
            6 => self.sum::<S, 6>(simd),
            _ => self.sum::<S, 4>(simd),
        }
    }
}

impl Sum<'_, '_> {
    #[inline(always)]
    fn sum<S: Simd, const ROWS: usize>(self, simd: S) {
        let Self { left, right, rows, columns, block, packed } = self;
        let (wide, width) = (VECTORS * S::F32_LANES, block.width);
        let lines = block.values.len() / width;
        let parts = left.chunks(TERMS * rows).zip(right.chunks(TERMS * columns));
        for (part, (left, right)) in parts.enumerate() {
            let terms = left.len() / rows;
            let tiles = aligned(&mut packed.left, lines.div_ceil(ROWS) * terms * ROWS).as_chunks_mut().0;
            pack_tiles::<ROWS>(tiles, left, rows, block.first_row, lines);
            for offset in (0..width).step_by(wide) {
                let panel = aligned(&mut packed.right, terms * wide);
                pack_rows::<S>(panel, wide, right, columns, block.first_channel + offset);
                let (panel, _) = S::as_simd_f32s(panel).0.as_chunks::<VECTORS>();
                let lines = block.values.chunks_mut(ROWS * width);
                for (values, left) in lines.zip(tiles.chunks_exact(terms)) {
                    let mut out = Out { values, width, offset, adds: part > 0 };
                    let left = &left[..panel.len()];
                    tile::<S, ROWS>(simd, |row, at| left[at][row], panel, &mut out);
                }
            }
        }
    }
}

/// `lines` rows from `first` on of a side that lies column by column, `ROWS` of them after another, zero beyond the last.
#[inline(always)]
fn pack_tiles<const ROWS: usize>(
    tiles: &mut [[f32; ROWS]],
    left: &[f32],
    rows: usize,
    first: usize,
    lines: usize,
) {
    let terms = left.len() / rows;
    for (index, tile) in tiles.chunks_exact_mut(terms).enumerate() {
        let done = index * ROWS;
        for (to, term) in tile.iter_mut().zip(left.chunks_exact(rows)) {
            let from = &term[first + done..first + lines];
            match from.first_chunk() {
                Some(whole) => *to = *whole,
                None => {
                    *to = [0.0; ROWS];
                    to[..from.len()].copy_from_slice(from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::normal;
    use crate::random::RandomState;

    /// Parts, tiles and panels that are whole, cut, or single.
    const SIZES: [[usize; 3]; 8] = [
        [1, 1, 1],
        [3, 4, 64],
        [255, 5, 3],
        [256, 16, 32],
        [257, 50, 65],
        [600, 49, 129],
        [1024, 3, 40],
        [40, 300, 96],
    ];

    #[test]
    fn agrees_with_the_definition() {
        let mut source = RandomState::new(11);
        let mut random = |count| normal(&mut source, count);
        for size @ [terms, rows, columns] in SIZES {
            let (left, right) = (random(terms * rows), random(terms * columns));
            let mut scalar = vec![f32::NAN; rows * columns];
            let block = &mut Block { values: &mut scalar, width: columns, first_row: 0, first_channel: 0 };
            let packed = &mut Packed { left: Vec::new(), right: Vec::new() };
            pulp::Scalar.vectorize(Sum { left: &left, right: &right, rows, columns, block, packed });
            let vectors = outer(&left, &right, size);
            for (at, (scalar, y)) in scalar.iter().zip(&vectors).enumerate() {
                let (row, column) = (at / columns, at % columns);
                let expected: f64 = (0..terms)
                    .map(|k| f64::from(left[k * rows + row]) * f64::from(right[k * columns + column]))
                    .sum();
                let bound = 1e-6 * (terms as f64).sqrt() * 8.0;
                for y in [scalar, y] {
                    assert!(
                        (f64::from(*y) - expected).abs() < bound,
                        "{size:?} at {at}: {y} is not {expected}"
                    );
                }
            }
        }
    }
}
