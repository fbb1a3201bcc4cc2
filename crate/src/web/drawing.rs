//! Samples that stay on the visitor's GPU.

use burn::tensor::Tensor;
use js_sys::Object;
use wasm_bindgen::prelude::wasm_bindgen;

use super::convert::{Failure, labels, picture_set, set};
use super::sampler::{PASS, Sampler};
use crate::{backend, kernels};

#[wasm_bindgen]
impl Sampler {
    /// JavaScript's `Samples` without pixels, which are as RGBA in a GPU's `buffer` from byte `offset` on, below one
    /// another, with rows of whole 256 bytes. To be copied before anything else is asked of the module. Undefined
    /// where there are no pictures on a GPU.
    pub fn draw(&self, latents: &[f32], classes: Option<Vec<u32>>) -> Result<Option<Object>, Failure> {
        let network = &self.sampler.header().network;
        let labels = labels(classes, latents.len() / network.latent, network.classes)?;
        let shape = network.sample_shape();
        if latents.is_empty() || shape[2] != 3 || backend::is_cpu(self.sampler.device()) {
            return Ok(None);
        }
        let parts = self.sampler.on_device(latents, labels.as_deref(), PASS)?;
        let pixels = kernels::rgba(Tensor::cat(parts.collect(), 0));
        let count = pixels.dims()[0];
        let (buffer, offset) = backend::webgpu_buffer(pixels)?;
        let result = picture_set([count, shape[0], shape[1]], &[]);
        set(&result, "buffer", buffer);
        set(&result, "offset", offset as f64);
        Ok(Some(result))
    }
}
