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
#[cfg(not(target_family = "wasm"))]
mod grid;
mod health;
mod live;
#[cfg(not(target_family = "wasm"))]
mod plan;
#[cfg(not(target_family = "wasm"))]
mod run;
#[cfg(not(target_family = "wasm"))]
pub mod scores;
mod snapshot;
mod statistics;
#[cfg(not(target_family = "wasm"))]
mod tensorboard;

#[cfg(not(target_family = "wasm"))]
pub use directory::RunDirectory;
#[cfg(not(target_family = "wasm"))]
pub use event::{Event, Tick};
pub use fit::{check_data, fit};
#[cfg(not(target_family = "wasm"))]
pub use grid::Grid;
pub use live::Live;
#[cfg(not(target_family = "wasm"))]
pub use plan::{Plan, plan};
#[cfg(not(target_family = "wasm"))]
pub use run::{Outcome, Session, SessionOptions};
pub use snapshot::{Snapshot, reals};
pub use statistics::{Statistic, Statistics};
