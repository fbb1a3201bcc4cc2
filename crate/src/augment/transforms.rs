//! What happens to one picture, and how that is drawn (augmentation notes, sections 1 and 2).

use std::f32::consts::PI;

use crate::random::RandomState;

/// Furthest shift by whole pixels, and deviation of the one by parts of a pixel, in parts of the side.
const SHIFT: f32 = 0.125;
/// Deviation of scale and aspect, as powers of two.
const SCALE: f32 = 0.2;
const BRIGHTNESS: f32 = 0.2;
/// Deviation of contrast, as a power of two; that of saturation is 1.
const CONTRAST: f32 = 0.5;
const HOLE: f32 = 0.5;
/// Colours change half as often as places.
const COLOUR: f32 = 0.5;

/// What happens to one picture: geometry, colour and a hole, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transforms {
    pub flip: bool,
    /// Quarter turns.
    pub turns: u8,
    /// Shift by whole pixels, right and down, in parts of the side.
    pub shift: [f32; 2],
    pub scale: f32,
    /// Radians, before and after [`aspect`](Self::aspect).
    pub rotation: [f32; 2],
    /// Wider by this and lower by it.
    pub aspect: f32,
    /// Shift by parts of a pixel, right and down, in parts of the side.
    pub fine_shift: [f32; 2],
    pub brightness: f32,
    pub contrast: f32,
    pub luma_flip: bool,
    /// Radians about the grey axis.
    pub hue: f32,
    pub saturation: f32,
    /// Side of the hole in parts of the picture's; 0: none.
    pub hole_size: f32,
    /// Right and down, in parts of the side.
    pub hole_centre: [f32; 2],
}

/// Where random numbers come from.
pub trait Noise {
    /// Uniform in [0, 1).
    fn uniform(&mut self, count: usize) -> Vec<f32>;
    /// Standard normal.
    fn normal(&mut self, count: usize) -> Vec<f32>;
}

impl Noise for RandomState {
    /// 24 random bits, so that no rounding leads to 1.
    fn uniform(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next_u32() >> 8) as f32 / (1 << 24) as f32).collect()
    }

    fn normal(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.randn() as f32).collect()
    }
}

impl Transforms {
    /// Nothing happens.
    pub const NONE: Self = Self {
        flip: false,
        turns: 0,
        shift: [0.0; 2],
        scale: 1.0,
        rotation: [0.0; 2],
        aspect: 1.0,
        fine_shift: [0.0; 2],
        brightness: 0.0,
        contrast: 1.0,
        luma_flip: false,
        hue: 0.0,
        saturation: 1.0,
        hole_size: 0.0,
        hole_centre: [0.5; 2],
    };

    /// Transforms for `count` pictures, each of probability `probability`, drawn in the reference's order.
    ///
    /// Grey pictures (`channels` 1) have no hue and no saturation, and draw none.
    pub fn draw(noise: &mut impl Noise, probability: f32, count: usize, channels: usize) -> Vec<Self> {
        let mut all = vec![Self::NONE; count];
        let p = probability;
        // Either rotation, with probability p.
        let rotation = 1.0 - (1.0 - p).clamp(0.0, 1.0).sqrt();
        let turn = |u: f32| (2.0 * u - 1.0) * PI;

        each(&mut all, noise.uniform(count), noise, p, |t, u| t.flip = (2.0 * u).floor() > 0.0);
        each(&mut all, noise.uniform(count), noise, p, |t, u| t.turns = (4.0 * u).floor() as u8);
        both(&mut all, noise.uniform(2 * count), noise, p, |t, u| {
            t.shift = u.map(|u| (2.0 * u - 1.0) * SHIFT)
        });
        each(&mut all, noise.normal(count), noise, p, |t, n| t.scale = (SCALE * n).exp2());
        each(&mut all, noise.uniform(count), noise, rotation, |t, u| t.rotation[0] = turn(u));
        each(&mut all, noise.normal(count), noise, p, |t, n| t.aspect = (SCALE * n).exp2());
        each(&mut all, noise.uniform(count), noise, rotation, |t, u| t.rotation[1] = turn(u));
        both(&mut all, noise.normal(2 * count), noise, p, |t, n| t.fine_shift = n.map(|n| n * SHIFT));

        let p = COLOUR * probability;
        each(&mut all, noise.normal(count), noise, p, |t, n| t.brightness = BRIGHTNESS * n);
        each(&mut all, noise.normal(count), noise, p, |t, n| t.contrast = (CONTRAST * n).exp2());
        each(&mut all, noise.uniform(count), noise, p, |t, u| t.luma_flip = (2.0 * u).floor() > 0.0);
        if channels > 1 {
            each(&mut all, noise.uniform(count), noise, p, |t, u| t.hue = turn(u));
            each(&mut all, noise.normal(count), noise, p, |t, n| t.saturation = n.exp2());
        }

        for (t, u) in all.iter_mut().zip(noise.uniform(count)) {
            t.hole_size = if u < probability { HOLE } else { 0.0 };
        }
        for (t, centre) in all.iter_mut().zip(noise.uniform(2 * count).as_chunks::<2>().0) {
            t.hole_centre = *centre;
        }
        all
    }
}

