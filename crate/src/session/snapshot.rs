//! What a run writes at a snapshot besides weights: pictures at fixed latents.

use burn::tensor::{Tensor, TensorData};

use crate::data::{Batch, Dataset, Kind, Values};
use crate::error::Result;
use crate::pictures;
use crate::random::RandomState;
use crate::training::{Trainer, read_values};

/// Pictures of a grid, per row and column.
const GRID: usize = 10;
/// Fakes of a point cloud.
const POINTS: usize = 2000;
/// Side of the picture of a point cloud.
const SCATTER_SIDE: usize = 512;

/// Fixed latents and labels, and the real samples beside them.
pub struct Snapshot {
    latents: Tensor<4>,
    labels: Option<Tensor<2>>,
    reals: Batch,
    count: usize,
}

impl Snapshot {
    /// The grid does not depend on the run's seed or progress, so pictures of runs compare.
    ///
    /// With labels, every row of the grid is one class.
    pub fn new(trainer: &Trainer, dataset: &Dataset) -> Result<Self> {
        let count = match dataset.kind() {
            Kind::Images { .. } => GRID * GRID,
            Kind::Points => POINTS,
        };
        let latent = trainer.config.network.latent;
        let mut values = vec![0.0; count * latent];
        RandomState::new(0).fill_randn(&mut values);
        let device = trainer.device();
        let latents = Tensor::from_data(TensorData::new(values, [count, 1, 1, latent]), device);

        let classes = trainer.config.network.classes;
        let labels = (classes > 0).then(|| {
            let mut one_hot = vec![0.0f32; count * classes];
            for sample in 0..count {
                one_hot[sample * classes + sample / GRID % classes] = 1.0;
            }
            Tensor::from_data(TensorData::new(one_hot, [count, classes]), device)
        });
        let mut order: Vec<u32> = (0..dataset.len() as u32).collect();
        RandomState::new(0).shuffle(&mut order);
        order.truncate(count);
        Ok(Self { latents, labels, reals: dataset.batch(&order)?, count })
    }

    /// PNG of the real samples.
    pub fn reals(&self) -> Result<Vec<u8>> {
        match &self.reals.values {
            Values::Pixels(pixels) => grid(pixels, self.reals.side),
            Values::Points(points) => scatter(points, &[]),
        }
    }

    /// PNG of the averaged generator's samples.
    pub async fn fakes(&self, trainer: &Trainer) -> Result<Vec<u8>> {
        let mut values = Vec::new();
        let step = trainer.config.pass().min(self.count);
        for start in (0..self.count).step_by(step) {
            let length = step.min(self.count - start);
            let labels = self.labels.clone().map(|labels| labels.narrow(0, start, length));
            let latents = self.latents.clone().narrow(0, start, length);
            values.extend(read_values(trainer.sample(latents, labels.as_ref())).await?);
        }
        match &self.reals.values {
            Values::Pixels(_) => grid(&pictures::to_pixels_rounded(&values), self.reals.side),
            Values::Points(reals) => scatter(reals, &values),
        }
    }
}

fn grid(pixels: &[u8], side: usize) -> Result<Vec<u8>> {
    let picture = pictures::grid(pixels, side, GRID);
    pictures::encode_png(&picture)
}

fn scatter(reals: &[f32], fakes: &[f32]) -> Result<Vec<u8>> {
    pictures::encode_png(&pictures::scatter(reals, fakes, SCATTER_SIDE))
}
