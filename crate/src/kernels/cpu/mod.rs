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

use cores::enough_tasks;
#[cfg(feature = "threads")]
pub use cores::tasks_of_helpers;
pub use cores::{Cores, each};
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
const ENTRIES_ALONE: usize = 1 << 15;

/// What tests compute with.
#[cfg(test)]
fn normal(source: &mut crate::random::RandomState, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    source.fill_randn(&mut values);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RandomState;

    /// Every kernel whose tasks are cut by the number of threads.
    fn results() -> Vec<Vec<u32>> {
        let mut source = RandomState::new(13);
        let mut random = |count| normal(&mut source, count);
        let mut found = Vec::new();
        for [rows, depth, columns] in [[37, 65, 96], [1100, 33, 128], [4100, 24, 64]] {
            let (left, right, bias) = (random(rows * depth), random(depth * columns), random(columns));
            let bias = Some(Bias { values: &bias, channels: columns, entries: rows * columns });
            let finish = Finish { bias, activation: Activation::LeakyRelu, other: None, slope: 0.2 };
            let mut sides = vec![Right::Rows(&right), Right::Columns(&right)];
            sides.extend(columns.is_multiple_of(panel_width()).then_some(Right::Panels(&right)));
            for side in sides {
                let mut words = vec![0; (rows * columns).div_ceil(WORD)];
                found.push(bits(&product(&left, side, [rows, depth, columns], &mut words, finish)));
                found.push(words);
            }
            let other = random(rows * columns);
            found.push(bits(&outer(&left, &other, [rows, depth, columns])));
        }
        for (shape @ [batch, height, width, channels], groups) in
            [([1, 8, 8, 256], 16), ([3, 33, 31, 32], 1), ([9, 16, 16, 64], 8)]
        {
            let (x, weight) =
                (random(batch * height * width * channels), random(TAPS * channels * channels / groups));
            let kernel = taps_first(&weight, channels / groups, true);
            let nothing = Finish { bias: None, activation: Activation::Nothing, other: None, slope: 0.0 };
            let y = grouped(&x, shape, &kernel, groups, &mut [], nothing);
            found.push(bits(&weight_gradient(&x, &y, shape, groups)));
            found.push(bits(&y));
            found.push(bits(&resample(&x, shape, true, 1.0)));
            found.push(bits(&channel_sums(&x, shape, None)));
        }
        found
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let on = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(results)
        };
        let alone = on(1);
        for threads in [2, 5, 64] {
            assert!(on(threads) == alone, "with {threads} threads");
        }
    }
}
