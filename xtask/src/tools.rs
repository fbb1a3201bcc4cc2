//! Programs that cargo installs, each version in a folder of its own: `target/tools/trunk-0.21.14/bin/trunk`.

use crate::run::{command, run, say};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

/// The newest that the compiler named in Cargo.toml builds.
const TRUNK: &str = "0.21.14";

/// wasm-bindgen's command, which reads only what the library of the very same version wrote.
pub fn wasm_bindgen() -> Result<PathBuf> {
    installed("wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen_version()?, &[], &[])
}

pub fn wasm_bindgen_version() -> Result<String> {
    locked_version(&fs::read_to_string("Cargo.lock").context("Cargo.lock")?, "wasm-bindgen")
}

/// Trunk, built quickly rather than to run fast: it copies files. Without its features it has no TLS and looks for
/// no newer version of itself.
pub fn trunk() -> Result<PathBuf> {
    let quick = [
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ];
    installed("trunk", "trunk", TRUNK, &["--no-default-features"], &quick)
}

fn installed(
    package: &str,
    program: &str,
    version: &str,
    features: &[&str],
    profile: &[(&str, &str)],
) -> Result<PathBuf> {
    let root = fs::canonicalize(".")?.join("target/tools");
    let folder = root.join(format!("{program}-{version}"));
    let path = folder.join("bin").join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    if path.exists() {
        return Ok(path);
    }
    say(format!("installing {package} {version}: some minutes, once"));
    let install = |locked: &[&str]| {
        let args = [&["install", package, "--version", version], features, locked, &["--root"]].concat();
        let mut cargo = command("cargo", &args);
        cargo.arg(&folder).env("CARGO_TARGET_DIR", root.join("build"));
        run(cargo.envs(profile.iter().copied()))
    };
    if install(&["--locked"]).is_err() {
        say(format!(
            "{package} {version} could not be built from its own lock file; trying the newest dependencies that fit"
        ));
        install(&[])?;
    }
    if !path.exists() {
        bail!("cargo installed {package} {version}, but {} is not there", path.display());
    }
    Ok(path)
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
