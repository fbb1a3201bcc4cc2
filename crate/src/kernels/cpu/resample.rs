//! Resampling by two with `[1, 3, 3, 1] / 8` on each axis, rows first; see [`crate::linear::resample`].

use pulp::{Arch, Simd, WithSimd};

use super::{Cores, ENTRIES_ALONE, Shape, TASK, each, enough_tasks};

/// `x [b, h, w, c]` in twice or half the size, times `factor`.
pub fn resample(x: &[f32], [batch, height, width, channels]: Shape, up: bool, factor: f32) -> Vec<f32> {
    let (rows, columns) = if up { (2 * height, 2 * width) } else { (height / 2, width / 2) };
    let mut y = vec![0.0; batch * rows * columns * channels];
    if y.is_empty() {
        return y;
    }
    let arch = Arch::new();
    // Some rows a task, which share a line.
    let some = (TASK / (columns * channels)).clamp(1, (batch * rows).div_ceil(enough_tasks()));
    let cores = Cores::all_if(y.len() > ENTRIES_ALONE);
    let tasks = y.chunks_mut(some * columns * channels).enumerate();
    each(cores, tasks, |(task, y)| {
        let mut line = vec![0.0; width * channels];
        for (index, y) in y.chunks_exact_mut(columns * channels).enumerate() {
            let (picture, row) = ((task * some + index) / rows, (task * some + index) % rows);
            let x = &x[picture * height * width * channels..][..height * width * channels];
            arch.dispatch(Row { x, height, channels, row, up, factor, line: &mut line, y });
        }
    });
    y
}

/// One row of the result.
struct Row<'a> {
    x: &'a [f32],
    height: usize,
    channels: usize,
    row: usize,
    up: bool,
    factor: f32,
    /// The rows of `x` that meet, in one: `[width, channels]`.
    line: &'a mut [f32],
    y: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, height, channels, row, up, factor, line, y } = self;
        combine(line, x, height, row, up, factor);
        let width = line.len() / channels;
        for (column, pixel) in y.chunks_exact_mut(channels).enumerate() {
            combine(pixel, line, width, column, up, 1.0);
        }
    }
}

/// The place `at` of an axis that is resampled: `y` is `factor` times a weighted sum of neighbouring parts of `x`, of which
/// there are `length`; what lies outside is zero.
#[inline(always)]
fn combine(y: &mut [f32], x: &[f32], length: usize, at: usize, up: bool, factor: f32) {
    let part = |index: Option<usize>| {
        index.filter(|index| *index < length).map(|index| &x[index * y.len()..(index + 1) * y.len()])
    };
    if up {
        // The near one, and the one on the side of the even or the odd result.
        let near = part(Some(at / 2)).expect("the result has twice the size");
        let far = part(if at.is_multiple_of(2) { (at / 2).checked_sub(1) } else { Some(at / 2 + 1) });
        set(y, near, 0.75 * factor);
        far.into_iter().for_each(|far| add(y, far, 0.25 * factor));
    } else {
        let taps = [((2 * at).checked_sub(1), 0.125), (Some(2 * at), 0.375)];
        let later = [(Some(2 * at + 1), 0.375), (Some(2 * at + 2), 0.125)];
        let mut parts =
            taps.into_iter().chain(later).filter_map(|(index, weight)| Some((part(index)?, weight)));
        let (first, weight) = parts.next().expect("a result has a tap inside");
        let rest: [Option<(&[f32], f32)>; 3] = [parts.next(), parts.next(), parts.next()];
        set(y, first, weight * factor);
        rest.into_iter().flatten().for_each(|(part, weight)| add(y, part, weight * factor));
    }
}

#[inline(always)]
fn set(y: &mut [f32], x: &[f32], weight: f32) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = x * weight);
}

#[inline(always)]
fn add(y: &mut [f32], x: &[f32], weight: f32) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += x * weight);
}
