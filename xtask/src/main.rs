//! The repository's chores: `cargo xtask help` lists them.
//!
//! `cargo xtask test` is what CI runs, no more and no less. Every chore installs what it needs, says what it
//! runs and how long that took, and leaves nothing out without saying why.

mod data;
mod deny;
mod install;
mod peers;
mod run;
mod serve;
mod tally;
mod test;
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
    /// Build the page and serve it on this machine
    Serve,
    /// Install what the checks need and run every one of them (or only those named)
    Test {
        /// install, fmt, clippy, wasm, test, doc, deny
        checks: Vec<String>,
    },
    /// Check that the library compiles for the browser
    Wasm {
        /// Where the wasm32 standard library comes from
        #[arg(long, value_enum, default_value_t)]
        route: wasm::Route,
        /// Generate code and link it too (about 10 minutes more on 2 cores)
        #[arg(long)]
        build: bool,
    },
    /// Install cargo-deny and check licences, bans and sources of the dependencies
    Deny,
    /// Fetch a data set into target/data and print where it lies
    Data { name: data::DataSet },
    /// Time this crate and a PyTorch peer side by side
    Peers(peers::Args),
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
        Chore::Serve => serve::serve()?,
        Chore::Test { checks } => return test::test(&checks),
        Chore::Wasm { route, build } => wasm::check(route, build)?,
        Chore::Deny => {
            deny::install()?;
            deny::check()?;
        }
        Chore::Data { name } => println!("{}", data::fetch(name)?.display()),
        Chore::Peers(args) => peers::compare(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