/// Sets a value where its gate is open; the gates are drawn after the values.
fn each(
    all: &mut [Transforms],
    values: Vec<f32>,
    noise: &mut impl Noise,
    probability: f32,
    mut set: impl FnMut(&mut Transforms, f32),
) {
    let gates = noise.uniform(all.len());
    for ((transforms, value), gate) in all.iter_mut().zip(values).zip(gates) {
        if gate < probability {
            set(transforms, value);
        }
    }
}

/// The same for a pair of values under one gate.
fn both(
    all: &mut [Transforms],
    values: Vec<f32>,
    noise: &mut impl Noise,
    probability: f32,
    mut set: impl FnMut(&mut Transforms, [f32; 2]),
) {
    let gates = noise.uniform(all.len());
    for ((transforms, pair), gate) in all.iter_mut().zip(values.as_chunks::<2>().0).zip(gates) {
        if gate < probability {
            set(transforms, *pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 20_000;

    fn share(all: &[Transforms], changed: impl Fn(&Transforms) -> bool) -> f64 {
        all.iter().filter(|t| changed(t)).count() as f64 / all.len() as f64
    }

    #[test]
    fn transforms_are_as_frequent_as_asked() {
        let mut random = RandomState::new(1);
        let all = Transforms::draw(&mut random, 0.4, MANY, 3);
        let near = |found: f64, expected: f64, what: &str| {
            assert!((found - expected).abs() < 0.015, "{what}: {found} is not {expected}");
        };
        near(share(&all, |t| t.flip), 0.2, "half of what is gated is flipped");
        near(share(&all, |t| t.turns > 0), 0.3, "quarter turns");
        near(share(&all, |t| t.shift != [0.0; 2]), 0.4, "shift");
        near(share(&all, |t| t.rotation != [0.0; 2]), 0.4, "either rotation");
        near(share(&all, |t| t.brightness != 0.0), 0.2, "brightness");
        near(share(&all, |t| t.luma_flip), 0.1, "luma flip");
        near(share(&all, |t| t.hole_size > 0.0), 0.4, "hole");
        let deviation =
            all.iter().map(|t| f64::from(t.scale.log2()).powi(2)).sum::<f64>() / (0.4 * MANY as f64);
        near(deviation.sqrt(), 0.2, "deviation of the scale");
    }

    #[test]
    fn nothing_happens_at_probability_zero_and_grey_keeps_its_colour() {
        let centre = Transforms::NONE.hole_centre;
        let still = |t: &Transforms| Transforms { hole_centre: centre, ..*t } == Transforms::NONE;
        assert!(Transforms::draw(&mut RandomState::new(2), 0.0, 100, 3).iter().all(still));
        let grey = Transforms::draw(&mut RandomState::new(2), 1.0, 100, 1);
        assert!(grey.iter().all(|t| t.hue == 0.0 && t.saturation == 1.0));
    }
}
