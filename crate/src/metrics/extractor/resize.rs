//! Pictures as the extractor wants them.

use burn::tensor::{Device, Tensor, TensorData};

use super::backbone::Backbone;
use crate::kernels::matrix_product;

/// Bilinear interpolation from `from` to `to` pixels as TensorFlow 1 did it, as a matrix `[to, from]`: output i reads
/// input i * from / to, and what would lie beyond the last pixel is the last pixel.
fn bilinear(from: usize, to: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; to * from];
    for (i, row) in matrix.chunks_exact_mut(from).enumerate() {
        let at = i as f32 * (from as f32 / to as f32);
        let near = (at as usize).min(from - 1);
        let share = at - near as f32;
        row[near] += 1.0 - share;
        row[(near + 1).min(from - 1)] += share;
    }
    matrix
}

/// Scales pictures of one size.
pub struct Resize {
    side: usize,
    backbone: Backbone,
    /// `[side, to]`
    matrix: Tensor<2>,
}

impl Resize {
    pub fn new(side: usize, backbone: Backbone, device: &Device) -> Self {
        let to = backbone.side();
        let matrix = Tensor::from_data(TensorData::new(bilinear(side, to), [to, side]), device).transpose();
        Self { side, backbone, matrix }
    }

    pub fn side(&self) -> usize {
        self.side
    }

    /// `pixels [n, side, side, 3]` to the backbone's `[n, 3, side, side]` and levels.
    pub fn apply(&self, pixels: &[u8]) -> Tensor<4> {
        let side = self.side;
        let count = pixels.len() / (side * side * 3);
        let levels = self.backbone.levels();
        let scaled = |(value, (mean, deviation)): (&u8, &(f32, f32))| (f32::from(*value) - mean) / deviation;
        let values: Vec<f32> = pixels.iter().zip(levels.iter().cycle()).map(scaled).collect();
        let device = self.matrix.device();
        let x = Tensor::<4>::from_data(TensorData::new(values, [count, side, side, 3]), &device);
        let x = x.permute([0, 3, 1, 2]);
        if side == self.backbone.side() {
            return x;
        }
        let to = self.backbone.side();
        let planes = count * 3;
        let wide = matrix_product(x.reshape([planes * side, side]), self.matrix.clone());
        let turned = wide.reshape([planes, side, to]).swap_dims(1, 2).reshape([planes * to, side]);
        let both = matrix_product(turned, self.matrix.clone()).reshape([planes, to, to]).swap_dims(1, 2);
        both.reshape([count, 3, to, to])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_i_reads_input_i_times_the_ratio() {
        assert_eq!(bilinear(2, 4), [1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(bilinear(4, 2), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        for row in bilinear(32, 299).chunks(32) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
}
