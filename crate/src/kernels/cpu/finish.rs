//! Bias, leaky ReLU, slopes and a residual's sum in one pass, in place; see [`crate::kernels::Finish`].

use std::cell::RefCell;
use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd};

use super::{Cores, TASK, each};

/// Entries of a word of slopes. Bit `i` of word `w` is of entry `32 w + i`.
pub const WORD: usize = u32::BITS as usize;

/// Products that one core does alone, in some ten microseconds: less is done before another would have woken up. A page's
/// threads are awake, and slower.
const PRODUCTS_ALONE: usize = if cfg!(target_family = "wasm") { 1 << 18 } else { 1 << 20 };

/// The entries of one word.
type Entries = [f32; WORD];

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
#[derive(Clone, Copy)]
pub enum Activation<'a> {
    Nothing,
    /// By the sign of each entry, which is also recorded where there are words for it.
    LeakyRelu,
    Slopes(&'a [u32]),
}

/// The parts of a pass, in the order in which they happen.
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    pub bias: Option<Bias<'a>>,
    pub activation: Activation<'a>,
    pub other: Option<&'a [f32]>,
    pub slope: f32,
}

/// Finishes `x`, entry after entry of `[pixels, channels]`; slopes are recorded if `record` is not empty.
pub fn finish(x: &mut [f32], record: &mut [u32], finish: Finish) {
    let arch = Arch::new();
    let part = |task: usize, x: &mut [f32], record: &mut [u32]| {
        arch.dispatch(Task { x, record, start: task * TASK, finish });
    };
    let tasks = x.chunks_mut(TASK).enumerate();
    if record.is_empty() {
        return each(Cores::All, tasks, |(task, x)| part(task, x, &mut []));
    }
    let records = record.chunks_mut(TASK / WORD);
    each(Cores::All, tasks.zip(records), |((task, x), record)| part(task, x, record));
}

/// Neighbouring channels of some rows of a feature map `[rows, channels]`.
pub struct Block<'a> {
    /// `[lines, width]`, in memory of the thread that computes it.
    pub values: &'a mut [f32],
    pub width: usize,
    pub first_row: usize,
    pub first_channel: usize,
}

/// Computes a feature map `[rows, channels]` block by block over all cores, each finished while it is in the cache.
///
/// `size` is the rows and channels of a block, the latter in whole words; `work` is how many products the whole map takes.
/// `body` sets all values of a block, which are those of an earlier one.
pub fn blocks(
    shape: [usize; 2],
    size: [usize; 2],
    work: usize,
    record: &mut [u32],
    finish: Finish,
    body: impl Fn(&mut Block) + Sync,
) -> Vec<f32> {
    let [rows, channels] = shape;
    let [tall, wide] = size;
    // Words then do not reach from one row into the next.
    let joins = channels.is_multiple_of(WORD);
    let part = |place: &mut Place| {
        VALUES.with_borrow_mut(|values| place.compute(values, channels, joins.then_some(finish), &body));
    };
    let cores = Cores::all_if(work > PRODUCTS_ALONE);
    // One, where there are strips for all: neighbouring blocks, which share lines of the cache, then are one core's.
    let within_strip = match cores {
        Cores::All => Cores::AtMost((2 * rayon::current_num_threads()).div_ceil(rows.div_ceil(tall).max(1))),
        _ => cores,
    };
    let mut y = Vec::with_capacity(rows * channels);
    let free = &mut y.spare_capacity_mut()[..rows * channels];
    let strips = free.chunks_mut(tall * channels).enumerate();
    if joins && !record.is_empty() {
        let records = record.chunks_mut(tall * channels / WORD);
        each(cores, strips.zip(records), |((strip, y), record)| {
            let mut places = places(y, strip * tall, channels, wide);
            for row in record.chunks_exact_mut(channels / WORD) {
                for (place, words) in places.iter_mut().zip(row.chunks_mut(wide / WORD)) {
                    place.records.push(words);
                }
            }
            each(within_strip, places.iter_mut(), part);
        });
    } else {
        each(cores, strips, |(strip, y)| {
            each(within_strip, places(y, strip * tall, channels, wide).iter_mut(), part);
        });
    }
    // SAFETY: the places cover the map, and each has set its lines.
    #[allow(unsafe_code)]
    unsafe {
        y.set_len(rows * channels);
    }
    if !joins {
        self::finish(&mut y, record, finish);
    }
    y
}

