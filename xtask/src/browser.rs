//! The tests of the page and the package in a real browser: Debian's Chromium, driven from `tests/browser`.

use crate::run::{command, output, run, say};
use crate::tally::Tally;
use crate::{bindings, install, node, site, wasm};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::time::Duration;

const TESTS: &str = "tests/browser";
/// Far more than the tests take on two cores and a software GPU.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// The page's types, then every test file.
pub fn check() -> Result<Tally> {
    node::required()?;
    let modules = node::packages(TESTS)?;
    let chromium = chromium()?;
    site::build()?;
    let parity = bindings::parity(wasm::Route::Auto)?;
    let mut tally = types(&modules);
    // Trained in the browser, continued here.
    run(&mut command("cargo", &["build", "--release", "-p", "r3gan", "--bin", "r3gan"]))?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let binary = Path::new(&target).join("release").join(format!("r3gan{}", std::env::consts::EXE_SUFFIX));
    let environment = [
        ("R3GAN_CHROMIUM", chromium),
        ("R3GAN_SITE", absolute(Path::new(site::FOLDER))?),
        ("R3GAN_PARITY", absolute(&parity)?),
        ("R3GAN_BINARY", absolute(&binary)?),
    ];
    let mut files = node::files_ending(Path::new(TESTS), ".test.mjs")?;
    // What needs no browser tells of mistakes soonest.
    files.sort_by_key(|path| !path.starts_with(Path::new(TESTS).join("unit")));
    if files.is_empty() {
        bail!("{TESTS} holds no *.test.mjs");
    }
    tally += node::test(&files, &environment, LIMIT)?;
    Ok(tally)
}

/// What the page passes to the package, and takes from it, is what `pkg/index.d.ts` says.
fn types(modules: &Path) -> Tally {
    let compiler = modules.join("typescript/bin/tsc").display().to_string();
    match run(&mut command("node", &[&compiler, "--project", TESTS])) {
        Ok(()) => Tally::passed(),
        Err(error) => Tally::failed(format!("{error:#}")),
    }
}

/// The browser's program; Debian's where there is none yet.
pub fn chromium() -> Result<String> {
    const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
    let find = || {
        PROGRAMS.iter().find_map(|program| {
            let version = output(program, &["--version"])?;
            let path = output("sh", &["-c", &format!("command -v {program}")])?;
            Some((path, version))
        })
    };
    if find().is_none() {
        install::debian_packages(&["chromium"])?;
    }
    let (path, version) = find().context("chromium is installed, and does not start")?;
    say(format!("browser: {version}"));
    Ok(path)
}

pub fn absolute(path: &Path) -> Result<String> {
    Ok(fs::canonicalize(path).with_context(|| path.display().to_string())?.display().to_string())
}
