//! What crates register before `main`, run once.

#![expect(unsafe_code, reason = "the linker makes this function and no crate declares it")]

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Runs them, once for each module. Were they called nowhere, the linker would take the module for a command and
/// have every export run them again: milliseconds for each call from JavaScript.
pub fn run() {
    // SAFETY: the linker's function takes nothing, gives nothing, and runs before anything that it prepares for.
    unsafe { __wasm_call_ctors() }
}
