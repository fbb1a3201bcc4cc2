//! Bias, leaky ReLU, slopes and a residual's sum, in the pass that writes a feature map; see [`crate::kernels::Finish`].
//!
//! Slopes are a bit each, in words for tiles of [`PIXELS`] pixels and a vector of channels: what a unit of the products
//! and convolutions has in its registers, so that no two units write the same word.

#![expect(clippy::manual_div_ceil, reason = "the kernel language has no div_ceil")]

use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::num_traits::Zero;
use cubecl::prelude::*;

use super::{element, empty_of, launched, vectors};
use crate::backend::{FinishedOn, Gpu};
use crate::kernels::{Finishing, NEGATIVE_SLOPE};

/// Pixels of a tile.
pub const PIXELS: usize = 4;

type Finish = Finishing<Gpu>;

/// What a kernel is given of a [`Finish`].
#[derive(CubeType, CubeLaunch)]
pub struct Finisher<F: Float, N: Size> {
    /// `[1 or samples]` rows.
    bias: ComptimeOption<OwnedTensor<Vector<F, N>>>,
    /// Words of slopes to take, and to write.
    slopes: ComptimeOption<OwnedTensor<u32>>,
    recorded: ComptimeOption<OwnedTensor<u32>>,
    other: ComptimeOption<OwnedTensor<Vector<F, N>>>,
    slope: f32,
    #[cube(comptime)]
    activates: bool,
}

/// The finish of a result like `x` of so many entries, whose last axis is `channels`, and the slopes that it will record.
pub fn finisher<F: Float, N: Size>(
    finish: Finish,
    x: &CubeTensor,
    entries: usize,
    channels: usize,
) -> (FinisherLaunch<F, N>, Option<CubeTensor>) {
    let words = || {
        let tiles = (entries / channels.max(1)).div_ceil(PIXELS) * (channels / vectors(channels));
        empty_of(x, [tiles.max(1)], DType::U32)
    };
    let (bias, slopes, recorded, other, activates) = match finish {
        Finish::Nothing => (None, None, None, None, false),
        Finish::Add { other } => (None, None, None, Some(other), false),
        Finish::Activate { bias } => (Some(bias), None, None, None, true),
        Finish::Record { bias } => (Some(bias), None, Some(words()), None, true),
        Finish::Replay { bias, slopes } => (Some(bias), Some(slopes), None, None, false),
        Finish::Slopes { slopes } => (None, Some(slopes), None, None, false),
    };
    let argument = |x: Option<CubeTensor>| x.map(|x| into_contiguous(x).into_tensor_arg());
    let launch = FinisherLaunch::new(
        argument(bias).into(),
        argument(slopes).into(),
        argument(recorded.clone()).into(),
        argument(other).into(),
        NEGATIVE_SLOPE as f32,
        activates,
    );
    (launch, recorded)
}

/// Finishes `x [.., channels]`, in place if no one else holds it.
pub fn finish(x: CubeTensor, finish: Finish) -> FinishedOn<Gpu> {
    if matches!(finish, Finish::Nothing) {
        return (x, None);
    }
    let x = into_contiguous(x);
    let entries = x.meta.shape().num_elements();
    let channels = *x.meta.shape().last().expect("a feature map has axes");
    let (finisher, recorded) = finisher(finish, &x, entries, channels);
    if entries == 0 {
        return (x, recorded);
    }
    let lanes = vectors(channels);
    let (count, dim) = launched([&x], (entries / channels).div_ceil(PIXELS) * (channels / lanes));
    let (client, dtype) = (x.client.clone(), element(&x));
    let (y, to) = if x.can_mut() {
        (x.clone(), x.as_tensor_alias(0))
    } else {
        let shape = x.meta.shape().clone();
        let y = empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, x.dtype);
        (y.clone(), y.into_tensor_arg())
    };
    finish_tiles::launch(
        &client,
        count,
        dim,
        lanes,
        x.into_tensor_arg(),
        to,
        finisher,
        channels / lanes,
        dtype,
    );
    (y, recorded)
}

#[cube(launch)]
fn finish_tiles<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    y: &mut Tensor<Vector<F, N>>,
    finisher: &mut Finisher<F, N>,
    blocks: usize,
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
    finish_tile::<F, N>(finisher, &mut values, 0usize, pixel, pixels, block, blocks);
    #[unroll]
    for i in 0..PIXELS {
        if pixel + i < pixels {
            y[(pixel + i) * blocks + block] = Vector::cast_from(values[i]);
        }
    }
}

/// Finishes the tile of pixels from `pixel` on, which are `values` from `first` on. There is a word of slopes for each tile
/// and block.
#[cube]
pub fn finish_tile<F: Float, N: Size>(
    finisher: &mut Finisher<F, N>,
    values: &mut Array<Vector<f32, N>>,
    #[comptime] first: usize,
    pixel: usize,
    pixels: usize,
    block: usize,
    blocks: usize,
) {
    let slope = finisher.slope;
    let word = pixel / PIXELS * blocks + block;
    let lanes = N::value();
    #[comptime]
    if let ComptimeOption::Some(bias) = finisher.bias.as_ref() {
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
    if comptime!(finisher.activates) {
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
    if let ComptimeOption::Some(slopes) = finisher.slopes.as_ref() {
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
    if let ComptimeOption::Some(other) = finisher.other.as_ref() {
        #[unroll]
        for i in 0..PIXELS {
            if pixel + i < pixels {
                values[first + i] += Vector::cast_from(other[(pixel + i) * blocks + block]);
            }
        }
    }
    #[comptime]
    if let ComptimeOption::Some(recorded) = finisher.recorded.as_mut() {
        recorded[word] = found;
    }
}
