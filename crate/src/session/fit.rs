//! Whether data, networks and a checkpoint belong together.

use std::path::Path;

use crate::checkpoint::DataState;
use crate::config::TrainingConfig;
use crate::data::{Dataset, Kind};
use crate::error::{Error, Result};
use crate::network::Architecture;

/// The data set at the networks' resolution: smaller pictures are framed in black, as MNIST's 28 pixels in 32.
///
/// # Errors
/// [`Error::Setting`] for points with networks for pictures and the other way round, [`Error::Input`] for pictures
/// that cannot be framed.
pub fn fit(dataset: Dataset, config: &TrainingConfig) -> Result<Dataset> {
    let preset = &config.preset;
    match (dataset.kind(), &config.network.architecture) {
        (Kind::Points, Architecture::Perceptron { outputs: 2, .. }) => Ok(dataset),
        (Kind::Points, Architecture::Perceptron { outputs, .. }) => {
            let reason = format!("{outputs} is not 2, the coordinates of a point");
            Err(Error::setting("network.architecture.outputs", reason))
        }
        (Kind::Images { .. }, Architecture::Convolutional { .. }) => {
            dataset.padded_to(config.network.sample_shape()[0])
        }
        (Kind::Points, Architecture::Convolutional { .. }) => {
            Err(Error::setting("--preset", format!("'{preset}' makes pictures; use points")))
        }
        (Kind::Images { .. }, Architecture::Perceptron { .. }) => {
            Err(Error::setting("--preset", format!("'{preset}' is for point sets, not pictures")))
        }
    }
}

/// Refuses to continue a checkpoint on another data set than its own. One that does not know its data, because it
/// was imported, takes any with the labels that its networks need.
///
/// # Errors
/// [`Error::Input`] naming the checkpoint.
pub fn check_data(
    checkpoint: &Path,
    config: &TrainingConfig,
    place: &DataState,
    dataset: &Dataset,
) -> Result<()> {
    let Some(fingerprint) = &place.fingerprint else {
        let (needed, given) = (config.network.classes, dataset.classes());
        if needed == given {
            return Ok(());
        }
        let reason = format!(
            "has networks for {needed} classes, but the data set gives {given} (0 without labels); resume with the \
             data that it was trained on"
        );
        return Err(Error::input(checkpoint, reason));
    };
    if *fingerprint == dataset.fingerprint() {
        return Ok(());
    }
    Err(Error::input(
        checkpoint,
        "was trained on other data (or with other --cond, --mirror); resume with the same data set, or start a new \
         run",
    ))
}
