//! Node.js: packages by their lock files, and its test runner.

use crate::run::{command, ended_within, output, run};
use crate::tally::Tally;
use crate::tap::Tap;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first version whose test runner reports to two places at once and takes a concurrency.
const OLDEST: u32 = 20;

/// Node.js, for what its own programs are.
pub fn required() -> Result<()> {
    let version = output("node", &["--version"]);
    let major = version.as_deref().and_then(|version| version.trim_start_matches('v').split('.').next());
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= OLDEST => npm().map(|_| ()),
        Some(major) => bail!("Node.js here is version {major}, and this needs {OLDEST} or later, with npm"),
        None => bail!(
            "this needs Node.js {OLDEST} or later, with npm: nodejs.org, or your system's packages, have it"
        ),
    }
}

pub fn npm() -> Result<&'static str> {
    let found = ["npm", "npm.cmd"].into_iter().find(|npm| output(npm, &["--version"]).is_some());
    found.context("this needs npm, which comes with Node.js")
}

/// Installs the packages that `folder`'s lock file names, if they are not those already.
pub fn packages(folder: &str) -> Result<PathBuf> {
    required()?;
    let lock = Path::new(folder).join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| lock.display().to_string())?;
    let wanted: String = Sha256::digest(lock).iter().map(|byte| format!("{byte:02x}")).collect();
    let modules = Path::new(folder).join("node_modules");
    // `npm ci` removes the folder, and the stamp with it.
    let stamp = modules.join(".lock.sha256");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    run(command(npm()?, &args).current_dir(folder))?;
    fs::create_dir_all(&modules)?;
    fs::write(stamp, wanted)?;
    Ok(modules)
}

/// Runs test files one after the other, and reads what they found. `limit` ends a run that hangs.
pub fn test(files: &[PathBuf], environment: &[(&str, String)], limit: Duration) -> Result<Tally> {
    let report = std::env::temp_dir().join(format!("r3gan-tests-{}.tap", std::process::id()));
    let mut node = command("node", &["--test", "--test-concurrency=1"]);
    // For people on the terminal, for us in a file.
    node.args(["--test-reporter=spec", "--test-reporter-destination=stdout", "--test-reporter=tap"]);
    node.arg(format!("--test-reporter-destination={}", report.display())).args(files);
    let ended = ended_within(limit, node.envs(environment.iter().cloned()))?;
    let mut tap = Tap::default();
    if let Ok(text) = fs::read_to_string(&report) {
        text.lines().for_each(|line| tap.read(line));
        fs::remove_file(&report)?;
    }
    let mut tally = tap.tally;
    match ended {
        None => {
            tally +=
                Tally::failed(format!("the tests were ended: they took over {} min", limit.as_secs() / 60));
        }
        Some(status) if !tap.complete => {
            tally += Tally::failed(format!("node's test runner broke off ({status}): its output says why"));
        }
        Some(status) if !status.success() && tally.failed == 0 => {
            tally += Tally::failed(format!("node's test runner ended with {status} and named no failure"));
        }
        Some(_) if tally.passed + tally.failed == 0 => {
            tally += Tally::failed(format!("{} files hold no test that ran", files.len()));
        }
        Some(_) => {}
    }
    Ok(tally)
}

/// Files below `folder` whose names end with `ending`, in order, packages left out.
pub fn files_ending(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if name != "node_modules" {
                found.extend(files_ending(&path, ending)?);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
