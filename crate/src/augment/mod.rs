//! Differentiable augmentation of pictures: StyleGAN2-ADA's pipeline, as R3GAN trains with it (augmentation notes).
//!
//! Both players see augmented pictures only, reals and fakes alike, so the generator learns the data and not its
//! augmentations. For given [`Transforms`] the pipeline is affine in the picture,
//!
//! ```text
//! A(x) = mask * (colour (warp x) + offset)
//! ```
//!
//! with a linear warp (`warp.rs`), a matrix and an offset per pixel ([`matrices`]), and a hole. That is all that
//! linear replay asks for: its linear part L, and the adjoint of that.

pub mod matrices;
mod transforms;
mod warp;

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::kernels;
pub use transforms::{Noise, Transforms};
use warp::Warp;

/// What is the same for all pictures of a run: their size, and the filters for it, on the device.
#[derive(Clone, Debug)]
pub struct Pipeline {
    warp: Warp,
    /// The middle of every pixel in parts of the side, `[side]`.
    middles: Tensor<1>,
    channels: usize,
}

impl Pipeline {
    /// For square pictures of `channels` channels: 1 or 3.
    pub fn new(side: usize, channels: usize, device: &Device) -> Self {
        let middles: Vec<f32> = (0..side).map(|i| (i as f32 + 0.5) / side as f32).collect();
        let middles = Tensor::from_data(TensorData::new(middles, [side]), device);
        Self { warp: Warp::new(side, device), middles, channels }
    }

    /// The same with all numbers of another type.
    pub fn cast(self, dtype: DType) -> Self {
        Self { warp: self.warp.cast(dtype), middles: self.middles.cast(dtype), channels: self.channels }
    }

    /// Random transforms of probability `probability` for `count` pictures.
    pub fn draw(&self, noise: &mut impl Noise, probability: f64, count: usize) -> Augmentation {
        self.augmentation(&Transforms::draw(noise, probability as f32, count, self.channels))
    }

    /// The augmentation that gives the i-th picture the i-th transforms.
    pub fn augmentation(&self, transforms: &[Transforms]) -> Augmentation {
        let (count, channels) = (transforms.len(), self.channels);
        let like = &self.middles;
        let upload = |values: Vec<f64>, shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values, shape), (&like.device(), like.dtype()))
        };
        let side = self.warp.side();
        let geometry = transforms.iter().flat_map(|t| matrices::geometry(t, side)).flatten().collect();
        let colours: Vec<_> = transforms.iter().map(|t| matrices::colour(t, channels)).collect();
        let mix = colours.iter().flat_map(|colour| colour.mix.iter().copied()).collect();
        let offset = colours.iter().flat_map(|colour| colour.offset.iter().copied()).collect();
        let holes = transforms
            .iter()
            .flat_map(|t| [t.hole_centre[0], t.hole_centre[1], t.hole_size / 2.0].map(f64::from));
        Augmentation {
            pipeline: self.clone(),
            geometry: upload(geometry, [count, 2, 3]),
            mix: upload(mix, [count, channels, channels]),
            offset: upload(offset, [count, 1, channels]),
            mask: self.mask(&upload(holes.collect(), [count, 1, 3])),
        }
    }

    /// Zero, a middle grey, inside the holes `[batch, 1, 3]`: centre and half the side, in parts of the side.
    fn mask(&self, holes: &Tensor<3>) -> Tensor<4> {
        let (batch, side) = (holes.dims()[0], self.warp.side());
        let entry = |index: usize| holes.clone().narrow(2, index, 1);
        let within = |axis: usize| {
            let distance = (self.middles.clone().reshape([1, side, 1]) - entry(axis)).abs();
            let inside = distance.clone().lower(entry(2));
            distance.zeros_like().mask_fill(inside, 1.0)
        };
        let across = within(0).reshape([batch, 1, side, 1]);
        let down = within(1).reshape([batch, side, 1, 1]);
        (across * down).neg().add_scalar(1.0)
    }
}

/// The transforms of a batch of pictures, on the device.
#[derive(Clone, Debug)]
pub struct Augmentation {
    pipeline: Pipeline,
    /// From a pixel of the result to a place in the picture, both from the centre in pixels: `[batch, 2, 3]`.
    geometry: Tensor<3>,
    /// Colours in, colours out: `[batch, channels, channels]`.
    mix: Tensor<3>,
    /// `[batch, 1, channels]`
    offset: Tensor<3>,
    /// 0 inside the hole, else 1: `[batch, side, side, 1]`.
    mask: Tensor<4>,
}

impl Augmentation {
    /// The augmented pictures, `[batch, side, side, channels]` as `x`.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let warped = self.pipeline.warp.apply(x, &self.geometry);
        let mixed = self.mixed(warped, self.mix.clone(), Some(&self.offset));
        mixed * self.mask.clone()
    }

    /// The linear part: what [`apply`](Self::apply) adds for a change of the picture.
    pub fn linear(&self, x: Tensor<4>) -> Tensor<4> {
        let warped = self.pipeline.warp.apply(x, &self.geometry);
        self.mixed(warped, self.mix.clone(), None) * self.mask.clone()
    }

    /// The adjoint of the linear part: from gradients at augmented pictures to gradients at the pictures.
    pub fn adjoint(&self, delta: Tensor<4>) -> Tensor<4> {
        let mixed = self.mixed(delta * self.mask.clone(), self.mix.clone().swap_dims(1, 2), None);
        self.pipeline.warp.adjoint(mixed, &self.geometry)
    }

    /// Transforms `start .. start + length`.
    pub fn slice(&self, start: usize, length: usize) -> Self {
        let part = |values: &Tensor<3>| values.clone().narrow(0, start, length);
        Self {
            pipeline: self.pipeline.clone(),
            geometry: part(&self.geometry),
            mix: part(&self.mix),
            offset: part(&self.offset),
            mask: self.mask.clone().narrow(0, start, length),
        }
    }

    /// The transforms of two batches, one after the other.
    pub fn stacked(&self, other: &Self) -> Self {
        let both = |one: &Tensor<3>, other: &Tensor<3>| Tensor::cat(vec![one.clone(), other.clone()], 0);
        Self {
            pipeline: self.pipeline.clone(),
            geometry: both(&self.geometry, &other.geometry),
            mix: both(&self.mix, &other.mix),
            offset: both(&self.offset, &other.offset),
            mask: Tensor::cat(vec![self.mask.clone(), other.mask.clone()], 0),
        }
    }

    fn mixed(&self, x: Tensor<4>, mix: Tensor<3>, offset: Option<&Tensor<3>>) -> Tensor<4> {
        let shape @ [batch, height, width, channels] = x.dims();
        let pixels = kernels::product(x.reshape([batch, height * width, channels]), mix);
        let pixels = match offset {
            Some(offset) => pixels + offset.clone(),
            None => pixels,
        };
        pixels.reshape(shape)
    }
}

/// The augmentations of one phase: reals and fakes are transformed on their own.
#[derive(Clone, Debug)]
pub struct Augmentations {
    pub reals: Augmentation,
    pub fakes: Augmentation,
}

impl Augmentations {
    pub fn slice(&self, start: usize, length: usize) -> Self {
        Self { reals: self.reals.slice(start, length), fakes: self.fakes.slice(start, length) }
    }
}
