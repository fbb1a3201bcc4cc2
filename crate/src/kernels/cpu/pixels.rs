//! Samples as pixels, for textures.

use crate::pictures;

/// Pixels that begin at multiples of 256 bytes, as rows must that a texture is copied from.
pub const ROW: usize = 64;

/// `x [.., width, 3]` as words of RGBA, the first byte red, with `row` of them for each `width`.
pub fn rgba(x: &[f32], width: usize, row: usize) -> Vec<u32> {
    let mut words = Vec::with_capacity(x.len() / 3 / width.max(1) * row);
    for line in pictures::to_rgba(x).as_chunks::<4>().0.chunks(width) {
        words.extend(line.iter().map(|pixel| u32::from_le_bytes(*pixel)));
        words.resize(words.len().next_multiple_of(row), 0);
    }
    words
}
