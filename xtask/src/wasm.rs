//! The library, compiled for the browser: wasm32 without an operating system.
//!
//! The standard library for that target comes from rustup. Where rustup cannot fetch it, Debian has a compiler
//! with its sources, and the standard library is built from them.

use crate::install;
use crate::run::{captured, command, run, say};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// The profile `web` of Cargo.toml is for size.
const FEATURES: [&str; 7] =
    ["--profile=web", "-p", "r3gan", "--no-default-features", "--features=web", "--target", TARGET];

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

/// What is linked into one wasm module.
#[derive(Clone, Copy, PartialEq)]
pub enum Module {
    /// The library, as the npm package holds it
    Library,
    /// The parity tests, as `tests/browser` runs them
    Parity,
}

impl Module {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "r3gan",
            Self::Parity => "parity",
        }
    }

    /// A wasm module, whatever kinds of library the crate names.
    const fn cargo(self) -> &'static [&'static str] {
        match self {
            Self::Library => &["rustc", "--lib", "--crate-type=cdylib"],
            Self::Parity => &["build", "--example=parity"],
        }
    }
}

impl Route {
    /// Makes sure of a standard library for the target, and says where it comes from.
    fn prepared(self) -> Result<Self> {
        let fetched = match self {
            Self::Debian => return debian_compiler(),
            Self::Rustup | Self::Auto => install::rust_target(TARGET),
        };
        match fetched {
            Ok(()) => Ok(Self::Rustup),
            Err(error) if self == Self::Auto => {
                say(format!("{error:#}: taking Debian's compiler instead"));
                debian_compiler()
            }
            Err(error) => Err(error),
        }
    }

    fn cargo(self, args: &[&str]) -> Command {
        if self != Self::Debian {
            return command("cargo", args);
        }
        let mut command = command(DEBIAN_CARGO, args);
        // The other compiler's libraries are not to be found first, and its build is not to be overwritten.
        for name in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO", "RUSTDOC"] {
            command.env_remove(name);
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        command.env("CARGO_TARGET_DIR", Path::new(&target).join("debian")).env("RUSTC", DEBIAN_RUSTC);
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
        command
    }
}

/// Compiles and links a module, and says where it lies. Cargo knows whether anything changed.
pub fn link(route: Route, module: Module) -> Result<PathBuf> {
    let args = [module.cargo(), &FEATURES, &["--message-format=json-render-diagnostics"]].concat();
    let messages = captured(&mut route.prepared()?.cargo(&args))?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut modules = artifacts
        .filter(|message| message["target"]["name"] == module.name())
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().filter(|file| file.ends_with(".wasm")).map(PathBuf::from));
    modules.next().with_context(|| format!("cargo linked no wasm module called {}", module.name()))
}

/// Lints the library as it is for the browser; says whether it could.
///
/// `cargo clippy` would check every dependency once more, apart from the build that follows anyway. As the wrapper
/// of a build, clippy sees the same code, and only this crate is compiled for it alone.
pub fn lint(route: Route) -> Result<bool> {
    let route = route.prepared()?;
    if route == Route::Debian {
        return Ok(false);
    }
    install::component("clippy")?;
    let args = [&["rustc", "--lib"], &FEATURES[..], &["--", "-D", "warnings"]].concat();
    let mut cargo = route.cargo(&args);
    run(cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_CONF_DIR", "xtask/wasm"))?;
    Ok(true)
}

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

fn debian_compiler() -> Result<Route> {
    // Debian stable's own rustc is too old for Burn; the one it ships to build browsers with is not.
    const PACKAGES: [&str; 5] = ["rustc-web", "rust-web-src", "rust-web-llvm", "cargo-web", "lld-19"];
    if !PACKAGES.iter().all(|name| Path::new("/usr/share/doc").join(name).exists()) {
        install::debian_packages(&PACKAGES).with_context(|| {
            format!("no standard library for {TARGET}, neither from rustup nor from Debian")
        })?;
    }
    if !Path::new(DEBIAN_RUSTC).exists() || !Path::new(DEBIAN_CARGO).exists() {
        bail!("Debian's packages are installed, but {DEBIAN_RUSTC} or {DEBIAN_CARGO} is not there");
    }
    Ok(Route::Debian)
}
