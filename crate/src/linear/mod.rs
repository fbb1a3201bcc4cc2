//! Linear maps: what a piecewise-linear network is made of between its activations.
//!
//! Every map is bilinear in its weight and its input, and is written here once with its three faces:
//! `apply`, its adjoint with respect to the input, and the gradient of its weight. Forward pass, input
//! gradient, replay and back-propagation are all walks over these (see [`crate::network`]).
//!
//! Activations are channels-last, `[batch, height, width, channels]`, so that a 1x1 convolution is one
//! matrix product and a bias is a row; vectors are `[batch, 1, 1, channels]`. Weights are flat, in the
//! order in which they are published.

pub mod basis;
pub mod bias;
pub mod grouped;
pub mod pointwise;
pub mod resample;

use burn::tensor::Tensor;

use crate::kernels::{self, Finish, Finished};

/// A linear map with a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinearMap {
    /// 1x1 convolution, or a linear layer on a vector; weight `[outputs, inputs]`.
    Pointwise { inputs: usize, outputs: usize },
    /// 3x3 convolution in groups, zero padding; weight `[channels, channels / groups, 3, 3]`.
    Grouped { channels: usize, groups: usize },
    /// Vector to 4x4 picture: channel c times its own 4x4 pattern; weight `[channels, 4, 4]`.
    ExpandBasis { channels: usize },
    /// 4x4 picture to vector: channel c summed against its own 4x4 pattern; weight `[channels, 1, 4, 4]`.
    ContractBasis { channels: usize },
    /// Inner product with the embedding of the label, features to a logit; weight `[features, classes]`.
    Project { features: usize, classes: usize },
}

/// A weight as forward passes read it.
#[derive(Clone, Debug)]
pub enum Operand {
    /// Flat, as published.
    Published(Tensor<1>),
    /// Of a 1x1 convolution: `[1, inputs, outputs]`, or panels of neighbouring outputs, `[panels, inputs, outputs / panels]`.
    Matrix(Tensor<3>),
    /// Of a 3x3 convolution: `[groups, 9, in, out]`.
    Kernel(Tensor<4>),
}

impl Operand {
    /// A parameter that has one order only.
    pub(crate) fn published(&self) -> Tensor<1> {
        match self {
            Self::Published(parameter) => parameter.clone(),
            _ => unreachable!("only weights of convolutions are laid out in another way, and each once"),
        }
    }
}

impl LinearMap {
    /// Channels of the image.
    pub fn outputs(&self) -> usize {
        match *self {
            Self::Pointwise { outputs, .. } => outputs,
            Self::Grouped { channels, .. }
            | Self::ExpandBasis { channels }
            | Self::ContractBasis { channels } => channels,
            Self::Project { .. } => 1,
        }
    }

    /// The image of `x` under the map with weight `weight`, finished.
    ///
    /// `labels` is `[batch, classes]`; only [`LinearMap::Project`] reads it.
    pub fn apply(
        &self,
        x: Tensor<4>,
        weight: &Tensor<1>,
        labels: Option<&Tensor<2>>,
        finish: Finish,
    ) -> Finished<Tensor<4>> {
        self.apply_prepared(x, &self.operand(weight), labels, finish)
    }

    /// A weight in the order that many applications read best.
    pub fn prepare(&self, weight: &Tensor<1>) -> Operand {
        match (*self, self.operand(weight)) {
            (Self::Pointwise { inputs, outputs }, _) => {
                Operand::Matrix(kernels::packed(matrix(weight, outputs, inputs)))
            }
            (_, Operand::Kernel(kernel)) => Operand::Kernel(kernels::contiguous(kernel)),
            (_, operand) => operand,
        }
    }

    /// The weight as [`Self::apply_prepared`] takes it, at no cost that one application would not have.
    fn operand(&self, weight: &Tensor<1>) -> Operand {
        match *self {
            Self::Pointwise { inputs, outputs } => {
                Operand::Matrix(pointwise::turned(matrix(weight, outputs, inputs)))
            }
            Self::Grouped { channels, groups } => {
                Operand::Kernel(grouped::taps_first(weight.clone(), channels, groups, false))
            }
            Self::ExpandBasis { .. } | Self::ContractBasis { .. } | Self::Project { .. } => {
                Operand::Published(weight.clone())
            }
        }
    }

