//! The readers of pickles, and nothing around them: they depend on std alone and are included as they are, with what
//! the fuzzer uses.
//!
//! - `broken`: whole snapshots and broken ones, among them the fuzzer's seeds with every byte changed;
//! - `cifar`: the same for batches of CIFAR-10;
//! - `memory`: every allocation is counted.

mod broken;
mod cifar;
mod memory;

#[path = "../../crate/src/data/cifar/python/batch.rs"]
mod batch;
#[path = "../../fuzz/src/exercise.rs"]
mod exercise;
#[path = "../../crate/src/pickle/mod.rs"]
mod pickle;
#[path = "../../fuzz/src/pickles.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod pickles;
#[path = "../../crate/src/official/reader/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the library uses what these tests do not")]
mod reader;
