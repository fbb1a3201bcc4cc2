//! Samples of a model, from seeds or from latents: what the command line and the page have in common.

use burn::tensor::{Device, Tensor, TensorData};

use crate::checkpoint::{Model, ModelHeader};
use crate::error::{Error, Result};
use crate::network::{Network, Prepared};
use crate::random::RandomState;
use crate::training::read_values;

/// The latents of seeds, `[seeds, latent]`: `RandomState(seed).randn(latent)` in f64, rounded to f32.
pub fn latents(seeds: &[u32], latent: usize) -> Vec<f32> {
    let mut values = vec![0.0; seeds.len() * latent];
    for (row, &seed) in values.chunks_exact_mut(latent.max(1)).zip(seeds) {
        RandomState::new(seed).fill_randn(row);
    }
    values
}

/// Latents between latents: every row of `weights` mixes all anchors to z = sum w z / sqrt(sum w^2), which is
/// again standard normal for independent anchors. Two anchors with weights cos t and sin t are joined by an arc.
///
/// # Shapes
/// anchors `[k, latent]`, weights `[n, k]`, gives `[n, latent]`
///
/// # Errors
/// [`Error::Setting`] if the sizes do not fit, or a row has no finite weight other than zero.
pub fn mix(anchors: &[f32], latent: usize, weights: &[f32]) -> Result<Vec<f32>> {
    let refuse = |reason: String| Err(Error::setting("weights", reason));
    let latent = latent.max(1);
    let count = anchors.len() / latent;
    if count == 0 || anchors.len() != count * latent || !weights.len().is_multiple_of(count) {
        return refuse(format!("{} are not rows of one weight for each of {count} anchors", weights.len()));
    }
    let mut mixed = vec![0.0; weights.len() / count * latent];
    for (row, weights) in mixed.chunks_exact_mut(latent).zip(weights.chunks_exact(count)) {
        let norm = weights.iter().map(|w| w * w).sum::<f32>().sqrt();
        if !norm.is_normal() {
            return refuse(format!("{weights:?} cannot be mixed by; one at least must be other than zero"));
        }
        for (anchor, weight) in anchors.chunks_exact(latent).zip(weights) {
            row.iter_mut().zip(anchor).for_each(|(value, z)| *value += weight / norm * z);
        }
    }
    Ok(mixed)
}

/// One-hot labels, `[numbers, classes]`.
///
/// # Errors
/// [`Error::Setting`] named `--class` for a number that is not below `classes`.
pub fn one_hot(numbers: &[usize], classes: usize) -> Result<Vec<f32>> {
    let mut values = vec![0.0; numbers.len() * classes];
    for (row, &number) in numbers.iter().enumerate() {
        if number >= classes {
            let last = classes.saturating_sub(1);
            let reason = format!("{number} is not a class of this network; its classes are 0 to {last}");
            return Err(Error::setting("--class", reason));
        }
        values[row * classes + number] = 1.0;
    }
    Ok(values)
}

/// A model whose weights are laid out for sampling.
#[derive(Debug)]
pub struct Sampler {
    header: ModelHeader,
    generator: Network,
    weights: Prepared,
    device: Device,
}

impl Sampler {
    /// Takes the weights of a model, so that there are not two of each.
    pub fn new(model: Model) -> Self {
        let device = model.device();
        let Model { header, generator, weights } = model;
        let weights = generator.prepare(weights);
        Self { header, generator, weights, device }
    }

    /// What the model's file says of it.
    pub fn header(&self) -> &ModelHeader {
        &self.header
    }

    pub fn generator(&self) -> &Network {
        &self.generator
    }

