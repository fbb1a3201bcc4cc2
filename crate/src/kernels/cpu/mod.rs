//! Kernels for the CPU, f32: plain loops that the compiler turns into vector instructions, over all cores.
//!
//! Nothing is reduced across threads, so that a result never depends on their number.

pub mod adam;
mod cores;
mod finish;
mod grouped;
mod outer;
mod pixels;
mod product;
mod resample;
mod sums;

pub use cores::each;
use cores::enough_tasks;
pub use finish::{Activation, Bias, Finish, WORD, finish};
pub use grouped::{GROUP_WIDTHS, TAPS, grouped, taps_first, weight_gradient};
pub use outer::outer;
pub use pixels::{ROW, rgba};
pub use product::{Right, panel_width, product};
pub use resample::resample;
pub use sums::channel_sums;

/// `[batch, height, width, channels]`
pub type Shape = [usize; 4];

/// Entries of one task of an entrywise pass.
const TASK: usize = 1 << 15;

/// Entries that one core passes over alone, in some ten microseconds.
const ALONE: usize = 1 << 15;

/// What tests compute with.
#[cfg(test)]
fn normal(source: &mut crate::random::RandomState, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    source.fill_randn(&mut values);
    values
}
