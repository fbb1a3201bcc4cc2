//! A run that a page drives step by step.

use std::path::Path;

use js_sys::{Object, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::Handle;
use super::convert::{Failure, files, object, reals, samples, set, unfit};
use crate::checkpoint::Precision;
use crate::config::TrainingConfig;
use crate::data::{Dataset, OpenOptions, PointCloud, open_bytes};
use crate::preset;
use crate::session::{Live, Statistics};
use crate::training::footprint;

/// Good samples that a mode needs to count as covered, of 2000.
const LEAST_HITS: usize = 20;

#[wasm_bindgen]
pub struct Trainer {
    run: Live,
    cloud: Option<PointCloud>,
}

/// The plain part of JavaScript's `TrainerOptions`; `config` is a list of `key=value`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    preset: String,
    config: Vec<String>,
    seed: u32,
    labels: bool,
    mirror: bool,
}

/// JavaScript's `TrainerInfo`, without the device.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    preset: &'a str,
    batch: usize,
    latent: usize,
    classes: usize,
    width: usize,
    height: usize,
    channels: usize,
    parameters: Parameters,
    items: usize,
    footprint: u64,
    images: u64,
    config: &'a TrainingConfig,
}

#[derive(Serialize)]
struct Parameters {
    generator: usize,
    critic: usize,
}

/// JavaScript's `StepStats`, without time and memory.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepStats {
    images: u64,
    critic_steps: u64,
    generator_steps: u64,
    critic_loss: Option<f64>,
    generator_loss: Option<f64>,
    r1: Option<f64>,
    r2: Option<f64>,
    logit_gap: Option<f64>,
    gamma: f64,
    learning_rate: f64,
    beta2: f64,
    average_half_life: f64,
    augmentation: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Coverage {
    hits: Vec<usize>,
    covered: usize,
    modes: usize,
    good_share: f64,
}

/// What a name of a point set, or files, hold.
fn open_data(source: &JsValue, labels: bool, mirror: bool) -> Result<(Dataset, Option<PointCloud>), Failure> {
    let (dataset, cloud) = match source.as_string() {
        Some(name) => {
            let cloud = PointCloud::named(&name)
                .ok_or_else(|| unfit("dataset", &format!("there is no '{name}'; choose ring8 or grid25")))?;
            (Dataset::points(cloud, labels)?, Some(cloud))
        }
        None => {
            let options = OpenOptions { labels, ..OpenOptions::default() };
            (open_bytes(files(source)?, &options)?, None)
        }
    };
    Ok((if mirror { dataset.with_mirror()? } else { dataset }, cloud))
}

#[wasm_bindgen]
impl Trainer {
    /// A fresh run, or that of `checkpoint`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        device: &Handle,
        options: JsValue,
        source: &JsValue,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<Self, Failure> {
        let options: Options =
            serde_wasm_bindgen::from_value(options).map_err(|e| unfit("options", &e.to_string()))?;
        let (dataset, cloud) = open_data(source, options.labels, options.mirror)?;
        let run = match checkpoint {
            Some(bytes) => Live::resume(&bytes, Path::new("the checkpoint"), dataset, &device.0)?,
            None => {
                let mut config =
                    preset::config(&options.preset, dataset.classes())?.with_overrides(&options.config)?;
                config.seed = options.seed;
                Live::new(config, dataset, &device.0)?
            }
        };
        Ok(Self { run, cloud })
    }

    pub fn info(&self) -> Result<JsValue, Failure> {
        let trainer = self.run.trainer();
        let config = &trainer.config;
        let [height, width, channels] = config.network.sample_shape();
        object(&Info {
            preset: &config.preset,
            batch: config.batch,
            latent: config.network.latent,
            classes: config.network.classes,
            width,
            height,
            channels,
            parameters: Parameters {
                generator: trainer.generator.parameter_count(),
                critic: trainer.critic.parameter_count(),
            },
            items: self.run.dataset().len(),
            footprint: footprint::bytes(config)?,
            images: trainer.images,
            config,
        })
    }

    /// Real images that the critic has seen.
    #[wasm_bindgen(getter)]
    pub fn images(&self) -> f64 {
        self.run.trainer().images as f64
    }

    pub async fn steps(&mut self, count: usize) -> Result<JsValue, Failure> {
        let statistics = self.run.steps(count).await?;
        self.report(&statistics)
    }

    #[wasm_bindgen(js_name = stepCritic)]
    pub async fn step_critic(&mut self) -> Result<JsValue, Failure> {
        let statistics = self.run.step_critic().await?;
        self.report(&statistics)
    }

    #[wasm_bindgen(js_name = stepGenerator)]
    pub async fn step_generator(&mut self) -> Result<JsValue, Failure> {
        let statistics = self.run.step_generator().await?;
        self.report(&statistics)
    }

    fn report(&self, statistics: &Statistics) -> Result<JsValue, Failure> {
        let trainer = self.run.trainer();
        let scheduled = trainer.config.scheduled(trainer.images);
        object(&StepStats {
            images: trainer.images,
            critic_steps: trainer.players.critic_adam.steps,
            generator_steps: trainer.players.generator_adam.steps,
            critic_loss: statistics.mean("Loss/D/loss"),
            generator_loss: statistics.mean("Loss/G/loss"),
            r1: statistics.mean("Loss/r1_penalty"),
            r2: statistics.mean("Loss/r2_penalty"),
            logit_gap: statistics.mean("Loss/scores/real"),
            gamma: scheduled.gamma,
            learning_rate: scheduled.learning_rate,
            beta2: scheduled.beta2,
            average_half_life: scheduled.average_half_life,
            augmentation: scheduled.augmentation,
        })
    }

    /// JavaScript's `TrainingSamples`.
    pub async fn samples(&self, count: usize) -> Result<Object, Failure> {
        let values = self.run.samples(count).await?;
        let result = samples(self.run.trainer().config.network.sample_shape(), &values, false);
        if let Some(cloud) = self.cloud {
            let coverage = cloud.mode_coverage(&values, LEAST_HITS);
            let modes = cloud.modes().len();
            let (hits, covered, good_share) = (coverage.hits, coverage.covered, coverage.good_share);
            set(&result, "coverage", object(&Coverage { hits, covered, modes, good_share })?);
        }
        Ok(result)
    }

    /// JavaScript's `Samples` of the data.
    pub fn reals(&self, count: usize) -> Result<Object, Failure> {
        Ok(reals(self.run.reals(count)?))
    }

    #[wasm_bindgen(js_name = criticSurface)]
    pub async fn critic_surface(&self, side: usize, reach: f32) -> Result<Vec<f32>, Failure> {
        Ok(self.run.critic_surface(side, reach).await?)
    }

    pub fn set(
        &mut self,
        gamma: Option<f64>,
        learning_rate: Option<f64>,
        batch: Option<usize>,
    ) -> Result<(), Failure> {
        Ok(self.run.set(gamma, learning_rate, batch)?)
    }

    pub async fn checkpoint(&self) -> Result<Uint8Array, Failure> {
        Ok(Uint8Array::from(self.run.checkpoint().await?.as_slice()))
    }

    pub fn restore(&mut self, checkpoint: &[u8]) -> Result<(), Failure> {
        Ok(self.run.restore(checkpoint, Path::new("the checkpoint"))?)
    }

    #[wasm_bindgen(js_name = exportModel)]
    pub async fn export_model(&self, half: bool) -> Result<Uint8Array, Failure> {
        let precision = if half { Precision::F16 } else { Precision::F32 };
        Ok(Uint8Array::from(self.run.model(precision).await?.as_slice()))
    }
}