    /// As [`Self::apply`], with a weight that was [prepared](Self::prepare).
    ///
    /// # Panics
    /// If it was for a map of another kind.
    pub fn apply_prepared(
        &self,
        x: Tensor<4>,
        weight: &Operand,
        labels: Option<&Tensor<2>>,
        finish: Finish,
    ) -> Finished<Tensor<4>> {
        match (*self, weight) {
            (Self::Pointwise { .. }, Operand::Matrix(matrix)) => pointwise::times(x, matrix.clone(), finish),
            (Self::Grouped { .. }, Operand::Kernel(kernel)) => grouped::correlate(x, kernel.clone(), finish),
            (Self::ExpandBasis { .. }, Operand::Published(weight)) => basis::expand(x, weight, finish),
            (Self::ContractBasis { .. }, Operand::Published(weight)) => basis::contract(x, weight, finish),
            (Self::Project { features, classes }, Operand::Published(weight)) => {
                let embedding = embed(labels, matrix(weight, features, classes));
                kernels::finished((x * embedding).sum_dim(3), finish)
            }
            _ => panic!("a weight was prepared for another map than {self:?}"),
        }
    }

    /// The adjoint, finished: the gradient with respect to the input, given that of the output.
    pub fn adjoint(
        &self,
        delta: Tensor<4>,
        weight: &Tensor<1>,
        labels: Option<&Tensor<2>>,
        finish: Finish,
    ) -> Tensor<4> {
        let x = match *self {
            Self::Pointwise { inputs, outputs } => {
                return pointwise::adjoint(delta, matrix(weight, outputs, inputs), finish);
            }
            Self::Grouped { channels, groups } => {
                let kernel = grouped::taps_first(weight.clone(), channels, groups, true);
                return grouped::correlate(delta, kernel, finish).0;
            }
            Self::ExpandBasis { .. } => return basis::contract(delta, weight, finish).0,
            Self::ContractBasis { .. } => return basis::expand(delta, weight, finish).0,
            Self::Project { features, classes } => delta * embed(labels, matrix(weight, features, classes)),
        };
        kernels::finished(x, finish).0
    }

    /// The gradient of the weight, flat, given the input and the gradient of the output.
    pub fn weight_gradient(&self, x: Tensor<4>, delta: Tensor<4>, labels: Option<&Tensor<2>>) -> Tensor<1> {
        match *self {
            Self::Pointwise { .. } => pointwise::weight_gradient(x, delta).flatten(0, 1),
            Self::Grouped { groups, .. } => grouped::weight_gradient(x, delta, groups),
            Self::ExpandBasis { .. } => basis::weight_gradient(x, delta),
            Self::ContractBasis { .. } => basis::weight_gradient(delta, x),
            Self::Project { .. } => {
                let features = pointwise::rows(x * delta);
                kernels::matrix_product(features.transpose(), expect_labels(labels).clone()).flatten(0, 1)
            }
        }
    }
}

/// The embedding of each label, `[batch, 1, 1, features]`; `weight` is `[features, classes]`.
pub fn embed(labels: Option<&Tensor<2>>, weight: Tensor<2>) -> Tensor<4> {
    let embedding = kernels::matrix_product(expect_labels(labels).clone(), weight.transpose());
    let [batch, features] = embedding.dims();
    embedding.reshape([batch, 1, 1, features])
}

/// A flat weight as a matrix; panics if the sizes differ (checked when a network is loaded).
pub fn matrix(weight: &Tensor<1>, rows: usize, columns: usize) -> Tensor<2> {
    weight.clone().reshape([rows, columns])
}

/// The labels of a conditional network; callers check that they are there before a walk starts.
pub fn expect_labels(labels: Option<&Tensor<2>>) -> &Tensor<2> {
    labels.expect("a conditional network was given no labels")
}
