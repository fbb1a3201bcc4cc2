//! Licences, bans and sources of the dependencies, by cargo-deny and the root's `deny.toml`.

use crate::run::{command, output, run};
use anyhow::Result;

/// One version everywhere, so that one `deny.toml` means one thing.
pub const VERSION: &str = "0.20.2";

pub fn installed() -> bool {
    output("cargo", &["deny", "--version"]).is_some_and(|text| text == format!("cargo-deny {VERSION}"))
}

pub fn install() -> Result<()> {
    if installed() {
        return Ok(());
    }
    run(&mut command("cargo", &["install", "cargo-deny", "--locked", "--version", VERSION]))
}

/// Advisories are left out: their list is not in a package registry, and a check must not depend on the day.
pub fn check() -> Result<()> {
    run(&mut command("cargo", &["deny", "check", "licenses", "bans", "sources"]))
}
