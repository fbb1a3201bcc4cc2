//! Fuzzing the readers of pickles, official snapshots and CIFAR-10: libFuzzer feeds them bytes and watches which code
//! they reach.
//!
//! It needs no nightly compiler: coverage is an LLVM pass that stable Rust can ask for. It is no part of `cargo xtask
//! test`, because it takes a C++ compiler and as long as it is given; what it starts from, with every byte changed, is
//! tested there (`tests/snapshots`).

use crate::run::{command, output, run, say};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/pickles.rs"]
#[allow(dead_code, reason = "tests write more kinds of pickles")]
mod pickles;

const FOLDER: &str = "target/fuzz";
const SNAPSHOT: &str = "tests/fixtures/official_pickle/tiny-network-snapshot.pkl";
/// Of the real snapshot: the first modules, up to their first weights.
const HEAD: usize = 1500;
/// The length is that of a batch of one picture; what the readers may take for it is a small part of the memory.
const LIMITS: [&str; 3] = ["-max_len=3584", "-rss_limit_mb=256", "-timeout=5"];

/// Counters at every edge, and the operands of comparisons, as cargo-fuzz sets them.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

#[derive(clap::Args)]
pub struct Args {
    /// Inputs to try
    #[arg(long, default_value_t = 10_000_000)]
    runs: u64,
}

/// Builds the fuzzer and runs it in one process; what it found out stays in target/fuzz for the next time.
pub fn fuzz(args: &Args) -> Result<()> {
    fs::create_dir_all(FOLDER)?;
    let build = fs::canonicalize(FOLDER)?.join("build");
    // Named, so that the flags are not those of build scripts too.
    let target = output("rustc", &["--print", "host-tuple"]).context("rustc says what it builds for")?;
    let mut cargo = command(
        "cargo",
        &["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", &target],
    );
    run(cargo.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &build))?;

    let [seeds, corpus] = ["seeds", "corpus"].map(|name| Path::new(FOLDER).join(name));
    fs::create_dir_all(&corpus)?;
    write_seeds(&seeds)?;
    let program = build.join(target).join("release/official");
    let runs = format!("-runs={}", args.runs);
    let [seeds, corpus] = [&seeds, &corpus].map(|path| path.display().to_string());
    let found = format!("-artifact_prefix={FOLDER}/");
    let options = [
        &[&*corpus, &*seeds, &*runs, &*found, "-verbosity=0", "-print_funcs=0", "-print_final_stats=1"],
        &LIMITS[..],
    ];
    run(&mut command(&program.display().to_string(), &options.concat()))?;
    say(format!("{} inputs, and nothing found", args.runs));
    Ok(())
}

fn write_seeds(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let real = fs::read(SNAPSHOT).context(SNAPSHOT)?;
    let head = ("head", real[..HEAD.min(real.len())].to_vec());
    let batch = ("batch", pickles::cifar_batch(&[7], &[0; 3072]));
    for (name, bytes) in pickles::seeds().into_iter().chain([head, batch]) {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
