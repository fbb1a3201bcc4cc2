//! Which pictures a contact sheet shows.

use std::collections::BTreeMap;

use super::{Picture, grid};
use crate::data::{Dataset, Values};
use crate::error::{Error, Result};
use crate::random::RandomState;

/// The largest sheet, in bytes of pixels.
const MOST: usize = 256 << 20;

/// Pictures of a shuffled data set side by side; with labels, a row for each of the lowest classes. There are no more
/// columns and rows than pictures need.
///
/// # Errors
/// [`Error::Setting`] for points and for a sheet that is too large, and those of reading a picture.
pub fn contact_sheet(dataset: &Dataset, columns: usize, rows: usize, seed: u32) -> Result<Picture> {
    let mut order: Vec<u32> = (0..dataset.len() as u32).collect();
    RandomState::new(seed).shuffle(&mut order);
    let mut columns = columns.min(order.len());
    let mut shown: Vec<Option<u32>> = Vec::new();
    if dataset.classes() == 0 {
        shown.extend(order.into_iter().take(columns.saturating_mul(rows)).map(Some));
    } else {
        let mut by_class: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for index in order {
            let row = by_class.entry(dataset.class_of(index)).or_default();
            if row.len() < columns {
                row.push(index);
            }
        }
        columns = by_class.values().take(rows).map(Vec::len).max().unwrap_or(0);
        for row in by_class.into_values().take(rows) {
            shown.extend((0..columns).map(|column| row.get(column).copied()));
        }
    }
    let side = dataset.side();
    let size = shown.len().saturating_mul(side * side * 3);
    if size > MOST {
        let reason = format!(
            "{} pictures of {side}x{side} are more than a sheet can hold; ask for fewer",
            shown.len()
        );
        return Err(Error::setting("--columns and --rows", reason));
    }
    let mut pixels = vec![0; size];
    let indices: Vec<u32> = shown.iter().flatten().copied().collect();
    let Values::Pixels(decoded) = dataset.batch(&indices)?.values else {
        return Err(Error::setting("data set", "holds points, which have no contact sheet"));
    };
    let item = side * side * 3;
    let places = pixels.chunks_exact_mut(item).zip(&shown).filter(|(_, index)| index.is_some());
    places.zip(decoded.chunks_exact(item)).for_each(|((place, _), picture)| place.copy_from_slice(picture));
    Ok(grid(&pixels, side, columns))
}
