//! A Python of our own in `target`, with packages from PyPI.

use crate::install;
use crate::run::{command, output, run, say};
use anyhow::Result;

/// The interpreter of the virtual environment `venv`, made with what `pip install` takes where `import` fails.
pub fn with_packages(venv: &str, import: &str, packages: &[&str]) -> Result<String> {
    let python = format!("{venv}/bin/python");
    if output(&python, &["-c", import]).is_some() {
        return Ok(python);
    }
    say("installing PyTorch: a download of some gigabytes, once");
    if run(&mut command("python3", &["-m", "venv", venv])).is_err() {
        // Debian keeps a part of Python's own venv module in a package of its own.
        install::debian_packages(&["python3-venv"])?;
        run(&mut command("python3", &["-m", "venv", venv]))?;
    }
    run(&mut command(&python, &[&["-m", "pip", "install", "--quiet"], packages].concat()))?;
    Ok(python)
}
