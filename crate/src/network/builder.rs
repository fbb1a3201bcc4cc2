//! Collects parameters while a network is described.

use super::init::ParameterSpec;
use super::{Layer, Network, ParameterId, Role};
use crate::linear::LinearMap;

pub struct Builder {
    role: Role,
    classes: usize,
    parameters: Vec<ParameterSpec>,
}

impl Builder {
    pub fn new(role: Role, classes: usize) -> Self {
        Self { role, classes, parameters: Vec::new() }
    }

    /// Adds a parameter whose entries start as N(0, deviation²).
    pub fn parameter(
        &mut self,
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        deviation: f64,
    ) -> ParameterId {
        self.parameters.push(ParameterSpec { name: name.into(), shape: shape.into(), deviation });
        self.parameters.len() - 1
    }

    /// A 1x1 convolution, weight `[outputs, inputs, 1, 1]`, with the given gain.
    pub fn convolution(&mut self, name: &str, inputs: usize, outputs: usize, gain: f64) -> Layer {
        let weight = self.parameter(name, [outputs, inputs, 1, 1], gain / (inputs as f64).sqrt());
        Layer::Linear { map: LinearMap::Pointwise { inputs, outputs }, weight }
    }

    /// A linear layer on a vector, weight `[outputs, inputs]`, with the given gain.
    pub fn dense(&mut self, name: &str, inputs: usize, outputs: usize, gain: f64) -> Layer {
        let weight = self.parameter(name, [outputs, inputs], gain / (inputs as f64).sqrt());
        Layer::Linear { map: LinearMap::Pointwise { inputs, outputs }, weight }
    }

    /// Bias and leaky ReLU; biases start at zero.
    pub fn activation(&mut self, name: &str, channels: usize) -> Layer {
        Layer::Activation { bias: self.parameter(name, [channels], 0.0) }
    }

    pub fn finish(self, layers: Vec<Layer>) -> Network {
        Network { role: self.role, layers, parameters: self.parameters, classes: self.classes }
    }
}

/// Gain that keeps the variance through a leaky ReLU of slope 0.2 (He initialisation).
pub fn leaky_relu_gain() -> f64 {
    (2.0 / (1.0 + crate::kernels::NEGATIVE_SLOPE * crate::kernels::NEGATIVE_SLOPE)).sqrt()
}
