//! Point clouds in the plane whose modes are known: small enough to see whether a GAN finds them all.

use crate::random::RandomState;

const POINTS_PER_MODE: usize = 400;
/// The half side of the box that becomes -1..1.
const BOX: f64 = 15.0;
const DEVIATION: f64 = 0.5;

/// A mixture of round Gaussians of deviation 0.5, 400 points each, drawn once and divided by 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointCloud {
    /// Eight modes on a circle of radius 10.
    Ring8,
    /// 25 modes, 5 apart, on a square from -10 to 10.
    Grid25,
}

/// How well samples cover the modes; see [`PointCloud::mode_coverage`].
#[derive(Clone, Debug, PartialEq)]
pub struct ModeCoverage {
    /// Good samples nearest to each mode, in the order of [`PointCloud::modes`].
    pub hits: Vec<usize>,
    /// Modes that have at least the asked number of good samples.
    pub covered: usize,
    /// Share of the samples that are good: within 3 deviations of their nearest mode, 0..=1.
    pub good_share: f64,
}

impl PointCloud {
    /// The cloud called `ring8` or `grid25`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ring8" => Some(Self::Ring8),
            "grid25" => Some(Self::Grid25),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Ring8 => "ring8",
            Self::Grid25 => "grid25",
        }
    }

    /// The centres of the modes, in network space.
    pub fn modes(self) -> Vec<[f32; 2]> {
        self.centres().into_iter().map(|centre| centre.map(|value| (value / BOX) as f32)).collect()
    }

    fn centres(self) -> Vec<[f64; 2]> {
        match self {
            Self::Ring8 => (0..8)
                .map(|k| (f64::from(k) * 45.0).to_radians())
                .map(|angle| [10.0 * angle.cos(), 10.0 * angle.sin()])
                .collect(),
            Self::Grid25 => {
                (0..25).map(|k| [f64::from(k / 5), f64::from(k % 5)].map(|i| 5.0 * i - 10.0)).collect()
            }
        }
    }

    /// The data: mode after mode, 400 points of x and y, from `RandomState(0)`.
    ///
    /// # Shapes
    /// `[modes * 400, 2]`
    pub fn points(self) -> Vec<f32> {
        let mut random = RandomState::new(0);
        let mut points = Vec::new();
        for centre in self.centres() {
            for _ in 0..POINTS_PER_MODE {
                points.extend(centre.map(|value| ((value + DEVIATION * random.randn()) / BOX) as f32));
            }
        }
        points
    }

    /// The mode that each of [`points`](Self::points) was drawn from.
    pub fn labels(self) -> Vec<u32> {
        let modes = self.centres().len() as u32;
        (0..modes).flat_map(|mode| [mode; POINTS_PER_MODE]).collect()
    }

    /// Counts the modes that samples `[N, 2]` reach, after VEEGAN (Srivastava et al. 2017): a sample is good
    /// within 3 deviations of its nearest mode, a mode is covered by `least_hits` good samples (at least 1).
    pub fn mode_coverage(self, samples: &[f32], least_hits: usize) -> ModeCoverage {
        let modes = self.modes();
        let mut hits = vec![0; modes.len()];
        let reach = (3.0 * DEVIATION / BOX).powi(2);
        let samples = samples.as_chunks::<2>().0;
        for &[x, y] in samples {
            let squares = modes.iter().map(|&[u, v]| f64::from(x - u).powi(2) + f64::from(y - v).powi(2));
            let nearest = squares.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((mode, square)) = nearest
                && square <= reach
            {
                hits[mode] += 1;
            }
        }
        let good: usize = hits.iter().sum();
        ModeCoverage {
            covered: hits.iter().filter(|&&count| count >= least_hits.max(1)).count(),
            good_share: good as f64 / samples.len().max(1) as f64,
            hits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_have_the_papers_shape() {
        for (cloud, modes) in [(PointCloud::Ring8, 8), (PointCloud::Grid25, 25)] {
            let points = cloud.points();
            assert_eq!(points.len(), modes * 400 * 2);
            assert_eq!(cloud.labels().len(), modes * 400);
            assert_eq!(PointCloud::named(cloud.name()), Some(cloud));
            // 400 points of deviation 1/30: the mean is within 5/(30*20) of the centre.
            for (points, mode) in points.chunks(800).zip(cloud.modes()) {
                for (axis, centre) in mode.iter().enumerate() {
                    let mean = points.iter().skip(axis).step_by(2).sum::<f32>() / 400.0;
                    assert!((mean - centre).abs() < 5.0 / 600.0);
                }
            }
            // A round Gaussian has 1 - exp(-9/2) = 0.989 of its weight within 3 deviations.
            let coverage = cloud.mode_coverage(&points, 300);
            assert_eq!(coverage.covered, modes);
            assert!((coverage.good_share - 0.989).abs() < 0.005, "{coverage:?}");
        }
    }

    // numpy: (array([10, 0]) + 0.5 * RandomState(0).randn(2)) / 15
    #[test]
    fn first_point_is_numpys() {
        let expected = [0.7254684, 0.01333857];
        let points = PointCloud::Ring8.points();
        // Half a unit of the last printed digit.
        assert!(points.iter().zip(expected).all(|(point, value): (&f32, f32)| (point - value).abs() < 5e-8));
    }

    #[test]
    fn one_found_mode_is_counted_as_one() {
        let [x, y] = PointCloud::Ring8.modes()[2];
        let coverage = PointCloud::Ring8.mode_coverage(&[x, y, x, y + 0.09, 0.0, 0.0, f32::NAN, 1.0], 2);
        assert_eq!((coverage.covered, coverage.hits[2], coverage.good_share), (1, 2, 0.5));
        assert_eq!(PointCloud::Ring8.mode_coverage(&[], 0).covered, 0);
    }
}
