//! Models: the averaged generator, ready to sample from.

use std::path::Path;

use burn::tensor::Device;
use half::f16;
use serde::{Deserialize, Serialize};

use super::container::{Container, Entry, Values, encode, entries};
use super::training::{AVERAGE, TrainingHeader};
use super::{FORMAT, LICENCE_NOTE, read};
use crate::error::{Error, Result};
use crate::network::{Network, NetworkConfig, Weights};
use crate::training::Trainer;

/// Number format of a model's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    #[default]
    F32,
    F16,
}

/// What a model file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelHeader {
    pub format: u32,
    pub kind: Kind,
    pub preset: String,
    pub network: NetworkConfig,
    /// Real images that the critic had seen.
    pub images: u64,
    pub precision: Precision,
    pub licence: String,
}

/// The two kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Model,
    Checkpoint,
}

/// What tells the kinds apart, read before the rest.
#[derive(Deserialize)]
pub struct KindHeader {
    pub format: u32,
    pub kind: Kind,
}

impl KindHeader {
    /// The kind of a file of ours, if this version can read it.
    pub fn of(file: &Container, origin: &Path) -> Result<Kind> {
        let header: Self = file.header()?;
        if header.format != FORMAT {
            let reason =
                format!("has format {}; this version reads format {FORMAT}: update r3gan", header.format);
            return Err(Error::input(origin, reason));
        }
        Ok(header.kind)
    }
}

/// A generator with its weights.
#[derive(Debug)]
pub struct Model {
    pub header: ModelHeader,
    pub generator: Network,
    pub weights: Weights,
}

impl Model {
    /// Reads a model, or the averaged generator of a checkpoint.
    ///
    /// # Errors
    /// [`Error::Input`] with what is wrong with the file.
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        Self::decode(&read(path)?, path, device)
    }

    /// As [`Model::open`], from bytes; `origin` names them in errors.
    pub fn decode(bytes: &[u8], origin: &Path, device: &Device) -> Result<Self> {
        let file = Container::parse(bytes, origin)?;
        let (header, prefix) = match KindHeader::of(&file, origin)? {
            Kind::Model => (file.header()?, ""),
            Kind::Checkpoint => (file.header::<TrainingHeader>()?.model(), AVERAGE),
        };
        let named = |e: Error| Error::input(origin, format!("has a configuration that cannot be used ({e})"));
        let generator = header.network.generator().map_err(named)?;
        let weights = file.weights(prefix, &generator, device)?;
        Ok(Self { header, generator, weights })
    }
}

/// The bytes of a model file with the trainer's averaged generator.
pub async fn encode_model(trainer: &Trainer, precision: Precision) -> Result<Vec<u8>> {
    let header = ModelHeader {
        format: FORMAT,
        kind: Kind::Model,
        preset: trainer.config.preset.clone(),
        network: trainer.config.network.clone(),
        images: trainer.images,
        precision,
        licence: LICENCE_NOTE.into(),
    };
    let mut entries = entries("", &trainer.generator, &trainer.players.average).await?;
    if precision == Precision::F16 {
        entries.iter_mut().for_each(halve);
    }
    Ok(encode(&entries, Some(&header)))
}

fn halve(entry: &mut Entry) {
    if let Values::F32(values) = &entry.values {
        entry.values = Values::F16(values.iter().copied().map(f16::from_f32).collect());
    }
}
