//! Which kernel computes a product: fixed by sizes, layouts, format and what the device has, never by a clock.
//!
//! | format | matrix units | right's columns | left | right | kernel |
//! |---|---|---|---|---|---|
//! | f32 | none | any | whole vectors of terms | whole vectors of columns, or [`TURNED`] rows to turn them for | [`Product::Rows`] |
//! | f32 | yes | up to [`WIDEST`] | the same | the same | [`Product::Rows`] |
//! | f32 | | up to [`WIDEST`] | whole vectors of rows | whole vectors of columns | [`Product::Columns`] |
//! | f32 | | up to [`WIDEST`], or fewer rows than [`TURNED`] | anything else | anything else | [`Product::Scalars`] |
//! | half | none | any | as for `Rows` | as for `Rows` | [`Product::Rows`] |
//! | all the rest | | | | | [`Product::Library`] |

use super::LANES;

/// The widest result of our own kernels where tiles that a work group shares, or matrix units, may pay.
const WIDEST: usize = 512;

/// Rows for which a right side is turned in memory before it is read.
const TURNED: usize = 16;

/// A way to multiply matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// 8 rows times one or two vectors of columns for each unit; it can finish what it computes.
    Rows,
    /// Vectors of both for each unit, over a part of a long sum.
    Columns,
    /// The same, entry by entry.
    Scalars,
    /// cubek's: tiles in shared memory, and in half precision matrix units where there are any. In f32 they would round to
    /// TF32.
    Library,
}

/// Of `[rows, terms]` times `[terms, columns]`.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub rows: usize,
    pub terms: usize,
    pub columns: usize,
}

/// Which entries of a matrix are neighbours in memory, in whole vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Those of a row.
    Rows,
    /// Those of a column.
    Columns,
    /// None, or not in whole vectors.
    Scattered,
}

impl Product {
    pub fn choose(sizes: Sizes, [left, right]: [Layout; 2], is_f32: bool, has_matrix_units: bool) -> Self {
        let Sizes { rows, terms, columns } = sizes;
        let whole = |size: usize| size.is_multiple_of(LANES);
        let readable = right == Layout::Rows || rows >= TURNED;
        let by_rows = whole(columns) && whole(terms) && left == Layout::Rows && readable;
        let by_columns = whole(columns) && whole(rows) && left == Layout::Columns && right == Layout::Rows;
        match () {
            _ if !is_f32 && (has_matrix_units || !by_rows) => Self::Library,
            _ if columns > WIDEST && has_matrix_units => Self::Library,
            _ if by_rows => Self::Rows,
            _ if rows < TURNED => Self::Scalars,
            _ if columns > WIDEST => Self::Library,
            _ if by_columns => Self::Columns,
            _ => Self::Scalars,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_written() {
        use Layout::{Columns, Rows, Scattered};
        let choose = |[rows, terms, columns]: [usize; 3], layouts, is_f32, units| {
            Product::choose(Sizes { rows, terms, columns }, layouts, is_f32, units)
        };
        for (sizes, layouts, is_f32, units, expected) in [
            // demo-32: a 1x1 convolution, its adjoint, its weight's gradient; the first of them with matrix units.
            ([8192, 128, 256], [Rows, Columns], true, false, Product::Rows),
            ([8192, 256, 128], [Rows, Rows], true, false, Product::Rows),
            ([256, 8192, 128], [Columns, Rows], true, false, Product::Columns),
            ([8192, 128, 256], [Rows, Columns], true, true, Product::Rows),
            // From three channels, and to them.
            ([8192, 3, 64], [Scattered, Scattered], true, false, Product::Scalars),
            ([8192, 64, 3], [Rows, Scattered], true, false, Product::Scalars),
            // One row: turning the weight would cost more than the product.
            ([1, 64, 128], [Rows, Columns], true, false, Product::Scalars),
            // cifar10's are wide: from few pixels and many, the same with matrix units, a weight's gradient.
            ([16, 768, 1536], [Rows, Columns], true, false, Product::Rows),
            ([4096, 768, 1536], [Rows, Columns], true, false, Product::Rows),
            ([4096, 768, 1536], [Rows, Columns], true, true, Product::Library),
            ([1536, 4096, 768], [Columns, Rows], true, false, Product::Library),
            // Half precision belongs to matrix units where there are any.
            ([8192, 128, 256], [Rows, Columns], false, false, Product::Rows),
            ([8192, 128, 256], [Rows, Columns], false, true, Product::Library),
            ([256, 8192, 128], [Columns, Rows], false, false, Product::Library),
        ] {
            assert_eq!(choose(sizes, layouts, is_f32, units), expected, "{sizes:?} {layouts:?}");
        }
    }
}
