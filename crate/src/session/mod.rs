//! A training run: data, trainer, run directory and stopping, told to a front end as [`Event`]s.
//!
//! The trainer computes and knows no files; the session owns everything around it. A front end gives
//! options, a flag to stop, and a function that takes events.

mod directory;
mod event;
mod run;
mod snapshot;
mod statistics;

pub use directory::RunDirectory;
pub use event::{Event, Tick};
pub use run::{Outcome, Session, SessionOptions};
pub use statistics::{Statistic, Statistics};
