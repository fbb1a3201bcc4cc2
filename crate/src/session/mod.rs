//! A training run: data, trainer, and what a run shows of itself.
//!
//! The trainer computes and knows no data. Natively a [`Session`] owns everything around it, with a run
//! directory, statistics and stopping, told to a front end as [`Event`]s; a front end gives options, a flag to
//! stop, and a function that takes events. In a page a [`Live`] run lies in memory and moves when it is asked to.
//! Both take the same steps on the same batches, so a checkpoint of one continues in the other.

#[cfg(not(target_family = "wasm"))]
mod directory;
#[cfg(not(target_family = "wasm"))]
mod event;
mod fit;
mod live;
#[cfg(not(target_family = "wasm"))]
mod run;
mod snapshot;
mod statistics;

#[cfg(not(target_family = "wasm"))]
pub use directory::RunDirectory;
#[cfg(not(target_family = "wasm"))]
pub use event::{Event, Tick};
pub use fit::{check_data, fit};
pub use live::Live;
#[cfg(not(target_family = "wasm"))]
pub use run::{Outcome, Session, SessionOptions};
pub use snapshot::{Snapshot, reals};
pub use statistics::{Statistic, Statistics};

use crate::error::Error;
use crate::training::Trainer;

/// Says what stopped being a number, the likely cause and the way out; `last` names the last good state.
fn diverged(trainer: &Trainer, what: &str, last: &str) -> Error {
    let gamma = trainer.config.scheduled(trainer.images).gamma;
    Error::Diverged(format!(
        "training diverged near image {}: {what} stopped being finite with gamma {gamma:.3}; {last}; use a larger \
         gamma (it grows with the resolution) or a smaller learning_rate",
        trainer.images
    ))
}
