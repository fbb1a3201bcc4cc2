//! Improved precision and recall (Kynkäänniemi et al. 2019).

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use half::f16;

/// Radius of a sample's ball: the distance to this neighbour.
const NEIGHBOUR: usize = 3;
/// Samples that are compared with all others at a time.
const BLOCK: usize = 1000;

/// Share of fakes that lie in a ball of a real sample, and share of reals in a ball of a fake.
///
/// Features and distances are rounded to f16, as the reference does (training notes, section 8).
///
/// # Shapes
/// reals `[n, width]`, fakes `[m, width]`, more than 3 each.
pub fn precision_recall(reals: &[f32], fakes: &[f32], width: usize) -> [f64; 2] {
    let (reals, fakes) = (Samples::new(reals, width), Samples::new(fakes, width));
    [reals.share_inside(&fakes), fakes.share_inside(&reals)]
}

struct Samples {
    /// A column for each sample.
    values: Mat<f32>,
    squares: Vec<f32>,
}

impl Samples {
    fn new(features: &[f32], width: usize) -> Self {
        let rounded = |value: f32| f16::from_f32(value).to_f32();
        let count = features.len() / width;
        let values = Mat::from_fn(width, count, |row, column| rounded(features[column * width + row]));
        let squares = values.col_iter().map(|column| column.squared_norm_l2()).collect();
        Self { values, squares }
    }

    fn count(&self) -> usize {
        self.squares.len()
    }

    /// The share of `probes` that lie in a ball around one of these samples.
    fn share_inside(&self, probes: &Self) -> f64 {
        let radii = self.radii();
        let mut inside = 0;
        for start in (0..probes.count()).step_by(BLOCK) {
            let distances = self.distances(probes, start);
            let covered = |column: faer::ColRef<f32>| {
                column.iter().zip(&radii).any(|(distance, radius)| distance <= radius)
            };
            inside += distances.col_iter().filter(|column| covered(*column)).count();
        }
        inside as f64 / probes.count() as f64
    }

    /// The distance of each sample to its third neighbour; the nearest of all is the sample itself.
    fn radii(&self) -> Vec<f32> {
        let mut radii = Vec::with_capacity(self.count());
        for start in (0..self.count()).step_by(BLOCK) {
            for column in self.distances(self, start).col_iter() {
                let mut distances: Vec<f32> = column.iter().copied().collect();
                radii.push(*distances.select_nth_unstable_by(NEIGHBOUR, f32::total_cmp).1);
            }
        }
        radii
    }

    /// From all these samples to a block of `probes`: a column for each probe.
    fn distances(&self, probes: &Self, start: usize) -> Mat<f32> {
        let length = BLOCK.min(probes.count() - start);
        let mut products = Mat::zeros(self.count(), length);
        let block = probes.values.subcols(start, length);
        matmul(&mut products, Accum::Replace, self.values.transpose(), block, 1.0, Par::rayon(0));
        for (column, probe) in products.col_iter_mut().zip(&probes.squares[start..]) {
            for (value, square) in column.iter_mut().zip(&self.squares) {
                *value = f16::from_f32((square + probe - 2.0 * *value).max(0.0).sqrt()).to_f32();
            }
        }
        products
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balls_on_a_line() {
        // Third neighbours of 0, 1, 2, 3, 10 on a line are 3, 2, 2, 3 and 9 away.
        let reals = [0.0, 1.0, 2.0, 3.0, 10.0];
        // In no ball: -10 and 20. 6 lies in that of 3 (just), 19 in that of 10.
        let fakes = [-10.0, 6.0, 19.0, 20.0];
        let [precision, recall] = precision_recall(&reals, &fakes, 1);
        assert_eq!(precision, 0.5);
        // Radii of the fakes: 30, 16, 29, 30: all reals are covered.
        assert_eq!(recall, 1.0);
        let [precision, recall] = precision_recall(&reals, &[100.0, 100.0, 100.0, 100.0], 1);
        assert_eq!([precision, recall], [0.0, 0.0]);
        assert_eq!(precision_recall(&reals, &reals, 1), [1.0, 1.0]);
    }
}
