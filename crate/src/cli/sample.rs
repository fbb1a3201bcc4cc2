//! `r3gan sample`: pictures from a trained model.

mod inputs;

use std::path::{Path, PathBuf};

use crate::checkpoint::container::{Entry, Values, encode};
use crate::checkpoint::{Model, check_writable, write_atomic};
use crate::network::{Architecture, Format};
use crate::pictures::{self, Picture};
use crate::sampling::Sampler;
use crate::{Error, Result};
use clap::Args;

use self::inputs::Inputs;
use super::precision::{Precision, told};
use super::{count, create_directory, exit, open_device, progress};

const EXAMPLES: &str = "\
Examples:
  r3gan sample --network model.safetensors --seeds 0,4-9 --out pictures
  r3gan sample --network model.safetensors --seeds 0-63 --grid --out pictures
  r3gan sample --network model.safetensors --seeds 7 --class 3 --raw seven.safetensors

A seed gives the same latents as the official code's gen_images: RandomState(seed).randn.";

/// Make pictures with a trained model.
///
/// Writes one PNG a seed (seed0000.png) or a latent (latent0000.png); --grid writes them as one grid.png
/// instead. A model of points writes them as points.png.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Sample {
    /// Model, checkpoint or official .pkl to sample from (of the latter two, the averaged generator)
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Seeds, as a list of numbers and inclusive ranges [default: 0-15, or 0-1999 for points]
    #[arg(long, value_name = "0,4-9", conflicts_with = "latents", allow_hyphen_values = true)]
    seeds: Option<String>,
    /// Class of the pictures; needed by a conditional model
    #[arg(long, value_name = "K", allow_negative_numbers = true, value_parser = inputs::class)]
    class: Option<usize>,
    /// Directory for the pictures; made if it is not there
    #[arg(long, value_name = "DIR", required_unless_present = "raw")]
    out: Option<PathBuf>,
    /// Write one grid.png, and no single pictures
    #[arg(long, requires = "out")]
    grid: bool,
    /// Take the tensor 'z' or 'latents' [N, latent] of this file, and 'labels' [N] or [N, classes] if there
    #[arg(long, value_name = "FILE")]
    latents: Option<PathBuf>,
    /// Also write the values as tensor 'images' [N,3,H,W] ('points' [N,2]) with their 'latents' and 'labels'
    #[arg(long, value_name = "FILE")]
    raw: Option<PathBuf>,
    /// auto, cpu, wgpu, vulkan or cuda[:N]
    #[arg(long, default_value = "auto")]
    device: String,
    /// What the stages next to the pictures compute in
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "auto")]
    precision: Precision,
    /// Samples that are computed at once
    #[arg(long, value_name = "N", default_value = "16", allow_negative_numbers = true, value_parser = count)]
    batch: usize,
}

/// What is kept until all samples are there.
#[derive(Default)]
struct Kept {
    values: Vec<f32>,
    pixels: Vec<u8>,
}

impl Sample {
    /// Checks everything before the first file is written.
    pub fn run(self) -> Result<()> {
        let device = open_device(&self.device)?;
        let mut model = Model::open(&self.network, &device)?;
        model.compute_in(self.precision.format(model.header.published_format(), &device))?;
        let format = model.generator.format();
        let shape = model.header.network.sample_shape();
        let points = matches!(model.header.network.architecture, Architecture::Perceptron { .. });
        let inputs = self.inputs(&model, points)?;
        self.check_sizes(inputs.count(), shape, points)?;
        if let Some(out) = &self.out {
            create_directory(out)?;
        }
        if let Some(raw) = &self.raw {
            create_directory(raw.parent().unwrap_or(Path::new("")))?;
            check_writable(raw)?;
        }

        let sampler = Sampler::new(model);
        let bar = progress(inputs.count(), "samples");
        let mut kept = Kept::default();
        for start in (0..inputs.count()).step_by(self.batch) {
            let part = start..inputs.count().min(start + self.batch);
            let (z, labels) = inputs.rows(part.clone());
            let values = pollster::block_on(sampler.sample(z, labels, self.batch))?;
            if let Some(out) = self.out.as_ref().filter(|_| !points) {
                if self.grid {
                    kept.pixels.extend(pictures::to_pixels_rounded(&values));
                } else {
                    save_each(out, &inputs.names[part.clone()], &values, shape, format)?;
                }
            }
            if points || self.raw.is_some() {
                kept.values.extend(values);
            }
            bar.inc(part.len() as u64);
        }
        bar.finish_and_clear();
        let written = self.save_whole(&inputs, kept, shape, points)?;
        exit::say(&match format {
            Format::F32 => written,
            _ => format!("{written}; {}", told(format, &device)),
        })
    }

