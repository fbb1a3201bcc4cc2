//! From batches on the host to phases on the device, and to a step.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Phase, StepStats, Trainer};
use crate::data::{Batch, Values};
use crate::error::Result;

/// One iteration of both players on the next two batches, the critic's first: the order of the official loop.
///
/// # Errors
/// Those of `next`, before anything has moved but the noise.
pub fn iterate(trainer: &mut Trainer, next: impl FnMut() -> Result<Batch>) -> Result<StepStats> {
    iterate_marked(trainer, next, |_| {})
}

/// As [`iterate`], with the marks of [`Trainer::step_marked`].
pub fn iterate_marked(
    trainer: &mut Trainer,
    mut next: impl FnMut() -> Result<Batch>,
    mark: impl FnMut(&Device),
) -> Result<StepStats> {
    let critic = next_phase(trainer, &mut next)?;
    let generator = next_phase(trainer, &mut next)?;
    Ok(trainer.step_marked(&critic, &generator, mark))
}

/// The next batch with latents and augmentations from the trainer's noise.
pub fn next_phase(trainer: &mut Trainer, next: impl FnOnce() -> Result<Batch>) -> Result<Phase> {
    let batch = next()?;
    let latents = trainer.draw_latents(batch.count);
    let augmentations = trainer.draw_augmentations(batch.count);
    let device = trainer.device().clone();
    Ok(Phase { augmentations, ..phase(batch, latents, &device) })
}

/// A phase with these real samples and latents `[batch, 1, 1, latent]`, without augmentation.
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
    Phase { reals, latents, labels, augmentations: None }
}
