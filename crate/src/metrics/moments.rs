//! Mean and covariance of features, gathered batch by batch.

use faer::linalg::matmul::matmul;
use faer::{Accum, Col, Mat, MatRef, Par};

/// Sums over features in f64: the covariance needs no second pass, and the features need not be kept.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    sum: Col<f64>,
    /// Sum of x x^T.
    products: Mat<f64>,
}

impl Moments {
    pub fn new(width: usize) -> Self {
        Self { count: 0, sum: Col::zeros(width), products: Mat::zeros(width, width) }
    }

    pub(super) fn from_parts(count: usize, sum: &[f64], products: &[f64]) -> Self {
        let width = sum.len();
        let products = MatRef::from_column_major_slice(products, width, width).to_owned();
        Self { count, sum: Col::from_fn(width, |i| sum[i]), products }
    }

    /// Number, sum and products, column by column.
    pub(super) fn parts(&self) -> (usize, Vec<f64>, Vec<f64>) {
        let columns = self.products.col_iter().flat_map(|column| column.iter().copied());
        (self.count, self.sum.iter().copied().collect(), columns.collect())
    }

    /// Number of samples so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Adds `features [n, width]`.
    pub fn add(&mut self, features: &[f32]) {
        let width = self.sum.nrows();
        let count = features.len() / width;
        // Sample by sample, as they lie: a column each.
        let x = Mat::from_fn(width, count, |row, column| f64::from(features[column * width + row]));
        for column in x.col_iter() {
            self.sum += column;
        }
        matmul(&mut self.products, Accum::Add, &x, x.transpose(), 1.0, Par::rayon(0));
        self.count += count;
    }

    pub fn mean(&self) -> Col<f64> {
        &self.sum * faer::Scale(1.0 / self.count as f64)
    }

    /// E[x x^T] - mean mean^T, divided by the number of samples and not by one less (training notes, section 8).
    pub fn covariance(&self) -> Mat<f64> {
        let mean = self.mean();
        &self.products * faer::Scale(1.0 / self.count as f64) - &mean * mean.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_add_up() {
        let features = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0];
        let mut moments = Moments::new(2);
        moments.add(&features[..2]);
        moments.add(&features[2..]);
        assert!((moments.mean() - Col::from_fn(2, |i| [4.0, 20.0 / 3.0][i])).norm_max() < 1e-12);
        let covariance = moments.covariance();
        // By hand: E[xx] = (1 + 9 + 64) / 3, E[xy] = (2 + 15 + 104) / 3, E[yy] = (4 + 25 + 169) / 3.
        let expected = [[26.0 / 3.0, 41.0 / 3.0], [41.0 / 3.0, 194.0 / 9.0]];
        for row in 0..2 {
            for column in 0..2 {
                assert!((covariance[(row, column)] - expected[row][column]).abs() < 1e-12);
            }
        }
        let (count, sum, products) = moments.parts();
        assert_eq!(Moments::from_parts(count, &sum, &products).covariance(), covariance);
    }
}
