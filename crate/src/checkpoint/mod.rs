//! Files of weights: safetensors with the configuration inside, written whole or not at all.
//!
//! - A *model* is what people share: the averaged generator in f32 or f16 ([`model`]).
//! - A *checkpoint* is what a run continues from, exactly ([`training`]).
//!
//! Both carry one metadata entry, `r3gan`, a JSON object; tensors have this crate's parameter names and
//! the published shapes. Files are untrusted: sizes, shapes, types and finiteness are checked.

pub mod container;
#[cfg(not(target_family = "wasm"))]
mod file;
pub mod header;
pub mod model;
pub mod training;

#[cfg(not(target_family = "wasm"))]
pub(crate) use file::reason as output_reason;
#[cfg(not(target_family = "wasm"))]
pub use file::{UNFINISHED, check_writable, read, write_atomic, write_atomic_with};
pub use header::{DataState, ModelHeader, Precision, TrainingHeader};
pub use model::Model;
