//! Timing single launches.

use std::time::Instant;

use burn::tensor::{Device, Tensor};

use super::median;
use crate::{Error, Result};

/// Seconds of one reading: several launches on a device for which one is nothing.
const READING: f64 = 0.02;
/// Launches of one reading: queues are not endless.
const MOST_LAUNCHES: f64 = 200.0;

/// What times launches on a device.
#[derive(Clone, Copy)]
pub struct Clock<'a> {
    pub device_name: &'a str,
    pub device: &'a Device,
    /// Readings of which the median is taken.
    pub runs: usize,
}

impl Clock<'_> {
    /// Median seconds of one launch of `work`.
    pub fn median(&self, work: &dyn Fn() -> Tensor<1>) -> Result<f64> {
        let launches = self.launches(work)?;
        let seconds = (0..self.runs).map(|_| self.reading(work, launches)).collect::<Result<Vec<_>>>()?;
        Ok(median(&seconds))
    }

    /// How many launches of `work`, which has then run twice, make one reading.
    pub fn launches(&self, work: &dyn Fn() -> Tensor<1>) -> Result<usize> {
        // The first may compile the kernel.
        self.reading(work, 1)?;
        Ok((READING / self.reading(work, 1)?).clamp(1.0, MOST_LAUNCHES) as usize)
    }

    /// Seconds of one launch, over so many.
    pub fn reading(&self, work: &dyn Fn() -> Tensor<1>, launches: usize) -> Result<f64> {
        let start = Instant::now();
        let results: Vec<_> = (0..launches).map(|_| work()).collect();
        // A device may not begin before it is asked.
        for result in results {
            pollster::block_on(result.into_data_async()).map_err(|e| self.lost(e))?;
        }
        self.device.sync().map_err(|e| self.lost(e))?;
        Ok(start.elapsed().as_secs_f64() / launches as f64)
    }

    fn lost(&self, e: impl std::fmt::Display) -> Error {
        Error::device(self.device_name, format!("failed while computing ({e})"))
    }
}
