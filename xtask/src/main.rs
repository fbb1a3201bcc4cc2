//! The repository's chores: `cargo xtask help` lists them.
//!
//! `cargo xtask test` is what CI runs, no more and no less. Every chore installs what it needs, says what it
//! runs and how long that took, and leaves nothing out without saying why.

mod agreement;
mod bindings;
mod browser;
mod data;
mod deny;
mod emoji;
mod fuzz;
mod gpu_bundle;
mod install;
mod node;
mod package;
mod page_data;
mod peers;
mod python;
mod run;
mod serve;
mod site;
mod tally;
mod tap;
mod test;
mod tools;
mod wasm;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The repository's chores")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Build the page and serve it on this machine, again whenever it changes
    Serve(serve::Args),
    /// Make the static site and the npm package in target/package
    Package,
    /// Install what the checks need and run every one of them (or only those named)
    Test {
        /// install, fmt, clippy, wasm, test, browser, package, doc, deny
        checks: Vec<String>,
    },
    /// Make pkg/wasm: the library compiled for the browser, with its JavaScript
    Wasm {
        /// Where the wasm32 standard library comes from
        #[arg(long, value_enum, default_value_t)]
        route: wasm::Route,
    },
    /// Complete the site that Trunk has put together
    #[command(hide = true)]
    Finish {
        #[arg(env = "TRUNK_STAGING_DIR")]
        staging: PathBuf,
    },
    /// Install cargo-deny and check licences, bans and sources of the dependencies
    Deny,
    /// Make or fetch a data set and print where it lies
    Data { name: data::DataSet },
    /// Compare our metrics with those of public implementations
    Agreement(agreement::Args),
    /// Feed the readers of official snapshots and of CIFAR-10 with broken ones
    Fuzz(fuzz::Args),
    /// Time this crate and a PyTorch peer side by side
    Peers(peers::Args),
    /// Put what comparing with PyTorch takes on a machine with a GPU into one folder
    GpuBundle(gpu_bundle::Args),
}

fn main() -> ExitCode {
    match in_repository_root().and_then(|()| start(Args::parse().chore)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Chores name paths from the repository's root, wherever `cargo xtask` was called.
fn in_repository_root() -> Result<()> {
    if let Some(xtask) = std::env::var_os("CARGO_MANIFEST_DIR") {
        let root = PathBuf::from(xtask).join("..").canonicalize()?;
        std::env::set_current_dir(root)?;
    }
    std::fs::metadata("crate/Cargo.toml").context("start this as `cargo xtask`, inside the repository")?;
    Ok(())
}

fn start(chore: Chore) -> Result<ExitCode> {
    match chore {
        Chore::Serve(args) => serve::serve(&args)?,
        Chore::Package => package::package()?,
        Chore::Test { checks } => return test::test(&checks),
        Chore::Wasm { route } => bindings::package(route)?,
        Chore::Finish { staging } => site::finish(&staging)?,
        Chore::Deny => {
            deny::install()?;
            deny::check()?;
        }
        Chore::Data { name } => println!("{}", data::fetch(name)?.display()),
        Chore::Agreement(args) => agreement::compare(&args)?,
        Chore::Fuzz(args) => fuzz::fuzz(&args)?,
        Chore::Peers(args) => peers::compare(&args)?,
        Chore::GpuBundle(args) => gpu_bundle::bundle(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
