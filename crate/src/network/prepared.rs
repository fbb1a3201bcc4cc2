//! Weights for many forward passes: rounded, turned and packed once instead of in every pass.

use burn::tensor::{Device, Tensor};

use super::format::Arithmetic;
use super::{Layer, Network, ParameterId, Weights};
use crate::linear::Operand;

/// The weights of a network as its forward passes read them, good for nothing else.
#[derive(Clone, Debug)]
pub struct Prepared(Vec<Operand>);

impl Network {
    /// Weights for [`Self::evaluate_prepared`]. They are laid out one after the other, and what no one else holds is
    /// freed on the way.
    ///
    /// # Panics
    /// If there are fewer weights than parameters.
    pub fn prepare(&self, weights: Weights) -> Prepared {
        let device = weights.first().map(Tensor::device).unwrap_or_default();
        let mut operands: Vec<_> = weights.into_iter().map(Operand::Published).collect();
        prepare(&mut operands, &self.layers, Arithmetic::Plain, &device);
        Prepared(operands)
    }
}

fn prepare(operands: &mut [Operand], layers: &[Layer], arithmetic: Arithmetic, device: &Device) {
    for layer in layers {
        match layer {
            Layer::Linear { map, weight: id } => {
                operands[*id] = map.prepare(&arithmetic.narrow(operands[*id].published()));
            }
            Layer::Activation { bias: id } | Layer::AppendLabel { weight: id, .. } => {
                operands[*id] = Operand::Published(arithmetic.narrow(operands[*id].published()));
            }
            Layer::Resample(_) => {}
            Layer::Residual(layers) => prepare(operands, layers, arithmetic, device),
            Layer::Reduced { format, layers } => {
                prepare(operands, layers, Arithmetic::of(*format, device), device);
            }
        }
    }
}

impl Prepared {
    pub(super) fn operand(&self, id: ParameterId) -> &Operand {
        &self.0[id]
    }

    /// A parameter that is not a linear map's.
    pub(super) fn published(&self, id: ParameterId) -> Tensor<1> {
        self.0[id].published()
    }
}
