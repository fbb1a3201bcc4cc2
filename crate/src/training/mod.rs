//! One iteration of training: gradients, optimiser, average, and the trainer that owns them.

pub mod adam;
pub mod average;
mod feed;
pub mod footprint;
mod gradients;
mod origin;
mod stats;
mod trainer;

pub use adam::Adam;
pub use feed::{iterate, iterate_marked, next_phase, phase};
pub use gradients::{
    CriticTask, CriticValues, GeneratorValues, Phase, Player, critic_gradients, generator_gradients,
};
pub use origin::{NumberFormat, OFFICIAL_LICENCE, OfficialPrecision, Origin};
pub(crate) use stats::read as read_values;
pub use stats::{PhaseValues, StepStats};
pub use trainer::{Players, Trainer};
