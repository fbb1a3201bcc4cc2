//! The entry of the wasm module.

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs when the module is loaded: a panic, which should never happen, becomes a readable console error.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
