//! What `r3gan train --dry-run` prints.

use crate::cli::precision::told;
use crate::data::Dataset;
use crate::session::Plan;
use crate::training::Trainer;

/// What --dry-run prints: the configuration, the networks' sizes, the data.
pub fn describe(trainer: &Trainer, dataset: &Dataset) -> String {
    let config = toml::to_string(&trainer.config).expect("a configuration is plain data");
    format!(
        "{config}\n# generator: {} parameters\n# critic: {} parameters\n# data: {} samples, {} classes\n# {}\n",
        trainer.generator.parameter_count(),
        trainer.critic.parameter_count(),
        dataset.len(),
        dataset.classes(),
        told(trainer.config.precision, trainer.device()),
    )
}

/// What --dry-run measured, and what follows from it.
pub fn foretell(plan: &Plan, device: &str) -> String {
    let Plan { memory, measured, seconds_per_kimg, seconds } = *plan;
    format!(
        "# memory: about {:.2} GB for a step\n# time: {seconds_per_kimg:.2} s per kimg, measured with {measured} samples \
         a pass on {device}\n# the whole run: {}\n",
        memory as f64 / 1e9,
        readable(seconds),
    )
}

/// `3.4 hours`
fn readable(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} seconds"),
        s if s < 7200.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} hours", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}
