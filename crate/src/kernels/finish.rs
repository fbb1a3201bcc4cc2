//! What follows a linear map in the same pass over its result: bias, leaky ReLU, slopes, the other branch of a block.
//!
//! A GPU waits for its memory: bias, slopes and activation one by one would read a feature map five times and write it
//! three times more than its convolution does.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, ExtensionType};
use burn::tensor::{Bool, Int, Tensor};

use super::ours;
use crate::backend::Kernels;

/// Slope of the leaky ReLU for inputs that are not positive; exactly 0 counts as negative.
pub const NEGATIVE_SLOPE: f64 = 0.2;

/// Which inputs of an activation took the small slope.
#[derive(Clone, Debug)]
pub struct Slopes(Negative);

#[derive(Clone, Debug)]
enum Negative {
    /// A bit for each entry, in an order that is the device's own affair.
    Bits(Tensor<1, Int>),
    Entries(Tensor<4, Bool>),
}

/// What is done to the result of a linear map, `[b, h, w, c]`; a bias is `[1 or b, 1, 1, c]`.
#[derive(Debug)]
pub enum Finish<'a> {
    Nothing,
    /// Adds a tensor of the same shape.
    Add(Tensor<4>),
    /// Adds the bias, then leaky ReLU.
    Activate {
        bias: Tensor<4>,
    },
    /// The same, and tells the slopes that were taken.
    Record {
        bias: Tensor<4>,
    },
    /// Adds the bias, then takes slopes of another time.
    Replay {
        bias: Tensor<4>,
        slopes: &'a Slopes,
    },
    /// Takes slopes of another time: the adjoint of an activation.
    Slopes(&'a Slopes),
}

/// [`Finish`] in the tensors of a backend.
#[derive(ExtensionType)]
pub enum Finishing<B: Backend> {
    Nothing,
    Add { other: FloatTensor<B> },
    Activate { bias: FloatTensor<B> },
    Record { bias: FloatTensor<B> },
    Replay { bias: FloatTensor<B>, slopes: IntTensor<B> },
    Slopes { slopes: IntTensor<B> },
}

/// A finished result, and the slopes where they were to be recorded.
pub type Finished<T> = (T, Option<Slopes>);

/// Finishes `x`.
pub fn finished(x: Tensor<4>, finish: Finish) -> Finished<Tensor<4>> {
    match finish {
        Finish::Nothing => (x, None),
        _ if !ours(&x) => portable(x, finish),
        _ => wrapped(Dispatch::finish(x.into_dispatch(), finish.lowered())),
    }
}

/// What a kernel returned, as tensors.
pub(super) fn wrapped<const D: usize>(
    (y, bits): (FloatTensor<Dispatch>, Option<IntTensor<Dispatch>>),
) -> Finished<Tensor<D>> {
    (Tensor::from_dispatch(y), bits.map(|bits| Slopes(Negative::Bits(Tensor::from_dispatch(bits)))))
}

impl Finish<'_> {
    pub(super) fn lowered(self) -> Finishing<Dispatch> {
        match self {
            Self::Nothing => Finishing::Nothing,
            Self::Add(other) => Finishing::Add { other: other.into_dispatch() },
            Self::Activate { bias } => Finishing::Activate { bias: bias.into_dispatch() },
            Self::Record { bias } => Finishing::Record { bias: bias.into_dispatch() },
            Self::Replay { bias, slopes } => {
                Finishing::Replay { bias: bias.into_dispatch(), slopes: slopes.bits() }
            }
            Self::Slopes(slopes) => Finishing::Slopes { slopes: slopes.bits() },
        }
    }
}

impl Slopes {
    fn bits(&self) -> IntTensor<Dispatch> {
        match &self.0 {
            Negative::Bits(bits) => bits.clone().into_dispatch(),
            Negative::Entries(_) => unreachable!("slopes are taken and applied in the same format"),
        }
    }

    /// `x` times its slope, by Burn's own operations.
    fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let Negative::Entries(entries) = &self.0 else {
            unreachable!("slopes are taken and applied in the same format")
        };
        let scaled = x.clone() * NEGATIVE_SLOPE;
        x.mask_where(entries.clone(), scaled)
    }
}

/// The same by Burn's own operations, in formats that our kernels are not for.
fn portable(x: Tensor<4>, finish: Finish) -> Finished<Tensor<4>> {
    match finish {
        Finish::Nothing => (x, None),
        Finish::Add(other) => (x + other, None),
        Finish::Activate { bias } => (burn::tensor::activation::leaky_relu(x + bias, NEGATIVE_SLOPE), None),
        Finish::Record { bias } => {
            let x = x + bias;
            let slopes = Slopes(Negative::Entries(x.clone().lower_equal_elem(0.0)));
            (slopes.apply(x), Some(slopes))
        }
        Finish::Replay { bias, slopes } => (slopes.apply(x + bias), None),
        Finish::Slopes(slopes) => (slopes.apply(x), None),
    }
}
