//! The geometric stage of the augmentation for the CPU, channels-last f32: only what is read is ever doubled.
//!
//! A place is read from at most seven pixels an axis: six taps of the doubling filter for each of two bilinear
//! neighbours. A task is a picture, so a result never depends on the number of threads.

use super::cpu::{Cores, Shape, each};

/// The sym6 wavelet's low-pass filter, of sum 1 (augmentation notes, section 4.2).
#[expect(clippy::excessive_precision, reason = "as published")]
pub const FILTER: [f32; 12] = [
    0.010892349295318127,
    0.0024683058727532625,
    -0.08343160152435303,
    -0.034161560237407684,
    0.3472289443016052,
    0.5569463968276978,
    0.238952174782753,
    -0.05136248096823692,
    -0.01489187404513359,
    0.031625278294086456,
    0.0012499609729275107,
    -0.0055159335024654865,
];

/// Pixels of an axis that a place can be read from.
const TAPS: usize = 7;

/// Pixels of a side after reflecting (by all but one pixel on each side) and doubling.
pub const fn doubled(side: usize) -> usize {
    2 * (3 * side - 2)
}

/// Pixels of a side that are read, doubled, with what the filter needs around them.
pub const fn read(side: usize) -> usize {
    2 * side + FILTER.len()
}

/// Where the a-th place that is read lies, in pixels from the centre.
pub fn place(a: usize, side: usize) -> f32 {
    (a as f32 - side as f32 - 5.0) / 2.0
}

/// The centre's index in the doubled picture, less what belongs to the middle of a pixel.
pub fn centre(side: usize) -> f32 {
    3.0 * side as f32 - 3.0
}

/// The pixels that the n-th of the doubled, reflected axis is made of, with their weights.
pub fn doubled_from(n: usize, side: usize) -> impl Iterator<Item = (usize, f32)> {
    (0..FILTER.len()).filter_map(move |j| {
        let at = n + 5;
        let even = at.checked_sub(j).filter(|u| u % 2 == 0)?;
        Some((reflected(even / 2, side)?, 2.0 * FILTER[j]))
    })
}

/// The pixel that the i-th of an axis with all margins shows; none beyond them.
fn reflected(i: usize, side: usize) -> Option<usize> {
    let last = side - 1;
    match i {
        _ if i < last => Some(last - i),
        _ if i <= 2 * last => Some(i - last),
        _ if i <= 3 * last => Some(3 * last - i),
        _ => None,
    }
}

/// A place on an axis: source pixels and weights, none where a weight is 0.
#[derive(Clone, Copy)]
struct Place {
    pixels: [usize; TAPS],
    weights: [f32; TAPS],
}

impl Place {
    /// At `index` of the doubled axis; `None` if nothing of the picture is there.
    fn at(index: f32, side: usize) -> Option<Self> {
        let doubled = doubled(side) as i64;
        let floor = index.floor();
        let rest = index - floor;
        if !(floor >= -1.0 && floor < doubled as f32) {
            return None;
        }
        let n = floor as i64;
        let here = if n >= 0 { 1.0 - rest } else { 0.0 };
        let next = if n + 1 < doubled { rest } else { 0.0 };
        let first = (n - 5).div_euclid(2);
        let tap = |j: i64| usize::try_from(j).ok().and_then(|j| FILTER.get(j)).copied().unwrap_or(0.0);
        let mut place = Self { pixels: [0; TAPS], weights: [0.0; TAPS] };
        for k in 0..TAPS {
            let i = first + k as i64;
            let Some(pixel) = usize::try_from(i).ok().and_then(|i| reflected(i, side)) else { continue };
            let j = n + 5 - 2 * i;
            place.pixels[k] = pixel;
            place.weights[k] = 2.0 * (here * tap(j) + next * tap(j + 1));
        }
        Some(place)
    }
}

