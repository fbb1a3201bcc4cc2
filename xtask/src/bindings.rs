//! A linked wasm module made ready for the web: wasm-bindgen writes its JavaScript and leaves out names.
//!
//! There is no wasm-opt here. On this module (with the profile `web`) its `-Os` takes minutes, changes no measured
//! speed, and saves a quarter of the plain size; but what it writes compresses worse: 2.22 MB instead of 2.12 MB
//! come over the line.

use crate::run::{readable, say, size};
use crate::wasm::{self, Code, Device, Module, Route};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use wasm_bindgen_cli_support::Bindgen;

/// Makes `pkg/wasm`, the part of the npm package that is not committed.
pub fn package(route: Route) -> Result<()> {
    make(route, Code::Library, Path::new("pkg/wasm"))
}

/// Makes the parity tests' modules and says where they lie.
pub fn parity(route: Route) -> Result<PathBuf> {
    let folder = PathBuf::from("target/browser/parity");
    make(route, Code::Parity, &folder)?;
    Ok(folder)
}

/// Makes `folder` anew, with a module for each kind of device, unless it is as the linked modules and the tool would make
/// it again.
fn make(route: Route, code: Code, folder: &Path) -> Result<()> {
    let modules = Device::ALL.map(|device| Module(code, device));
    let mut linked = Vec::new();
    let mut source = Sha256::new();
    for module in modules {
        let path = wasm::link(route, module)?;
        source.update(fs::read(&path).with_context(|| path.display().to_string())?);
        linked.push(path);
    }
    let source = hexadecimal(source);
    let outputs = modules.map(|module| {
        let name = module.name();
        [format!("{name}_bg.wasm"), format!("{name}.js"), format!("{name}.d.ts")]
    });
    let stamp = |folder: &Path| -> Result<String> {
        let mut made = Sha256::new();
        for name in outputs.as_flattened() {
            made.update(fs::read(folder.join(name))?);
        }
        Ok(format!("{source} {}", hexadecimal(made)))
    };
    // Not in the folder itself: what lies there is packed.
    let stamp_file = PathBuf::from(format!("target/{}-bindings.stamp", modules[0].name()));
    if fs::read_to_string(&stamp_file).is_ok_and(|old| stamp(folder).is_ok_and(|now| now == old)) {
        say(format!("{} is up to date", folder.display()));
        return Ok(());
    }

    // Made beside it and moved at the end: a folder of this name is whole.
    let begun = Instant::now();
    let unfinished = folder.with_extension("unfinished");
    for old in [&unfinished, folder] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    for (module, linked) in modules.iter().zip(&linked) {
        let mut bind = Bindgen::new();
        bind.web(true)?.typescript(true).omit_default_module_path(false);
        bind.remove_name_section(true).remove_producers_section(true);
        bind.input_path(linked).out_name(module.name()).generate(&unfinished)?;
    }
    fs::rename(&unfinished, folder)?;
    fs::write(stamp_file, stamp(folder)?)?;
    let mut sizes = Vec::new();
    for [wasm, ..] in &outputs {
        sizes.push(format!("{wasm} {}", size(fs::metadata(folder.join(wasm))?.len() as usize)));
    }
    say(format!("{}: {}, in {}", folder.display(), sizes.join(", "), readable(begun.elapsed())));
    Ok(())
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
