//! Sums over the pixels of feature maps: the gradients of biases.

use pulp::Arch;

use super::{Cores, ENTRIES_ALONE, Shape, each};

/// Channels of a task, which has all pixels: its sums are in one order, whatever the number of threads.
const TASK_CHANNELS: usize = 64;

/// Pixels that are added up by themselves, so that few terms follow one another.
const PIECE: usize = 64;

/// The sum of `x [b, h, w, c]` over all but channels, each sample times its entry of `scale [b]`, one if absent: `[c]`.
pub fn channel_sums(x: &[f32], [_, height, width, channels]: Shape, scale: Option<&[f32]>) -> Vec<f32> {
    let arch = Arch::new();
    let (sample, area) = (height * width * channels, height * width);
    let mut sums = vec![0.0; channels];
    each(
        Cores::all_if(x.len() > ENTRIES_ALONE),
        sums.chunks_mut(TASK_CHANNELS).enumerate(),
        |(task, sums)| {
            arch.dispatch(|| {
                let (first, count) = (task * TASK_CHANNELS, sums.len());
                let (mut whole, mut part) = ([0.0; TASK_CHANNELS], [0.0; TASK_CHANNELS]);
                for (index, pixels) in x.chunks_exact(sample).enumerate() {
                    let scale = scale.map_or(1.0, |scale| scale[index]);
                    if area == 1 {
                        sums.iter_mut().zip(&pixels[first..]).for_each(|(sum, x)| *sum += x * scale);
                        continue;
                    }
                    whole.fill(0.0);
                    for piece in pixels.chunks(PIECE * channels) {
                        part.fill(0.0);
                        for pixel in piece.chunks_exact(channels) {
                            part.iter_mut()
                                .zip(&pixel[first..first + count])
                                .for_each(|(part, x)| *part += x);
                        }
                        whole.iter_mut().zip(&part).for_each(|(whole, part)| *whole += part);
                    }
                    sums.iter_mut().zip(&whole).for_each(|(sum, whole)| *sum += whole * scale);
                }
            });
        },
    );
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::normal;
    use crate::random::RandomState;

    #[test]
    fn agrees_with_the_definition() {
        let mut source = RandomState::new(3);
        let shapes =
            [[1, 1, 1, 1], [5, 1, 1, 70], [300, 1, 1, 256], [2, 3, 5, 3], [3, 13, 11, 65], [1, 64, 64, 64]];
        for shape @ [batch, height, width, channels] in shapes {
            let x = normal(&mut source, shape.iter().product());
            let scales = normal(&mut source, batch);
            for scale in [None, Some(&scales[..])] {
                let sums = channel_sums(&x, shape, scale);
                for (channel, sum) in sums.iter().enumerate() {
                    let terms = x.iter().enumerate().skip(channel).step_by(channels);
                    let sample = |at: usize| at / (height * width * channels);
                    let scaled = |(at, x): (usize, &f32)| {
                        f64::from(*x) * scale.map_or(1.0, |scale| f64::from(scale[sample(at)]))
                    };
                    let expected: f64 = terms.map(scaled).sum();
                    let bound = 1e-6 * ((batch * height * width) as f64).sqrt() * 4.0;
                    assert!(
                        (f64::from(*sum) - expected).abs() < bound,
                        "{shape:?} {channel}: {sum}, {expected}"
                    );
                }
            }
        }
    }
}
