//! Bias and leaky ReLU, split into the slope it took and the linear map that remains.

use burn::tensor::{Bool, Tensor};

use crate::kernels;

/// Slope of the leaky ReLU for inputs that are not positive; exactly 0 counts as negative.
pub const NEGATIVE_SLOPE: f64 = 0.2;

/// Which inputs of an activation took the small slope.
#[derive(Clone, Debug)]
pub struct Slopes {
    negative: Tensor<4, Bool>,
}

impl Slopes {
    /// The slopes at the pre-activation `x`.
    pub fn at(x: &Tensor<4>) -> Self {
        Self { negative: x.clone().lower_equal_elem(0.0) }
    }

    /// `x` times its slope: the activation itself at its own input, a linear map elsewhere.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        kernels::scale_where(x, &self.negative, NEGATIVE_SLOPE)
    }
}

/// A flat bias as a row that broadcasts over `[b, h, w, c]`.
pub fn row(bias: &Tensor<1>) -> Tensor<4> {
    let channels = bias.dims()[0];
    bias.clone().reshape([1, 1, 1, channels])
}
