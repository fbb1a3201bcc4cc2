//! What a session tells its front end.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Scheduled;
use crate::metrics::{Progress, Score};
use crate::session::Statistics;

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// One iteration is done.
    Step { images: u64 },
    /// A stretch of iterations is done.
    Tick(Tick),
    /// A file is complete.
    Wrote(PathBuf),
    /// A model is being measured.
    Measuring(Progress),
    /// A model was measured.
    Measured(Vec<Score>),
    /// A model was not measured, because the run was to stop.
    Unmeasured(PathBuf),
}

/// The account of a stretch of iterations.
#[derive(Clone, Debug)]
pub struct Tick {
    pub number: u64,
    /// Images seen in the whole run.
    pub images: u64,
    /// Images seen in this stretch.
    pub stretch: u64,
    /// Seconds of this stretch, without writing files.
    pub seconds: f64,
    /// Seconds between the stretch before and this one: files, and before the first one what a start takes.
    pub maintenance: f64,
    /// Seconds of the last iteration's phases, the critic's and the generator's; none where a run was interrupted.
    pub phases: Option<[f64; 2]>,
    /// Seconds since this process started the run.
    pub total_seconds: f64,
    /// Resident memory of the process in bytes; 0 where it is not known.
    pub memory: u64,
    /// Bytes that a GPU's allocator has reserved, where it says.
    pub device_memory: Option<u64>,
    pub scheduled: Scheduled,
    pub statistics: Statistics,
}

impl Tick {
    /// Seconds per thousand images.
    pub fn seconds_per_kimg(&self) -> f64 {
        self.seconds / self.stretch.max(1) as f64 * 1e3
    }

    /// The line that front ends show and the log keeps.
    pub fn line(&self) -> String {
        let mean = |name| self.statistics.mean(name).unwrap_or(f64::NAN);
        let device_memory =
            self.device_memory.map_or_else(String::new, |bytes| format!("gpumem {:<6.2} ", gib(bytes)));
        format!(
            "tick {:<5} kimg {:<9.1} time {:<11} sec/tick {:<7.1} sec/kimg {:<8.2} maintenance {:<6.1} cpumem {:<6.2} \
             {device_memory}augment {:<5.3} D loss {:<7.3} G loss {:<7.3} real-fake {:<7.3} R1 {:<9.3e} R2 {:<9.3e} \
             gamma {:.3}",
            self.number,
            self.images as f64 / 1e3,
            duration(self.total_seconds),
            self.seconds,
            self.seconds_per_kimg(),
            self.maintenance,
            gib(self.memory),
            self.scheduled.augmentation,
            mean("Loss/D/loss"),
            mean("Loss/G/loss"),
            mean("Loss/scores/real"),
            mean("Loss/r1_penalty"),
            mean("Loss/r2_penalty"),
            self.scheduled.gamma,
        )
    }
}

/// Bytes in GiB, which the published names call GB.
pub fn gib(bytes: u64) -> f64 {
    bytes as f64 / 2f64.powi(30)
}

/// Seconds since 1970.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

/// `1h 02m 03s`
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, s) => format!("{h}h {m:02}m {s:02}s"),
    }
}
