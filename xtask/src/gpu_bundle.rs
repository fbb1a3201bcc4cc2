//! `cargo xtask gpu-bundle`: all that comparing with PyTorch takes on a machine with a GPU, in one folder that is small
//! enough to send. `tests/peers/gpu/run.py` is what runs there; nothing is built or fetched on that machine.

use crate::run::{captured, command, run, say, size};
use crate::{install, package, peers};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What the folder may weigh: what is sent around easily, and through most forms and mails that take files.
const BUDGET: usize = 64_000_000;
const SCRIPTS: [&str; 5] = [
    "tests/peers/gpu/run.py",
    "tests/peers/gpu/machine.py",
    "tests/peers/gpu/process.py",
    "tests/peers/gpu/table.py",
    "tests/peers/r3gan_torch.py",
];

#[derive(clap::Args)]
pub struct Args {
    /// What the command line is built for
    #[arg(long, value_enum, default_value_t)]
    features: Features,
    /// The folder
    #[arg(long, default_value = "target/gpu-bench")]
    into: PathBuf,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Features {
    /// Vulkan and CUDA, which takes ten minutes more to build
    #[default]
    Cuda,
    /// Vulkan
    Native,
}

pub fn bundle(args: &Args) -> Result<()> {
    let program = match args.features {
        Features::Cuda => peers::build("cuda")?,
        Features::Native => peers::build("vulkan")?,
    };
    let mut files = BTreeMap::new();
    say("packing");
    files.insert("r3gan.gz".to_owned(), package::gzip(&fs::read(stripped(&program)?)?)?);
    for path in SCRIPTS {
        let name = path.rsplit('/').next().unwrap_or(path);
        files.insert(name.to_owned(), fs::read(path).context(path)?);
    }
    // Machines that compute with CUDA often have a driver that knows Vulkan, and no loader.
    if let Some(loader) = install::vulkan_loader_file() {
        files.insert("lib/libvulkan.so.1".into(), fs::read(loader)?);
    } else {
        say("this machine has no libvulkan.so.1 to send along: the other one must have it");
    }
    lay(&files, &args.into)?;
    println!("\nthere: python3 {}", args.into.join("run.py").display());
    println!("three minutes: with --quick; a limit for all of it: --limit SECONDS; the rest: --help");
    Ok(())
}

/// The program without symbols, which are a quarter of it; as it is where there is no `strip`.
fn stripped(program: &str) -> Result<PathBuf> {
    let copy = PathBuf::from("target/gpu-bench.stripped");
    if let Err(error) = run(command("strip", &["-o"]).arg(&copy).arg(program)) {
        say(format!("symbols are sent along, since they cannot be taken out: {error:#}"));
        return Ok(program.into());
    }
    let version = captured(&mut command(&copy.display().to_string(), &["--version"]))?;
    let weight = |path: &Path| anyhow::Ok(size(fs::metadata(path)?.len() as usize));
    say(format!("{}: {}, stripped {}", version.trim(), weight(program.as_ref())?, weight(&copy)?));
    Ok(copy)
}

/// Writes the files if they are small enough, and prints what they weigh. What else lies there stays: results.
fn lay(files: &BTreeMap<String, Vec<u8>>, into: &Path) -> Result<()> {
    for (name, bytes) in files {
        println!("{name:20} {:>10}", size(bytes.len()));
    }
    let sum = files.values().map(Vec::len).sum();
    println!("{:20} {:>10}", "together", size(sum));
    if sum > BUDGET {
        bail!(
            "that is over {}, which is the most that is laid together: build with fewer features",
            size(BUDGET)
        );
    }
    for (name, bytes) in files {
        let path = into.join(name);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_too_large_is_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("bundle");
        let mut files = BTreeMap::from([("run.py".to_owned(), b"pass".to_vec())]);
        lay(&files, &into).unwrap();
        assert_eq!(fs::read(into.join("run.py")).unwrap(), b"pass");
        files.insert("lib/large".into(), vec![0; BUDGET]);
        let error = lay(&files, &into).unwrap_err().to_string();
        assert!(error.contains("64.00 MB"), "{error}");
        assert!(!into.join("lib").exists());
    }

    /// The script's own tests, and that what is sent is all it imports.
    #[test]
    fn the_script_measures_compares_and_survives_failures() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut tests = command("python3", &["tests/peers/gpu/test_run.py"]);
        let output = tests.current_dir(&root).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");

        let folder = tempfile::tempdir().unwrap();
        let scripts = SCRIPTS
            .iter()
            .map(|path| (path.rsplit('/').next().unwrap().to_owned(), fs::read(root.join(path)).unwrap()));
        lay(&scripts.collect(), folder.path()).unwrap();
        let script = folder.path().join("run.py").display().to_string();
        let help = captured(&mut command("python3", &[&script, "--help"])).unwrap();
        assert!(help.contains("--quick"), "{help}");
    }
}
