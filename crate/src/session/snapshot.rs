//! What a run shows of itself while it trains: samples at fixed latents, and real ones beside them.

use burn::tensor::{Tensor, TensorData};

use crate::data::{Batch, Dataset, Kind};
use crate::error::Result;
use crate::random::RandomState;
use crate::training::{Trainer, read_values};

/// Fakes of a point cloud, whatever number of pictures is asked for.
const POINTS: usize = 2000;

/// Fixed latents and labels.
pub struct Snapshot {
    latents: Tensor<4>,
    labels: Option<Tensor<2>>,
    count: usize,
}

/// Samples of a snapshot where `pictures` pictures are asked for.
pub fn samples(kind: Kind, pictures: usize) -> usize {
    match kind {
        Kind::Images { .. } => pictures,
        Kind::Points => POINTS,
    }
}

/// Real samples to lie beside a snapshot's: the first of a fixed shuffle, at most as many.
///
/// # Errors
/// Those of [`Dataset::batch`].
pub fn reals(dataset: &Dataset, pictures: usize) -> Result<Batch> {
    let mut order: Vec<u32> = (0..dataset.len() as u32).collect();
    RandomState::new(0).shuffle(&mut order);
    order.truncate(samples(dataset.kind(), pictures));
    dataset.batch(&order)
}

impl Snapshot {
    /// `count` samples with these labels, `[count, classes]`, empty without classes. The latents depend neither on the
    /// run's seed nor on its progress, so snapshots of runs compare.
    pub fn new(trainer: &Trainer, count: usize, labels: Vec<f32>) -> Self {
        let latent = trainer.config.network.latent;
        let mut values = vec![0.0; count * latent];
        RandomState::new(0).fill_randn(&mut values);
        let device = trainer.device();
        let latents = Tensor::from_data(TensorData::new(values, [count, 1, 1, latent]), device);

        let classes = trainer.config.network.classes;
        let labels =
            (classes > 0).then(|| Tensor::from_data(TensorData::new(labels, [count, classes]), device));
        Self { latents, labels, count }
    }

    /// Samples of the averaged generator, `[count, height, width, channels]`, a part after the other as `made` turns them
    /// into what is kept.
    pub async fn fakes<T>(&self, trainer: &Trainer, made: impl Fn(&[f32]) -> Vec<T>) -> Result<Vec<T>> {
        let mut values = Vec::new();
        let step = trainer.config.pass().min(self.count);
        for start in (0..self.count).step_by(step) {
            let length = step.min(self.count - start);
            let labels = self.labels.clone().map(|labels| labels.narrow(0, start, length));
            let latents = self.latents.clone().narrow(0, start, length);
            values.extend(made(&read_values(trainer.sample(latents, labels.as_ref())).await?));
        }
        Ok(values)
    }
}
