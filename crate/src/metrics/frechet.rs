//! Fréchet distance between two Gaussians (Heusel et al. 2017, equation 6).

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{Mat, Scale, Side};

use super::moments::Moments;
use crate::error::{Error, Result};

/// |m1 - m2|^2 + tr(A + B - 2 (A B)^(1/2)) of the features' means m and covariances A, B.
///
/// The root's trace is that of the symmetric (A^(1/2) B A^(1/2))^(1/2), whose eigenvalues are real: no imaginary
/// parts are dropped, and covariances of few samples, which are singular, need no offset.
///
/// # Errors
/// [`Error::Diverged`] for features that are not finite.
pub fn frechet_distance(one: &Moments, other: &Moments) -> Result<f64> {
    let failed =
        || Error::Diverged("the features hold values that are not finite, so they have no distance".into());
    let (a, b) = (one.covariance(), other.covariance());
    let eigen: SelfAdjointEigen<f64> = a.self_adjoint_eigen(Side::Lower).map_err(|_| failed())?;
    let vectors = eigen.U();
    let root_values = eigen.S().column_vector().iter().map(|value| value.max(0.0).sqrt()).collect::<Vec<_>>();
    let scaled =
        Mat::from_fn(a.nrows(), a.ncols(), |row, column| vectors[(row, column)] * root_values[column]);
    let root = scaled * vectors.transpose();
    let product = &root * &b * &root;
    // Rounding leaves it a little asymmetric.
    let product = (&product + product.transpose()) * Scale(0.5);
    let values = product.self_adjoint_eigenvalues(Side::Lower).map_err(|_| failed())?;
    let root_trace: f64 = values.iter().map(|value| value.max(0.0).sqrt()).sum();

    let trace = |matrix: &Mat<f64>| matrix.diagonal().column_vector().iter().sum::<f64>();
    let distance = (one.mean() - other.mean()).squared_norm_l2() + trace(&a) + trace(&b) - 2.0 * root_trace;
    // Equal moments are at a distance of rounding, of either sign.
    if distance.is_finite() { Ok(distance.max(0.0)) } else { Err(failed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(samples: &[[f32; 2]]) -> Moments {
        let mut moments = Moments::new(2);
        moments.add(samples.as_flattened());
        moments
    }

    #[test]
    fn gaussians_of_known_distance() {
        let one = moments(&[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]);
        assert!(frechet_distance(&one, &one).unwrap().abs() < 1e-12);
        // Covariance 1/2 I; scaled by 3 and moved by (3, 4): 25 + 2 (sqrt(9/2) - sqrt(1/2))^2.
        let other = moments(&[[6.0, 4.0], [0.0, 4.0], [3.0, 7.0], [3.0, 1.0]]);
        assert!((frechet_distance(&one, &other).unwrap() - 29.0).abs() < 1e-9);
        // Of rank 1: the covariances share nothing but their axes. (sqrt(1/2) - 0)^2 + (sqrt(1/2) - 2)^2.
        let thin = moments(&[[0.0, 2.0], [0.0, -2.0]]);
        let expected = 0.5 + (2.0 - 0.5f64.sqrt()).powi(2);
        assert!((frechet_distance(&one, &thin).unwrap() - expected).abs() < 1e-9);
        assert!((frechet_distance(&thin, &one).unwrap() - expected).abs() < 1e-9);
        assert!(frechet_distance(&one, &moments(&[[f32::NAN, 0.0]])).is_err());
    }
}
