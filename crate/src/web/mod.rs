//! The entry of the wasm module: what `pkg/worker.js` calls. It translates, and computes nothing.
//!
//! A module has one device and lives in one worker, which holds one `Sampler` or one `Trainer`; the worker
//! ends with it, and so does all the memory. Other workers may lend it their cores; see `threads.rs`.

mod constructors;
mod convert;
#[cfg(feature = "webgpu")]
mod drawing;
mod sampler;
#[cfg(feature = "threads")]
mod threads;
mod trainer;

use std::sync::Once;

use burn::tensor::Device;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{backend, data, preset};
use convert::{Failure, files, object};

/// Runs when the module is loaded, by each worker that shares its memory. A panic, which should never happen, becomes a
/// readable console error, and its message is left where the worker finds it after the trap.
#[wasm_bindgen(start)]
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        constructors::run();
        // Compiled in, and off until somebody knows that the browser has them: it has, or this would not have loaded.
        #[cfg(feature = "threads")]
        pulp::wasm::enable_relaxed_simd();
        std::panic::set_hook(Box::new(|info| {
            console_error_panic_hook::hook(info);
            let place = JsValue::from_str("r3ganPanic");
            let message = JsValue::from_str(&info.to_string());
            // Where the global object takes no property the console has the message.
            let _ = js_sys::Reflect::set(&js_sys::global(), &place, &message);
        }));
    });
}

/// The device of this module.
#[wasm_bindgen]
pub struct Handle(Device);

/// Opens `webgpu` or `cpu`.
///
/// # Errors
/// `DeviceError` where the browser has no WebGPU.
#[wasm_bindgen]
pub async fn open(name: String) -> Result<Handle, Failure> {
    Ok(Handle(backend::open_async(&name).await?))
}

#[wasm_bindgen]
impl Handle {
    /// Bytes of GPU memory that tensors use and that are set aside: two numbers, none on the CPU.
    pub fn memory(&self) -> Vec<f64> {
        let usage = self.0.memory_pool_usage();
        usage.map_or_else(Vec::new, |usage| vec![usage.bytes_in_use as f64, usage.bytes_reserved as f64])
    }
}

/// Pictures, an array of `{ name, bytes }`, as one zip.
///
/// # Errors
/// `SettingError` naming the file that cannot be put into a zip.
#[wasm_bindgen]
pub fn archive(pictures: &JsValue) -> Result<Uint8Array, Failure> {
    Ok(Uint8Array::from(data::archive(&files(pictures)?)?.as_slice()))
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Preset {
    name: &'static str,
    side: usize,
    batch: usize,
    kimg: u64,
    learning_rate: f64,
    gamma: f64,
    parameters: usize,
}

/// The table of presets, small ones first.
///
/// # Errors
/// None for the presets there are.
#[wasm_bindgen]
pub fn presets() -> Result<JsValue, Failure> {
    let describe = |name| {
        let config = preset::config(name, 0)?;
        let (generator, critic) = (config.network.generator()?, config.network.critic()?);
        Ok(Preset {
            name,
            side: config.network.sample_shape()[0],
            batch: config.batch,
            kimg: config.kimg,
            learning_rate: config.learning_rate.base,
            gamma: config.gamma.base,
            parameters: generator.parameter_count() + critic.parameter_count(),
        })
    };
    object(&preset::names().map(describe).collect::<crate::Result<Vec<_>>>()?)
}
