//! R3GAN's generator and critic (paper section 3, config E; training notes section 3).
//!
//! No normalisation; biases only inside the two activations of a block. Initialisation is Fixup-like:
//! the last convolution of a block starts at zero, the first two are scaled by L^(-1/4) for L blocks.

use super::builder::{Builder, leaky_relu_gain};
use super::{Architecture, Format, Layer, Network, NetworkConfig, Role};
use crate::linear::{LinearMap, basis::SIDE, resample::Resample};

/// The pair's fields, unpacked: one stage is (width, groups, blocks).
struct Shape {
    stages: Vec<(usize, usize, usize)>,
    expansion: usize,
    generator_embedding: usize,
    critic_embedding: usize,
    /// Gain of the first two convolutions of every block.
    gain: f64,
}

fn shape(config: &NetworkConfig) -> Shape {
    let Architecture::Convolutional {
        widths,
        cardinality,
        blocks,
        expansion,
        generator_embedding,
        critic_embedding,
    } = &config.architecture
    else {
        unreachable!("only convolutional pairs are built here")
    };
    let total_blocks: usize = blocks.iter().sum();
    Shape {
        stages: (0..widths.len()).map(|s| (widths[s], cardinality[s], blocks[s])).collect(),
        expansion: *expansion,
        generator_embedding: *generator_embedding,
        critic_embedding: *critic_embedding,
        gain: leaky_relu_gain() * (total_blocks as f64).powf(-0.25),
    }
}

/// Latents `[b, 1, 1, latent]` to pictures `[b, side, side, 3]`; the last `reduced` stages are in `format`.
pub fn generator(config: &NetworkConfig, format: Format, reduced: usize) -> Network {
    let shape = shape(config);
    let mut b = Builder::new(Role::Generator, config.classes);
    let mut layers = Vec::new();
    let first = shape.stages[0].0;
    let embedding = if config.classes > 0 { shape.generator_embedding } else { 0 };

    let basis = b.parameter("stage0.basis", [first, SIDE, SIDE], 1.0);
    layers.push(b.dense("stage0.project.weight", config.latent + embedding, first, 1.0));
    layers.push(Layer::Linear { map: LinearMap::ExpandBasis { channels: first }, weight: basis });

    let mut width = first;
    let first_reduced = shape.stages.len() - reduced.min(shape.stages.len() - 1);
    // Where its layers begin: the change of width is the first of them.
    let mut border = None;
    for (stage, &(next, groups, blocks)) in shape.stages.iter().enumerate() {
        if stage == first_reduced {
            border = Some(layers.len());
        }
        if next != width {
            layers.push(b.convolution(&format!("stage{stage}.change.weight"), width, next, 1.0));
        }
        if stage > 0 {
            layers.push(Layer::Resample(Resample::Up));
        }
        width = next;
        layers.extend((0..blocks).map(|block| residual_block(&mut b, &shape, stage, block, width, groups)));
    }
    layers.push(b.convolution("rgb.weight", width, 3, 1.0));
    if let Some(border) = border {
        let reduced = layers.split_off(border);
        layers.push(Layer::Reduced { format, layers: reduced });
    }

    if config.classes > 0 {
        let deviation = 1.0 / (config.classes as f64).sqrt();
        let weight = b.parameter("embed.weight", [embedding, config.classes], deviation);
        layers.insert(0, Layer::AppendLabel { embedding, classes: config.classes, weight });
    }
    b.finish(layers)
}

/// Pictures `[b, side, side, 3]` to logits `[b, 1, 1, 1]`; the first `reduced` stages are in `format`.
pub fn critic(config: &NetworkConfig, format: Format, reduced: usize) -> Network {
    let shape = shape(config);
    let mut b = Builder::new(Role::Critic, config.classes);
    let mut layers = Vec::new();
    let mut stages = shape.stages.clone();
    stages.reverse();

    let reduced = reduced.min(stages.len() - 1);
    let mut width = stages[0].0;
    layers.push(b.convolution("rgb.weight", 3, width, 1.0));
    for (stage, &(_, groups, blocks)) in stages.iter().enumerate() {
        layers.extend((0..blocks).map(|block| residual_block(&mut b, &shape, stage, block, width, groups)));
        if let Some(&(next, ..)) = stages.get(stage + 1) {
            layers.push(Layer::Resample(Resample::Down));
            if next != width {
                layers.push(b.convolution(&format!("stage{}.change.weight", stage + 1), width, next, 1.0));
            }
            width = next;
        }
        // The critic's change of width belongs to the stage that it leaves.
        if stage + 1 == reduced {
            layers = vec![Layer::Reduced { format, layers }];
        }
    }

    let last = stages.len() - 1;
    let weight = b.parameter(format!("stage{last}.basis"), [width, 1, SIDE, SIDE], 1.0 / SIDE as f64);
    layers.push(Layer::Linear { map: LinearMap::ContractBasis { channels: width }, weight });
    let features = if config.classes > 0 { shape.critic_embedding } else { 1 };
    layers.push(b.dense(&format!("stage{last}.project.weight"), width, features, 1.0));

    if config.classes > 0 {
        let deviation = 1.0 / ((config.classes * features) as f64).sqrt();
        let weight = b.parameter("embed.weight", [features, config.classes], deviation);
        let map = LinearMap::Project { features, classes: config.classes };
        layers.push(Layer::Linear { map, weight });
    }
    b.finish(layers)
}

/// Inverted bottleneck: 1x1 up, grouped 3x3, 1x1 down, added to the input.
fn residual_block(
    b: &mut Builder,
    shape: &Shape,
    stage: usize,
    block: usize,
    width: usize,
    groups: usize,
) -> Layer {
    let name = |part: &str| format!("stage{stage}.block{block}.{part}");
    let channels = width * shape.expansion;
    let group_width = channels / groups;
    let expand = b.convolution(&name("expand.weight"), width, channels, shape.gain);
    let fan_in = (group_width * 9) as f64;
    let deviation = shape.gain / fan_in.sqrt();
    let weight = b.parameter(name("mix.weight"), [channels, group_width, 3, 3], deviation);
    let mix = Layer::Linear { map: LinearMap::Grouped { channels, groups }, weight };
    let contract = b.convolution(&name("contract.weight"), channels, width, 0.0);
    let activate_expanded = b.activation(&name("expand.bias"), channels);
    let activate_mixed = b.activation(&name("mix.bias"), channels);
    Layer::Residual(vec![expand, activate_expanded, mix, activate_mixed, contract])
}
