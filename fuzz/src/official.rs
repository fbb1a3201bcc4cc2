//! libFuzzer's entry: any bytes, as an official snapshot and as a batch of CIFAR-10.

#![no_main]

mod exercise;
#[path = "../../crate/src/data/cifar/python/batch.rs"]
mod batch;
#[path = "../../crate/src/pickle/mod.rs"]
mod pickle;
#[path = "../../crate/src/official/reader/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the library uses what the fuzzer does not")]
mod reader;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exercise::snapshot(bytes);
    exercise::batch(bytes);
});
