//! Running means and deviations between ticks, under the published names (training notes, section 5).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::training::PhaseValues;

/// Count, mean and population standard deviation of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistic {
    pub num: u64,
    pub mean: f64,
    pub std: f64,
}

/// Sums since the last tick, in f64.
#[derive(Clone, Debug, Default)]
pub struct Statistics(BTreeMap<&'static str, Sums>);

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: u64,
    sum: f64,
    squares: f64,
}

impl Statistics {
    /// Adds the values of one iteration.
    pub fn add_iteration(&mut self, values: &PhaseValues) {
        self.add("Loss/D/loss", &values.critic_loss);
        self.add("Loss/scores/real", &values.critic_difference);
        self.add_signs("Loss/signs/real", &values.critic_difference);
        self.add("Loss/r1_penalty", &values.r1);
        self.add("Loss/r2_penalty", &values.r2);
        self.add("Loss/G/loss", &values.generator_loss);
        self.add("Loss/scores/fake", &values.generator_difference);
        self.add_signs("Loss/signs/fake", &values.generator_difference);
    }

    /// Adds one value.
    pub fn add_value(&mut self, name: &'static str, value: f64) {
        let sums = self.0.entry(name).or_default();
        sums.count += 1;
        sums.sum += value;
        sums.squares += value * value;
    }

    fn add(&mut self, name: &'static str, values: &[f32]) {
        values.iter().for_each(|value| self.add_value(name, f64::from(*value)));
    }

    fn add_signs(&mut self, name: &'static str, values: &[f32]) {
        let sign = |v: f32| f64::from(u8::from(v > 0.0)) - f64::from(u8::from(v < 0.0));
        values.iter().for_each(|value| self.add_value(name, sign(*value)));
    }

    pub fn mean(&self, name: &str) -> Option<f64> {
        self.0.get(name).map(|sums| sums.statistic().mean)
    }

    /// Every quantity by name.
    pub fn all(&self) -> BTreeMap<&'static str, Statistic> {
        self.0.iter().map(|(name, sums)| (*name, sums.statistic())).collect()
    }
}

impl Sums {
    fn statistic(&self) -> Statistic {
        let count = self.count.max(1) as f64;
        let mean = self.sum / count;
        Statistic { num: self.count, mean, std: (self.squares / count - mean * mean).max(0.0).sqrt() }
    }
}
