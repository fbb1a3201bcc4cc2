//! The 4x4 bases, a unit for a vector or an entry of channels; see [`crate::linear::basis`].

use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::finish::{Finisher, PIXELS, finish_tile, finisher};
use super::{element, empty_like, empty_of, launched, vectors};
use crate::backend::{FinishedOn, Gpu};
use crate::kernels::Finishing;
use crate::linear::basis::SIDE;

/// Pixels of a picture.
const AREA: usize = SIDE * SIDE;

/// `x [b, 1, 1, c]` times the patterns `weight [c * 16]`, finished: `[b, 4, 4, c]`.
pub fn expand(x: CubeTensor, weight: CubeTensor, finish: Finishing<Gpu>) -> FinishedOn<Gpu> {
    let (x, weight) = (into_contiguous(x), into_contiguous(weight));
    let [batch, _, _, channels] = x.meta.shape().dims();
    let y = empty_like(&x, [batch, SIDE, SIDE, channels]);
    let (finisher, recorded) = finisher(finish, &x, batch * AREA * channels, channels);
    let lanes = vectors(channels);
    let blocks = channels / lanes;
    let (count, dim) = launched([&y, &weight], batch * AREA / PIXELS * blocks);
    let (client, dtype) = (x.client.clone(), element(&x));
    expand_tiles::launch(
        &client,
        count,
        dim,
        lanes,
        x.into_tensor_arg(),
        weight.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        finisher,
        blocks,
        dtype,
    );
    (y, recorded)
}

#[cube(launch)]
fn expand_tiles<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    weight: &Tensor<F>,
    y: &mut Tensor<Vector<F, N>>,
    finisher: &mut Finisher<F, N>,
    blocks: usize,
    #[define(F)] _dtype: ElemType,
) {
    let pixels = y.len() / blocks;
    let unit = ABSOLUTE_POS;
    if unit >= y.len() / PIXELS {
        terminate!();
    }
    let (block, pixel) = (unit % blocks, unit / blocks * PIXELS);
    let value = Vector::<f32, N>::cast_from(x[pixel / AREA * blocks + block]);
    let mut values = Array::<Vector<f32, N>>::new(PIXELS);
    #[unroll]
    for i in 0..PIXELS {
        values[i] = value * pattern::<F, N>(weight, block, pixel % AREA + i);
    }
    finish_tile::<F, N>(finisher, &mut values, 0usize, pixel, pixels, block, blocks);
    #[unroll]
    for i in 0..PIXELS {
        y[(pixel + i) * blocks + block] = Vector::cast_from(values[i]);
    }
}

/// A block's channels of the patterns at a place.
#[cube]
fn pattern<F: Float, N: Size>(weight: &Tensor<F>, block: usize, place: usize) -> Vector<f32, N> {
    let lanes = N::value();
    let mut values = Vector::<f32, N>::zero();
    #[unroll]
    for lane in 0..lanes {
        values.insert(lane, f32::cast_from(weight[(block * lanes + lane) * AREA + place]));
    }
    values
}

/// `x [b, 4, 4, c]` summed against the patterns `weight [c * 16]`: `[b, 1, 1, c]`.
pub fn contract(x: CubeTensor, weight: CubeTensor) -> CubeTensor {
    let (x, weight) = (into_contiguous(x), into_contiguous(weight));
    let [batch, _, _, channels] = x.meta.shape().dims();
    let y = empty_like(&x, [batch, 1, 1, channels]);
    let (count, dim) = launched([&x, &weight], batch * channels);
    let (client, dtype) = (x.client.clone(), element(&x));
    let (from, to) = (x.into_tensor_arg(), y.clone().into_tensor_arg());
    contract_pictures::launch(&client, count, dim, from, weight.into_tensor_arg(), to, channels, dtype);
    y
}

#[cube(launch)]
fn contract_pictures<F: Float>(
    x: &Tensor<F>,
    weight: &Tensor<F>,
    y: &mut Tensor<F>,
    channels: usize,
    #[define(F)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit >= y.len() {
        terminate!();
    }
    let (sample, channel) = (unit / channels, unit % channels);
    let mut sum = 0.0f32;
    #[unroll]
    for column in 0..SIDE {
        let mut below = 0.0f32;
        #[unroll]
        for row in 0..SIDE {
            let place = row * SIDE + column;
            let value = f32::cast_from(x[(sample * AREA + place) * channels + channel]);
            below += value * f32::cast_from(weight[channel * AREA + place]);
        }
        sum += below;
    }
    y[unit] = F::cast_from(sum);
}

/// Gradient of the patterns, `[c * 16]` in f32, from `vector [b, 1, 1, c]` and `picture [b, 4, 4, c]`.
pub fn basis_weight_gradient(vector: CubeTensor, picture: CubeTensor) -> CubeTensor {
    let (vector, picture) = (into_contiguous(vector), into_contiguous(picture));
    let [_, _, _, channels] = vector.meta.shape().dims();
    let gradient = empty_of(&vector, [channels * AREA], DType::F32);
    let (count, dim) = launched([&picture], channels * AREA);
    let (client, dtype) = (vector.client.clone(), element(&vector));
    let (vector, picture) = (vector.into_tensor_arg(), picture.into_tensor_arg());
    sum_samples::launch(
        &client,
        count,
        dim,
        vector,
        picture,
        gradient.clone().into_tensor_arg(),
        channels,
        dtype,
    );
    gradient
}

/// Neighbouring units read neighbouring channels, and write apart.
#[cube(launch)]
fn sum_samples<F: Float>(
    vector: &Tensor<F>,
    picture: &Tensor<F>,
    gradient: &mut Tensor<f32>,
    channels: usize,
    #[define(F)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit >= gradient.len() {
        terminate!();
    }
    let (place, channel) = (unit / channels, unit % channels);
    let mut sum = 0.0f32;
    for sample in 0..vector.len() / channels {
        let value = f32::cast_from(picture[(sample * AREA + place) * channels + channel]);
        sum += value * f32::cast_from(vector[sample * channels + channel]);
    }
    gradient[channel * AREA + place] = sum;
}
