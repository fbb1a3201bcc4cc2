//! Exponential moving average of the generator, by half-life in images (training notes, section 1).

use crate::kernels;
use crate::network::Weights;

/// The weight that the old average keeps after `batch` more images.
///
/// A half-life of zero images gives 0: the average is then a copy.
pub fn decay(batch: usize, half_life: f64) -> f64 {
    0.5f64.powf(batch as f64 / half_life.max(1e-8))
}

/// Moves `average` towards `weights`. The two forms round like the reference's `lerp`.
pub fn update(average: &mut Weights, weights: &Weights, decay: f64) {
    // Taken out, so that what no one else holds is changed in place.
    let old = std::mem::take(average);
    if old.iter().all(kernels::ours_in_f32) {
        *average = kernels::average(old, weights.clone(), decay);
        return;
    }
    let moved = old.into_iter().zip(weights).map(|(average, weight)| {
        let distance = average.clone() - weight.clone();
        if decay < 0.5 { weight.clone() + distance * decay } else { average - distance * (1.0 - decay) }
    });
    *average = moved.collect();
}
