//! Products of feature maps with weights: rows are pixels, few or many, columns are channels.
//!
//! A task packs a panel of columns of the right side, which then stays in the cache, and multiplies some rows with it;
//! a tile of rows times the panel's width stays in registers. The left side is read where it lies.

use std::array::from_fn;
use std::cell::RefCell;

use pulp::{Arch, Simd, WithSimd};

use super::enough_tasks;
use super::finish::{Block, Finish, blocks};

/// Columns of a task.
pub(super) const TASK_COLUMNS: usize = 64;

/// Its fewest and most rows: more pack less often, fewer give all cores work. Panels are packed already.
const TASK_ROWS: [usize; 2] = [256, 1024];
const TASK_ROWS_OF_PANELS: [usize; 2] = [64, 1024];

/// Vectors of columns of a tile.
pub(super) const VECTORS: usize = 2;

/// Numbers of a line of the cache.
const LINE: usize = 16;

/// The right side of a product, `[depth, columns]` in meaning.
#[derive(Clone, Copy)]
pub enum Right<'a> {
    /// Row by row.
    Rows(&'a [f32]),
    /// Column by column.
    Columns(&'a [f32]),
    /// In panels of [`panel_width`] columns, one after the other, each row by row.
    Panels(&'a [f32]),
}

/// Columns of a panel: those of a tile.
pub fn panel_width() -> usize {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            VECTORS * S::F32_LANES
        }
    }
    Arch::new().dispatch(Width)
}

/// `left [rows, depth]` times `right [depth, columns]`, finished: `[rows, columns]`.
pub fn product(
    left: &[f32],
    right: Right,
    [rows, depth, columns]: [usize; 3],
    record: &mut [u32],
    finish: Finish,
) -> Vec<f32> {
    let arch = Arch::new();
    let [fewest, most] = match right {
        Right::Panels(_) => TASK_ROWS_OF_PANELS,
        _ => TASK_ROWS,
    };
    let tall = (rows * columns.div_ceil(TASK_COLUMNS) / enough_tasks()).clamp(fewest, most);
    let (size, work) = ([tall, TASK_COLUMNS], rows.saturating_mul(depth).saturating_mul(columns));
    blocks([rows, columns], size, work, record, finish, |block| {
        PANEL.with_borrow_mut(|panel| {
            let left = &left[block.first_row * depth..];
            arch.dispatch(Multiply { left, right, depth, columns, block, panel });
        });
    })
}

thread_local! {
    /// Kept, since clearing it anew would cost as much as a product of few rows.
    static PANEL: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// One task; `left` begins with its first row.
struct Multiply<'a, 'b> {
    left: &'a [f32],
    right: Right<'a>,
    depth: usize,
    columns: usize,
    block: &'a mut Block<'b>,
    panel: &'a mut Vec<f32>,
}

impl WithSimd for Multiply<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut done = 0;
        while done < self.block.width {
            done += match rows_of_tile::<S>() {
                12 => self.panel::<S, 12>(simd, done),
                6 => self.panel::<S, 6>(simd, done),
                _ => self.panel::<S, 4>(simd, done),
            };
        }
    }
}

/// Rows of a tile whose sums stay in registers: 24 vectors and what they are made of fit 32 registers, 12 fit 16. Of a page's 12
/// some went through memory, since its compiler loads what all rows need before it multiplies: 8 are 1.5 times as fast.
#[inline(always)]
pub(super) const fn rows_of_tile<S: Simd>() -> usize {
    match S::F32_LANES == 16 || cfg!(target_arch = "aarch64") {
        true => 12,
        false if cfg!(target_family = "wasm") => 4,
        false => 6,
    }
}

impl Multiply<'_, '_> {
    /// All rows times the columns from `offset` on, as many as a panel has, which is the result.
    #[inline(always)]
    fn panel<S: Simd, const ROWS: usize>(&mut self, simd: S, offset: usize) -> usize {
        let (depth, width, wide) = (self.depth, self.block.width, VECTORS * S::F32_LANES);
        let first = self.block.first_channel + offset;
        let panel = match self.right {
            // Wherever they begin: twelve rows of work hide that a vector crosses lines.
            Right::Panels(panels) => &panels[first * depth..][..wide * depth],
            Right::Rows(right) => {
                let panel = aligned(self.panel, depth * wide);
                pack_rows::<S>(panel, wide, right, self.columns, first);
                panel
            }
            Right::Columns(right) => {
                let panel = aligned(self.panel, depth * wide);
                match wide.is_multiple_of(8) {
                    true => pack_columns::<8>(panel, wide, right, depth, first),
                    // Without vectors.
                    false => pack_columns::<VECTORS>(panel, wide, right, depth, first),
                }
                panel
            }
        };
        let panel = &S::as_simd_f32s(panel).0.as_chunks::<VECTORS>().0[..depth];
        let lines = self.block.values.len() / width;
        let mut line = 0;
        while line < lines {
            let (left, values) = (&self.left[line * depth..], &mut self.block.values[line * width..]);
            let mut out = Out { values, width, offset, adds: false };
            line += match lines - line {
                left_over if left_over >= ROWS => rows_times::<S, ROWS>(simd, left, panel, &mut out),
                // Not in a page, where code weighs more.
                4.. if !cfg!(target_family = "wasm") => rows_times::<S, 4>(simd, left, panel, &mut out),
                _ => rows_times::<S, 1>(simd, left, panel, &mut out),
            };
        }
        wide
    }
}

