//! What a run will take, from its description and a few steps of it.

use std::time::Instant;

use crate::data::{Dataset, InfiniteSampler};
use crate::error::Result;
use crate::training::{Trainer, footprint, iterate};

/// Probing ends with the first measurement that takes this long, or that is a whole pass.
const ENOUGH_SECONDS: f64 = 2.0;

/// What a run will take.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// About the peak of a step, in bytes.
    pub memory: u64,
    /// Samples a pass that the time was measured with.
    pub measured: usize,
    pub seconds_per_kimg: f64,
    /// From here to the end of the run.
    pub seconds: f64,
}

/// Measures growing passes, up to the run's own; the trainer is of no more use for training.
///
/// A step costs something once (Adam, the average) and something for each sample; two lengths tell them apart.
///
/// # Errors
/// Those of reading data, and of the device.
pub async fn plan(mut trainer: Trainer, dataset: &Dataset) -> Result<Plan> {
    let memory = footprint::bytes(&trainer.config)?;
    let whole = trainer.config.pass();
    let left = (trainer.config.kimg * 1000).saturating_sub(trainer.images);
    let mut order = InfiniteSampler::at(dataset.len() as u32, trainer.config.seed, 0);
    let batch = trainer.config.batch;
    let mut measured = 1;
    let mut last: Option<(usize, f64)> = None;
    loop {
        (trainer.config.batch, trainer.config.micro_batch) = (measured, 0);
        let mut seconds = 0.0;
        // The first time, kernels are compiled.
        for _ in 0..2 {
            let start = Instant::now();
            let stats = iterate(&mut trainer, || dataset.batch(&order.take(measured)))?;
            stats.read().await?;
            seconds = start.elapsed().as_secs_f64();
        }
        if measured == whole || (seconds >= ENOUGH_SECONDS && last.is_some()) {
            let sample = match last {
                Some((fewer, less)) => ((seconds - less) / (measured - fewer) as f64).max(0.0),
                None => seconds,
            };
            let once = (seconds - sample * measured as f64).max(0.0);
            let seconds_per_kimg = (once / batch as f64 + sample) * 1e3;
            let seconds = seconds_per_kimg * left as f64 / 1e3;
            return Ok(Plan { memory, measured, seconds_per_kimg, seconds });
        }
        last = Some((measured, seconds));
        measured = (measured * 4).min(whole);
    }
}
