//! What the layers of a walk read: weights, labels, the format they compute in.

use burn::tensor::Tensor;

use super::format::Arithmetic;
use super::{Format, ParameterId, Prepared, Weights};
use crate::kernels::{Finish, Finished};
use crate::linear::LinearMap;

/// What every layer may read during a walk.
#[derive(Clone)]
pub struct Context<'a> {
    weights: Source<'a>,
    pub labels: Option<&'a Tensor<2>>,
    /// `[batch, 1, 1, 1]`: every bias is multiplied by it; one if absent.
    pub bias_scale: Option<Tensor<4>>,
    /// What the layers of this part of the walk compute in.
    pub arithmetic: Arithmetic,
}

/// Where a walk finds its weights.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Published(&'a Weights),
    /// For walks up that keep nothing.
    Prepared(&'a Prepared),
}

impl<'a> Context<'a> {
    pub fn new(weights: Source<'a>, labels: Option<&'a Tensor<2>>) -> Self {
        Self { weights, labels, bias_scale: None, arithmetic: Arithmetic::Plain }
    }

    /// The same with every bias multiplied by `[batch, 1, 1, 1]`.
    pub fn with_bias_scale(self, scale: Tensor<4>) -> Self {
        Self { bias_scale: Some(scale), ..self }
    }

    /// The same for layers in `format`, on the device of `x`.
    pub fn within(&self, format: Format, x: &Tensor<4>) -> Self {
        Self { arithmetic: Arithmetic::of(format, &x.device()), ..self.clone() }
    }

    /// A parameter in its layer's format.
    pub fn weight(&self, parameter: ParameterId) -> Tensor<1> {
        match self.weights {
            Source::Published(weights) => self.arithmetic.narrow(weights[parameter].clone()),
            Source::Prepared(weights) => weights.published(parameter),
        }
    }

    /// A bias as a row that broadcasts over `[b, h, w, c]`, rounded once, after its scale.
    pub fn bias(&self, parameter: ParameterId) -> Tensor<4> {
        let row = |bias: Tensor<1>| {
            let channels = bias.dims()[0];
            bias.reshape([1, 1, 1, channels])
        };
        match self.weights {
            Source::Published(weights) => {
                self.arithmetic.narrow(self.scaled(row(weights[parameter].clone())))
            }
            Source::Prepared(weights) => row(weights.published(parameter)),
        }
    }

    /// The image of `x` under a map with a weight.
    pub fn apply(
        &self,
        map: &LinearMap,
        weight: ParameterId,
        x: Tensor<4>,
        finish: Finish,
    ) -> Finished<Tensor<4>> {
        match self.weights {
            Source::Published(_) => map.apply(x, &self.weight(weight), self.labels, finish),
            Source::Prepared(weights) => map.apply_prepared(x, weights.operand(weight), self.labels, finish),
        }
    }

    /// A constant that a layer adds, scaled per sample where the walk says so.
    pub fn scaled(&self, constant: Tensor<4>) -> Tensor<4> {
        match &self.bias_scale {
            Some(scale) => constant * scale.clone(),
            None => constant,
        }
    }
}