thread_local! {
    /// Of the block at hand: kept, since clearing what is written next takes as long as writing it.
    static VALUES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Where a block goes.
struct Place<'a> {
    /// One for each row.
    lines: Vec<&'a mut [MaybeUninit<f32>]>,
    /// The words of the slopes of each line, where they are recorded.
    records: Vec<&'a mut [u32]>,
    first_row: usize,
    first_channel: usize,
}

/// The places of the blocks of some whole rows.
fn places(y: &mut [MaybeUninit<f32>], first_row: usize, channels: usize, wide: usize) -> Vec<Place<'_>> {
    let place = |index| Place {
        lines: Vec::with_capacity(y.len() / channels),
        records: Vec::new(),
        first_row,
        first_channel: index * wide,
    };
    let mut places: Vec<Place> = (0..channels.div_ceil(wide)).map(place).collect();
    for row in y.chunks_exact_mut(channels) {
        for (place, line) in places.iter_mut().zip(row.chunks_mut(wide)) {
            place.lines.push(line);
        }
    }
    places
}

impl Place<'_> {
    /// Computes the block, finishes it if that is to be done here, and sets the lines.
    fn compute(
        &mut self,
        values: &mut Vec<f32>,
        channels: usize,
        finish: Option<Finish>,
        body: impl Fn(&mut Block),
    ) {
        let Self { first_row, first_channel, .. } = *self;
        let width = self.lines.first().map_or(0, |line| line.len());
        let entries = self.lines.len() * width;
        values.resize(values.len().max(entries), 0.0);
        let mut block = Block { values: &mut values[..entries], width, first_row, first_channel };
        body(&mut block);
        if let Some(finish) = finish {
            let records = &mut self.records;
            Arch::new().dispatch(FinishBlock { block: &mut block, records, channels, finish });
        }
        for (line, values) in self.lines.iter_mut().zip(block.values.chunks_exact(width)) {
            line.write_copy_of_slice(values);
        }
    }
}

/// What happens to the entries of one word, of which `start` is the first, after the bias.
///
/// Each is a loop of its own: one that asks what to do at every word is not made of vectors.
trait Activate: Copy {
    fn word(self, x: &mut Entries, start: usize, record: Option<&mut u32>);
}

#[derive(Clone, Copy)]
struct Identity;

impl Activate for Identity {
    #[inline(always)]
    fn word(self, _: &mut Entries, _: usize, _: Option<&mut u32>) {}
}

#[derive(Clone, Copy)]
struct LeakyRelu {
    slope: f32,
}

impl Activate for LeakyRelu {
    #[inline(always)]
    fn word(self, x: &mut Entries, _: usize, _: Option<&mut u32>) {
        x.iter_mut().for_each(|value| *value *= if *value <= 0.0 { self.slope } else { 1.0 });
    }
}

#[derive(Clone, Copy)]
struct Recorded {
    slope: f32,
}

impl Activate for Recorded {
    #[inline(always)]
    fn word(self, x: &mut Entries, _: usize, record: Option<&mut u32>) {
        let mut found = 0;
        for (bit, value) in x.iter_mut().enumerate() {
            let negative = *value <= 0.0;
            found |= u32::from(negative) << bit;
            *value = if negative { *value * self.slope } else { *value };
        }
        *record.expect("there is a word for all entries") = found;
    }
}

#[derive(Clone, Copy)]
struct Taken<'a> {
    words: &'a [u32],
    slope: f32,
}

impl Activate for Taken<'_> {
    #[inline(always)]
    fn word(self, x: &mut Entries, start: usize, _: Option<&mut u32>) {
        let taken = self.words[start / WORD];
        for (bit, value) in x.iter_mut().enumerate() {
            *value *= if (taken >> bit) & 1 == 1 { self.slope } else { 1.0 };
        }
    }
}

/// Entries that are finished word by word.
trait Words {
    fn each(self, activate: impl Activate);
}

