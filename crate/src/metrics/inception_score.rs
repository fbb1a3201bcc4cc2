//! Inception score (Salimans et al. 2016).

const SPLITS: usize = 10;

/// Mean and population standard deviation over ten consecutive splits of exp(E KL(p(y|x) || p(y))).
///
/// # Shapes
/// probabilities `[n, classes]`, each row summing to 1; n at least 10.
pub fn inception_score(probabilities: &[f32], classes: usize) -> [f64; 2] {
    let count = probabilities.len() / classes;
    let split = |i: usize| &probabilities[i * count / SPLITS * classes..(i + 1) * count / SPLITS * classes];
    let scores: Vec<f64> = (0..SPLITS).map(|i| score(split(i), classes)).collect();
    let mean = scores.iter().sum::<f64>() / SPLITS as f64;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / SPLITS as f64;
    [mean, variance.sqrt()]
}

fn score(probabilities: &[f32], classes: usize) -> f64 {
    let count = (probabilities.len() / classes) as f64;
    let mut marginal = vec![0.0; classes];
    for row in probabilities.chunks_exact(classes) {
        marginal.iter_mut().zip(row).for_each(|(sum, p)| *sum += f64::from(*p) / count);
    }
    let divergence = |row: &[f32]| -> f64 {
        let term =
            |(p, q): (&f32, &f64)| if *p > 0.0 { f64::from(*p) * (f64::from(*p) / q).ln() } else { 0.0 };
        row.iter().zip(&marginal).map(term).sum()
    };
    (probabilities.chunks_exact(classes).map(divergence).sum::<f64>() / count).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_and_varied_pictures_score_the_number_of_classes() {
        let certain: Vec<f32> =
            (0..40).flat_map(|i| if i % 2 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let [mean, deviation] = inception_score(&certain, 2);
        assert!((mean - 2.0).abs() < 1e-12 && deviation < 1e-12);
        assert_eq!(inception_score(&[0.25; 4 * 10], 4), [1.0, 0.0]);
        // Half the splits of each kind.
        let halves = [certain[..40].to_vec(), vec![0.5; 40]].concat();
        let [mean, deviation] = inception_score(&halves, 2);
        assert!((mean - 1.5).abs() < 1e-12 && (deviation - 0.5).abs() < 1e-12);
    }
}
