//! Programs that cargo installs, each version in a folder of its own: `target/tools/trunk-0.21.14/bin/trunk`.

use crate::run::{command, run, say};
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;

/// The newest that the compiler named in Cargo.toml builds.
const TRUNK: &str = "0.21.14";

/// Trunk, built quickly rather than to run fast: it copies files. Without its features it has no TLS and looks for
/// no newer version of itself.
pub fn trunk() -> Result<PathBuf> {
    let quick = [
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ];
    installed("trunk", TRUNK, &["--no-default-features"], &quick)
}

fn installed(package: &str, version: &str, features: &[&str], profile: &[(&str, &str)]) -> Result<PathBuf> {
    let root = fs::canonicalize(".")?.join("target/tools");
    let folder = root.join(format!("{package}-{version}"));
    let path = folder.join("bin").join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
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