    /// The device that computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Samples for latents `[n, latent]` and labels `[n, classes]` (none for an unconditional model), at most
    /// `batch` at a time.
    ///
    /// # Shapes
    /// `[n, height, width, channels]`, in [-1, 1] as far as the model was trained.
    ///
    /// # Errors
    /// [`Error::Setting`] where latents or labels do not fit the model, and the device's errors.
    pub async fn sample(&self, latents: &[f32], labels: Option<&[f32]>, batch: usize) -> Result<Vec<f32>> {
        let network = &self.header.network;
        let count = latents.len() / network.latent;
        let mut samples = Vec::with_capacity(count * network.sample_shape().iter().product::<usize>());
        for x in self.on_device(latents, labels, batch)? {
            samples.extend(read_values(x).await?);
        }
        Ok(samples)
    }

    /// As [`Self::sample`], left on the device: tensors of at most `batch` samples, computed one after the other.
    ///
    /// # Errors
    /// [`Error::Setting`] where latents or labels do not fit the model.
    pub fn on_device<'a>(
        &'a self,
        latents: &'a [f32],
        labels: Option<&'a [f32]>,
        batch: usize,
    ) -> Result<impl Iterator<Item = Tensor<4>> + use<'a>> {
        let (latent, classes) = (self.header.network.latent, self.header.network.classes);
        let count = latents.len() / latent;
        if latents.len() != count * latent {
            let reason = format!("{} values are not rows of the network's {latent} latents", latents.len());
            return Err(Error::setting("latents", reason));
        }
        if labels.map_or(0, <[f32]>::len) != count * classes {
            let reason = if classes == 0 {
                "this network is unconditional and takes no labels".into()
            } else {
                format!("this network needs a label of {classes} classes for every sample")
            };
            return Err(Error::setting("labels", reason));
        }
        let labels = labels.filter(|_| classes > 0);
        let batch = batch.max(1);
        let parts = latents.chunks(batch * latent).enumerate();
        Ok(parts.map(move |(part, z)| {
            let rows = z.len() / latent;
            let z = Tensor::from_data(TensorData::new(z.to_vec(), [rows, 1, 1, latent]), &self.device);
            let label = labels.map(|labels| {
                let start = part * batch * classes;
                let values = labels[start..start + rows * classes].to_vec();
                Tensor::<2>::from_data(TensorData::new(values, [rows, classes]), &self.device)
            });
            self.generator.evaluate_prepared(&self.weights, z, label.as_ref())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From shared/fixtures/seeds.json (numpy 2.2.6), rounded to f32.
    #[test]
    fn every_seed_starts_afresh() {
        let z = latents(&[7, 0], 3);
        assert_eq!(z[..2], [1.690525703800356_f64 as f32, -0.4659373705408328_f64 as f32]);
        assert_eq!(z[3..5], [1.764052345967664_f64 as f32, 0.4001572083672233_f64 as f32]);
        assert_eq!(latents(&[0], 3), z[3..]);
    }

    #[test]
    fn a_mix_meets_its_anchors_and_keeps_their_spread() {
        let anchors = [1.0, 0.0, 0.0, 2.0];
        assert_eq!(mix(&anchors, 2, &[3.0, 0.0, 0.0, 0.5]).unwrap(), anchors);
        assert_eq!(mix(&anchors, 2, &[1.0, 1.0]).unwrap(), [1.0 / 2f32.sqrt(), 2.0 / 2f32.sqrt()]);
        let many = latents(&[0, 1, 2, 3], 4096);
        let mixed = mix(&many, 4096, &[0.1, 0.2, 0.3, 0.4]).unwrap();
        let variance = mixed.iter().map(|z| z * z).sum::<f32>() / 4096.0;
        // The variance of 4096 normal draws scatters by sqrt(2 / 4096) = 0.022.
        assert!((variance - 1.0).abs() < 0.09, "{variance}");
        for broken in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            assert!(mix(&anchors, 2, &broken).is_err());
        }
        assert!(mix(&anchors, 2, &[1.0; 3]).is_err() && mix(&[], 2, &[1.0]).is_err());
    }

    #[test]
    fn labels_are_one_hot_and_checked() {
        assert_eq!(one_hot(&[1, 0], 2).unwrap(), [0.0, 1.0, 1.0, 0.0]);
        assert!(one_hot(&[2], 2).unwrap_err().to_string().contains("0 to 1"));
    }
}
