//! What samples are made from: seeds or a file of latents, and classes.

use std::ops::Range;
use std::path::Path;

use crate::checkpoint::container::Container;
use crate::checkpoint::read;
use crate::network::NetworkConfig;
use crate::sampling;
use crate::{Error, Result};
use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::cli::exit;

const MOST: u64 = 1_000_000;

/// Latents `[n, latent]`, labels `[n, classes]` of a conditional network, and the pictures' names.
pub struct Inputs {
    pub latents: Vec<f32>,
    pub latent: usize,
    pub labels: Option<Vec<f32>>,
    pub classes: usize,
    pub names: Vec<String>,
}

impl Inputs {
    pub fn from_seeds(seeds: &[u32], network: &NetworkConfig, class: Option<usize>) -> Result<Self> {
        let labels = labels(network, class, seeds.len())?;
        let NetworkConfig { latent, classes, .. } = *network;
        let names = seeds.iter().map(|seed| format!("seed{seed:04}")).collect();
        Ok(Self { latents: sampling::latents(seeds, latent), latent, labels, classes, names })
    }

    pub fn from_file(path: &Path, network: &NetworkConfig, class: Option<usize>) -> Result<Self> {
        let NetworkConfig { latent, classes, .. } = *network;
        let bytes = read(path)?;
        let list = Container::parse(&bytes, path)?.list();
        let file = SafeTensors::deserialize(&bytes).map_err(|e| Error::input(path, e.to_string()))?;
        let Some(name) = ["z", "latents"].into_iter().find(|name| list.iter().any(|(n, _)| n == name)) else {
            return Err(Error::input(path, "has no tensor 'z' or 'latents'"));
        };
        let (shape, latents) = numbers(&file, name, path)?;
        let [count, width] = shape[..] else { return Err(wrong_shape(path, name, &shape, latent)) };
        if width != latent || count == 0 || count as u64 > MOST {
            return Err(wrong_shape(path, name, &shape, latent));
        }
        let given = list.iter().any(|(n, _)| n == "labels");
        let labels = if classes > 0 && class.is_none() && given {
            Some(file_labels(&file, path, count, classes)?)
        } else {
            labels(network, class, count)?
        };
        let names = (0..count).map(|i| format!("latent{i:04}")).collect();
        Ok(Self { latents: latents.into_iter().map(|v| v as f32).collect(), latent, labels, classes, names })
    }

    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// Latents and labels of some samples.
    pub fn rows(&self, part: Range<usize>) -> (&[f32], Option<&[f32]>) {
        let rows = |width: usize| part.start * width..part.end * width;
        (&self.latents[rows(self.latent)], self.labels.as_ref().map(|labels| &labels[rows(self.classes)]))
    }
}

/// One class for all samples, as the network needs it.
fn labels(network: &NetworkConfig, class: Option<usize>, count: usize) -> Result<Option<Vec<f32>>> {
    match (network.classes, class) {
        (0, None) => Ok(None),
        (0, Some(_)) => {
            exit::warn("--class is ignored: this network is unconditional");
            Ok(None)
        }
        (classes, Some(class)) => sampling::one_hot(&vec![class; count], classes).map(Some),
        (classes, None) => {
            let last = classes - 1;
            Err(Error::setting(
                "--class",
                format!("this network is conditional: choose a class from 0 to {last}"),
            ))
        }
    }
}

/// The labels of a file: class numbers `[n]`, or rows `[n, classes]` taken as they are.
fn file_labels(file: &SafeTensors, path: &Path, count: usize, classes: usize) -> Result<Vec<f32>> {
    let (shape, values) = numbers(file, "labels", path)?;
    if shape == [count, classes] {
        return Ok(values.into_iter().map(|v| v as f32).collect());
    }
    if shape != [count] {
        let reason = format!(
            "tensor 'labels' has shape {shape:?}; this network needs [{count}] or [{count}, {classes}]"
        );
        return Err(Error::input(path, reason));
    }
    let class = |value: &f64| {
        let fits = value.fract() == 0.0 && (0.0..classes as f64).contains(value);
        fits.then_some(*value as usize).ok_or_else(|| {
            let reason = format!("tensor 'labels' holds {value}; the classes are 0 to {}", classes - 1);
            Error::input(path, reason)
        })
    };
    sampling::one_hot(&values.iter().map(class).collect::<Result<Vec<_>>>()?, classes)
}

fn wrong_shape(path: &Path, name: &str, shape: &[usize], latent: usize) -> Error {
    let reason = format!(
        "tensor '{name}' has shape {shape:?}; this network needs [N, {latent}] with N from 1 to {MOST}"
    );
    Error::input(path, reason)
}

/// Shape and finite values of a tensor of any common type.
fn numbers(file: &SafeTensors, name: &str, path: &Path) -> Result<(Vec<usize>, Vec<f64>)> {
    let tensor = file.tensor(name).map_err(|e| Error::input(path, e.to_string()))?;
    let values = decode(&tensor).ok_or_else(|| {
        Error::input(
            path,
            format!("tensor '{name}' is {:?}; use f32, f16, bf16, f64 or integers", tensor.dtype()),
        )
    })?;
    if values.iter().any(|v| !v.is_finite()) {
        return Err(Error::input(path, format!("tensor '{name}' holds values that are not finite")));
    }
    Ok((tensor.shape().to_vec(), values))
}

fn decode(tensor: &TensorView) -> Option<Vec<f64>> {
    let data = tensor.data();
    Some(match tensor.dtype() {
        Dtype::F64 => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        Dtype::F32 => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f64()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f64()).collect(),
        Dtype::I64 => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect(),
        Dtype::U32 => data.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b).into()).collect(),
        Dtype::U8 => data.iter().map(|b| f64::from(*b)).collect(),
        _ => return None,
    })
}

/// Parses `--class`; what the network allows is checked when it is known.
pub fn class(text: &str) -> std::result::Result<usize, String> {
    text.parse().map_err(|_| "a class is a whole number from 0".into())
}

/// Parses `0,4-9`: numbers and inclusive ranges, at most a million in all.
pub fn seeds(text: &str) -> Result<Vec<u32>> {
    let refuse = |reason: String| Error::setting("--seeds", reason);
    let number = |part: &str| {
        part.trim().parse::<u32>().map_err(|_| {
            refuse(format!(
                "'{part}' in '{text}' is not a seed; seeds are numbers from 0 to {}, as in 0,4-9",
                u32::MAX
            ))
        })
    };
    let mut seeds = Vec::new();
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) if !first.is_empty() => (number(first)?, number(last)?),
            _ => (number(part)?, number(part)?),
        };
        if first > last {
            return Err(refuse(format!("the range {} runs backwards; write {last}-{first}", part.trim())));
        }
        if seeds.len() as u64 + u64::from(last - first) + 1 > MOST {
            return Err(refuse(format!("'{text}' is more than {MOST} seeds; sample them in several runs")));
        }
        seeds.extend(first..=last);
    }
    Ok(seeds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_lists_of_inclusive_ranges() {
        assert_eq!(seeds("0,4-6, 9").unwrap(), [0, 4, 5, 6, 9]);
        assert_eq!(seeds("4294967295").unwrap(), [u32::MAX]);
        for broken in ["", "0-", "-3", "9-4", "1,,2", "x", "1.5", "0-4999999999", "0-4000000000", "1-2-3"] {
            assert!(seeds(broken).is_err(), "{broken}");
        }
    }
}
