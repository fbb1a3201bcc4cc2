//! Train and sample GANs: R3GAN's networks and objective, from one crate, natively and in a web page.
//!
//! See `ARCHITECTURE.md` for the rooms and what may depend on what.

pub mod backend;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod data;
pub mod error;
mod kernels;
pub mod linear;
pub mod network;
pub mod objective;
pub mod pictures;
pub mod preset;
pub mod random;
pub mod sampling;
pub mod schedule;
#[cfg(not(target_family = "wasm"))]
pub mod session;
pub mod training;
#[cfg(target_family = "wasm")]
mod web;

pub use error::{Error, Result};
