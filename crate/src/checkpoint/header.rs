//! What our files say about themselves: the JSON object in the metadata.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::container::Container;
use crate::config::TrainingConfig;
use crate::error::{Error, Result};
use crate::network::{Format, NetworkConfig, Reduced};
use crate::preset;
use crate::training::{OfficialPrecision, Origin};

/// Version of the metadata's layout.
pub const FORMAT: u32 = 1;

/// The metadata entry that all our files have.
pub const METADATA_KEY: &str = "r3gan";

/// Prefix of the averaged generator's tensors in a checkpoint.
pub(super) const AVERAGE: &str = "average.";

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
    /// Of weights that came from an official snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_precision: Option<OfficialPrecision>,
}

impl ModelHeader {
    /// The stages that are computed in another format than f32 where one is asked for.
    pub fn reduced(&self) -> Reduced {
        OfficialPrecision::reduced(self.official_precision.as_ref(), &self.network)
    }

    /// What the generator's stages next to the pictures were published in.
    pub fn published_format(&self) -> Format {
        match &self.official_precision {
            _ if self.reduced().generator == 0 => Format::F32,
            Some(_) => Format::Bf16,
            None => preset::published_format(&self.preset),
        }
    }
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

/// Where a run is in its data: the order is a function of the seed, so a position is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataState {
    /// Of the data set; another one cannot be continued on exactly. Not known of a run that was imported, which
    /// goes on with the data that it is given.
    pub fingerprint: Option<String>,
    /// Samples drawn so far.
    pub position: u64,
}

/// What a checkpoint says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingHeader {
    pub format: u32,
    pub kind: Kind,
    pub config: TrainingConfig,
    pub images: u64,
    pub generator_steps: u64,
    pub critic_steps: u64,
    pub data: DataState,
    pub(super) noise_position: u32,
    /// Bits of the Gaussian that the source has in hand.
    pub(super) noise_cached: Option<u64>,
    pub licence: String,
    /// As in a [`ModelHeader`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_precision: Option<OfficialPrecision>,
}

impl TrainingHeader {
    /// The header of the model inside.
    pub fn model(&self) -> ModelHeader {
        ModelHeader {
            format: self.format,
            kind: Kind::Checkpoint,
            preset: self.config.preset.clone(),
            network: self.config.network.clone(),
            images: self.images,
            precision: Precision::F32,
            licence: self.licence.clone(),
            official_precision: self.official_precision.clone(),
        }
    }

    /// What the weights inside say about themselves.
    pub(super) fn origin(&self) -> Origin {
        Origin { licence: self.licence.clone(), official_precision: self.official_precision.clone() }
    }
}
