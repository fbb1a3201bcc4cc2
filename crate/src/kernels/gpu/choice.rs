//! Which kernel computes a product, or a convolution in groups: fixed by sizes, layouts, format and what the device has, never
//! by a clock. What `r3gan bench --tune` measured on a device replaces the choice for exactly those sizes ([`super::tuned`]).
//!
//! | format | matrix units | right's columns | left | right | kernel of a product |
//! |---|---|---|---|---|---|
//! | f32 | none | any | whole vectors of terms | whole vectors of columns, or [`TURNED`] rows to turn them for | [`Product::Rows`] |
//! | f32 | yes | up to [`WIDEST`] | the same | the same | [`Product::Rows`] |
//! | f32 | none | any | whole vectors of rows, [`TURNED`] or more | whole vectors of columns | [`Product::Columns`] |
//! | f32 | yes | up to [`WIDEST`] | whole vectors of rows | whole vectors of columns | [`Product::Columns`] |
//! | f32 | | up to [`WIDEST`] | anything else | anything else | [`Product::Scalars`] |
//! | f32 | none | any, of fewer rows than [`TURNED`] | anything else | anything else | [`Product::Scalars`] |
//! | half | none | any | as for `Rows` | as for `Rows` | [`Product::Rows`] |
//! | all the rest | | | | | [`Product::Library`] |
//!
//! A convolution is [`Convolution::Strips`] where matrix units take it, else [`Convolution::Tiles`]. Tiles are as large as
//! leaves enough units to fill the device: a larger one reads less for a product.

use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use super::LANES;
use super::finish::PIXELS;

/// The widest result of our own kernels where tiles that a work group shares may pay.
const WIDEST: usize = 512;

/// Rows for which a right side is turned in memory before it is read.
const TURNED: usize = 16;

/// Rows that a unit of [`Product::Rows`] computes.
pub const ROWS: usize = 2 * PIXELS;

/// Rows and columns that a unit of [`Product::Columns`] computes for each vector, and one of [`Product::Scalars`].
pub const TILE: usize = LANES;

/// A part of a sum has at least so many terms.
const LONG: usize = 1 << 8;

/// What a device has room for.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Units that keep all of it at work.
    pub full: usize,
    /// Units to split a long sum over: fewer leave parts of it idle.
    pub enough: usize,
    /// Whether it has matrix units for the operation.
    pub matrix_units: bool,
}

impl Capacity {
    /// How many of `side` neighbouring tiles a unit computes, where one for each would be so many `units`: two, which read
    /// less for a product, if those that are left fill the device.
    fn tiles_of_unit(self, side: usize, units: usize) -> usize {
        if side.is_multiple_of(2) && units / 2 >= self.full { 2 } else { 1 }
    }
}

/// What several kernels can compute.
pub trait Operation {
    type Kernel;
    /// The table's choice.
    fn fixed(&self, capacity: Capacity) -> Self::Kernel;
}

/// A product of `left [groups, rows, terms]` and `right [groups, terms, columns]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Multiply {
    pub format: DType,
    pub groups: usize,
    pub rows: usize,
    pub terms: usize,
    pub columns: usize,
    pub left: Layout,
    pub right: Layout,
    /// Whether anything is done to the result, which some kernels do while it is in registers.
    pub finishes: bool,
}

/// Which entries of a matrix are neighbours in memory, in whole vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Those of a row.
    Rows,
    /// Those of a column.
    Columns,
    /// None, or not in whole vectors.
    Scattered,
}

/// A way to multiply matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// 8 rows times so many vectors of columns for each unit; it can finish what it computes.
    Rows { vectors: usize },
    /// So many vectors of both for each unit, over a part of a long sum.
    Columns { vectors: usize },
    /// 4 rows by 4 columns, entry by entry, over a part of a long sum.
    Scalars,
    /// cubek's: tiles in shared memory, and in half precision matrix units where there are any. In f32 they would round to
    /// TF32.
    Library,
}

