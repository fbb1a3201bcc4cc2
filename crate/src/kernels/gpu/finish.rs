//! Bias, leaky ReLU, slopes and a residual's sum, in the pass that writes a feature map; see [`crate::kernels::Finish`].
//!
//! Slopes are a bit each, in words for tiles of [`PIXELS`] pixels and a vector of channels: what a unit of the products
//! and convolutions has in its registers, so that no two units write the same word.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::{element, launched, vectors};
use crate::backend::{FinishedOn, Gpu};
use crate::kernels::{Finishing, NEGATIVE_SLOPE};

/// Pixels of a tile.
pub const PIXELS: usize = 4;

type Finish = Finishing<Gpu>;

/// What a kernel is given of a [`Finish`].
pub struct Parts {
    pub bias: Option<CubeTensor>,
    pub slopes: Option<CubeTensor>,
    pub other: Option<CubeTensor>,
    pub recorded: Option<CubeTensor>,
    pub activates: bool,
}

impl Parts {
    /// For a result like `x`, whose last axis is `channels`.
    pub fn new(finish: Finish, x: &CubeTensor, entries: usize, channels: usize) -> Self {
        let lanes = vectors(channels);
        let recorded = || {
            let tiles = (entries / channels.max(1)).div_ceil(PIXELS) * (channels / lanes);
            let shape = Shape::new([tiles.max(1)]);
            empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, DType::U32)
        };
        let none = Self { bias: None, slopes: None, other: None, recorded: None, activates: false };
        let whole = |x: CubeTensor| Some(into_contiguous(x));
        match finish {
            Finish::Nothing => none,
            Finish::Add { other } => Self { other: whole(other), ..none },
            Finish::Activate { bias } => Self { bias: whole(bias), activates: true, ..none },
            Finish::Record { bias } => {
                Self { bias: whole(bias), recorded: Some(recorded()), activates: true, ..none }
            }
            Finish::Replay { bias, slopes } => Self { bias: whole(bias), slopes: Some(slopes), ..none },
            Finish::Slopes { slopes } => Self { slopes: Some(slopes), ..none },
        }
    }
}

/// Finishes `x [.., channels]`.
pub fn finish(x: CubeTensor, finish: Finish) -> FinishedOn<Gpu> {
    if matches!(finish, Finish::Nothing) {
        return (x, None);
    }
    let x = into_contiguous(x);
    let entries = x.meta.shape().num_elements();
    let channels = *x.meta.shape().last().expect("a feature map has axes");
    let Parts { bias, slopes, other, recorded, activates } = Parts::new(finish, &x, entries, channels);
    if entries == 0 {
        return (x, recorded);
    }
    let y =
        empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), x.meta.shape().clone(), x.dtype);
    let lanes = vectors(channels);
    let (count, dim) = launched(&x, (entries / channels).div_ceil(PIXELS) * (channels / lanes));
    let (client, dtype) = (x.client.clone(), element(&x));
    finish_tiles::launch(
        &client,
        count,
        dim,
        lanes,
        x.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        bias.map(CubeTensor::into_tensor_arg).into(),
        slopes.map(CubeTensor::into_tensor_arg).into(),
        other.map(CubeTensor::into_tensor_arg).into(),
        recorded.clone().map(CubeTensor::into_tensor_arg).into(),
        channels / lanes,
        NEGATIVE_SLOPE as f32,
        activates,
        dtype,
    );
    (y, recorded)
}

#[cube(launch)]
fn finish_tiles<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    y: &mut Tensor<Vector<F, N>>,
    bias: ComptimeOption<&Tensor<Vector<F, N>>>,
    slopes: ComptimeOption<&Tensor<u32>>,
    other: ComptimeOption<&Tensor<Vector<F, N>>>,
    recorded: ComptimeOption<&mut Tensor<u32>>,
    blocks: usize,
    slope: f32,
    #[comptime] activates: bool,
    #[define(F)] _dtype: ElemType,
) {
    let pixels = y.len() / blocks;
    let unit = ABSOLUTE_POS;
    if unit >= (pixels + PIXELS - 1) / PIXELS * blocks {
        terminate!();
    }
    let block = unit % blocks;
    let pixel = unit / blocks * PIXELS;
    let mut values = Array::<Vector<f32, N>>::new(PIXELS);
    #[unroll]
    for i in 0..PIXELS {
        values[i] = Vector::zero();
        if pixel + i < pixels {
            values[i] = Vector::cast_from(x[(pixel + i) * blocks + block]);
        }
    }
    let found = finish_tile::<F, N>(
        &mut values,
        0usize,
        pixel,
        pixels,
        block,
        blocks,
        bias,
        slopes,
        other,
        slope,
        activates,
    );
    if comptime!(recorded.is_some()) {
        recorded.unwrap()[unit] = found;
    }
    #[unroll]
    for i in 0..PIXELS {
        if pixel + i < pixels {
            y[(pixel + i) * blocks + block] = Vector::cast_from(values[i]);
        }
    }
}

/// Finishes the tile of pixels from `pixel` on, which are `values` from `first` on; tells the word of its slopes, of which
/// there is one for each tile and block.
#[cube]
pub fn finish_tile<F: Float, N: Size>(
    values: &mut Array<Vector<f32, N>>,
    #[comptime] first: usize,
    pixel: usize,
    pixels: usize,
    block: usize,
    blocks: usize,
    bias: ComptimeOption<&Tensor<Vector<F, N>>>,
    slopes: ComptimeOption<&Tensor<u32>>,
    other: ComptimeOption<&Tensor<Vector<F, N>>>,
    slope: f32,
    #[comptime] activates: bool,
) -> u32 {
    let word = pixel / PIXELS * blocks + block;
    let lanes = N::value();
    #[comptime]
    if let ComptimeOption::Some(bias) = bias {
        // One row for all pixels, or one for those of a sample.
        let per_row = pixels / (bias.len() / blocks);
        #[unroll]
        for i in 0..PIXELS {
            let last = pixels - 1;
            let row = select(pixel + i < pixels, pixel + i, last) / per_row;
            values[first + i] += Vector::cast_from(bias[row * blocks + block]);
        }
    }
    let mut found = 0u32;
    if activates {
        #[unroll]
        for i in 0..PIXELS {
            let mut pixel = values[first + i];
            #[unroll]
            for lane in 0..lanes {
                let value = pixel.extract(lane);
                if value <= 0.0 {
                    pixel.insert(lane, value * slope);
                    found |= 1u32 << (i * lanes + lane) as u32;
                }
            }
            values[first + i] = pixel;
        }
    }
    #[comptime]
    if let ComptimeOption::Some(slopes) = slopes {
        let taken = slopes[word];
        #[unroll]
        for i in 0..PIXELS {
            let mut pixel = values[first + i];
            #[unroll]
            for lane in 0..lanes {
                if (taken >> (i * lanes + lane) as u32) & 1u32 == 1u32 {
                    let value = pixel.extract(lane);
                    pixel.insert(lane, value * slope);
                }
            }
            values[first + i] = pixel;
        }
    }
    #[comptime]
    if let ComptimeOption::Some(other) = other {
        #[unroll]
        for i in 0..PIXELS {
            if pixel + i < pixels {
                values[first + i] += Vector::cast_from(other[(pixel + i) * blocks + block]);
            }
        }
    }
    found
}
