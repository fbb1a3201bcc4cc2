//! `r3gan doctor`: what this machine can do, and what to do about what it cannot.

use std::process::Command;

use crate::backend::{self, DeviceClass, DeviceReport};
use crate::{Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use clap::Args;

use super::exit;

/// List versions and devices, compute a little on each device, and say what to do about what is missing.
///
/// Ends with an error only if the CPU itself computes wrongly.
#[derive(Args)]
pub struct Doctor {
    /// Compute on this device and say nothing else; a driver may crash, so each is tried in its own process
    #[arg(long, hide = true, value_name = "DEVICE")]
    examine: Option<String>,
}

impl Doctor {
    pub fn run(self) -> Result<()> {
        if let Some(name) = self.examine {
            return examine(&name);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        exit::say(&format!(
            "r3gan      {} (Burn {})\nsystem     {} {}, {threads} threads\nbuilt for  {}\n\ndevices",
            env!("CARGO_PKG_VERSION"),
            burn_version(),
            std::env::consts::OS,
            std::env::consts::ARCH,
            built_for(),
        ))?;
        let devices = backend::devices();
        let mut healthy = true;
        for device in &devices {
            let outcome = try_out(device);
            healthy &= outcome.is_ok() || device.class != DeviceClass::Cpu;
            exit::say(&line(device, &outcome))?;
        }
        let automatic = backend::resolve("auto")?;
        exit::say(&format!("\n--device auto means {automatic}"))?;
        for advice in advice(&devices) {
            exit::say(&format!("- {advice}"))?;
        }
        if healthy {
            return Ok(());
        }
        Err(Error::device("cpu", "computes wrong values; check the memory and the processor of this machine"))
    }
}

/// Burn's version, as the manifest pins it.
fn burn_version() -> String {
    let manifest = include_str!("../../Cargo.toml").lines().find(|line| line.starts_with("burn ="));
    let version = manifest.and_then(|line| line.split('"').nth(1));
    version.unwrap_or("unknown").trim_start_matches('=').to_owned()
}

fn built_for() -> String {
    let built = [("CPU", true), ("Vulkan", cfg!(feature = "native")), ("CUDA", cfg!(feature = "cuda"))];
    let built = built.into_iter().filter(|(_, there)| *there).map(|(name, _)| name);
    built.collect::<Vec<_>>().join(", ")
}

fn line(device: &DeviceReport, outcome: &std::result::Result<(), String>) -> String {
    let class = match device.class {
        DeviceClass::Cpu => "CPU",
        DeviceClass::Gpu => "GPU",
        DeviceClass::Software => "software, slow",
    };
    let adapter = device.adapter.as_ref().map_or("unknown", String::as_str);
    let memory = device
        .memory
        .map_or(String::new(), |bytes| format!(", {:.1} GiB", bytes as f64 / f64::from(1 << 30)));
    let dtypes = device.dtypes.join(" ");
    let outcome = match outcome {
        Ok(()) => "works".to_owned(),
        Err(why) => format!("fails: {why}"),
    };
    format!("  {:<9}  {adapter} ({class}{memory})  {dtypes}  {outcome}", device.name)
}

/// Examines the device in another process, whose crash is this device's failure.
fn try_out(device: &DeviceReport) -> std::result::Result<(), String> {
    if let Err(e) = &device.adapter {
        return Err(e.to_string());
    }
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(program).args(["doctor", "--examine", &device.name]).output();
    let output = output.map_err(|e| format!("it cannot be tried out ({e})"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let sentence = said.lines().rev().find_map(|line| line.strip_prefix("error: device "));
    match (output.status.success(), sentence) {
        (true, _) => Ok(()),
        (false, Some(sentence)) => Err(sentence.to_owned()),
        (false, None) => {
            Err(format!("its driver crashed while computing ({}); update the driver", output.status))
        }
    }
}

/// Multiplies two matrices on the device and compares with the same sums in f64 on the host.
fn examine(name: &str) -> Result<()> {
    let failed = |reason: String| Error::device(name, reason);
    let values = product(&backend::open(name)?).map_err(failed)?;
    let host = reference();
    let errors = values.iter().zip(&host).map(|(a, b)| (f64::from(*a) - b).abs());
    // In the order of all numbers NaN is the largest.
    let error = errors.max_by(f64::total_cmp).unwrap_or(f64::NAN);
    // A sum of 64 products below 1: f32 leaves 1e-5, TF32 on NVIDIA's tensor cores 64 * 2^-10 at the worst.
    if values.len() == host.len() && error < 0.0625 {
        return Ok(());
    }
    Err(failed(format!("a product of matrices is off by {error:.2e}")))
}

const SIDE: usize = 64;

fn factor(seed: usize) -> impl Iterator<Item = f32> {
    (0..SIDE * SIDE).map(move |i| ((i * 7919 + seed) % 257) as f32 / 128.5 - 1.0)
}

fn product(device: &Device) -> std::result::Result<Vec<f32>, String> {
    let [a, b] = [1, 2].map(|seed| {
        let values: Vec<f32> = factor(seed).collect();
        Tensor::<2>::from_data(TensorData::new(values, [SIDE, SIDE]), device)
    });
    let data = pollster::block_on(a.matmul(b).into_data_async()).map_err(|e| e.to_string())?;
    data.convert::<f32>().try_to_vec().map_err(|e| format!("{e:?}"))
}

fn reference() -> Vec<f64> {
    let [a, b] = [1, 2].map(|seed| factor(seed).map(f64::from).collect::<Vec<_>>());
    let entry = |i: usize| {
        let (row, column) = (i / SIDE, i % SIDE);
        (0..SIDE).map(|k| a[row * SIDE + k] * b[k * SIDE + column]).sum()
    };
    (0..SIDE * SIDE).map(entry).collect()
}

fn advice(devices: &[DeviceReport]) -> Vec<&'static str> {
    let has = |api: &str| devices.iter().any(|d| d.name.split(':').next() == Some(api) && d.adapter.is_ok());
    let gpu = devices.iter().any(|d| d.class == DeviceClass::Gpu);
    let mut advice = Vec::new();
    if !cfg!(feature = "native") {
        advice.push("this build runs on the CPU alone: install r3gan with its default features to use a GPU");
    } else if !has("vulkan") {
        advice.push(
            "no Vulkan adapter: install the GPU's driver, or `mesa-vulkan-drivers` (Debian, Ubuntu) for AMD, Intel \
             and a software one",
        );
    } else if !gpu {
        advice.push(
            "only a software adapter: install the driver of your GPU if there is one; the CPU is faster",
        );
    }
    if cfg!(feature = "cuda") {
        if !has("cuda") {
            advice.push("no CUDA device: it needs NVIDIA's driver and the CUDA toolkit, whose compiler makes the kernels");
        }
    } else {
        advice.push("no CUDA in this build: for an NVIDIA GPU, build with `--features cuda`");
    }
    advice
}
