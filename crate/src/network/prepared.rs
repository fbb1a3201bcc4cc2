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
    pub fn prepare(&self, weights: Weights) -> Prepared {
        let device = weights.first().map(Tensor::device).unwrap_or_default();
        let operands = weights.iter().map(|_| None).collect();
        let mut preparation =
            Preparation { device, weights: weights.into_iter().map(Some).collect(), operands };
        preparation.walk(&self.layers, Arithmetic::Plain);
        let operands = preparation.operands.into_iter();
        Prepared(operands.map(|operand| operand.expect("every parameter is in exactly one layer")).collect())
    }
}

struct Preparation {
    device: Device,
    weights: Vec<Option<Tensor<1>>>,
    operands: Vec<Option<Operand>>,
}

impl Preparation {
    fn walk(&mut self, layers: &[Layer], arithmetic: Arithmetic) {
        for layer in layers {
            match layer {
                Layer::Linear { map, weight } => {
                    let operand = map.prepare(&self.take(*weight, arithmetic));
                    self.operands[*weight] = Some(operand);
                }
                Layer::Activation { bias: id } | Layer::AppendLabel { weight: id, .. } => {
                    self.operands[*id] = Some(Operand::Published(self.take(*id, arithmetic)));
                }
                Layer::Resample(_) => {}
                Layer::Residual(layers) => self.walk(layers, arithmetic),
                Layer::Reduced { format, layers } => {
                    self.walk(layers, Arithmetic::of(*format, &self.device));
                }
            }
        }
    }

    fn take(&mut self, id: ParameterId, arithmetic: Arithmetic) -> Tensor<1> {
        arithmetic.narrow(self.weights[id].take().expect("every parameter is in exactly one layer"))
    }
}

impl Prepared {
    pub(super) fn operand(&self, id: ParameterId) -> &Operand {
        &self.0[id]
    }

    /// A parameter that is not a linear map's.
    pub(super) fn published(&self, id: ParameterId) -> Tensor<1> {
        match &self.0[id] {
            Operand::Published(parameter) => parameter.clone(),
            _ => unreachable!("only the weights of linear maps are laid out in another way"),
        }
    }
}
