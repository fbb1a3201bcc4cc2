//! Multi-layer perceptrons for point sets: leaky ReLU between linear layers, no output activation.

use super::builder::{Builder, leaky_relu_gain};
use super::{Architecture, Layer, Network, NetworkConfig, Role};

/// Latents `[b, 1, 1, latent]` to points `[b, 1, 1, outputs]`; with classes the one-hot label is appended.
pub fn generator(config: &NetworkConfig) -> Network {
    perceptron(config, Role::Generator)
}

/// Points to logits `[b, 1, 1, 1]`; with classes the label's embedding is appended to the point.
pub fn critic(config: &NetworkConfig) -> Network {
    perceptron(config, Role::Critic)
}

fn perceptron(config: &NetworkConfig, role: Role) -> Network {
    let Architecture::Perceptron { hidden, outputs: dimension } = &config.architecture else {
        unreachable!("only perceptrons are built here")
    };
    let (mut width, outputs) = match role {
        Role::Generator => (config.latent, *dimension),
        Role::Critic => (*dimension, 1),
    };
    let mut b = Builder::new(role, config.classes);
    let mut layers = Vec::new();
    if config.classes > 0 {
        let classes = config.classes;
        let weight = b.parameter("embed.weight", [classes, classes], 1.0 / (classes as f64).sqrt());
        layers.push(Layer::AppendLabel { embedding: classes, classes, weight });
        width += classes;
    }
    for (index, &units) in hidden.iter().enumerate() {
        layers.push(b.dense(&format!("hidden{index}.weight"), width, units, leaky_relu_gain()));
        layers.push(b.activation(&format!("hidden{index}.bias"), units));
        width = units;
    }
    layers.push(b.dense("output.weight", width, outputs, 1.0));
    b.finish(layers)
}
