//! Models: the averaged generator, ready to sample from.

use std::path::Path;

use burn::tensor::Device;
use half::f16;

use super::container::{Container, Entry, Values, encode, entries};
use super::header::{AVERAGE, FORMAT, Kind, KindHeader, ModelHeader, Precision, TrainingHeader};
use crate::error::{Error, Result};
use crate::network::{Format, Network, Weights};
use crate::official;
use crate::training::{Origin, Trainer};

/// A generator with its weights.
#[derive(Debug)]
pub struct Model {
    pub header: ModelHeader,
    pub generator: Network,
    pub weights: Weights,
}

impl Model {
    /// Reads a model, or the averaged generator of a checkpoint or of an official snapshot.
    ///
    /// # Errors
    /// [`Error::Input`] with what is wrong with the file.
    #[cfg(not(target_family = "wasm"))]
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        Self::decode(&super::read(path)?, path, device)
    }

    /// The same from bytes; `origin` names them in errors.
    pub fn decode(bytes: &[u8], origin: &Path, device: &Device) -> Result<Self> {
        if official::Snapshot::is_one(bytes) {
            return Self::import(&official::Snapshot::read(bytes, origin)?, device);
        }
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

    /// The averaged generator of an official snapshot.
    pub fn import(snapshot: &official::Snapshot, device: &Device) -> Result<Self> {
        let (generator, weights) = snapshot.average(device)?;
        let Origin { licence, official_precision } = snapshot.origin();
        let header = ModelHeader {
            format: FORMAT,
            kind: Kind::Model,
            preset: snapshot.preset.unwrap_or(official::CUSTOM).into(),
            network: snapshot.network.clone(),
            images: snapshot.images.unwrap_or(0),
            precision: Precision::F32,
            licence,
            official_precision,
        };
        Ok(Self { header, generator, weights })
    }

    /// The trainer's averaged generator as it is now.
    pub fn average_of(trainer: &Trainer, precision: Precision) -> Self {
        let header = ModelHeader {
            format: FORMAT,
            kind: Kind::Model,
            preset: trainer.config.preset.clone(),
            network: trainer.config.network.clone(),
            images: trainer.images,
            precision,
            licence: trainer.origin.licence.clone(),
            official_precision: trainer.origin.official_precision.clone(),
        };
        Self { header, generator: trainer.generator.clone(), weights: trainer.players.average.clone() }
    }

    /// The device that the weights are on.
    pub fn device(&self) -> Device {
        self.weights.first().expect("a generator has weights").device()
    }

    /// Has the stages next to the pictures computed in `format` from here on; which those are, an official
    /// snapshot says itself.
    ///
    /// # Errors
    /// [`Error::Setting`] as [`Format::check`].
    pub fn compute_in(&mut self, format: Format) -> Result<()> {
        let stages = self.header.reduced().generator;
        format.check(stages, &self.device())?;
        self.generator = self.header.network.generator_in(format, stages)?;
        Ok(())
    }

    /// The bytes of a model file.
    ///
    /// # Errors
    /// [`Error::Diverged`] for weights that the number format does not hold.
    pub async fn encode(&self, precision: Precision) -> Result<Vec<u8>> {
        let header = ModelHeader { kind: Kind::Model, precision, ..self.header.clone() };
        write(&header, &self.generator, &self.weights).await
    }
}

/// The bytes of a model file with the trainer's averaged generator.
pub async fn encode_model(trainer: &Trainer, precision: Precision) -> Result<Vec<u8>> {
    Model::average_of(trainer, precision).encode(precision).await
}

/// The bytes of a file, in the header's number format.
async fn write(header: &ModelHeader, generator: &Network, weights: &Weights) -> Result<Vec<u8>> {
    let mut entries = entries("", generator, weights).await?;
    if header.precision == Precision::F16 {
        entries.iter_mut().try_for_each(halve)?;
    }
    Ok(encode(&entries, Some(header)))
}

fn halve(entry: &mut Entry) -> Result<()> {
    if let Values::F32(values) = &entry.values {
        let halves: Vec<f16> = values.iter().copied().map(f16::from_f32).collect();
        if halves.iter().any(|value| !value.is_finite()) {
            return Err(Error::Diverged(format!(
                "{} holds weights beyond the range of f16, so no half model was written; leave --half out",
                entry.name
            )));
        }
        entry.values = Values::F16(halves);
    }
    Ok(())
}
