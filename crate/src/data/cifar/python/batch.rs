//! A batch of CIFAR-10's python version: the pickle of a dictionary with labels and a numpy array of planes.
//!
//! This file depends on std and `crate::pickle` alone, so that `fuzz/` and `tests/snapshots` can include it as it is.

use crate::pickle::{self, Cursor, Id, Names, Problem, Result, Role, Rules, problem, run};

const PIXELS: usize = 3 * 32 * 32;
const CLASSES: u64 = 10;
/// The longest list or dictionary key that is compared.
const MOST_ENTRIES: usize = 64;
/// A batch of 10,000 takes about 50,000: two for every label, three for every file name.
const RULES: Rules = Rules { steps: 1 << 20, persistent: false, byte_strings: true };

/// What a batch may import: numpy's array, under the names of all its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numpy {
    Reconstruct,
    Array,
    DataType,
}

type Arena<'a> = pickle::Arena<'a, Numpy>;
type Value<'a> = pickle::Value<'a, Numpy>;

impl Names for Numpy {
    const FILE: &'static str = "CIFAR-10 batch";

    fn find(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Some(Self::Reconstruct),
            ("numpy", "ndarray") => Some(Self::Array),
            ("numpy", "dtype") => Some(Self::DataType),
            _ => None,
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Reconstruct | Self::DataType => Role::Function { stateful: true },
            Self::Array => Role::Constant,
        }
    }
}

/// Labels from 0 to 9, and as many pictures: for each the red, the green and the blue plane of 32x32.
#[derive(Debug)]
pub struct Batch<'a> {
    pub labels: Vec<u8>,
    pub planes: &'a [u8],
}

impl<'a> Batch<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        if !pickle::is_one(bytes) {
            return problem("is no CIFAR-10 batch: it does not begin as a pickle does");
        }
        let mut cursor = Cursor::new(bytes);
        let (arena, whole) = run::<Numpy>(&mut cursor, RULES)?;
        if cursor.remaining() > 0 {
            return problem(format!("is damaged: {} bytes follow its end", cursor.remaining()));
        }
        let labels = labels(&arena, entry(&arena, whole, "labels")?)?;
        let planes = planes(&arena, entry(&arena, whole, "data")?)?;
        if planes.len() != labels.len() * PIXELS {
            let pictures = planes.len() / PIXELS;
            return problem(format!("has {} labels for {pictures} pictures; fetch it again", labels.len()));
        }
        if labels.is_empty() {
            return problem("holds no pictures");
        }
        Ok(Self { labels, planes })
    }
}

/// What a dictionary has under `key`, which Python 2 writes as bytes.
fn entry(arena: &Arena, id: Id, key: &str) -> Result<Id> {
    let entries = arena.entries(id).filter(|entries| entries.len() <= MOST_ENTRIES);
    let is_key = |id: Id| match arena.get(id) {
        Value::Bytes(bytes) => *bytes == key.as_bytes(),
        Value::Text(text) => *text == key,
        _ => false,
    };
    let found = entries.and_then(|entries| entries.iter().rev().find(|(name, _)| is_key(*name)));
    match found {
        Some((_, value)) => Ok(*value),
        None => problem(format!("is no CIFAR-10 batch: it has no {key}")),
    }
}

fn labels(arena: &Arena, id: Id) -> Result<Vec<u8>> {
    let Some(list) = arena.list(id) else { return problem("has labels that are no list") };
    let label = |(place, id): (usize, &Id)| match arena.count(*id) {
        Some(label) if label < CLASSES => Ok(label as u8),
        Some(label) => {
            problem(format!("gives picture {place} the label {label}; the labels of CIFAR-10 are 0 to 9"))
        }
        None => problem(format!("gives picture {place} a label that is no whole, positive number")),
    };
    list.iter().enumerate().map(label).collect()
}

/// The bytes of `_reconstruct(ndarray, (0,), 'b')` with the state `(1, (n, 3072), dtype('u1'), False, bytes)`.
fn planes<'a>(arena: &Arena<'a>, id: Id) -> Result<&'a [u8]> {
    let other = || Problem("has data that is no numpy array of bytes, row by row".into());
    let array = state(arena, id, Numpy::Reconstruct).ok_or_else(other)?;
    let &[_, shape, kind, by_column, values] = array else { return Err(other()) };
    let (Value::Bool(false), Value::Bytes(bytes)) = (arena.get(by_column), arena.get(values)) else {
        return Err(other());
    };
    if !is_byte(arena, kind) {
        return Err(other());
    }
    let shape = arena.tuple(shape).filter(|shape| shape.len() == 2).ok_or_else(other)?;
    let [rows, width] = [shape[0], shape[1]].map(|size| arena.count(size));
    if width != Some(PIXELS as u64) {
        return problem(format!("has rows that are no 3x32x32 bytes ({PIXELS})"));
    }
    if rows.and_then(|rows| rows.checked_mul(PIXELS as u64)) != Some(bytes.len() as u64) {
        return problem("is damaged: its array is not as long as it says");
    }
    Ok(bytes)
}

/// Whether this is `dtype('u1')`.
fn is_byte(arena: &Arena, id: Id) -> bool {
    let Value::Made { by: Numpy::DataType, arguments, .. } = arena.get(id) else { return false };
    let Some(Value::Bytes(b"u1") | Value::Text("u1")) =
        arena.tuple(*arguments).and_then(|arguments| arguments.first()).map(|id| arena.get(*id))
    else {
        return false;
    };
    true
}

/// The tuple that an object which `maker` gave has as its state.
fn state<'s>(arena: &'s Arena, id: Id, maker: Numpy) -> Option<&'s [Id]> {
    match arena.get(id) {
        Value::Made { by, state: Some(state), .. } if *by == maker => arena.tuple(*state),
        _ => None,
    }
}
