//! libFuzzer's entry: any bytes, as an official snapshot.

#![no_main]

mod exercise;
#[path = "../../crate/src/official/reader/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the library uses what the fuzzer does not")]
mod reader;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exercise::exercise(bytes);
});
