//! From a batch on the host to a phase on the device.

use burn::tensor::{Device, Tensor, TensorData};

use super::Phase;
use crate::data::{Batch, Values};

/// A phase with these real samples and latents `[batch, 1, 1, latent]`.
///
/// Pixels become `u8 / 127.5 - 1` (training notes, section 1); points are taken as they are.
pub fn phase(batch: Batch, latents: Tensor<4>, device: &Device) -> Phase {
    let Batch { count, side, channels, values, labels } = batch;
    let values = match values {
        Values::Pixels(pixels) => pixels.into_iter().map(|p| f32::from(p) / 127.5 - 1.0).collect(),
        Values::Points(points) => points,
    };
    let reals = Tensor::from_data(TensorData::new(values, [count, side, side, channels]), device);
    let classes = labels.len() / count.max(1);
    let labels = (classes > 0).then(|| Tensor::from_data(TensorData::new(labels, [count, classes]), device));
    Phase { reals, latents, labels }
}
