//! `cargo xtask test`: every check of the repository, in the order in which a mistake shows soonest.
//!
//! Everything native is built with the release profile, so that build scripts and macros are compiled once. The
//! workspace's two packages are built one after the other: together they would ask other features of the crates
//! that they share, and Burn would be built again for it. What a browser loads is built once too, with the profile
//! `web`: the lints, the library and the parity tests share its dependencies.

use crate::run::{command, readable, run, run_reading, say};
use crate::tally::Tally;
use crate::{bindings, browser, data, deny, install, package, wasm};
use anyhow::{Result, bail};
use std::process::ExitCode;
use std::time::Instant;

const PACKAGES: [&str; 2] = ["xtask", "r3gan"];

struct Check {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<Tally>,
}

const CHECKS: [Check; 9] = [
    Check { name: "install", about: "a software Vulkan device for the GPU tests", run: install::lavapipe },
    Check { name: "fmt", about: "the code is formatted", run: fmt },
    Check { name: "clippy", about: "no warning in native code, with GPUs and without", run: clippy },
    Check { name: "wasm", about: "the library compiles for the browser", run: wasm },
    Check { name: "test", about: "unit, parity, command line and documentation tests", run: tests },
    Check {
        name: "browser",
        about: "the page and the npm package in Chromium, on a software GPU",
        run: browser::check,
    },
    Check {
        name: "package",
        about: "the site and the npm package as they ship, and their size",
        run: packages,
    },
    Check { name: "doc", about: "the documentation builds without a warning", run: doc },
    Check { name: "deny", about: "licences, bans and sources of the dependencies", run: deny },
];

/// Runs the checks of these names, or all; the last line printed is `N passed, N failed, N skipped`.
pub fn test(names: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = names.iter().find(|name| CHECKS.iter().all(|check| check.name != **name)) {
        bail!("no check is called {unknown}; there are {}", CHECKS.map(|check| check.name).join(", "));
    }
    let mut total = Tally::default();
    let mut summary = Vec::new();
    for check in &CHECKS {
        if !names.is_empty() && names.iter().all(|name| name != check.name) {
            summary.push(format!("{:8} not asked for", check.name));
            continue;
        }
        say(format!("== {}: {}", check.name, check.about));
        let begun = Instant::now();
        let tally = (check.run)().unwrap_or_else(|error| Tally::failed(format!("{error:#}")));
        let line = format!("{:8} {tally}, in {}", check.name, readable(begun.elapsed()));
        say(&line);
        summary.push(line);
        summary.extend(tally.notes.iter().map(|note| format!("         {note}")));
        total += tally;
    }
    say("== what was found");
    println!("{}\n{total}", summary.join("\n"));
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fmt() -> Result<Tally> {
    install::component("rustfmt")?;
    run(&mut command("cargo", &["fmt", "--all", "--check"]))?;
    Ok(Tally::passed())
}

fn clippy() -> Result<Tally> {
    install::component("clippy")?;
    let packages = PACKAGES.map(|package| vec!["-p", package, "--all-targets"]);
    // Our code without GPUs. Burn keeps its own, or most of what it takes would be checked once more: that our code asks for none
    // of them is seen where the page's module for the CPU is built, but for the command line.
    let on_cpu_alone =
        vec!["-p", "r3gan", "--no-default-features", "--features=cli,burn/wgpu,burn/x86-v4,pulp/x86-v4"];
    for choice in packages.into_iter().chain([on_cpu_alone]) {
        let args = [&["clippy", "--release"], &choice[..], &["--", "-D", "warnings"]].concat();
        run(&mut command("cargo", &args))?;
    }
    Ok(Tally::passed())
}

/// The browser tests take the modules that are made here.
fn wasm() -> Result<Tally> {
    let mut tally = Tally::default();
    for device in wasm::Device::ALL {
        tally += match wasm::lint(wasm::Route::Auto, device)? {
            true => Tally::passed(),
            false => {
                Tally::skipped("Debian's compiler comes without clippy: the browser's code is not linted")
            }
        };
    }
    bindings::package(wasm::Route::Auto)?;
    tally += Tally::passed();
    Ok(tally)
}

fn packages() -> Result<Tally> {
    package::package()?;
    Ok(Tally::passed())
}

fn tests() -> Result<Tally> {
    let vulkan = install::vulkan_environment();
    // One test reads all of real MNIST; it is ignored where nobody fetched it.
    let mnist = data::fetch(data::DataSet::Mnist)?;
    // Others compare the extractor of the metrics with PyTorch's numbers.
    let inception = data::fetch(data::DataSet::Inception)?.join("inception.safetensors");
    let mut total = Tally::default();
    for package in PACKAGES {
        let mut tally = Tally::default();
        let mut cargo = command("cargo", &["test", "--release", "-p", package, "--no-fail-fast"]);
        cargo.args(["--", "--include-ignored"]).env("R3GAN_MNIST", &mnist).env("R3GAN_INCEPTION", &inception);
        let status = run_reading(cargo.envs(vulkan.iter().cloned()), |line| tally.read(line))?;
        // A test that does not compile, or that takes its process down, prints no result.
        if !status.success() && tally.failed == 0 {
            tally +=
                Tally::failed(format!("`cargo test -p {package}` ended with {status}: its output says why"));
        }
        total += tally;
    }
    Ok(total)
}

fn doc() -> Result<Tally> {
    let mut cargo = command("cargo", &["doc", "--release", "--no-deps", "-p", "r3gan"]);
    run(cargo.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Tally::passed())
}

fn deny() -> Result<Tally> {
    if !deny::installed() {
        return Ok(Tally::skipped(format!(
            "cargo-deny {} is not installed, and building it takes minutes: `cargo xtask deny` does",
            deny::VERSION
        )));
    }
    deny::check()?;
    Ok(Tally::passed())
}
