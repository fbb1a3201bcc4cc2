//! The geometric stage: pictures resampled along an affine map (augmentation notes, section 4).
//!
//! Doubled with a wavelet's low-pass filter, read bilinearly at the mapped places, halved with the same filter. Beyond
//! the border a picture is reflected once, and then grey. Every step is linear, and separable but for the reading.
//!
//! The portable form is products with two banded matrices around a gather, or a scatter for the adjoint; shapes are
//! those of the widest margin, whatever was drawn. In f32 on the CPU, [`crate::kernels`] computes what is read only.

use burn::tensor::{DType, Device, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::kernels;
use crate::kernels::warp::{FILTER, centre, doubled, doubled_from, place, read};

/// The filters for pictures of one size.
#[derive(Clone, Debug)]
pub struct Warp {
    side: usize,
    /// Reflects and doubles: `[doubled, side]`.
    up: Tensor<2>,
    /// Halves: `[side, read]`.
    down: Tensor<2>,
    /// Places of the pixels that are read, from the centre: `[read]`.
    places: Tensor<1>,
}

/// The four neighbours of every place that is read: pixels of the doubled picture and their weights, each
/// `[batch, read * read]`.
type Neighbours = [(Tensor<2, Int>, Tensor<2>); 4];

impl Warp {
    pub fn new(side: usize, device: &Device) -> Self {
        let (long, wide) = (doubled(side), read(side));
        let mut up = vec![0.0f32; long * side];
        for (n, row) in up.chunks_mut(side).enumerate() {
            for (source, weight) in doubled_from(n, side) {
                row[source] += weight;
            }
        }
        let mut down = vec![0.0f32; side * wide];
        for (i, row) in down.chunks_mut(wide).enumerate() {
            row[2 * i + 1..][..FILTER.len()].copy_from_slice(&FILTER);
        }
        let places: Vec<f32> = (0..wide).map(|a| place(a, side)).collect();
        Self {
            side,
            up: Tensor::from_data(TensorData::new(up, [long, side]), device),
            down: Tensor::from_data(TensorData::new(down, [side, wide]), device),
            places: Tensor::from_data(TensorData::new(places, [wide]), device),
        }
    }

    pub fn side(&self) -> usize {
        self.side
    }

    pub fn cast(self, dtype: DType) -> Self {
        let Self { side, up, down, places } = self;
        Self { side, up: up.cast(dtype), down: down.cast(dtype), places: places.cast(dtype) }
    }

    /// `x [batch, side, side, channels]` along `geometry [batch, 2, 3]`.
    pub fn apply(&self, x: Tensor<4>, geometry: &Tensor<3>) -> Tensor<4> {
        if kernels::has_warp(&x) {
            return kernels::warp(x, geometry.clone());
        }
        let [batch, _, _, channels] = x.dims();
        let size = doubled(self.side) * doubled(self.side);
        let wide = read(self.side);
        let planes = both_axes(x.permute([0, 3, 1, 2]), &self.up);
        let planes: Tensor<3> = planes.reshape([batch, channels, size]);
        let [a, b, c, d] = self.neighbours(geometry).map(|(pixels, weights)| {
            let pixels = pixels.unsqueeze_dim::<3>(1).expand([batch, channels, wide * wide]);
            planes.clone().gather(2, pixels) * weights.unsqueeze_dim(1)
        });
        let sampled = (a + b + c + d).reshape([batch, channels, wide, wide]);
        both_axes(sampled, &self.down).permute([0, 2, 3, 1])
    }

    /// The adjoint of [`apply`](Self::apply).
    pub fn adjoint(&self, delta: Tensor<4>, geometry: &Tensor<3>) -> Tensor<4> {
        if kernels::has_warp(&delta) {
            return kernels::warp_adjoint(delta, geometry.clone());
        }
        let [batch, _, _, channels] = delta.dims();
        let (long, wide) = (doubled(self.side), read(self.side));
        let sampled = both_axes(delta.permute([0, 3, 1, 2]), &self.down.clone().transpose());
        let sampled: Tensor<3> = sampled.reshape([batch, channels, wide * wide]);
        let like = (&sampled.device(), sampled.dtype());
        let mut planes = Tensor::<3>::zeros([batch, channels, long * long], like);
        for (pixels, weights) in self.neighbours(geometry) {
            let pixels = pixels.unsqueeze_dim::<3>(1).expand([batch, channels, wide * wide]);
            let values = sampled.clone() * weights.unsqueeze_dim(1);
            planes = planes.scatter(2, pixels, values, IndexingUpdateOp::Add);
        }
        let planes = planes.reshape([batch, channels, long, long]);
        both_axes(planes, &self.up.clone().transpose()).permute([0, 2, 3, 1])
    }

    fn neighbours(&self, geometry: &Tensor<3>) -> Neighbours {
        let batch = geometry.dims()[0];
        let (long, wide) = (doubled(self.side), read(self.side));
        let centre = f64::from(centre(self.side));
        let entry = |row: usize, column: usize| geometry.clone().narrow(1, row, 1).narrow(2, column, 1);
        let across = self.places.clone().reshape([1, 1, wide]);
        let along = self.places.clone().reshape([1, wide, 1]);
        // The place's index in the doubled picture, and how far it is from that pixel to the next.
        let axis = |row: usize| {
            let place = across.clone() * entry(row, 0) + along.clone() * entry(row, 1) + entry(row, 2);
            let index = place * 2.0 + centre;
            let pixel = index.clone().floor();
            (pixel.clone(), index - pixel)
        };
        let (right, right_rest) = axis(0);
        let (down, down_rest) = axis(1);
        let last = (long - 1) as f64;
        // A neighbour on an axis: its index, kept inside, and its weight, none outside.
        let neighbour = |pixel: &Tensor<3>, rest: &Tensor<3>, next: bool| {
            let (pixel, weight) = match next {
                true => (pixel.clone() + 1.0, rest.clone()),
                false => (pixel.clone(), rest.clone().neg() + 1.0),
            };
            let inside = pixel.clone().clamp(0.0, last);
            let outside = pixel.not_equal(inside.clone());
            (inside, weight.mask_fill(outside, 0.0))
        };
        [(false, false), (false, true), (true, false), (true, true)].map(|(below, beside)| {
            let (row, row_weight) = neighbour(&down, &down_rest, below);
            let (column, column_weight) = neighbour(&right, &right_rest, beside);
            let index: Tensor<3, Int> = row.int() * long as i64 + column.int();
            let weight = row_weight * column_weight;
            (index.reshape([batch, wide * wide]), weight.reshape([batch, wide * wide]))
        })
    }
}

/// `matrix x matrix^T` for every plane of `x [batch, channels, n, n]`, with `matrix [m, n]`.
fn both_axes(x: Tensor<4>, matrix: &Tensor<2>) -> Tensor<4> {
    let [batch, channels, n, _] = x.dims();
    let m = matrix.dims()[0];
    let transposed = matrix.clone().transpose();
    let columns = kernels::matrix_product(x.reshape([batch * channels * n, n]), transposed.clone());
    let turned = columns.reshape([batch * channels, n, m]).swap_dims(1, 2).reshape([batch * channels * m, n]);
    let rows = kernels::matrix_product(turned, transposed).reshape([batch * channels, m, m]).swap_dims(1, 2);
    rows.reshape([batch, channels, m, m])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::{Pipeline, Transforms, matrices};
    use crate::backend;
    use crate::random::RandomState;

    /// `[batch, side, side, channels]`, normal.
    fn pictures(random: &mut RandomState, shape: [usize; 4], device: &Device) -> Tensor<4> {
        let values = random.randn_vec(shape.iter().product());
        Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
    }

    fn values(x: Tensor<4>) -> Vec<f64> {
        x.cast(DType::F64).into_data().try_to_vec().unwrap()
    }

    fn largest_difference(one: &[f64], other: &[f64]) -> f64 {
        one.iter().zip(other).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }

    #[test]
    fn the_kernel_is_the_portable_form() {
        let device = backend::open("cpu").unwrap();
        let mut random = RandomState::new(3);
        for (side, channels, count) in [(4, 3, 5), (7, 1, 4), (16, 3, 9), (33, 2, 3)] {
            let transforms = Transforms::draw(&mut random, 1.0, count, 3);
            let geometry: Vec<f64> =
                transforms.iter().flat_map(|t| matrices::geometry(t, side)).flatten().collect();
            let geometry =
                Tensor::<3>::from_data(TensorData::new(geometry, [count, 2, 3]), (&device, DType::F64));
            let x = pictures(&mut random, [count, side, side, channels], &device);
            // The kernel is for f32 alone.
            let (direct, portable) = (Warp::new(side, &device), Warp::new(side, &device).cast(DType::F64));
            let (of_direct, wide) = (geometry.clone().cast(DType::F32), x.clone().cast(DType::F64));
            let forward = values(direct.apply(x.clone(), &of_direct));
            let expected = values(portable.apply(wide.clone(), &geometry));
            assert!(largest_difference(&forward, &expected) < 2e-4, "{side} pixels");
            let back = values(direct.adjoint(x, &of_direct));
            let expected = values(portable.adjoint(wide, &geometry));
            assert!(largest_difference(&back, &expected) < 2e-4, "{side} pixels, adjoint");
        }
    }

    /// <L x, g> = <x, L^T g>, and nothing changes where nothing happens.
    #[test]
    fn the_adjoint_is_one_and_identity_is_identity() {
        let device = backend::open("cpu").unwrap();
        let mut random = RandomState::new(4);
        let shape = [3, 12, 12, 3];
        let pipeline = Pipeline::new(12, 3, &device).cast(DType::F64);
        let augmentation = pipeline.draw(&mut random, 1.0, 3);
        let [x, g] = [0, 1].map(|_| pictures(&mut random, shape, &device).cast(DType::F64));
        let (lx, lg) = (values(augmentation.linear(x.clone())), values(augmentation.adjoint(g.clone())));
        let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (one, other) = (inner(&lx, &values(g)), inner(&values(x.clone()), &lg));
        assert!((one - other).abs() < 1e-9 * one.abs().max(1.0), "{one} and {other}");

        let still = pipeline.augmentation(&[Transforms::NONE; 3]);
        let filters_round = 1e-6;
        assert!(largest_difference(&values(still.apply(x.clone())), &values(x)) < filters_round);
    }
}
