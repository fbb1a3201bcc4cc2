//! `r3gan bench`: time and memory of sampling and training, with the keys of the PyTorch peer.

mod clock;
mod kernels;
#[cfg(feature = "gpu")]
mod tune;
mod work;

use crate::network::Format;
use crate::{Error, Result, backend, preset};
use clap::{Args, ValueEnum};
use serde_json::json;

use self::clock::Clock;
use self::kernels::Kernels;
use self::work::Bench as Work;
use super::precision::Precision;
use super::{count, exit, open_device, process};

const EXAMPLES: &str = "\
Examples:
  r3gan bench --preset demo-32 --batch 32 --device cpu --threads 2
  r3gan bench --preset cifar10 --what critic --batch 16 --json
  r3gan bench --preset demo-32 --what kernels --device vulkan

Random weights, random samples in [-1, 1] drawn before the clock starts, gamma 0.05. A time ends when
the device is done and a value has been read back. Peak memory is the process's on the CPU, and what the
allocator reserved on a GPU.";

/// Measure time and memory of sampling and of a training step's parts.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Bench {
    /// Networks to measure
    #[arg(long, value_name = "NAME", default_value = "demo-32")]
    preset: String,
    /// Part to measure
    #[arg(long, value_enum, default_value = "all")]
    what: What,
    #[arg(long, value_name = "N", default_value = "32", allow_negative_numbers = true, value_parser = count)]
    batch: usize,
    /// auto, cpu, wgpu, vulkan or cuda[:N]
    #[arg(long, default_value = "auto")]
    device: String,
    /// What the stages next to the pictures compute in
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "f32")]
    precision: Precision,
    /// Measured runs
    #[arg(long, value_name = "N", default_value = "7", allow_negative_numbers = true, value_parser = count)]
    runs: usize,
    /// Runs before those
    #[arg(long, value_name = "N", default_value = "3", allow_negative_numbers = true)]
    warmup: u16,
    /// Threads of the CPU [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count)]
    threads: Option<usize>,
    /// Time all kernels for every size that comes up, and keep those that are faster than the table's: train, sample,
    /// metrics and bench then use them on this GPU, and results differ in their last digits
    #[arg(long)]
    tune: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The generator's forward pass
    Sample,
    /// The critic's step: gradient of loss and penalties, Adam
    Critic,
    /// The generator's step: gradient, Adam
    Generator,
    /// Both steps and the average
    Iteration,
    /// All of these
    All,
    /// Each layer of the networks by itself in f32, beside what the device's memory and a large product allow
    Kernels,
}

/// More threads than any machine this is for has cores.
const MOST_THREADS: usize = 1024;

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Critic => "critic",
            Self::Generator => "generator",
            Self::Iteration => "iteration",
            Self::All => "all",
            Self::Kernels => "kernels",
        }
    }
}

impl Bench {
    pub fn run(self) -> Result<()> {
        let threads = self.threads.unwrap_or(0);
        if threads > MOST_THREADS {
            let reason = format!("{threads} is more than {MOST_THREADS}");
            return Err(Error::setting("--threads", reason));
        }
        if self.tune && self.what == What::Kernels {
            let reason = "the sizes of single layers are not all that training has; choose another --what";
            return Err(Error::setting("--tune", reason));
        }
        process::start_pool(threads)
            .map_err(|e| Error::setting("--threads", format!("{threads} threads cannot be started ({e})")))?;
        let mut config = preset::config(&self.preset, preset::published_classes(&self.preset)?)?;
        let name = backend::resolve(&self.device)?;
        // What is measured first is the table's.
        let device = if self.tune { backend::open(&name)? } else { open_device(&name)? };
        if self.tune && backend::is_cpu(&device) {
            let reason = "the CPU has one kernel for each operation; choose a GPU with --device";
            return Err(Error::setting("--tune", reason));
        }
        let clock = Clock { device_name: &name, device: &device, runs: self.runs };
        if self.what == What::Kernels {
            if self.precision.format(Format::F32, &device) != Format::F32 {
                return Err(Error::setting("--precision", "kernels are measured in f32; leave it out"));
            }
            let (preset, network) = (&self.preset, &config.network);
            return Kernels { preset, network, batch: self.batch, clock, json: self.json }.run();
        }
        config.precision = self.precision.format(preset::published_format(&self.preset), &device);
        let format = config.precision;
        if format == Format::F16 && self.what != What::Sample {
            let reason = "f16 is for sampling alone; add --what sample, or choose bf16 or f32";
            return Err(Error::setting("--precision", reason));
        }
        let work = Work::new(config, self.batch, &device, self.runs, self.warmup)?;
        self.print_sizes(work.parameter_counts()?)?;
        #[cfg(feature = "gpu")]
        if self.tune {
            tune::Tune { clock, json: self.json }.run(|| self.measure(&work, &name))?;
        }
        self.measure(&work, &name)
    }