    fn inputs(&self, model: &Model, points: bool) -> Result<Inputs> {
        let network = &model.header.network;
        match &self.latents {
            Some(path) => Inputs::from_file(path, network, self.class),
            None => {
                let seeds = self.seeds.as_deref().unwrap_or(if points { "0-1999" } else { "0-15" });
                Inputs::from_seeds(&inputs::seeds(seeds)?, network, self.class)
            }
        }
    }

    /// Refuses results that would not fit into memory.
    fn check_sizes(&self, count: usize, [height, width, channels]: [usize; 3], points: bool) -> Result<()> {
        let pixels = count * height * width;
        let refuse = |flag: &str, what: &str| {
            let reason = format!("{count} samples are too many for {what}; ask for fewer seeds at a time");
            Err(Error::setting(flag, reason))
        };
        if self.grid && !points && pixels > 1 << 28 {
            return refuse("--grid", "one picture");
        }
        if self.raw.is_some() && pixels * channels > 1 << 31 {
            return refuse("--raw", "one file");
        }
        if points && self.out.is_some() && channels != 2 {
            let reason = format!("points of {channels} coordinates cannot be drawn; use --raw alone");
            return Err(Error::setting("--out", reason));
        }
        Ok(())
    }

    /// Writes what holds all samples; a sentence about everything that was written.
    fn save_whole(&self, inputs: &Inputs, kept: Kept, shape: [usize; 3], points: bool) -> Result<String> {
        let mut written = Vec::new();
        if let Some(out) = &self.out {
            let whole = |name: &str, picture: Picture| {
                let path = out.join(name);
                write_atomic(&path, &pictures::encode_png(&picture)?)?;
                Ok(path.display().to_string())
            };
            written.push(if points {
                whole("points.png", pictures::scatter(&[], &kept.values, 768))?
            } else if self.grid {
                let columns = (inputs.count() as f64).sqrt().ceil() as usize;
                whole("grid.png", pictures::grid(&kept.pixels, shape[0], columns))?
            } else {
                format!("{} pictures in {}", inputs.count(), out.display())
            });
        }
        if let Some(path) = &self.raw {
            write_atomic(path, &raw(inputs, &kept.values, shape, points))?;
            written.push(path.display().to_string());
        }
        Ok(format!("wrote {}", written.join(" and ")))
    }
}

fn save_each(
    out: &Path,
    names: &[String],
    values: &[f32],
    [height, width, _]: [usize; 3],
    format: Format,
) -> Result<()> {
    let pixels = pictures::to_pixels_in(format, values);
    for (name, rgb) in names.iter().zip(pixels.chunks_exact(height * width * 3)) {
        let png = pictures::encode_png(&Picture { width, height, rgb: rgb.to_vec() })?;
        write_atomic(&out.join(format!("{name}.png")), &png)?;
    }
    Ok(())
}

/// The bytes of the `--raw` file: values with the channels first, latents and labels.
fn raw(inputs: &Inputs, values: &[f32], [height, width, channels]: [usize; 3], points: bool) -> Vec<u8> {
    let count = inputs.count();
    let entry = |name: &str, shape: Vec<usize>, values: Vec<f32>| Entry {
        name: name.into(),
        shape,
        values: Values::F32(values),
    };
    let mut entries = vec![if points {
        entry("points", vec![count, channels], values.to_vec())
    } else {
        let item = height * width * channels;
        let planes = values.chunks_exact(item).flat_map(|picture| {
            (0..channels).flat_map(move |c| picture.iter().skip(c).step_by(channels).copied())
        });
        entry("images", vec![count, channels, height, width], planes.collect())
    }];
    entries.push(entry("latents", vec![count, inputs.latent], inputs.latents.clone()));
    if let Some(labels) = &inputs.labels {
        entries.push(entry("labels", vec![count, inputs.classes], labels.clone()));
    }
    encode(&entries, None::<&()>)
}
