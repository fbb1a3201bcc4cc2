//! Whether a run is still worth going on with, and what ails it if not.

use crate::error::Error;
use crate::network::Architecture;
use crate::objective::penalty::Penalty;
use crate::preset;
use crate::training::{PhaseValues, Trainer};

/// The weighted penalty beyond which nothing is learned any more: losses are of order one.
const MOST_PENALTY: f64 = 1e4;
/// A gamma this many times below the published ones is named as the likely cause.
const FAR_BELOW: f64 = 8.0;

/// What ails a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Ailment {
    /// This is no number any more.
    NotFinite(&'static str),
    /// The penalties of the loss, weighted, are this large.
    Exploded(f64),
}

/// What an iteration's values say is wrong; `gamma` and `penalty` are what they were made with.
pub fn ailment(values: &PhaseValues, gamma: f64, penalty: Penalty) -> Option<Ailment> {
    if let Some(what) = values.not_finite() {
        return Some(Ailment::NotFinite(what));
    }
    let mean =
        |values: &[f32]| values.iter().copied().map(f64::from).sum::<f64>() / values.len().max(1) as f64;
    let norms = match penalty {
        Penalty::R1R2 => mean(&values.r1) + mean(&values.r2),
        Penalty::R1 => mean(&values.r1),
        Penalty::R2 => mean(&values.r2),
        Penalty::None => 0.0,
    };
    let penalty = gamma / 2.0 * norms;
    (penalty > MOST_PENALTY).then_some(Ailment::Exploded(penalty))
}

/// Says what is wrong, the likely cause and the way out; `last` names the last good state.
pub fn diverged(trainer: &Trainer, ailment: &Ailment, last: &str) -> Error {
    let gamma = trainer.config.scheduled(trainer.images).gamma;
    let published = match (&trainer.config.network.architecture, trainer.config.network.sample_shape()) {
        (Architecture::Convolutional { .. }, [side, ..]) => Some((side, preset::gamma_for(side))),
        _ => None,
    };
    let way_out = match (published, ailment) {
        // It falls to a tenth of where it starts.
        (Some((side, start)), _) if gamma * FAR_BELOW < start / 10.0 => format!(
            "gamma is small for {side} pixels, where --gamma auto starts at {start:.2}; use that, or a smaller \
             learning_rate"
        ),
        (_, Ailment::Exploded(_)) => "use a smaller learning_rate".into(),
        (_, Ailment::NotFinite(_)) => {
            "use a larger gamma (it grows with the resolution) or a smaller learning_rate".into()
        }
    };
    let what = match ailment {
        Ailment::NotFinite(what) => format!("{what} stopped being finite"),
        Ailment::Exploded(penalty) => format!("the gradient penalties exploded to {penalty:.1e}"),
    };
    Error::Diverged(format!(
        "training diverged near image {}: {what} with gamma {gamma:.3}; {last}; {way_out}",
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
        assert_eq!(ailment(&well, 150.0, Penalty::R1R2), None);
        let exploded = PhaseValues { r1: vec![1e7, 1e7], ..well.clone() };
        assert!(matches!(ailment(&exploded, 0.01, Penalty::R1), Some(Ailment::Exploded(5e4))));
        // What is no part of the loss may grow.
        assert_eq!(ailment(&exploded, 0.01, Penalty::R2), None);
        assert_eq!(ailment(&exploded, 0.01, Penalty::None), None);
        let lost = PhaseValues { critic_loss: vec![f32::NAN], ..well };
        assert_eq!(ailment(&lost, 0.0, Penalty::None), Some(Ailment::NotFinite("the critic's loss")));
    }

    #[test]
    fn the_way_out_fits_the_cause() {
        let told = |gamma: &str, ailment: Ailment| {
            let config = preset::config("demo-64", 0).unwrap();
            let config = config.with_overrides(&[format!("gamma.base={gamma}"), "batch=2".into()]).unwrap();
            let trainer = Trainer::new(config, &backend::open("cpu").unwrap()).unwrap();
            diverged(&trainer, &ailment, "nothing is kept").to_string()
        };
        for (gamma, ailment, words) in [
            (
                "0.001",
                Ailment::NotFinite("all"),
                "gamma is small for 64 pixels, where --gamma auto starts at 1.50",
            ),
            ("4.0", Ailment::NotFinite("all"), "use a larger gamma"),
            (
                "4.0",
                Ailment::Exploded(1e5),
                "exploded to 1.0e5 with gamma 4.000; nothing is kept; use a smaller",
            ),
        ] {
            let told = told(gamma, ailment);
            assert!(told.contains(words), "{told}");
        }
    }
}
