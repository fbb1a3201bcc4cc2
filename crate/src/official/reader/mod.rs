//! An official snapshot from its bytes, without running anything: the reader of a foreign, untrusted format.
//!
//! `crate::pickle` makes values of the bytes; here they are asked for networks and optimizers, with every number
//! that a file claims compared with what it holds.
//!
//! This room depends on std and that one alone, so that `fuzz/` and `tests/snapshots` can include it as it is.

mod globals;
mod module;
mod optimizer;
mod snapshot;
mod storage;
mod tensor;

pub use globals::{Precision, Side};
pub use module::Module;
pub use optimizer::Optimizer;
pub use snapshot::Snapshot;
pub use tensor::Tensor;