/// So many numbers from the beginning of a line of the cache on.
#[inline(always)]
pub(super) fn aligned(panel: &mut Vec<f32>, length: usize) -> &mut [f32] {
    panel.resize(panel.len().max(length + LINE), 0.0);
    let start = panel.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    &mut panel[start..][..length]
}

/// Where a tile goes: lines of `width` values, in each from `offset` on.
pub(super) struct Out<'a> {
    pub values: &'a mut [f32],
    pub width: usize,
    pub offset: usize,
    /// Whether it is added to what is there.
    pub adds: bool,
}

/// `ROWS` rows of `left` times a panel. Returns `ROWS`.
#[inline(always)]
fn rows_times<S: Simd, const ROWS: usize>(
    simd: S,
    left: &[f32],
    panel: &[[S::f32s; VECTORS]],
    out: &mut Out,
) -> usize {
    let depth = panel.len();
    let mut rows = [&left[..depth]; ROWS];
    rows.iter_mut().enumerate().for_each(|(row, to)| *to = &left[row * depth..][..depth]);
    tile::<S, ROWS>(simd, |row, at| rows[row][at], panel, out);
    ROWS
}

/// `ROWS` rows, of which `value` gives the entries by row and column, times a panel. Those that have no line in `out` are
/// not written.
#[inline(always)]
pub(super) fn tile<S: Simd, const ROWS: usize>(
    simd: S,
    value: impl Fn(usize, usize) -> f32,
    panel: &[[S::f32s; VECTORS]],
    out: &mut Out,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for (at, right) in panel.iter().enumerate() {
        for (row, sums) in sums.iter_mut().enumerate() {
            let value = simd.splat_f32s(value(row, at));
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_e_f32s(value, *right, *sum);
            }
        }
    }
    let whole = out.values.len() >= ROWS * out.width && out.offset + VECTORS * S::F32_LANES <= out.width;
    if !whole {
        return cut::<S, ROWS>(simd, sums, out);
    }
    // A loop whose length is known: sums that are counted through would be kept in memory from the start.
    for (row, sums) in sums.iter().enumerate() {
        let line = &mut out.values[row * out.width + out.offset..];
        let to: &mut [S::f32s; VECTORS] =
            S::as_mut_simd_f32s(line).0.first_chunk_mut().expect("the line is whole");
        for (to, sum) in to.iter_mut().zip(sums) {
            *to = if out.adds { simd.add_f32s(*to, *sum) } else { *sum };
        }
    }
}

/// Writes what of a tile has a place.
#[inline(always)]
fn cut<S: Simd, const ROWS: usize>(simd: S, sums: [[S::f32s; VECTORS]; ROWS], out: &mut Out) {
    for (sums, line) in sums.iter().zip(out.values.chunks_exact_mut(out.width)) {
        for (to, sum) in line[out.offset..].chunks_mut(S::F32_LANES).zip(sums) {
            let sum = if out.adds { simd.add_f32s(simd.partial_load_f32s(to), *sum) } else { *sum };
            simd.partial_store_f32s(to, sum);
        }
    }
}

/// Columns from `first` on of a right side that lies row by row, `wide` in a row; what lies beyond the last column is of
/// no consequence.
#[inline(always)]
pub(super) fn pack_rows<S: Simd>(
    panel: &mut [f32],
    wide: usize,
    right: &[f32],
    columns: usize,
    first: usize,
) {
    let width = wide.min(columns - first);
    for (to, row) in panel.chunks_exact_mut(wide).zip(right.chunks_exact(columns)) {
        let from = &row[first..first + width];
        let (whole, rest) = S::as_simd_f32s(from);
        let (to, _) = to.split_at_mut(width);
        let (to, to_rest) = S::as_mut_simd_f32s(to);
        // Vector by vector: so few are quicker than a call that copies.
        to.iter_mut().zip(whole).for_each(|(to, from)| *to = *from);
        to_rest.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    }
}