impl Multiply {
    pub fn is_f32(&self) -> bool {
        self.format == DType::F32
    }

    /// Whether [`Product::Rows`] can read it, if right is turned first where it has to be.
    pub fn by_rows(&self) -> bool {
        self.columns.is_multiple_of(LANES) && self.terms.is_multiple_of(LANES) && self.left == Layout::Rows
    }

    /// Whether [`Product::Columns`] can read it.
    pub fn by_columns(&self) -> bool {
        let whole = self.columns.is_multiple_of(LANES) && self.rows.is_multiple_of(LANES);
        self.is_f32() && whole && self.left == Layout::Columns && self.right == Layout::Rows
    }

    /// Tiles of so many rows and columns, and the parts that the sum of each is split into.
    pub fn parts(&self, side: usize, capacity: Capacity) -> (usize, usize) {
        let tiles = self.groups * self.rows.div_ceil(side) * self.columns.div_ceil(side);
        (tiles, capacity.enough.div_ceil(tiles).min((self.terms / LONG).max(1)))
    }

    fn rows_tiled(&self, capacity: Capacity) -> Product {
        let (down, across) = (self.groups * self.rows.div_ceil(ROWS), self.columns / LANES);
        Product::Rows { vectors: capacity.tiles_of_unit(across, down * across) }
    }

    /// Whether units of [`Product::Columns`] can take two vectors of both.
    pub fn halves(&self) -> bool {
        self.rows.is_multiple_of(2 * TILE) && self.columns.is_multiple_of(2 * TILE)
    }

    fn columns_tiled(&self, capacity: Capacity) -> Product {
        let (tiles, parts) = self.parts(2 * TILE, capacity);
        Product::Columns { vectors: if self.halves() && tiles * parts >= capacity.full { 2 } else { 1 } }
    }
}

impl Operation for Multiply {
    type Kernel = Product;

    fn fixed(&self, capacity: Capacity) -> Product {
        let by_rows = self.by_rows() && (self.right == Layout::Rows || self.rows >= TURNED);
        match () {
            _ if !self.is_f32() && (capacity.matrix_units || !by_rows) => Product::Library,
            _ if self.columns > WIDEST && capacity.matrix_units => Product::Library,
            _ if by_rows => self.rows_tiled(capacity),
            _ if self.rows < TURNED => Product::Scalars,
            _ if self.by_columns() => self.columns_tiled(capacity),
            _ if self.columns > WIDEST => Product::Library,
            _ => Product::Scalars,
        }
    }
}

/// A 3x3 convolution of `[batch, height, width, channels]` in groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Convolve {
    pub format: DType,
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub groups: usize,
    /// Whether anything is done to the result.
    pub finishes: bool,
}

/// A way to convolve in groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convolution {
    /// So many times 4 pixels of so many vectors of channels for each unit.
    Tiles { tiles: usize, vectors: usize },
    /// On matrix units.
    Strips,
}

impl Convolve {
    /// Groups of pixels in a row that a unit may compute, and vectors of a group's channels.
    pub fn across(&self) -> (usize, usize) {
        (self.width.div_ceil(PIXELS), self.channels / self.groups / LANES)
    }

    /// Whether rows are whole tiles.
    pub fn is_whole(&self) -> bool {
        self.width.is_multiple_of(PIXELS)
    }
}

impl Operation for Convolve {
    type Kernel = Convolution;

