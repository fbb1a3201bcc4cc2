//! Bias, leaky ReLU, slopes and a residual's sum in one pass, in place; see [`crate::kernels::Finish`].

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::TASK;

/// Entries of a word of slopes. Bit `i` of word `w` is of entry `32 w + i`.
pub const WORD: usize = u32::BITS as usize;

type Block = [f32; WORD];

/// A bias for each sample, or one for all of them.
#[derive(Clone, Copy)]
pub struct Bias<'a> {
    /// `[samples, channels]`
    pub values: &'a [f32],
    pub channels: usize,
    /// Entries of `x` that share a row of `values`.
    pub entries: usize,
}

/// What the pass does after the bias.
pub enum Activation<'a> {
    Nothing,
    LeakyRelu,
    Record(&'a mut [u32]),
    Slopes(&'a [u32]),
}

/// The parts of a pass, in the order in which they happen.
pub struct Finish<'a> {
    pub bias: Option<Bias<'a>>,
    pub activation: Activation<'a>,
    pub other: Option<&'a [f32]>,
    pub slope: f32,
}

/// Finishes `x`, entry after entry of `[pixels, channels]`.
pub fn finish(x: &mut [f32], Finish { bias, activation, other, slope }: Finish) {
    let arch = Arch::new();
    let part = |(task, x, activation): (usize, &mut [f32], Activation)| {
        let start = task * TASK;
        let other = other.map(|other| &other[start..start + x.len()]);
        arch.dispatch(Task { x, start, bias, activation, other, slope });
    };
    let tasks = x.par_chunks_mut(TASK).enumerate();
    match activation {
        Activation::Nothing => tasks.for_each(|(task, x)| part((task, x, Activation::Nothing))),
        Activation::LeakyRelu => tasks.for_each(|(task, x)| part((task, x, Activation::LeakyRelu))),
        Activation::Record(words) => tasks
            .zip(words.par_chunks_mut(TASK / WORD))
            .for_each(|((task, x), words)| part((task, x, Activation::Record(words)))),
        Activation::Slopes(words) => tasks
            .zip(words.par_chunks(TASK / WORD))
            .for_each(|((task, x), words)| part((task, x, Activation::Slopes(words)))),
    }
}

struct Task<'a> {
    x: &'a mut [f32],
    /// Its first entry in the whole tensor.
    start: usize,
    bias: Option<Bias<'a>>,
    activation: Activation<'a>,
    other: Option<&'a [f32]>,
    slope: f32,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, start, bias, mut activation, other, slope } = self;
        let (blocks, rest) = x.as_chunks_mut::<WORD>();
        let whole = blocks.len();
        for (index, block) in blocks.iter_mut().enumerate() {
            let other = other.map(|other| *block_of(other, index));
            finish_block(block, start + index * WORD, index, bias, &mut activation, other, slope);
        }
        if !rest.is_empty() {
            let padded = |values: &[f32]| {
                let mut block = [0.0; WORD];
                block[..values.len()].copy_from_slice(values);
                block
            };
            let mut block = padded(rest);
            let other = other.map(|other| padded(&other[whole * WORD..]));
            finish_block(&mut block, start + whole * WORD, whole, bias, &mut activation, other, slope);
            rest.copy_from_slice(&block[..rest.len()]);
        }
    }
}

#[inline(always)]
fn finish_block(
    x: &mut Block,
    entry: usize,
    word: usize,
    bias: Option<Bias>,
    activation: &mut Activation,
    other: Option<Block>,
    slope: f32,
) {
    if let Some(bias) = bias {
        add(x, &bias.block(entry));
    }
    match activation {
        Activation::Nothing => {}
        Activation::LeakyRelu => {
            x.iter_mut().for_each(|value| *value = if *value <= 0.0 { *value * slope } else { *value });
        }
        Activation::Record(words) => {
            let mut found = 0;
            for (bit, value) in x.iter_mut().enumerate() {
                let negative = *value <= 0.0;
                found |= u32::from(negative) << bit;
                *value = if negative { *value * slope } else { *value };
            }
            words[word] = found;
        }
        Activation::Slopes(words) => {
            let taken = words[word];
            for (bit, value) in x.iter_mut().enumerate() {
                *value *= if (taken >> bit) & 1 == 1 { slope } else { 1.0 };
            }
        }
    }
    if let Some(other) = other {
        add(x, &other);
    }
}

#[inline(always)]
fn add(x: &mut Block, y: &Block) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

#[inline(always)]
fn block_of(values: &[f32], index: usize) -> &Block {
    values[index * WORD..].first_chunk().expect("both have the same number of whole blocks")
}

impl Bias<'_> {
    /// What is added to the entries from `entry` on.
    #[inline(always)]
    fn block(&self, entry: usize) -> Block {
        let at = |entry: usize| {
            let sample = if self.values.len() == self.channels { 0 } else { entry / self.entries };
            sample * self.channels + entry % self.channels
        };
        if self.channels.is_multiple_of(WORD) {
            return *self.values[at(entry)..].first_chunk().expect("a row has whole blocks");
        }
        // The last block may reach beyond the tensor.
        std::array::from_fn(|lane| self.values.get(at(entry + lane)).copied().unwrap_or(0.0))
    }
}
