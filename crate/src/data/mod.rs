//! Training data: MNIST-like IDX files, CIFAR-10, folders and zips of pictures, and two point clouds.
//!
//! [`open`] finds out what a path holds and checks all of it that can be checked without decoding; the
//! [`Dataset`] then decodes the [`Batch`]es that an [`InfiniteSampler`] asks for. Everything read is untrusted:
//! sizes are checked before memory is taken, and memory does not grow with the data beyond the cache.
//! In the browser [`open_bytes`] takes the same files from memory.

mod cifar;
#[cfg(not(target_family = "wasm"))]
mod collection;
#[cfg(not(target_family = "wasm"))]
mod convert;
mod dataset;
mod digest;
mod idx;
mod labels;
mod open;
mod picture;
mod pictures;
mod points;
#[cfg(not(target_family = "wasm"))]
mod prefetch;
mod sampler;
mod source;
mod store;
#[cfg(not(target_family = "wasm"))]
mod survey;
#[cfg(test)]
mod tests;

#[cfg(not(target_family = "wasm"))]
pub use convert::{Colours, Conversion, Converted, Fit, LabelsFrom, convert};
pub use dataset::{Batch, Dataset, Kind, Values};
#[cfg(not(target_family = "wasm"))]
pub use open::open;
pub use open::{OpenOptions, open_bytes};
pub use points::{ModeCoverage, PointCloud};
#[cfg(not(target_family = "wasm"))]
pub use prefetch::Prefetcher;
pub use sampler::InfiniteSampler;
pub use store::archive;
#[cfg(not(target_family = "wasm"))]
pub use survey::{Shape, Survey, survey};
