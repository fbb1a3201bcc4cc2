//! What a training run is configured by: one serialisable struct for command line, files and checkpoints.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::network::{Architecture, Format, NetworkConfig};
use crate::objective::{Objective, penalty::Penalty};
use crate::schedule::{Schedule, Span};

/// Everything that decides the weights after a number of images, except the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Name of the preset that the configuration started from.
    pub preset: String,
    pub network: NetworkConfig,
    pub objective: Objective,
    pub penalty: Penalty,
    /// Samples per iteration.
    pub batch: usize,
    /// Samples per forward pass; gradients of several passes are added up to the batch. 0: all at once.
    pub micro_batch: usize,
    /// What the stages next to the pictures compute in; all weights are f32 whatever it is.
    #[serde(default)]
    pub precision: Format,
    /// Length of the run in thousands of images.
    pub kimg: u64,
    /// Seed of initial weights, data order and noise.
    pub seed: u32,
    pub learning_rate: Schedule,
    pub beta2: Schedule,
    /// Weight of the penalties, as gamma / 2.
    pub gamma: Schedule,
    /// Half-life of the generator's average, in images.
    pub average_half_life: Schedule,
    /// Probability of each augmentation; 0 throughout: none.
    #[serde(default)]
    pub augmentation: Schedule,
    /// Images over which the schedules above move; they stay at their end from there on.
    pub decay_images: f64,
}

/// The scheduled values of one iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduled {
    pub learning_rate: f64,
    pub beta2: f64,
    pub gamma: f64,
    /// In images.
    pub average_half_life: f64,
    pub augmentation: f64,
}

impl TrainingConfig {
    /// Samples per forward pass.
    pub fn pass(&self) -> usize {
        if self.micro_batch == 0 { self.batch } else { self.micro_batch }
    }

    /// The schedules' values after `images` images.
    pub fn scheduled(&self, images: u64) -> Scheduled {
        let span = Span { total: self.decay_images, ..Span::default() };
        let at = |schedule: &Schedule| schedule.at(images as f64, &span);
        Scheduled {
            learning_rate: at(&self.learning_rate),
            beta2: at(&self.beta2),
            gamma: at(&self.gamma),
            average_half_life: at(&self.average_half_life),
            augmentation: at(&self.augmentation),
        }
    }

    /// Whether samples are augmented at any time.
    pub fn augments(&self) -> bool {
        self.augmentation != Schedule::default()
    }

    /// Refuses what cannot be trained; every sentence names the key.
    pub fn validate(&self) -> Result<()> {
        self.network.validate()?;
        let refuse = |name: &str, reason: String| Err(Error::setting(name, reason));
        if !(1..=65_536).contains(&self.batch) {
            return refuse("batch", format!("{} is not between 1 and 65536", self.batch));
        }
        if !self.batch.is_multiple_of(self.pass()) {
            let reason = format!("{} does not divide the batch of {}", self.micro_batch, self.batch);
            return refuse("micro_batch", reason);
        }
        if self.precision == Format::F16 {
            let reason = "f16 is for sampling alone: gradients vanish in it, and the paper found it to cripple \
                          training; choose bf16 or f32";
            return refuse("precision", reason.into());
        }
        if self.kimg == 0 || self.kimg > 1_000_000_000 {
            return refuse("kimg", format!("{} is not between 1 and 1000000000", self.kimg));
        }
        if !(self.decay_images.is_finite() && self.decay_images > 0.0) {
            return refuse("decay_images", format!("{} is not a positive number", self.decay_images));
        }
        for (name, schedule, most) in [
            ("learning_rate", self.learning_rate, 1.0),
            ("beta2", self.beta2, 1.0),
            ("gamma", self.gamma, 1e9),
            ("average_half_life", self.average_half_life, 1e15),
            ("augmentation", self.augmentation, 1.0),
        ] {
            for value in [schedule.base, schedule.end] {
                if !(0.0..=most).contains(&value) || (name == "beta2" && value >= 1.0) {
                    return refuse(name, format!("{value} is out of range"));
                }
            }
        }
        if self.augments() && matches!(self.network.architecture, Architecture::Perceptron { .. }) {
            return refuse("augmentation", "pictures can be augmented, points cannot; set it to 0".into());
        }
        Ok(())
    }

    /// The configuration with some keys replaced, given as `key=value` with dots between levels.
    ///
    /// Values are TOML; a bare word counts as a string: `gamma.base=2.0`, `network.latent=32`.
    pub fn with_overrides(&self, overrides: &[String]) -> Result<Self> {
        let mut config = self.clone();
        for entry in overrides {
            let mut table = config.as_table();
            let (key, text) = entry.split_once('=').ok_or_else(|| {
                Error::setting("--set", format!("'{entry}' is not key=value, for example gamma.base=2.0"))
            })?;
            let value = parse_value(text.trim());
            config = set(&mut table, key.trim(), value)
                .and_then(|()| Self::from_table(table))
                .map_err(|reason| Error::setting(format!("--set {entry}"), reason))?;
        }
        Ok(config)
    }

    /// The configuration with the keys of a TOML text replaced; `origin` names it in errors.
    pub fn with_toml(&self, text: &str, origin: &std::path::Path) -> Result<Self> {
        let one_line = |e: toml::de::Error| e.message().lines().next().unwrap_or("not valid TOML").to_owned();
        let changes: toml::Table = toml::from_str(text).map_err(|e| Error::input(origin, one_line(e)))?;
        let mut table = self.as_table();
        merge(&mut table, changes);
        Self::from_table(table).map_err(|reason| Error::input(origin, reason))
    }

    fn as_table(&self) -> toml::Table {
        toml::Table::try_from(self).expect("a configuration is a table")
    }

    fn from_table(table: toml::Table) -> std::result::Result<Self, String> {
        let one_line = |e: toml::de::Error| e.message().replace('\n', " ");
        let config: Self = table.try_into().map_err(one_line)?;
        Ok(config)
    }
}

fn parse_value(text: &str) -> toml::Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    parsed.and_then(|mut t| t.remove("value")).unwrap_or_else(|| toml::Value::String(text.into()))
}

/// Replaces an existing key; numbers take the type that is there (2 for 2.0).
fn set(table: &mut toml::Table, key: &str, value: toml::Value) -> std::result::Result<(), String> {
    let (parents, last) = key.rsplit_once('.').unwrap_or(("", key));
    let mut level = table;
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        level = level
            .get_mut(part)
            .and_then(toml::Value::as_table_mut)
            .ok_or_else(|| format!("there is no group '{part}'"))?;
    }
    let known = level.keys().cloned().collect::<Vec<_>>().join(", ");
    let slot = level.get_mut(last).ok_or_else(|| format!("there is no key '{last}'; known are {known}"))?;
    *slot = match (&*slot, value) {
        (toml::Value::Float(_), toml::Value::Integer(whole)) => toml::Value::Float(whole as f64),
        (_, value) => value,
    };
    Ok(())
}

fn merge(table: &mut toml::Table, changes: toml::Table) {
    for (key, value) in changes {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(changes)) => merge(inner, changes),
            (Some(slot @ toml::Value::Float(_)), toml::Value::Integer(whole)) => {
                *slot = toml::Value::Float(whole as f64);
            }
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}