    fn fixed(&self, capacity: Capacity) -> Convolution {
        if capacity.matrix_units {
            return Convolution::Strips;
        }
        let (across, vectors) = self.across();
        let units = self.batch * self.height * across * self.channels / LANES;
        let tiles = if self.is_whole() { capacity.tiles_of_unit(across, units) } else { 1 };
        Convolution::Tiles { tiles, vectors: capacity.tiles_of_unit(vectors, units / tiles) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: Capacity = Capacity { full: 1 << 12, enough: 1 << 15, matrix_units: false };

    fn multiply([rows, terms, columns]: [usize; 3], [left, right]: [Layout; 2], format: DType) -> Multiply {
        Multiply { format, groups: 1, rows, terms, columns, left, right, finishes: false }
    }

    #[test]
    fn the_table_is_as_written() {
        use DType::{BF16, F32};
        use Layout::{Columns, Rows, Scattered};
        let small = Product::Rows { vectors: 1 };
        let large = Product::Rows { vectors: 2 };
        for (sizes, layouts, format, matrix_units, expected) in [
            // demo-32: a 1x1 convolution, its adjoint, its weight's gradient; the first of them with matrix units.
            ([8192, 128, 256], [Rows, Columns], F32, false, large),
            ([8192, 256, 128], [Rows, Rows], F32, false, large),
            ([256, 8192, 128], [Columns, Rows], F32, false, Product::Columns { vectors: 2 }),
            ([8192, 128, 256], [Rows, Columns], F32, true, large),
            // Few pixels, and a short sum: larger tiles would leave units idle.
            ([64, 128, 256], [Rows, Columns], F32, false, small),
            ([64, 256, 64], [Columns, Rows], F32, false, Product::Columns { vectors: 1 }),
            // From three channels, and to them.
            ([8192, 3, 64], [Scattered, Scattered], F32, false, Product::Scalars),
            ([8192, 64, 3], [Rows, Scattered], F32, false, Product::Scalars),
            // One row: turning the weight would cost more than the product.
            ([1, 64, 128], [Rows, Columns], F32, false, Product::Scalars),
            ([8, 64, 1024], [Rows, Columns], F32, false, Product::Scalars),
            ([8, 64, 1024], [Rows, Columns], F32, true, Product::Library),
            // cifar10's are wide: from few pixels and many, the same with matrix units, a weight's gradient.
            ([16, 768, 1536], [Rows, Columns], F32, false, small),
            ([4096, 768, 1536], [Rows, Columns], F32, false, large),
            ([4096, 768, 1536], [Rows, Columns], F32, true, Product::Library),
            ([1536, 4096, 768], [Columns, Rows], F32, false, Product::Columns { vectors: 2 }),
            ([1536, 4096, 768], [Columns, Rows], F32, true, Product::Library),
            // Half precision belongs to matrix units where there are any.
            ([8192, 128, 256], [Rows, Columns], BF16, false, large),
            ([8192, 128, 256], [Rows, Columns], BF16, true, Product::Library),
            ([256, 8192, 128], [Columns, Rows], BF16, false, Product::Library),
        ] {
            let (case, capacity) = (multiply(sizes, layouts, format), Capacity { matrix_units, ..LARGE });
            assert_eq!(case.fixed(capacity), expected, "{case:?}");
        }
    }

    #[test]
    fn convolutions_are_tiled_to_fill_the_device() {
        let case = |batch, width, channels, groups| Convolve {
            format: DType::F32,
            batch,
            height: 32,
            width,
            channels,
            groups,
            finishes: true,
        };
        let tiles = |tiles, vectors| Convolution::Tiles { tiles, vectors };
        for (case, expected) in [
            (case(32, 32, 128, 8), tiles(2, 2)),
            (case(1, 4, 512, 32), tiles(1, 1)),
            // Two tiles of pixels, but no second tile of channels: one vector a group.
            (case(32, 32, 32, 8), tiles(2, 1)),
            // Rows of 5 pixels are not whole tiles.
            (case(32, 5, 128, 8), tiles(1, 2)),
        ] {
            assert_eq!(case.fixed(LARGE), expected, "{case:?}");
            let on_units = Capacity { matrix_units: true, ..LARGE };
            assert_eq!(case.fixed(on_units), Convolution::Strips);
        }
    }
}
