//! A tensor in the file: a shape, and where its values lie.

use super::globals::{Arena, Function, Global, Value};
use super::storage::storage;
use crate::pickle::{Id, Layout, Problem, Result, problem};

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

fn rebuilt<'a>(arena: &Arena<'a>, arguments: &[Id]) -> Result<Tensor<'a>> {
    let layout = Layout::read(arena, arguments)?;
    let blob = match arena.get(layout.store) {
        Value::Made { by: Global::Function(Function::Storage), arguments, .. } => arena.tuple(*arguments),
        _ => return problem("has a tensor without a storage"),
    };
    let values = match blob {
        Some(&[blob]) => match arena.get(blob) {
            Value::Bytes(blob) => storage(blob)?,
            _ => return problem("has a tensor without bytes"),
        },
        _ => return problem("has a tensor without bytes"),
    };
    let bytes = &values[layout.part(values.len())?];
    Ok(Tensor { shape: layout.shape, bytes })
}
