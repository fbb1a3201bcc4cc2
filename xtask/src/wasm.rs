//! The library compiles for the browser: wasm32 without an operating system.
//!
//! The standard library for that target comes from rustup. Where rustup cannot fetch it, Debian has a compiler
//! with its sources, and the standard library is built from them.

use crate::install;
use crate::run::{command, run, say};
use anyhow::{Context, Result, bail};
use std::path::Path;

const TARGET: &str = "wasm32-unknown-unknown";
const LIBRARY: [&str; 9] =
    ["--release", "-p", "r3gan", "--lib", "--no-default-features", "--features", "web", "--target", TARGET];
/// A wasm module, as the page loads it, whatever kinds of library the crate names.
const LINKED: [&str; 2] = ["--crate-type", "cdylib"];

#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
pub enum Route {
    /// rustup, and Debian where rustup cannot fetch
    #[default]
    Auto,
    /// `rustup target add`: linted by clippy too
    Rustup,
    /// Debian's compiler and its sources of the standard library: compiled, not linted
    Debian,
}

/// Checks the library for the browser; `build` generates its code and links it as well.
pub fn check(route: Route, build: bool) -> Result<()> {
    let fetched = match route {
        Route::Debian => return debian(build),
        Route::Rustup | Route::Auto => install::rust_target(TARGET),
    };
    match fetched {
        Ok(()) => rustup(build),
        Err(error) if route == Route::Auto => {
            say(format!("{error:#}: taking Debian's compiler instead"));
            debian(build)
        }
        Err(error) => Err(error),
    }
}

fn rustup(build: bool) -> Result<()> {
    install::component("clippy")?;
    let args = [&["clippy"], &LIBRARY[..], &["--", "-D", "warnings"]].concat();
    run(command("cargo", &args).env("CLIPPY_CONF_DIR", "xtask/wasm"))?;
    if build {
        run(&mut command("cargo", &[&["rustc"], &LIBRARY[..], &LINKED].concat()))?;
    }
    Ok(())
}

fn debian(build: bool) -> Result<()> {
    // Debian stable's own rustc is too old for Burn; the one it ships to build browsers with is not.
    const PACKAGES: [&str; 5] = ["rustc-web", "rust-web-src", "rust-web-llvm", "cargo-web", "lld-19"];
    if !PACKAGES.iter().all(|name| Path::new("/usr/share/doc").join(name).exists()) {
        install::debian_packages(&PACKAGES).with_context(|| {
            format!("no standard library for {TARGET}, neither from rustup nor from Debian")
        })?;
    }
    let (rustc, cargo) = ("/usr/bin/rustc", "/usr/bin/cargo");
    if !Path::new(rustc).exists() || !Path::new(cargo).exists() {
        bail!("Debian's packages are installed, but {rustc} or {cargo} is not there");
    }
    let args = match build {
        true => [&["rustc"], &LIBRARY[..], &LINKED].concat(),
        false => [&["check"], &LIBRARY[..]].concat(),
    };
    let mut command = command(cargo, &args);
    // The other compiler's libraries are not to be found first, and its build is not to be overwritten.
    for name in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO", "RUSTDOC"] {
        command.env_remove(name);
    }
    command.env("CARGO_TARGET_DIR", debian_target_folder()).env("RUSTC", rustc);
    command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
    run(&mut command)
}

fn debian_target_folder() -> std::path::PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Path::new(&folder).join("debian")
}
