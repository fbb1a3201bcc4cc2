//! Named tensors and one JSON object in a safetensors file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, View};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::header::METADATA_KEY;
use crate::error::{Error, Result};
use crate::network::{Network, ParameterSpec, Weights};
use crate::training::read_values;

/// Values of one tensor on the host.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
    F64(Vec<f64>),
    U32(Vec<u32>),
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Values,
}

impl View for &Entry {
    fn dtype(&self) -> Dtype {
        match self.values {
            Values::F32(_) => Dtype::F32,
            Values::F16(_) => Dtype::F16,
            Values::F64(_) => Dtype::F64,
            Values::U32(_) => Dtype::U32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.values {
            Values::F32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Values::F16(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Values::F64(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Values::U32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        match &self.values {
            Values::F32(values) => values.len() * 4,
            Values::F16(values) => values.len() * 2,
            Values::F64(values) => values.len() * 8,
            Values::U32(values) => values.len() * 4,
        }
    }
}

/// A file's bytes; `header`, if any, becomes the `r3gan` metadata entry.
///
/// The same entries and header give the same bytes.
pub fn encode(entries: &[Entry], header: Option<&impl Serialize>) -> Vec<u8> {
    let metadata = header.map(|header| {
        let json = serde_json::to_string(header).expect("a header is plain data");
        HashMap::from([(METADATA_KEY.to_owned(), json)])
    });
    safetensors::serialize(entries.iter().map(|e| (e.name.as_str(), e)), metadata)
        .expect("entries are consistent with their shapes")
}

/// The weights of `network` as entries named `prefix` + parameter name, all read to the host.
///
/// # Errors
/// [`Error::Diverged`] if a value is not finite, or the device's error.
pub async fn entries(prefix: &str, network: &Network, weights: &Weights) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(weights.len());
    for (spec, weight) in network.parameters.iter().zip(weights) {
        let values = read_values(weight.clone()).await?;
        if values.iter().any(|v| !v.is_finite()) {
            let name = format!("{prefix}{}", spec.name);
            return Err(Error::Diverged(format!(
                "{name} holds values that are not finite, so nothing was written; resume from the last \
                 checkpoint with a smaller learning_rate or a larger gamma"
            )));
        }
        let name = format!("{prefix}{}", spec.name);
        entries.push(Entry { name, shape: spec.shape.clone(), values: Values::F32(values) });
    }
    Ok(entries)
}

/// A parsed file, borrowing its bytes.
pub struct Container<'a> {
    tensors: SafeTensors<'a>,
    metadata: Option<String>,
    origin: PathBuf,
}

impl<'a> Container<'a> {
    /// Checks the file's structure; `origin` names it in errors.
    pub fn parse(bytes: &'a [u8], origin: &Path) -> Result<Self> {
        let broken = |e: safetensors::SafeTensorError| {
            let what = describe(bytes);
            Error::input(origin, format!("is not a safetensors file{what} ({e})"))
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let metadata = metadata.metadata().as_ref().and_then(|m| m.get(METADATA_KEY)).cloned();
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        Ok(Self { tensors, metadata, origin: origin.into() })
    }

    /// The `r3gan` metadata entry.
    pub fn header<T: DeserializeOwned>(&self) -> Result<T> {
        let Some(json) = &self.metadata else {
            return Err(Error::input(
                &self.origin,
                "was not written by r3gan: it has no 'r3gan' entry in its metadata",
            ));
        };
        serde_json::from_str(json).map_err(|e| {
            Error::input(&self.origin, format!("has metadata that this version cannot read ({e})"))
        })
    }

    /// Name and shape of every tensor, sorted by name.
    pub fn list(&self) -> Vec<(String, Vec<usize>)> {
        let mut list: Vec<_> = self.tensors.iter().map(|(n, t)| (n.to_owned(), t.shape().to_vec())).collect();
        list.sort();
        list
    }

    /// A tensor of floating-point values (f32 or f16) of a known shape; all must be finite.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        if tensor.shape() != shape {
            let reason = format!(
                "tensor '{name}' has shape {:?}, but the configuration needs {shape:?}",
                tensor.shape()
            );
            return Err(Error::input(&self.origin, reason));
        }
        let values = self.any_floats(name)?;
        if values.iter().any(|v| !v.is_finite()) {
            let reason = format!("tensor '{name}' holds values that are not finite; the file cannot be used");
            return Err(Error::input(&self.origin, reason));
        }
        Ok(values)
    }

    /// A tensor of floating-point values of any shape.
    pub fn any_floats(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        let data = tensor.data();
        match tensor.dtype() {
            Dtype::F32 => Ok(data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            Dtype::F16 => {
                Ok(data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect())
            }
            Dtype::F64 => Ok(data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
            other => Err(Error::input(&self.origin, format!("tensor '{name}' is {other:?}, not f32 or f16"))),
        }
    }

    /// Whether the file has a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// A tensor of f64 of a known shape; all must be finite.
    pub fn doubles(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        let tensor = self.tensor(name)?;
        let values: Vec<f64> =
            tensor.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        if tensor.dtype() == Dtype::F64 && tensor.shape() == shape && values.iter().all(|v| v.is_finite()) {
            return Ok(values);
        }
        Err(Error::input(&self.origin, format!("tensor '{name}' does not hold {shape:?} finite f64")))
    }

    /// A vector of `length` unsigned words.
    pub fn words(&self, name: &str, length: usize) -> Result<Vec<u32>> {
        let tensor = self.tensor(name)?;
        if tensor.dtype() != Dtype::U32 || tensor.shape() != [length] {
            let reason = format!("tensor '{name}' is not a vector of {length} u32");
            return Err(Error::input(&self.origin, reason));
        }
        Ok(tensor.data().as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect())
    }

    /// All weights of `network`, from tensors named `prefix` + parameter name.
    pub fn weights(&self, prefix: &str, network: &Network, device: &Device) -> Result<Weights> {
        let load = |spec: &ParameterSpec| {
            let values = self.floats(&format!("{prefix}{}", spec.name), &spec.shape)?;
            Ok(Tensor::from_data(TensorData::new(values, [spec.len()]), device))
        };
        network.parameters.iter().map(load).collect()
    }

    fn tensor(&self, name: &str) -> Result<safetensors::tensor::TensorView<'a>> {
        self.tensors.tensor(name).map_err(|_| {
            Error::input(&self.origin, format!("lacks the tensor '{name}', so it is not complete"))
        })
    }
}

/// What a file of another kind seems to be.
pub(crate) fn describe(bytes: &[u8]) -> &'static str {
    match bytes {
        [] => ": it is empty",
        [0x89, b'P', b'N', b'G', ..] => ": it is a PNG picture",
        [0xff, 0xd8, 0xff, ..] => ": it is a JPEG picture",
        [b'P', b'K', 3, 4, ..] => ": it is a zip archive",
        [0x80, 2..=5, 1..=255, ..] => ": it is a Python pickle",
        [b'<', ..] => ": it is a web page",
        _ => ", or it is cut short",
    }
}