/// The same for one that lies column by column, each of `depth`, `TURNED` of them at a time; what lies beyond the last
/// column is not read.
#[inline(always)]
fn pack_columns<const TURNED: usize>(
    panel: &mut [f32],
    wide: usize,
    right: &[f32],
    depth: usize,
    first: usize,
) {
    /// Of each column: longer pieces do not turn in registers.
    const PIECE: usize = 4;
    let mut columns = right.chunks_exact(depth).skip(first);
    for start in (0..wide).step_by(TURNED) {
        let mut group = [&right[..depth]; TURNED];
        group.iter_mut().zip(&mut columns).for_each(|(to, column)| *to = &column[..depth]);
        let mut at = 0;
        while at + PIECE <= depth {
            let pieces: [[f32; PIECE]; TURNED] = from_fn(|i| *group[i][at..].first_chunk().expect("it fits"));
            for row in 0..PIECE {
                let turned: [f32; TURNED] = from_fn(|i| pieces[i][row]);
                let to = panel[(at + row) * wide + start..].first_chunk_mut();
                *to.expect("panels are as wide as several columns") = turned;
            }
            at += PIECE;
        }
        for at in at..depth {
            panel[at * wide + start..][..TURNED].copy_from_slice(&group.map(|column| column[at]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::{Activation, Bias, WORD, normal};
    use crate::random::RandomState;

    /// Tiles, panels and squares that are whole, cut, or single.
    const SIZES: [[usize; 3]; 9] = [
        [1, 1, 1],
        [1, 768, 64],
        [7, 16, 3],
        [16, 40, 96],
        [5, 3, 65],
        [256, 17, 64],
        [259, 33, 128],
        [600, 5, 32],
        [64, 100, 160],
    ];

    #[test]
    fn agrees_with_the_definition_however_the_right_side_lies() {
        let mut source = RandomState::new(7);
        let mut random = |count| normal(&mut source, count);
        for size @ [rows, depth, columns] in SIZES {
            let (left, right, bias) = (random(rows * depth), random(depth * columns), random(columns));
            let turned: Vec<f32> =
                (0..columns * depth).map(|i| right[i % depth * columns + i / depth]).collect();
            let sum = |row: usize, column: usize| -> f64 {
                (0..depth)
                    .map(|k| f64::from(left[row * depth + k]) * f64::from(right[k * columns + column]))
                    .sum()
            };
            let in_panels = |wide: usize| -> Vec<f32> {
                let at = |i: usize| i / wide % depth * columns + i / (wide * depth) * wide + i % wide;
                (0..columns * depth).map(|i| right[at(i)]).collect()
            };
            // The second of each two is for a machine without vectors, whose panels are narrower.
            let whole = |wide: usize| columns.is_multiple_of(wide).then(|| in_panels(wide));
            let panels = [whole(panel_width()), whole(VECTORS)];
            let mut sides = vec![[Right::Rows(&right); 2], [Right::Columns(&turned); 2]];
            if let [Some(panels), Some(narrow)] = &panels {
                sides.push([Right::Panels(panels), Right::Panels(narrow)]);
            }
            for [right, narrow] in sides {
                let (mut values, mut panel) = (vec![f32::NAN; rows * columns], Vec::new());
                let block =
                    &mut Block { values: &mut values, width: columns, first_row: 0, first_channel: 0 };
                let panel = &mut panel;
                pulp::Scalar.vectorize(Multiply { left: &left, right: narrow, depth, columns, block, panel });
                for (at, y) in values.iter().enumerate() {
                    let expected = sum(at / columns, at % columns);
                    assert!((f64::from(*y) - expected).abs() < 1e-3, "{size:?} at {at}, without vectors");
                }
                let bias = Some(Bias { values: &bias, channels: columns, entries: rows * columns });
                let finish = Finish { bias, activation: Activation::LeakyRelu, other: None, slope: 0.2 };
                let mut words = vec![0; (rows * columns).div_ceil(WORD)];
                let y = product(&left, right, size, &mut words, finish);
                for (at, y) in y.iter().enumerate() {
                    let (row, column) = (at / columns, at % columns);
                    let before = sum(row, column) + f64::from(finish.bias.unwrap().values[column]);
                    let negative = (words[at / WORD] >> (at % WORD)) & 1 == 1;
                    let expected = before * if negative { f64::from(finish.slope) } else { 1.0 };
                    let bound = 1e-6 * (depth as f64).sqrt() * 8.0;
                    assert!(
                        (f64::from(*y) - expected).abs() < bound,
                        "{size:?} at {at}: {y} is not {expected}"
                    );
                    assert!(before.abs() < bound || negative == (before < 0.0), "{size:?} at {at}");
                }
            }
        }
    }
}
