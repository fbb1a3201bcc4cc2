//! What the checks need on the machine, installed where it is missing.

use crate::run::{command, output, run, run_within, say};
use crate::tally::Tally;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// How long rustup may take before another route is tried: where it cannot fetch, it may hang.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// A software Vulkan device, so that the tests of GPU code run on any machine and agree between machines.
pub fn lavapipe() -> Result<Tally> {
    if std::env::consts::OS != "linux" {
        return Ok(Tally::skipped("lavapipe comes from a Linux package: GPU tests use this machine's GPU"));
    }
    if lavapipe_drivers().is_empty() || !vulkan_loader() {
        debian_packages(&["mesa-vulkan-drivers", "libvulkan1"])?;
    }
    let drivers = lavapipe_drivers();
    if drivers.is_empty() || !vulkan_loader() {
        bail!(
            "mesa-vulkan-drivers and libvulkan1 are installed, yet lavapipe is not in {VULKAN_DRIVERS}, or \
             libvulkan.so.1 is not found"
        );
    }
    for driver in drivers {
        say(format!("software Vulkan device: {}", driver.display()));
    }
    Ok(Tally::passed())
}

const VULKAN_DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// Lavapipe's manifests for the Vulkan loader, named `lvp_icd.x86_64.json` and the like.
fn lavapipe_drivers() -> Vec<PathBuf> {
    let files = std::fs::read_dir(VULKAN_DRIVERS).into_iter().flatten().flatten();
    let mut drivers: Vec<_> =
        files.filter(|f| f.file_name().to_string_lossy().starts_with("lvp_icd")).map(|f| f.path()).collect();
    drivers.sort();
    drivers
}

fn vulkan_loader() -> bool {
    vulkan_loader_file().is_some()
}

/// Where the Vulkan loader lies; the one of 64 bits, where there are several.
pub fn vulkan_loader_file() -> Option<PathBuf> {
    let listed = ["ldconfig", "/sbin/ldconfig"].iter().find_map(|program| output(program, &["-p"]))?;
    let found =
        listed.lines().filter_map(|line| line.trim().strip_prefix("libvulkan.so.1 ")?.split_once(" => "));
    found.max_by_key(|(kind, _)| kind.contains("64")).map(|(_, path)| path.into())
}

/// Points the Vulkan loader at lavapipe alone; `R3GAN_TEST_GPU=1` leaves it the machine's GPU.
pub fn vulkan_environment() -> Vec<(&'static str, String)> {
    if std::env::var("R3GAN_TEST_GPU").is_ok_and(|value| value == "1") {
        say("R3GAN_TEST_GPU=1: GPU tests use this machine's GPU");
        return Vec::new();
    }
    let drivers = lavapipe_drivers();
    if drivers.is_empty() {
        return Vec::new();
    }
    let list = drivers.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":");
    // The loader's name since 1.3.207, and the one before it.
    let mut variables = vec![("VK_DRIVER_FILES", list.clone()), ("VK_ICD_FILENAMES", list)];
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Without a place for sockets Mesa fills the output with errors.
        variables.push(("XDG_RUNTIME_DIR", std::env::temp_dir().display().to_string()));
    }
    variables
}

/// Installs Debian packages, having brought the lists of what there is up to date.
pub fn debian_packages(names: &[&str]) -> Result<()> {
    let install = [&["install", "-y", "-qq", "--no-install-recommends"], names].concat();
    debian_lists()
        .and_then(|()| apt_get(&install))
        .with_context(|| format!("this needs the packages that Debian calls {}", names.join(" ")))
}

/// Brings apt-get's lists up to date, once.
pub fn debian_lists() -> Result<()> {
    static UPDATED: OnceLock<()> = OnceLock::new();
    match UPDATED.set(()) {
        Ok(()) => apt_get(&["update", "-qq"]),
        Err(()) => Ok(()),
    }
}

/// apt-get as root, or by sudo where that asks no password.
fn apt_get(args: &[&str]) -> Result<()> {
    if output("apt-get", &["--version"]).is_none() {
        bail!("there is no apt-get here: install them by hand and start again");
    }
    let become_root: &[&str] = match output("id", &["-u"]).as_deref() {
        Some("0") => &["env"],
        _ if output("sudo", &["-n", "true"]).is_some() => &["sudo", "-n", "env"],
        _ => bail!("this is not root, and sudo asks a password: install them with apt-get and start again"),
    };
    let words = [become_root, &["DEBIAN_FRONTEND=noninteractive", "apt-get"], args].concat();
    run(&mut command(words[0], &words[1..]))
}

/// `clippy` or `rustfmt`, from rustup where cargo does not have it.
pub fn component(name: &str) -> Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if output("cargo", &[subcommand, "--version"]).is_some() {
        return Ok(());
    }
    run_within(RUSTUP_LIMIT, &mut command("rustup", &["component", "add", name]))
}

/// Rust's standard library for `target`, from rustup where this compiler does not have it.
pub fn rust_target(target: &str) -> Result<()> {
    let folder = output("rustc", &["--print", "target-libdir", "--target", target]);
    if folder.is_some_and(|folder| Path::new(&folder).exists()) {
        return Ok(());
    }
    run_within(RUSTUP_LIMIT, &mut command("rustup", &["target", "add", target]))
}

/// The sources of Rust's standard library, from rustup where this compiler does not have them.
pub fn rust_sources() -> Result<()> {
    let root = output("rustc", &["--print", "sysroot"]);
    if root.is_some_and(|root| Path::new(&root).join("lib/rustlib/src/rust/library").exists()) {
        return Ok(());
    }
    run_within(RUSTUP_LIMIT, &mut command("rustup", &["component", "add", "rust-src"]))
}
