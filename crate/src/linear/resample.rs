//! Resampling by two with the 4-tap low-pass filter `[1, 3, 3, 1] / 8` on each axis.
//!
//! The published layers convolve with `outer([1,3,3,1]) / 64` (times 4 going up), stride 2, padding 1
//! (training notes, section 3). The filter is separable, and its phases are two taps each, so every
//! output is a weighted mean of neighbours. The two directions are each other's adjoint up to the 4.

use burn::tensor::{Tensor, s};

use crate::kernels;

/// Whether a resampling layer doubles or halves the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resample {
    Up,
    Down,
}

impl Resample {
    /// `[b, h, w, c]` to `[b, 2h, 2w, c]` or `[b, h/2, w/2, c]`.
    pub fn apply(self, x: Tensor<4>) -> Tensor<4> {
        self.scaled(x, 1.0)
    }

    /// Gradient with respect to the input. Per axis the up filter is twice the transposed down filter.
    pub fn adjoint(self, delta: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Up => Self::Down.scaled(delta, 4.0),
            Self::Down => Self::Up.scaled(delta, 0.25),
        }
    }

    fn scaled(self, x: Tensor<4>, factor: f64) -> Tensor<4> {
        if kernels::ours_in_f32(&x) {
            return kernels::resample(x, self == Self::Up, factor);
        }
        let y = match self {
            Self::Up => up_axis::<2>(up_axis::<1>(x)),
            Self::Down => down_axis::<2>(down_axis::<1>(x)),
        };
        if factor == 1.0 { y } else { y * factor }
    }
}

/// Even outputs are (x[i-1] + 3 x[i]) / 4, odd ones (3 x[i] + x[i+1]) / 4; outside is zero.
fn up_axis<const AXIS: usize>(x: Tensor<4>) -> Tensor<4> {
    let mut shape = x.dims();
    let near = x.clone() * 0.75;
    let far = x * 0.25;
    let even = near.clone() + shift::<AXIS>(far.clone(), Shift::Later);
    let odd = near + shift::<AXIS>(far, Shift::Earlier);
    shape[AXIS] *= 2;
    Tensor::stack::<5>(vec![even, odd], AXIS + 1).reshape(shape)
}

/// Output i is (x[2i-1] + 3 x[2i] + 3 x[2i+1] + x[2i+2]) / 8; outside is zero.
fn down_axis<const AXIS: usize>(x: Tensor<4>) -> Tensor<4> {
    let [batch, height, width, channels] = x.dims();
    let mut shape = [batch, height, width, channels];
    shape[AXIS] /= 2;
    let (even, odd) = if AXIS == 1 {
        let pairs = x.reshape([batch, height / 2, 2, width, channels]);
        (pairs.clone().slice(s![.., .., 0..1, .., ..]), pairs.slice(s![.., .., 1..2, .., ..]))
    } else {
        let pairs = x.reshape([batch, height, width / 2, 2, channels]);
        (pairs.clone().slice(s![.., .., .., 0..1, ..]), pairs.slice(s![.., .., .., 1..2, ..]))
    };
    let (even, odd): (Tensor<4>, Tensor<4>) = (even.reshape(shape), odd.reshape(shape));
    let near = (even.clone() + odd.clone()) * 0.375;
    let far = shift::<AXIS>(odd, Shift::Later) + shift::<AXIS>(even, Shift::Earlier);
    near + far * 0.125
}

#[derive(Clone, Copy)]
enum Shift {
    /// y[i] = x[i-1]
    Later,
    /// y[i] = x[i+1]
    Earlier,
}

/// Moves the picture by one along an axis; zeros come in at the border.
fn shift<const AXIS: usize>(x: Tensor<4>, shift: Shift) -> Tensor<4> {
    let length = x.dims()[AXIS];
    let zeros = x.clone().narrow(AXIS, 0, 1).zeros_like();
    if length == 1 {
        return zeros;
    }
    match shift {
        Shift::Later => Tensor::cat(vec![zeros, x.narrow(AXIS, 0, length - 1)], AXIS),
        Shift::Earlier => Tensor::cat(vec![x.narrow(AXIS, 1, length - 1), zeros], AXIS),
    }
}
