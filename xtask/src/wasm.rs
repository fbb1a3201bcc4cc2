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
const BUILD: [&str; 6] = ["--profile=web", "-p", "r3gan", "--no-default-features", "--target", TARGET];

/// Instead of the flags of .cargo/config.toml: memory that workers share. Fused products are `pulp`'s, function by function:
/// with them everywhere `macerator`, which Burn takes, does not compile.
const THREADS: [&str; 10] = [
    "--cfg=getrandom_backend=\"wasm_js\"",
    "-Ctarget-feature=+simd128,+atomics,+bulk-memory,+mutable-globals",
    "-Clink-arg=--shared-memory",
    "-Clink-arg=--import-memory",
    // What 32 bits reach.
    "-Clink-arg=--max-memory=4294967296",
    "-Clink-arg=--export=__wasm_init_tls",
    "-Clink-arg=--export=__tls_size",
    "-Clink-arg=--export=__tls_align",
    "-Clink-arg=--export=__tls_base",
    "-Clink-arg=--export=__heap_base",
];

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
pub enum Code {
    /// The library, as the npm package holds it
    Library,
    /// The parity tests, as `tests/browser` runs them
    Parity,
}

/// What a module computes on.
#[derive(Clone, Copy, PartialEq)]
pub enum Device {
    /// The visitor's GPU, or one core of the CPU: for every browser
    Gpu,
    /// All cores of the CPU, with fused products: for browsers that have both
    Cores,
}

/// One wasm module.
#[derive(Clone, Copy, PartialEq)]
pub struct Module(pub Code, pub Device);

impl Module {
    /// What its files are called by.
    pub const fn name(self) -> &'static str {
        match self {
            Self(Code::Library, Device::Gpu) => "r3gan",
            Self(Code::Library, Device::Cores) => "r3gan_cpu",
            Self(Code::Parity, Device::Gpu) => "parity",
            Self(Code::Parity, Device::Cores) => "parity_cpu",
        }
    }

    /// What cargo calls it.
    const fn target(self) -> &'static str {
        match self.0 {
            Code::Library => "r3gan",
            Code::Parity => "parity",
        }
    }

    /// A wasm module, whatever kinds of library the crate names.
    fn cargo(self) -> Vec<&'static str> {
        let code: &[_] = match self.0 {
            Code::Library => &["rustc", "--lib", "--crate-type=cdylib"],
            Code::Parity => &["build", "--example=parity"],
        };
        [code, &BUILD, &[self.1.feature()]].concat()
    }
}

impl Device {
    pub const ALL: [Self; 2] = [Self::Gpu, Self::Cores];

    const fn feature(self) -> &'static str {
        match self {
            Self::Gpu => "--features=webgpu",
            Self::Cores => "--features=threads",
        }
    }
}

impl Route {
    /// Makes sure of a standard library for the target, and says where it comes from. Threads need one that is built for
    /// them, from its sources.
    fn prepared(self, device: Device) -> Result<Self> {
        let fetched = match (self, device) {
            (Self::Debian, _) => return debian_compiler(),
            (Self::Rustup | Self::Auto, Device::Gpu) => install::rust_target(TARGET),
            (Self::Rustup | Self::Auto, Device::Cores) => install::rust_sources(),
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

    fn cargo(self, args: &[&str], device: Device) -> Command {
        let mut target =
            PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        let mut command = command(if self == Self::Debian { DEBIAN_CARGO } else { "cargo" }, args);
        if self == Self::Debian {
            // The other compiler's libraries are not to be found first, and its build is not to be overwritten.
            for name in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO", "RUSTDOC"] {
                command.env_remove(name);
            }
            target = target.join("debian");
            command
                .env("RUSTC", DEBIAN_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
        }
        if device == Device::Cores {
            // Its library has the other one's name.
            target = target.join("threads");
            command.env("CARGO_ENCODED_RUSTFLAGS", THREADS.join("\x1f"));
        }
        if self == Self::Debian || device == Device::Cores {
            command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
        }
        command.env("CARGO_TARGET_DIR", target);
        command
    }
}

/// Compiles and links a module, and says where it lies. Cargo knows whether anything changed.
pub fn link(route: Route, module: Module) -> Result<PathBuf> {
    let args = [&module.cargo()[..], &["--message-format=json-render-diagnostics"]].concat();
    let messages = captured(&mut route.prepared(module.1)?.cargo(&args, module.1))?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut modules = artifacts
        .filter(|message| message["target"]["name"] == module.target())
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().filter(|file| file.ends_with(".wasm")).map(PathBuf::from));
    modules.next().with_context(|| format!("cargo linked no wasm module called {}", module.name()))
}

/// Lints the library as it is for the browser; says whether it could.
///
/// `cargo clippy` would check every dependency once more, apart from the build that follows anyway. As the wrapper
/// of a build, clippy sees the same code, and only this crate is compiled for it alone.
pub fn lint(route: Route, device: Device) -> Result<bool> {
    let route = route.prepared(device)?;
    if route == Route::Debian {
        return Ok(false);
    }
    install::component("clippy")?;
    // What is only linted need not be fast.
    const LINT: [&str; 7] = ["--", "-D", "warnings", "-C", "opt-level=0", "-C", "debug-assertions=off"];
    let args = [&["rustc", "--lib"], &BUILD[..], &[device.feature()], &LINT].concat();
    let mut cargo = route.cargo(&args, device);
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
