//! Piecewise-linear networks: one description from which every pass follows.
//!
//! A [`Network`] is a list of layers without tensors; its weights are a separate list in the published
//! order. With the slope of every leaky ReLU fixed, the network is affine in its input, and the passes
//! of linear replay (forward, input gradient, replay, weight gradients) are walks over the same list:
//! see [`walk`].

mod builder;
mod context;
mod convolutional;
mod format;
pub mod init;
mod perceptron;
mod prepared;
pub mod published;
pub mod walk;

pub(crate) use format::rounded_to;
pub use format::{Format, Reduced};
pub use init::ParameterSpec;
pub use prepared::Prepared;
pub use walk::{Deltas, Gradients, Keep, Trace};

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::linear::{LinearMap, resample::Resample};

/// Position of a parameter in [`Network::parameters`] and in [`Weights`].
pub type ParameterId = usize;

/// Flat tensors in the order of [`Network::parameters`].
pub type Weights = Vec<Tensor<1>>;

/// One layer. Activations are `[batch, height, width, channels]`.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A linear map without a bias.
    Linear { map: LinearMap, weight: ParameterId },
    /// Leaky ReLU (slope 0.2) of the input plus a bias per channel.
    Activation { bias: ParameterId },
    /// x plus the embedding of the label appended to its channels; weight `[embedding, classes]`.
    AppendLabel { embedding: usize, classes: usize, weight: ParameterId },
    /// Resampling by two.
    Resample(Resample),
    /// x plus what the inner layers make of it.
    Residual(Vec<Layer>),
    /// Layers that compute in a format: their input is rounded to it, their output is widened again.
    Reduced { format: Format, layers: Vec<Layer> },
}

/// Which of the two networks a description is; the published names depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Generator,
    Critic,
}

/// A generator or a critic, without its weights.
#[derive(Clone, Debug)]
pub struct Network {
    pub role: Role,
    pub layers: Vec<Layer>,
    pub parameters: Vec<ParameterSpec>,
    /// Number of classes that the labels have; 0 without labels.
    pub classes: usize,
}

impl Network {
    /// Number of weights.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(ParameterSpec::len).sum()
    }

    /// What the stages next to the pictures compute in, and so the format of the pictures.
    pub fn format(&self) -> Format {
        let format = |layer: &Layer| match layer {
            Layer::Reduced { format, .. } => Some(*format),
            _ => None,
        };
        self.layers.iter().find_map(format).unwrap_or_default()
    }
}

/// A pair of networks that fit each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Number of Gaussian inputs of the generator.
    pub latent: usize,
    /// Number of classes; 0 for an unconditional pair.
    pub classes: usize,
    pub architecture: Architecture,
}

/// The two families of networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Architecture {
    /// R3GAN's ResNeXt-like pair (paper, config E); lists go from 4x4 upwards, the critic mirrors them.
    Convolutional {
        /// Channels between blocks, per stage.
        widths: Vec<usize>,
        /// Groups of the 3x3 convolutions, per stage.
        cardinality: Vec<usize>,
        /// Residual blocks per stage.
        blocks: Vec<usize>,
        /// Inner channels of a block over its outer ones.
        expansion: usize,
        /// Width of the label embedding beside the latents; used when there are classes.
        generator_embedding: usize,
        /// Width of the features that meet the label embedding; used when there are classes.
        critic_embedding: usize,
    },
    /// A pair of multi-layer perceptrons for point sets.
    Perceptron { hidden: Vec<usize>, outputs: usize },
}

impl NetworkConfig {
    /// The generator, in f32 throughout.
    pub fn generator(&self) -> Result<Network> {
        self.generator_in(Format::F32, 0)
    }

    /// The critic, in f32 throughout.
    pub fn critic(&self) -> Result<Network> {
        self.critic_in(Format::F32, 0)
    }

    /// The generator with its last `stages` stages, and so its pictures, in `format`; the stage of 4x4 stays in f32.
    ///
    /// # Errors
    /// [`Error::Setting`] for sizes that no network has.
    pub fn generator_in(&self, format: Format, stages: usize) -> Result<Network> {
        self.validate()?;
        Ok(match &self.architecture {
            Architecture::Convolutional { .. } => convolutional::generator(self, format, stages),
            Architecture::Perceptron { .. } => perceptron::generator(self),
        })
    }

    /// The critic with its first `stages` stages in `format`; the stage of 4x4 stays in f32.
    ///
    /// # Errors
    /// As [`generator_in`](Self::generator_in).
    pub fn critic_in(&self, format: Format, stages: usize) -> Result<Network> {
        self.validate()?;
        Ok(match &self.architecture {
            Architecture::Convolutional { .. } => convolutional::critic(self, format, stages),
            Architecture::Perceptron { .. } => perceptron::critic(self),
        })
    }

    /// `[height, width, channels]` of what the generator makes and the critic reads.
    pub fn sample_shape(&self) -> [usize; 3] {
        match &self.architecture {
            Architecture::Convolutional { widths, .. } => {
                let side = 4 << (widths.len().max(1) - 1);
                [side, side, 3]
            }
            Architecture::Perceptron { outputs, .. } => [1, 1, *outputs],
        }
    }

    /// Refuses sizes that no network has; files and flags are untrusted.
    pub fn validate(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::setting("network", reason));
        let in_range = |values: &[usize]| values.iter().all(|v| (1..=16384).contains(v));
        if !in_range(&[self.latent]) || self.classes > 100_000 {
            return refuse(format!("{} latents and {} classes is out of range", self.latent, self.classes));
        }
        match &self.architecture {
            Architecture::Convolutional {
                widths,
                cardinality,
                blocks,
                expansion,
                generator_embedding,
                critic_embedding,
            } => {
                let stages = widths.len();
                if !(1..=9).contains(&stages) || cardinality.len() != stages || blocks.len() != stages {
                    return refuse(format!(
                        "widths, cardinality and blocks need the same 1 to 9 entries, one a stage; they have \
                         {stages}, {} and {}",
                        cardinality.len(),
                        blocks.len()
                    ));
                }
                let embeddings = [*generator_embedding, *critic_embedding];
                let unembedded = self.classes > 0 && !in_range(&embeddings);
                if unembedded || embeddings.iter().any(|&e| e > 16384) {
                    return refuse("a label embedding needs 1 to 16384 channels".into());
                }
                if !in_range(widths) || !in_range(cardinality) || !(1..=16).contains(expansion) {
                    return refuse("a width, a cardinality or the expansion is out of range".into());
                }
                if blocks.iter().any(|b| !(1..=64).contains(b)) {
                    return refuse("a stage needs 1 to 64 blocks".into());
                }
                for (width, groups) in widths.iter().zip(cardinality) {
                    if (width * expansion) % groups != 0 {
                        return refuse(format!(
                            "{} inner channels do not divide into {groups} groups",
                            width * expansion
                        ));
                    }
                }
            }
            Architecture::Perceptron { hidden, outputs } => {
                if hidden.len() > 64 || !in_range(hidden) || !in_range(&[*outputs]) {
                    return refuse("a perceptron needs 1 to 64 hidden layers of 1 to 16384 units".into());
                }
            }
        }
        Ok(())
    }
}
