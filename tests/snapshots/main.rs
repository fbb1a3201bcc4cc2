//! The reader of official snapshots, and nothing around it: it depends on std alone and is included as it is, with
//! what the fuzzer uses.
//!
//! - `broken`: whole pickles and broken ones, among them the fuzzer's seeds with every byte changed;
//! - `memory`: every allocation is counted.

mod broken;
mod memory;

#[path = "../../fuzz/src/exercise.rs"]
mod exercise;
#[path = "../../fuzz/src/pickles.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod pickles;
#[path = "../../crate/src/official/reader/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the library uses what these tests do not")]
mod reader;
