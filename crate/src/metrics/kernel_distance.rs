//! Kernel distance: an unbiased estimate of the squared maximum mean discrepancy (Bińkowski et al. 2018).

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

use crate::random::RandomState;

const SUBSETS: usize = 100;
const LARGEST_SUBSET: usize = 1000;

/// Mean over 100 subsets of at most 1000 samples each of the estimate with k(x, y) = (x.y / width + 1)^3.
/// The subsets are drawn without replacement, fakes first, from `RandomState(seed)`.
///
/// # Shapes
/// reals `[n, width]`, fakes `[m, width]`, at least 2 each.
pub fn kernel_distance(reals: &[f32], fakes: &[f32], width: usize, seed: u32) -> f64 {
    let (real_count, fake_count) = (reals.len() / width, fakes.len() / width);
    let size = real_count.min(fake_count).min(LARGEST_SUBSET);
    let mut random = RandomState::new(seed);
    let mut total = 0.0;
    for _ in 0..SUBSETS {
        let x = subset(fakes, width, &choose(&mut random, fake_count, size));
        let y = subset(reals, width, &choose(&mut random, real_count, size));
        let within = off_diagonal(&kernel(&x, &x)) + off_diagonal(&kernel(&y, &y));
        let across: f64 = kernel(&x, &y).col_iter().flat_map(|column| column.iter()).sum();
        let size = size as f64;
        total += (within / (size - 1.0) - across * 2.0 / size) / size;
    }
    total / SUBSETS as f64
}

/// `size` different numbers below `count`, in random order.
fn choose(random: &mut RandomState, count: usize, size: usize) -> Vec<usize> {
    let mut numbers: Vec<u32> = (0..count as u32).collect();
    random.shuffle(&mut numbers);
    numbers.truncate(size);
    numbers.into_iter().map(|number| number as usize).collect()
}

/// A column for each sample.
fn subset(features: &[f32], width: usize, numbers: &[usize]) -> Mat<f64> {
    Mat::from_fn(width, numbers.len(), |row, column| f64::from(features[numbers[column] * width + row]))
}

fn kernel(x: &Mat<f64>, y: &Mat<f64>) -> Mat<f64> {
    let mut products = Mat::zeros(x.ncols(), y.ncols());
    matmul(&mut products, Accum::Replace, x.transpose(), y, 1.0 / x.nrows() as f64, Par::rayon(0));
    faer::zip!(&mut products).for_each(|faer::unzip!(value)| *value = (*value + 1.0).powi(3));
    products
}

fn off_diagonal(kernel: &Mat<f64>) -> f64 {
    let all: f64 = kernel.col_iter().flat_map(|column| column.iter()).sum();
    all - kernel.diagonal().column_vector().iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_sets_have_the_distance_of_the_definition() {
        // Subsets of all samples: the order does not matter, every subset gives the same.
        let reals = [0.5f32, 1.0, -1.0, 2.0, 0.25, 0.0];
        let fakes = [1.5f32, -1.0, 0.0, 0.5, 2.0, 1.0];
        let k = |x: &[f32], y: &[f32]| ((f64::from(x[0] * y[0] + x[1] * y[1])) / 2.0 + 1.0).powi(3);
        let mut expected = 0.0;
        for (i, (x, f)) in reals.chunks(2).zip(fakes.chunks(2)).enumerate() {
            for (j, (y, g)) in reals.chunks(2).zip(fakes.chunks(2)).enumerate() {
                let within = if i == j { 0.0 } else { (k(x, y) + k(f, g)) / 6.0 };
                expected += within - 2.0 * k(x, g) / 9.0;
            }
        }
        assert!((kernel_distance(&reals, &fakes, 2, 0) - expected).abs() < 1e-12);
    }

    #[test]
    fn alike_sets_are_close_and_others_are_not() {
        let mut random = RandomState::new(1);
        let mut draw = |shift: f32| {
            let mut values = vec![0.0f32; 3000 * 4];
            random.fill_randn(&mut values);
            values.iter_mut().for_each(|value| *value += shift);
            values
        };
        let (reals, alike, other) = (draw(0.0), draw(0.0), draw(1.0));
        let (near, far) = (kernel_distance(&reals, &alike, 4, 0), kernel_distance(&reals, &other, 4, 0));
        // Unbiased: about zero, of either sign.
        assert!(near.abs() < 0.02 && far > 1.0, "{near} {far}");
    }
}
