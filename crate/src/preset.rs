//! The presets: published pairs and small ones, one line each (training notes, section 3).

use crate::config::TrainingConfig;
use crate::error::{Error, Result};
use crate::network::{Architecture, Format, NetworkConfig};
use crate::objective::{Objective, penalty::Penalty};
use crate::schedule::Schedule;

/// One line of the table.
struct Preset {
    name: &'static str,
    /// Stages from 4x4 upwards; empty for the perceptrons.
    widths: &'static [usize],
    /// Channels per group after expansion.
    group_width: usize,
    blocks: usize,
    /// Classes of the data set that the preset was published for.
    classes: usize,
    learning_rate: (f64, f64),
    gamma: (f64, f64),
    /// Final half-life of the average, in images.
    average: f64,
    /// Final probability of each augmentation.
    augmentation: f64,
    /// Images over which schedules move.
    decay: f64,
    batch: usize,
    kimg: u64,
    /// What the published run computed the stages next to the pictures in.
    format: Format,
}

const fn demo(name: &'static str, widths: &'static [usize], gamma: (f64, f64)) -> Preset {
    // Short runs of small networks: steps three times as large as published, schedules over the whole run.
    let learning_rate = (6e-4, 1e-4);
    let (classes, average, augmentation, decay, batch, kimg) = (0, 4e3, 0.0, 100e3, 32, 100);
    Preset {
        name,
        widths,
        group_width: 16,
        blocks: 1,
        classes,
        learning_rate,
        gamma,
        average,
        augmentation,
        decay,
        batch,
        kimg,
        format: Format::F32,
    }
}

/// The learning rate of all published presets.
const RATE: (f64, f64) = (2e-4, 5e-5);
const W: usize = 768;
const WIDE: usize = 1536;

#[rustfmt::skip]
const PRESETS: &[Preset] = &[
    demo("demo-16", &[128, 128, 64], (0.5, 0.05)),
    demo("demo-32", &[128, 128, 128, 64], (1.0, 0.1)),
    demo("demo-64", &[128, 128, 128, 64, 32], (4.0, 0.4)),
    Preset { name: "points", widths: &[], group_width: 0, blocks: 0, classes: 0, learning_rate: (2e-3, 1e-4), gamma: (0.05, 0.005), average: 25e3, augmentation: 0.0, decay: 5e5, batch: 64, kimg: 500, format: Format::F32 },
    Preset { name: "cifar10", widths: &[W; 4], group_width: 16, blocks: 2, classes: 10, learning_rate: RATE, gamma: (0.05, 0.005), average: 5e6, augmentation: 0.55, decay: 2e7, batch: 512, kimg: 250_000, format: Format::Bf16 },
    Preset { name: "ffhq-64", widths: &[W, W, W, W, 384], group_width: 16, blocks: 2, classes: 0, learning_rate: RATE, gamma: (2.0, 0.2), average: 5e5, augmentation: 0.3, decay: 2e7, batch: 256, kimg: 100_000, format: Format::Bf16 },
    Preset { name: "ffhq-256", widths: &[W, W, W, W, 384, 192, 96], group_width: 16, blocks: 2, classes: 0, learning_rate: RATE, gamma: (150.0, 15.0), average: 5e5, augmentation: 0.3, decay: 2e7, batch: 256, kimg: 200_000, format: Format::Bf16 },
    Preset { name: "imagenet-32", widths: &[WIDE; 4], group_width: 32, blocks: 2, classes: 1000, learning_rate: RATE, gamma: (0.5, 0.05), average: 5e7, augmentation: 0.5, decay: 2e8, batch: 4096, kimg: 1_000_000, format: Format::Bf16 },
    Preset { name: "imagenet-64", widths: &[WIDE; 5], group_width: 32, blocks: 2, classes: 1000, learning_rate: RATE, gamma: (1.0, 0.1), average: 5e7, augmentation: 0.4, decay: 2e8, batch: 4096, kimg: 1_000_000, format: Format::Bf16 },
];

/// Names of all presets, small ones first.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// Number of classes of the data set that a preset was published for; 0 if it has none.
pub fn published_classes(name: &str) -> Result<usize> {
    Ok(find(name)?.classes)
}

/// What the published run of a preset computed its stages next to the pictures in; f32 for any other name.
pub fn published_format(name: &str) -> Format {
    find(name).map_or(Format::F32, |preset| preset.format)
}

/// A preset's configuration for labels of `classes` classes (0: unconditional).
pub fn config(name: &str, classes: usize) -> Result<TrainingConfig> {
    let preset = find(name)?;
    Ok(TrainingConfig {
        preset: preset.name.into(),
        network: network(preset, classes),
        objective: Objective::RelativisticPairing,
        penalty: Penalty::R1R2,
        batch: preset.batch,
        micro_batch: 0,
        precision: Format::F32,
        kimg: preset.kimg,
        seed: 0,
        learning_rate: Schedule::new(preset.learning_rate.0, preset.learning_rate.1),
        beta2: Schedule::new(0.9, 0.99),
        gamma: Schedule::new(preset.gamma.0, preset.gamma.1),
        average_half_life: Schedule::new(0.0, preset.average),
        augmentation: Schedule::new(0.0, preset.augmentation),
        decay_images: preset.decay,
    })
}

/// A first gamma for pictures of `side` pixels: 1.5 at 64, and 9.8 times as much for every doubling.
///
/// That is the line through the five published presets (least squares of the logarithms), which are within a factor
/// of 3.3 of it. As theirs do, it should fall to a tenth.
pub fn gamma_for(side: usize) -> f64 {
    1.5 * (side as f64 / 64.0).powf(3.3)
}

fn find(name: &str) -> Result<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let known = names().collect::<Vec<_>>().join(", ");
        Error::setting("--preset", format!("there is no preset '{name}'; choose one of {known}"))
    })
}

fn network(preset: &Preset, classes: usize) -> NetworkConfig {
    let architecture = if preset.widths.is_empty() {
        Architecture::Perceptron { hidden: vec![256; 3], outputs: 2 }
    } else {
        let expansion = 2;
        Architecture::Convolutional {
            widths: preset.widths.into(),
            cardinality: preset.widths.iter().map(|width| width * expansion / preset.group_width).collect(),
            blocks: vec![preset.blocks; preset.widths.len()],
            expansion,
            generator_embedding: 64,
            critic_embedding: preset.widths[0],
        }
    };
    NetworkConfig { latent: 64, classes, architecture }
}
