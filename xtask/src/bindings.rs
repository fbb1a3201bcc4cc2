//! A linked wasm module made ready for the web: wasm-bindgen writes its JavaScript and leaves out names.
//!
//! There is no wasm-opt here. On this module (with the profile `web`) its `-Os` takes minutes, changes no measured
//! speed, and saves a quarter of the plain size; but what it writes compresses worse: 2.22 MB instead of 2.12 MB
//! come over the line.

use crate::run::{readable, say, size};
use crate::wasm::{self, Code, Device, Module, Route};
use anyhow::{Context, Result, bail};
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
    source.update(version()?);
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

/// That of the library and of what reads its modules, which must be the same.
fn version() -> Result<String> {
    let lock = fs::read_to_string("Cargo.lock").context("Cargo.lock")?;
    let [library, tool] =
        ["wasm-bindgen", "wasm-bindgen-cli-support"].map(|name| locked_version(&lock, name));
    let (library, tool) = (library?, tool?);
    if library != tool {
        bail!(
            "Cargo.lock has wasm-bindgen {library}, but wasm-bindgen-cli-support {tool}: xtask/Cargo.toml names the latter"
        );
    }
    Ok(library)
}

/// The one version of a package in a Cargo.lock.
fn locked_version(lock: &str, package: &str) -> Result<String> {
    let heading = format!("[[package]]\nname = \"{package}\"\nversion = \"");
    let mut found = lock.split(&heading).skip(1).filter_map(|rest| rest.split_once('"'));
    match (found.next(), found.next()) {
        (Some((version, _)), None) => Ok(version.to_owned()),
        (None, _) => bail!("Cargo.lock has no {package}"),
        (Some((one, _)), Some((other, _))) => bail!("Cargo.lock has {package} {one} and {other}: keep one"),
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_version_is_the_lock_files() {
        let entry = |name: &str, version: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"x\"\n\n")
        };
        let lock = entry("wasm-bindgen", "0.2.130") + &entry("wasm-bindgen-futures", "0.4.80");
        assert_eq!(locked_version(&lock, "wasm-bindgen").unwrap(), "0.2.130");
        assert!(locked_version(&lock, "wasm").is_err());
        assert!(locked_version(&(lock + &entry("wasm-bindgen", "0.2.131")), "wasm-bindgen").is_err());
    }
}
