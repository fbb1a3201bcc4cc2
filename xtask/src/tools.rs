//! Programs that cargo installs, each version in a folder of its own: `target/tools/trunk-0.21.14/bin/trunk`.

use crate::run::{command, run, say};
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;

/// The newest that the compiler named in Cargo.toml builds.
const TRUNK: &str = "0.21.14";

/// Built quickly rather than to run fast: it copies files.
const QUICK: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
];

/// Trunk, without its features: it has no TLS then, and looks for no newer version of itself.
pub fn trunk() -> Result<PathBuf> {
    let root = fs::canonicalize(".")?.join("target/tools");
    let folder = root.join(format!("trunk-{TRUNK}"));
    let path = folder.join("bin").join(format!("trunk{}", std::env::consts::EXE_SUFFIX));
    if path.exists() {
        return Ok(path);
    }
    say(format!("installing trunk {TRUNK}: some minutes, once"));
    let install = |locked: &[&str]| {
        let args = [&["install", "trunk", "--version", TRUNK, "--no-default-features"], locked, &["--root"]]
            .concat();
        let mut cargo = command("cargo", &args);
        run(cargo.arg(&folder).env("CARGO_TARGET_DIR", root.join("build")).envs(QUICK))
    };
    if install(&["--locked"]).is_err() {
        say(format!(
            "trunk {TRUNK} could not be built from its own lock file; trying the newest dependencies that fit"
        ));
        install(&[])?;
    }
    if !path.exists() {
        bail!("cargo installed trunk {TRUNK}, but {} is not there", path.display());
    }
    Ok(path)
}
