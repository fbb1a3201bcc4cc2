//! A tensor as torch describes it: which storage it lies in, and how.

use std::ops::Range;

use super::{Arena, Id, Names, Result, problem};

/// No tensor of a network has more axes than a convolution's weight; torch allows more.
const MOST_AXES: usize = 8;
const BYTES: usize = 4;

/// Where the values of a tensor of f32 lie in its storage: one after the other, in the order of their axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub store: Id,
    /// In values.
    pub offset: usize,
    pub shape: Vec<usize>,
}

impl Layout {
    /// `(storage, offset, size, stride)`, with `requires_grad`, hooks and metadata behind it in newer files.
    pub fn read<N: Names>(arena: &Arena<N>, arguments: &[Id]) -> Result<Self> {
        let &[store, offset, size, stride, ..] = arguments else {
            return problem("has a tensor that is not described as torch does");
        };
        let (Some(offset), Some(shape), Some(strides)) =
            (arena.count(offset), counts(arena, size), counts(arena, stride))
        else {
            return problem("has a tensor whose size is not one of whole, positive numbers");
        };
        if shape.len() > MOST_AXES || shape.len() != strides.len() {
            return problem(format!("has a tensor of {} axes with {} strides", shape.len(), strides.len()));
        }
        let count = shape.iter().try_fold(1u64, |all, size| all.checked_mul(*size));
        // A product that fits has factors that do, unless one of them is zero.
        let sizes: Option<Vec<usize>> = shape.iter().map(|size| usize::try_from(*size).ok()).collect();
        let (Some(count), Some(sizes)) = (count, sizes) else {
            return problem(format!("has a tensor of the size {shape:?}, which no machine holds"));
        };
        let end = count.checked_add(offset).and_then(|end| end.checked_mul(BYTES as u64));
        if end.is_none_or(|end| usize::try_from(end).is_err()) {
            return problem(format!("has a tensor of the size {shape:?} that is larger than its storage"));
        }
        if !in_order(&shape, &strides) {
            return problem(format!(
                "has a tensor of the size {shape:?} whose values lie in another order (strides {strides:?})"
            ));
        }
        Ok(Self { store, offset: offset as usize, shape: sizes })
    }

    /// Number of values.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Where the values lie in a storage of `length` bytes.
    pub fn part(&self, length: usize) -> Result<Range<usize>> {
        let part = self.offset * BYTES..(self.offset + self.count()) * BYTES;
        if part.end > length {
            let shape = &self.shape;
            return problem(format!("has a tensor of the size {shape:?} that is larger than its storage"));
        }
        Ok(part)
    }
}

/// Whether the last axis is the innermost one, and so on; the stride of an axis of one entry means nothing.
fn in_order(shape: &[u64], strides: &[u64]) -> bool {
    let mut expected = 1u64;
    shape.iter().zip(strides).rev().all(|(size, stride)| {
        let fits = *size <= 1 || *stride == expected;
        expected = expected.saturating_mul(*size);
        fits
    })
}

fn counts<N: Names>(arena: &Arena<N>, id: Id) -> Option<Vec<u64>> {
    arena.tuple(id)?.iter().map(|item| arena.count(*item)).collect()
}
