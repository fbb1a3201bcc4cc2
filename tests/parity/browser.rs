//! The same tests as a wasm module, for `tests/browser/parity.test.mjs` to run in a browser.
//!
//! JavaScript calls `prepare`, then `provide` for each fixture file, then `run` with the names of `tests`. A
//! panic reaches the function given to `prepare` and poisons the instance: the caller starts another.
#![cfg(target_family = "wasm")]

mod augmentation;
mod compare;
mod finishes;
mod fixtures;
mod host;
mod kernels;
mod networks;
mod official_run;
mod pictures;
mod platform;
mod reduced_precision;
mod snapshots;
mod training;

use std::cell::RefCell;

use burn::tensor::Device;
use js_sys::Function;
use platform::{Body, Test};
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

thread_local! {
    static REPORT: RefCell<Option<Function>> = const { RefCell::new(None) };
    /// Opened once: a browser's device has one owner.
    static DEVICE: RefCell<Option<(String, Device)>> = const { RefCell::new(None) };
}

/// `report` is called with the message of a panic, before the trap that follows it.
#[wasm_bindgen]
pub fn prepare(report: Function) {
    REPORT.set(Some(report));
    std::panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        REPORT.with_borrow(|report| {
            let called = report.as_ref().map(|report| report.call1(&JsValue::NULL, &message.as_str().into()));
            drop(called);
        });
    }));
}

fn all() -> impl Iterator<Item = Test> {
    let modules = [
        augmentation::tests(),
        finishes::tests(),
        host::tests(),
        networks::tests(),
        official_run::tests(),
        pictures::tests(),
        kernels::tests(),
        reduced_precision::tests(),
        snapshots::tests(),
        training::tests(),
    ];
    modules.into_iter().flatten()
}

/// `MODULE::TEST::DEVICE`, as cargo names them; the device is `host` for tests without one.
#[wasm_bindgen]
pub fn tests() -> Vec<String> {
    let names = |test: Test| match test.body {
        Body::Host(_) => vec![format!("{}::host", test.name)],
        Body::Device { devices, .. } => {
            devices.iter().map(|device| format!("{}::{device}", test.name)).collect()
        }
    };
    all().flat_map(names).collect()
}

/// Runs one test; returns if it passes, panics if it fails.
#[wasm_bindgen]
pub async fn run(name: String) -> Result<(), JsError> {
    let unknown = || JsError::new(&format!("there is no test {name}"));
    let (path, device) = name.rsplit_once("::").ok_or_else(unknown)?;
    match all().find(|test| test.name == path).ok_or_else(unknown)?.body {
        Body::Host(body) => body(),
        Body::Device { body, .. } => body(open(device).await?).await,
    }
    Ok(())
}

async fn open(name: &str) -> Result<Device, JsError> {
    let opened = DEVICE.with_borrow(|device| device.clone().filter(|(opened, _)| opened == name));
    if let Some((_, device)) = opened {
        return Ok(device);
    }
    let device = r3gan::backend::open_async(name).await?;
    DEVICE.set(Some((name.into(), device.clone())));
    Ok(device)
}