#[inline(always)]
fn activate(words: impl Words, Finish { activation, slope, .. }: Finish, records: bool) {
    match activation {
        Activation::Nothing => words.each(Identity),
        Activation::LeakyRelu if records => words.each(Recorded { slope }),
        Activation::LeakyRelu => words.each(LeakyRelu { slope }),
        Activation::Slopes(taken) => words.each(Taken { words: taken, slope }),
    }
}

struct FinishBlock<'a, 'b, 'c> {
    block: &'a mut Block<'b>,
    records: &'a mut [&'c mut [u32]],
    channels: usize,
    finish: Finish<'a>,
}

impl WithSimd for FinishBlock<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (finish, records) = (self.finish, !self.records.is_empty());
        activate(self, finish, records);
    }
}

impl Words for FinishBlock<'_, '_, '_> {
    #[inline(always)]
    fn each(self, activate: impl Activate) {
        let Self { block: Block { values, width, first_row, first_channel }, records, channels, finish } =
            self;
        for (line, x) in values.chunks_exact_mut(*width).enumerate() {
            let start = (*first_row + line) * channels + *first_channel;
            let bias = finish.bias.map(|bias| bias.values[bias.at(start)..].as_chunks().0);
            let other = finish.other.map(|other| other[start..].as_chunks().0);
            let mut records = records.get_mut(line).map(|record| record.iter_mut());
            for (index, x) in x.as_chunks_mut().0.iter_mut().enumerate() {
                if let Some(bias) = bias {
                    add(x, &bias[index]);
                }
                activate.word(x, start + index * WORD, records.as_mut().and_then(Iterator::next));
                if let Some(other) = other {
                    add(x, &other[index]);
                }
            }
        }
    }
}

struct Task<'a> {
    x: &'a mut [f32],
    record: &'a mut [u32],
    /// The first entry of `x` in the whole tensor, that of a whole word.
    start: usize,
    finish: Finish<'a>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (finish, records) = (self.finish, !self.record.is_empty());
        activate(self, finish, records);
    }
}

impl Words for Task<'_> {
    #[inline(always)]
    fn each(self, activate: impl Activate) {
        let Self { x, record, start, finish: Finish { bias, other, .. } } = self;
        let mut records = record.iter_mut();
        let (words, rest) = x.as_chunks_mut();
        let whole = words.len() * WORD;
        let mut finish = |x: &mut Entries, start: usize| {
            if let Some(bias) = bias {
                add(x, &bias.word(start));
            }
            activate.word(x, start, records.next());
            if let Some(other) = other.map(|other| &other[start..]) {
                add(x, &other.first_chunk().copied().unwrap_or_else(|| padded(other)));
            }
        };
        for (index, x) in words.iter_mut().enumerate() {
            finish(x, start + index * WORD);
        }
        if !rest.is_empty() {
            let mut x = padded(rest);
            finish(&mut x, start + whole);
            rest.copy_from_slice(&x[..rest.len()]);
        }
    }
}

#[inline(always)]
fn add(x: &mut Entries, y: &Entries) {
    // All is read before any is written: vectors then need not know that the two do not overlap.
    let (before, y) = (*x, *y);
    for (i, x) in x.iter_mut().enumerate() {
        *x = before[i] + y[i];
    }
}

/// Less than a word's entries as many, with zeros.
#[inline(always)]
fn padded(values: &[f32]) -> Entries {
    let mut entries = [0.0; WORD];
    entries[..values.len()].copy_from_slice(values);
    entries
}

impl Bias<'_> {
    /// Where the value for an entry is.
    #[inline(always)]
    fn at(&self, entry: usize) -> usize {
        let sample = if self.values.len() == self.channels { 0 } else { entry / self.entries };
        sample * self.channels + entry % self.channels
    }

    /// What is added to a word's entries, of which `start` is the first.
    #[inline(always)]
    fn word(&self, start: usize) -> Entries {
        if self.channels.is_multiple_of(WORD) {
            return *self.values[self.at(start)..].first_chunk().expect("a row has whole words");
        }
        // The last word may reach beyond the tensor.
        std::array::from_fn(|lane| self.values.get(self.at(start + lane)).copied().unwrap_or(0.0))
    }
}
