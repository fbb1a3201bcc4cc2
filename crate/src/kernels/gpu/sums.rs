//! Sums over the pixels of feature maps: the gradients of biases.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::{ENOUGH, element, launched, vectors};

/// A part of a sum has at least so many pixels: fewer would be another launch for less than it costs.
const LONG: usize = 1 << 9;
/// Pixels that a unit reads without waiting for one another.
const READS: usize = 8;

/// The sum of `x [b, h, w, c]`, nothing of it empty, over all but channels, each sample times its `scale [b, 1, 1, 1]`:
/// `[c]`. In f32, as the scale is.
pub fn channel_sums(x: CubeTensor, scale: Option<CubeTensor>) -> CubeTensor {
    let x = into_contiguous(x);
    let [batch, height, width, channels] = x.meta.shape().dims();
    let (lanes, pixels) = (vectors(channels), batch * height * width);
    let blocks = channels / lanes;
    let parts = ENOUGH.div_ceil(blocks).min(pixels / LONG).max(1);
    let (client, device, dtype) = (x.client.clone(), x.device.clone(), element(&x));
    let empty = |length: usize| {
        empty_device_contiguous_dtype(client.clone(), device.clone(), Shape::new([length]), DType::F32)
    };
    let sums = empty(parts * channels);
    let (count, dim) = launched([&x, &sums], parts * blocks);
    sum_pixels::launch(
        &client,
        count,
        dim,
        lanes,
        x.into_tensor_arg(),
        scale.map(|scale| into_contiguous(scale).into_tensor_arg()).into(),
        sums.clone().into_tensor_arg(),
        blocks,
        height * width,
        dtype,
    );
    if parts == 1 {
        return sums;
    }
    let whole = empty(channels);
    let (count, dim) = launched([&sums], channels);
    sum_parts::launch(&client, count, dim, sums.into_tensor_arg(), whole.clone().into_tensor_arg());
    whole
}

/// `sums` are `[parts, blocks]` vectors.
#[cube(launch)]
fn sum_pixels<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    scale: ComptimeOption<&Tensor<f32>>,
    sums: &mut Tensor<Vector<f32, N>>,
    blocks: usize,
    per_sample: usize,
    #[define(F)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit >= sums.len() {
        terminate!();
    }
    let (part, block) = (unit / blocks, unit % blocks);
    let (pixels, parts) = (x.len() / blocks, sums.len() / blocks);
    let per_part = (pixels + parts - 1) / parts;
    let first = select(part * per_part < pixels, part * per_part, pixels);
    let end = select(first + per_part < pixels, first + per_part, pixels);
    let mut found = Array::<Vector<f32, N>>::new(READS);
    #[unroll]
    for i in 0..READS {
        found[i] = Vector::zero();
    }
    for step in 0..(end - first + READS - 1) / READS {
        #[unroll]
        for i in 0..READS {
            let pixel = first + step * READS + i;
            if pixel < end {
                let value = Vector::<f32, N>::cast_from(x[pixel * blocks + block]);
                #[comptime]
                match scale {
                    ComptimeOption::Some(scale) => {
                        found[i] += value * Vector::new(scale[pixel / per_sample]);
                    }
                    ComptimeOption::None => found[i] += value,
                }
            }
        }
    }
    let mut sum = Vector::<f32, N>::zero();
    #[unroll]
    for i in 0..READS {
        sum += found[i];
    }
    sums[unit] = sum;
}

#[cube(launch)]
fn sum_parts(parts: &Tensor<f32>, sums: &mut Tensor<f32>) {
    let channel = ABSOLUTE_POS;
    if channel >= sums.len() {
        terminate!();
    }
    let mut sum = 0.0f32;
    for part in 0..parts.len() / sums.len() {
        sum += parts[part * sums.len() + channel];
    }
    sums[channel] = sum;
}
