//! A tensor in the file: a shape, and where its values lie.

use super::globals::{Arena, Function, Global, Value};
use super::storage::storage;
use crate::pickle::{Id, Problem, Result, problem};

/// No tensor of a network has more axes than a convolution's weight; torch allows more.
const MOST_AXES: usize = 8;
const BYTES: u64 = 4;

/// f32 values that lie in the file in the order of their axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor<'a> {
    pub shape: Vec<usize>,
    /// Four for each value, lowest first.
    pub bytes: &'a [u8],
}

impl Tensor<'_> {
    pub fn values(&self) -> Vec<f32> {
        self.bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

/// The tensor of a parameter, or of a value that is one itself.
pub fn tensor<'a>(arena: &Arena<'a>, id: Id) -> Result<Tensor<'a>> {
    let damaged = || Problem("has a value that should be a tensor and is none".into());
    let called = |id| match arena.get(id) {
        Value::Made { by: Global::Function(function), arguments, .. } => Some((*function, *arguments)),
        _ => None,
    };
    let (function, arguments) = called(id).ok_or_else(damaged)?;
    let arguments = arena.tuple(arguments).ok_or_else(damaged)?;
    match (function, arguments) {
        (Function::Parameter, &[inner, _, _]) => match called(inner) {
            Some((Function::Tensor, arguments)) => {
                rebuilt(arena, arena.tuple(arguments).ok_or_else(damaged)?)
            }
            _ => Err(damaged()),
        },
        (Function::Tensor, arguments) => rebuilt(arena, arguments),
        _ => Err(damaged()),
    }
}

/// `(storage, offset, size, stride, requires_grad, hooks)`, with metadata behind it in newer files.
fn rebuilt<'a>(arena: &Arena<'a>, arguments: &[Id]) -> Result<Tensor<'a>> {
    let &[store, offset, size, stride, _, _, ..] = arguments else {
        return problem("has a tensor that is not described as torch does");
    };
    let values = match arena.get(store) {
        Value::Made { by: Global::Function(Function::Storage), arguments, .. } => {
            match arena.tuple(*arguments) {
                Some(&[blob]) => match arena.get(blob) {
                    Value::Bytes(blob) => storage(blob)?,
                    _ => return problem("has a tensor without bytes"),
                },
                _ => return problem("has a tensor without bytes"),
            }
        }
        _ => return problem("has a tensor without a storage"),
    };
    let (Some(offset), Some(shape), Some(strides)) =
        (arena.count(offset), counts(arena, size), counts(arena, stride))
    else {
        return problem("has a tensor whose size is not one of whole, positive numbers");
    };
    if shape.len() > MOST_AXES || shape.len() != strides.len() {
        return problem(format!("has a tensor of {} axes with {} strides", shape.len(), strides.len()));
    }
    let Some(count) = shape.iter().try_fold(1u64, |all, size| all.checked_mul(*size)) else {
        return problem(format!("has a tensor of the size {shape:?}, which no machine holds"));
    };
    if !in_order(&shape, &strides) {
        return problem(format!(
            "has a tensor of the size {shape:?} whose values lie in another order (strides {strides:?})"
        ));
    }
    let part = offset.checked_add(count).filter(|end| *end <= values.len() as u64 / BYTES).map(|end| {
        // Both are below the storage's length, which is a usize.
        (offset * BYTES) as usize..(end * BYTES) as usize
    });
    let Some(part) = part else {
        return problem(format!("has a tensor of the size {shape:?} that is larger than its storage"));
    };
    // A product that fits has factors that do, unless one of them is zero.
    let Ok(shape) = shape.iter().map(|size| usize::try_from(*size)).collect() else {
        return problem("has a tensor whose size no machine holds");
    };
    Ok(Tensor { shape, bytes: &values[part] })
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

fn counts(arena: &Arena, id: Id) -> Option<Vec<u64>> {
    arena.tuple(id)?.iter().map(|item| arena.count(*item)).collect()
}
