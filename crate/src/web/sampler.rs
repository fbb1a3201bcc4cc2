//! A model to sample from.

use std::path::Path;

use js_sys::{Float32Array, Object};
use serde::Serialize;
use sha2::{Digest, Sha256};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::Handle;
use super::convert::{Failure, labels, object, samples, unfit};
use crate::checkpoint::header::{Kind, Precision};
use crate::checkpoint::{Model, ModelHeader};
use crate::network::Format;
use crate::sampling;

/// Samples that go through the network at a time: enough to fill a GPU, few enough for its memory.
pub(super) const PASS: usize = 16;

#[wasm_bindgen]
pub struct Sampler {
    pub(super) sampler: sampling::Sampler,
    bytes: usize,
    sha256: String,
}

/// JavaScript's `ModelInfo`, without the device.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    kind: Kind,
    preset: &'a str,
    images: u64,
    precision: Precision,
    licence: &'a str,
    latent: usize,
    classes: usize,
    width: usize,
    height: usize,
    channels: usize,
    parameters: usize,
    bytes: usize,
    sha256: &'a str,
}

#[wasm_bindgen]
impl Sampler {
    /// Opens a model or a checkpoint; `name` names it in errors. The stages next to the pictures are computed in
    /// `precision`.
    #[wasm_bindgen(constructor)]
    pub fn new(device: &Handle, bytes: &[u8], name: &str, precision: &str) -> Result<Self, Failure> {
        let format = Format::named(precision)?;
        let mut model = Model::decode(bytes, Path::new(name), &device.0)?;
        model.compute_in(format)?;
        let digest = Sha256::digest(bytes);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { sampler: sampling::Sampler::new(model), bytes: bytes.len(), sha256 })
    }

    pub fn info(&self) -> Result<JsValue, Failure> {
        let ModelHeader { kind, preset, network, images, precision, licence, .. } = self.sampler.header();
        let [height, width, channels] = network.sample_shape();
        object(&Info {
            kind: *kind,
            preset,
            images: *images,
            precision: *precision,
            licence,
            latent: network.latent,
            classes: network.classes,
            width,
            height,
            channels,
            parameters: self.sampler.generator().parameter_count(),
            bytes: self.bytes,
            sha256: &self.sha256,
        })
    }

    /// Latents of seeds, `[seeds, latent]`.
    pub fn latents(&self, seeds: &[u32]) -> Float32Array {
        Float32Array::from(sampling::latents(seeds, self.sampler.header().network.latent).as_slice())
    }

    /// JavaScript's `Samples` for latents `[count, latent]`; `keep` adds the network's own output.
    pub async fn sample(
        &self,
        latents: Vec<f32>,
        classes: Option<Vec<u32>>,
        keep: bool,
    ) -> Result<Object, Failure> {
        let network = &self.sampler.header().network;
        let labels = labels(classes, latents.len() / network.latent, network.classes)?;
        let values = self.sampler.sample(&latents, labels.as_deref(), PASS).await?;
        Ok(samples(network.sample_shape(), &values, keep))
    }

    /// Latents `[rows, latent]` between anchors `[k, latent]`, by weights `[rows, k]`.
    pub fn mix(&self, anchors: &[f32], weights: &[f32]) -> Result<Vec<f32>, Failure> {
        if weights.is_empty() {
            return Err(unfit("weights", "are missing; give a row of one weight for each anchor"));
        }
        Ok(sampling::mix(anchors, self.sampler.header().network.latent, weights)?)
    }
}
