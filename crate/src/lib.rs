//! Train and sample GANs: R3GAN's networks and objective, from one crate, natively and in a web page.
//!
//! See `ARCHITECTURE.md` for the rooms and what may depend on what.
//!
//! Sample from a model:
//!
//! ```no_run
//! # #[cfg(feature = "cli")]
//! # fn main() -> r3gan::Result<()> {
//! use std::path::Path;
//! use r3gan::{backend, checkpoint::Model, sampling::{self, Sampler}};
//!
//! let device = backend::open("auto")?;
//! let sampler = Sampler::new(Model::open(Path::new("model.safetensors"), &device)?);
//! let latents = sampling::latents(&[0, 1, 2], sampler.header().network.latent);
//! // [3, height, width, channels] in [-1, 1]
//! let pictures = pollster::block_on(sampler.sample(&latents, None, 3))?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "cli"))]
//! # fn main() {}
//! ```
//!
//! Exact gradients of a critic on random data, and one step:
//!
//! ```
//! # #[cfg(feature = "cli")]
//! # fn main() -> r3gan::Result<()> {
//! use burn::tensor::{Distribution, Tensor};
//! use r3gan::{backend, preset, training::{Phase, Trainer}};
//!
//! let device = backend::open("cpu")?;
//! let config = preset::config("demo-16", 0)?.with_overrides(&["batch=2".into()])?;
//! let mut trainer = Trainer::new(config, &device)?;
//! let reals = Tensor::random([2, 16, 16, 3], Distribution::Uniform(-1.0, 1.0), &device);
//! let latents = trainer.draw_latents(2);
//! let phase = Phase { reals, latents, labels: None, augmentations: None };
//! let values = pollster::block_on(trainer.step(&phase, &phase).read())?;
//! assert!(values.is_finite());
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "cli"))]
//! # fn main() {}
//! ```

pub mod augment;
pub mod backend;
#[cfg(not(target_family = "wasm"))]
pub mod cache;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod data;
pub mod error;
pub mod kernels;
pub mod linear;
#[cfg(not(target_family = "wasm"))]
pub mod metrics;
pub mod network;
pub mod objective;
pub mod official;
mod pickle;
pub mod pictures;
pub mod preset;
pub mod random;
pub mod sampling;
pub mod schedule;
pub mod session;
pub mod training;
#[cfg(target_family = "wasm")]
mod web;

pub use error::{Error, Result};
