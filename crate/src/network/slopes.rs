//! Bias and leaky ReLU, split into the slope it took and the linear map that remains.

use burn::tensor::{Bool, Int, Tensor};

use crate::kernels;

/// Slope of the leaky ReLU for inputs that are not positive; exactly 0 counts as negative.
pub const NEGATIVE_SLOPE: f64 = 0.2;

/// Which inputs of an activation took the small slope.
#[derive(Clone, Debug)]
pub struct Slopes(Negative);

#[derive(Clone, Debug)]
enum Negative {
    Bits(Tensor<1, Int>),
    Entries(Tensor<4, Bool>),
}

impl Slopes {
    /// The slopes at the pre-activation `x`.
    pub fn at(x: &Tensor<4>) -> Self {
        Self(match kernels::on_gpu(x) {
            true => Negative::Bits(kernels::slope_bits(x.clone())),
            false => Negative::Entries(x.clone().lower_equal_elem(0.0)),
        })
    }

    /// `x` times its slope: the activation itself at its own input, a linear map elsewhere.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.0 {
            Negative::Bits(bits) => kernels::scale_bits(x, bits, NEGATIVE_SLOPE),
            Negative::Entries(entries) => kernels::scale_where(x, entries, NEGATIVE_SLOPE),
        }
    }
}

/// A flat bias as a row that broadcasts over `[b, h, w, c]`.
pub fn row(bias: &Tensor<1>) -> Tensor<4> {
    let channels = bias.dims()[0];
    bias.clone().reshape([1, 1, 1, channels])
}