/// The places that one picture is read at, row by row: `read * read` of them.
fn places(side: usize, geometry: &[f32; 6]) -> impl Iterator<Item = Option<(Place, Place)>> {
    let read = read(side);
    let [xx, xy, xt, yx, yy, yt] = *geometry;
    (0..read * read).map(move |index| {
        let (right, down) = (place(index % read, side), place(index / read, side));
        let column = (right * xx + down * xy + xt) * 2.0 + centre(side);
        let row = (right * yx + down * yy + yt) * 2.0 + centre(side);
        Some((Place::at(row, side)?, Place::at(column, side)?))
    })
}

/// Pictures `x [batch, side, side, channels]` along `geometry [batch, 2, 3]`.
pub fn apply(x: &[f32], shape: Shape, geometry: &[f32]) -> Vec<f32> {
    let [_, side, _, channels] = shape;
    let size = side * side * channels;
    let mut result = vec![0.0; x.len()];
    let pictures = result.chunks_mut(size).zip(x.chunks(size)).zip(geometry.as_chunks::<6>().0);
    each(Cores::All, pictures, |((result, x), geometry)| {
        let read = read(side);
        let mut sampled = vec![0.0; read * read * channels];
        for (out, place) in sampled.chunks_exact_mut(channels).zip(places(side, geometry)) {
            let Some((row, column)) = place else { continue };
            for (y, vertical) in row.pixels.iter().zip(row.weights) {
                for (x_at, horizontal) in column.pixels.iter().zip(column.weights) {
                    let pixel = &x[(y * side + x_at) * channels..][..channels];
                    let weight = vertical * horizontal;
                    out.iter_mut().zip(pixel).for_each(|(out, pixel)| *out += weight * pixel);
                }
            }
        }
        // Columns, then rows.
        let mut narrow = vec![0.0; read * side * channels];
        for (narrow, sampled) in
            narrow.chunks_exact_mut(side * channels).zip(sampled.chunks_exact(read * channels))
        {
            halve(narrow, sampled, channels);
        }
        halve(result, &narrow, side * channels);
    });
    result
}

/// The adjoint of [`apply`].
pub fn adjoint(delta: &[f32], shape: Shape, geometry: &[f32]) -> Vec<f32> {
    let [_, side, _, channels] = shape;
    let size = side * side * channels;
    let mut result = vec![0.0; delta.len()];
    let pictures = result.chunks_mut(size).zip(delta.chunks(size)).zip(geometry.as_chunks::<6>().0);
    each(Cores::All, pictures, |((result, delta), geometry)| {
        let read = read(side);
        let mut narrow = vec![0.0; read * side * channels];
        halve_adjoint(&mut narrow, delta, side * channels);
        let mut sampled = vec![0.0; read * read * channels];
        for (narrow, sampled) in
            narrow.chunks_exact(side * channels).zip(sampled.chunks_exact_mut(read * channels))
        {
            halve_adjoint(sampled, narrow, channels);
        }
        for (value, place) in sampled.chunks_exact(channels).zip(places(side, geometry)) {
            let Some((row, column)) = place else { continue };
            for (y, vertical) in row.pixels.iter().zip(row.weights) {
                for (x_at, horizontal) in column.pixels.iter().zip(column.weights) {
                    let pixel = &mut result[(y * side + x_at) * channels..][..channels];
                    let weight = vertical * horizontal;
                    pixel.iter_mut().zip(value).for_each(|(pixel, value)| *pixel += weight * value);
                }
            }
        }
    });
    result
}

/// Halves an axis of entries of `width` values: entry i is the filtered sum of those from 2i + 1.
fn halve(narrow: &mut [f32], wide: &[f32], width: usize) {
    for (i, out) in narrow.chunks_exact_mut(width).enumerate() {
        for (k, tap) in FILTER.iter().enumerate() {
            let from = &wide[(2 * i + 1 + k) * width..][..width];
            out.iter_mut().zip(from).for_each(|(out, from)| *out += tap * from);
        }
    }
}

fn halve_adjoint(wide: &mut [f32], narrow: &[f32], width: usize) {
    for (i, value) in narrow.chunks_exact(width).enumerate() {
        for (k, tap) in FILTER.iter().enumerate() {
            let to = &mut wide[(2 * i + 1 + k) * width..][..width];
            to.iter_mut().zip(value).for_each(|(to, value)| *to += tap * value);
        }
    }
}
