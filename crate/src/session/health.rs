//! Whether a run is still worth going on with, and what ails it if not.

use crate::error::Error;
use crate::network::Architecture;
use crate::preset;
use crate::training::{PhaseValues, Trainer};

/// The weighted penalty beyond which nothing is learned any more: losses are of order one.
const MOST_PENALTY: f64 = 1e4;
/// A gamma this many times below the published ones is named as the likely cause.
const FAR_BELOW: f64 = 8.0;

/// What an iteration's values say is wrong, in words; `gamma` is what they were made with.
pub fn ailment(values: &PhaseValues, gamma: f64) -> Option<String> {
    if let Some(what) = values.not_finite() {
        return Some(format!("{what} stopped being finite"));
    }
    let mean =
        |values: &[f32]| values.iter().copied().map(f64::from).sum::<f64>() / values.len().max(1) as f64;
    let penalty = gamma / 2.0 * (mean(&values.r1) + mean(&values.r2));
    (penalty > MOST_PENALTY).then(|| format!("the gradient penalties exploded to {penalty:.1e}"))
}

/// Says what is wrong, the likely cause and the way out; `last` names the last good state.
pub fn diverged(trainer: &Trainer, ailment: &str, last: &str) -> Error {
    let gamma = trainer.config.scheduled(trainer.images).gamma;
    let way_out = match (&trainer.config.network.architecture, trainer.config.network.sample_shape()) {
        (Architecture::Convolutional { .. }, [side, ..])
            if gamma * FAR_BELOW < preset::gamma_for(side) / 10.0 =>
        {
            format!(
                "gamma is small for {side} pixels, where --gamma auto starts at {:.2}; use that, or a smaller \
                 learning_rate",
                preset::gamma_for(side)
            )
        }
        _ => "use a larger gamma (it grows with the resolution) or a smaller learning_rate".into(),
    };
    Error::Diverged(format!(
        "training diverged near image {}: {ailment} with gamma {gamma:.3}; {last}; {way_out}",
        trainer.images
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend;

    #[test]
    fn the_sick_are_told_from_the_well() {
        let well = PhaseValues { r1: vec![0.5, 40.0], r2: vec![2.0, 3.0], ..PhaseValues::default() };
        assert_eq!(ailment(&well, 150.0), None);
        let exploded = PhaseValues { r1: vec![1e7, 1.0], ..well.clone() };
        assert!(ailment(&exploded, 0.01).unwrap().contains("exploded to 2.5e4"));
        let lost = PhaseValues { critic_loss: vec![f32::NAN], ..well };
        assert!(ailment(&lost, 0.0).unwrap().contains("the critic's loss stopped being finite"));
    }

    #[test]
    fn a_gamma_too_small_is_named() {
        let trainer = |gamma: &str| {
            let config = preset::config("demo-64", 0).unwrap();
            let config = config.with_overrides(&[format!("gamma.base={gamma}"), "batch=2".into()]).unwrap();
            Trainer::new(config, &backend::open("cpu").unwrap()).unwrap()
        };
        let told = |gamma| diverged(&trainer(gamma), "all", "nothing is kept").to_string();
        assert!(told("0.001").contains("gamma is small for 64 pixels"), "{}", told("0.001"));
        assert!(told("4.0").contains("use a larger gamma"), "{}", told("4.0"));
    }
}
