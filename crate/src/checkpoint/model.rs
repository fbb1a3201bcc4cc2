//! Models: the averaged generator, ready to sample from.

use std::path::Path;

use burn::tensor::Device;
use half::f16;

use super::container::{Container, Entry, Values, encode, entries};
use super::header::{
    AVERAGE, FORMAT, Kind, KindHeader, LICENCE_NOTE, ModelHeader, Precision, TrainingHeader,
};
use crate::error::{Error, Result};
use crate::network::{Network, Weights};
use crate::training::Trainer;

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
    #[cfg(not(target_family = "wasm"))]
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        Self::decode(&super::read(path)?, path, device)
    }

    /// Reads a model, or the averaged generator of a checkpoint, from bytes; `origin` names them in errors.
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
        entries.iter_mut().try_for_each(halve)?;
    }
    Ok(encode(&entries, Some(&header)))
}

fn halve(entry: &mut Entry) -> Result<()> {
    if let Values::F32(values) = &entry.values {
        let halves: Vec<f16> = values.iter().copied().map(f16::from_f32).collect();
        if halves.iter().any(|value| !value.is_finite()) {
            return Err(Error::Diverged(format!(
                "{} holds weights beyond the range of f16, so no half model was written; train without --half",
                entry.name
            )));
        }
        entry.values = Values::F16(halves);
    }
    Ok(())
}