    /// Prints a line for each wanted part.
    fn measure(&self, work: &Work, name: &str) -> Result<()> {
        let format = work.format();
        let print = |what, seconds: &[f64], critic| {
            self.print(what, [name, format.name()], seconds, critic, work.peak_bytes())
        };
        let wanted = |what: What| [what, What::All].contains(&self.what);
        if wanted(What::Sample) {
            print(What::Sample, &work.sample()?, None)?;
        }
        if self.what == What::Sample {
            return Ok(());
        }
        let mut training = work.training()?;
        if wanted(What::Critic) {
            let seconds = training.critic()?;
            print(What::Critic, &seconds, Some(Multiple::of(&training.critic_and_forward()?)))?;
        }
        if wanted(What::Generator) {
            print(What::Generator, &training.generator()?, None)?;
        }
        if wanted(What::Iteration) {
            print(What::Iteration, &training.iteration()?, None)?;
        }
        Ok(())
    }

    fn print_sizes(&self, (generator, critic): (usize, usize)) -> Result<()> {
        exit::say(&if self.json {
            json!({ "preset": self.preset, "G_params": generator, "D_params": critic }).to_string()
        } else {
            format!(
                "{}: generator {generator} parameters, critic {critic}\n\n{:<10} {:>10} {:>10} {:>10} {:>10} {:>10}",
                self.preset, "what", "median ms", "min ms", "max ms", "images/s", "peak MiB"
            )
        })
    }

    fn print(
        &self,
        what: What,
        [device, dtype]: [&str; 2],
        seconds: &[f64],
        critic: Option<Multiple>,
        peak: u64,
    ) -> Result<()> {
        let typical = median(seconds);
        let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = seconds.iter().copied().fold(0.0, f64::max);
        let rate = self.batch as f64 / typical;
        if self.json {
            let mut line = json!({
                "peer": "r3gan", "preset": self.preset, "what": what.name(), "batch": self.batch,
                "device": device, "dtype": dtype, "median_s": typical, "min_s": least, "max_s": most,
                "images_per_s": rate, "peak_bytes": peak,
            });
            if let Some(Multiple { given, forward, multiple }) = critic {
                line["critic_given_s"] = json!(given);
                line["critic_forward_s"] = json!(forward);
                line["critic_multiple"] = json!(multiple);
            }
            return exit::say(&line.to_string());
        }
        let [typical_ms, least, most] = [typical, least, most].map(|s| s * 1e3);
        let peak = peak >> 20;
        let multiple = critic.map_or(String::new(), |Multiple { given, forward, multiple }| {
            format!(
                "  {:.1} ms on given images, {multiple:.2} critic forwards of {:.1} ms",
                given * 1e3,
                forward * 1e3
            )
        });
        let what = what.name();
        exit::say(&format!(
            "{what:<10} {typical_ms:>10.1} {least:>10.1} {most:>10.1} {rate:>10.1} {peak:>10}{multiple}"
        ))
    }
}

/// What the critic's step takes once there are images, beside one forward pass over them: medians.
#[derive(Clone, Copy)]
struct Multiple {
    /// Seconds.
    given: f64,
    /// Seconds.
    forward: f64,
    /// Of the ratios of neighbouring runs.
    multiple: f64,
}

impl Multiple {
    fn of(pairs: &[[f64; 2]]) -> Self {
        let of = |part: fn(&[f64; 2]) -> f64| median(&pairs.iter().map(part).collect::<Vec<_>>());
        Self {
            given: of(|pair| pair[0]),
            forward: of(|pair| pair[1]),
            multiple: of(|pair| pair[0] / pair[1]),
        }
    }
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}
