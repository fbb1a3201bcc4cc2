//! Official snapshots: the `.pkl` files that the reference implementation writes and publishes.
//!
//! A [`Snapshot`] is read without running anything ([`reader`]), its networks are recognised by the shapes of their
//! parameters, and every parameter is checked by name before it is taken.

mod architecture;
pub mod reader;
mod snapshot;

pub use architecture::CUSTOM;
pub use snapshot::Snapshot;
