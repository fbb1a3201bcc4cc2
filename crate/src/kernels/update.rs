//! The updates after a gradient, over all parameters of a network at once; see [`crate::training::Adam`] and
//! [`crate::training::average`].

use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind,
    ExtensionType,
};
use burn::tensor::Tensor;

use crate::backend::Kernels;
use crate::network::Weights;

/// The numbers of one step of Adam.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    pub rate: f64,
    pub beta2: f64,
    /// What the root of the second moment is divided by.
    pub correction: f64,
    pub epsilon: f64,
}

/// A network's flat tensors on a backend.
pub struct Parameters<B: Backend>(pub Vec<FloatTensor<B>>);

/// The new weights and second moments.
pub fn adam(weights: Weights, moments: Weights, gradients: Weights, step: AdamStep) -> (Weights, Weights) {
    if weights.is_empty() {
        return (weights, moments);
    }
    let [weights, moments, gradients] = [weights, moments, gradients].map(lowered);
    let (weights, moments) = Dispatch::adam(weights, moments, gradients, step);
    (raised(weights), raised(moments))
}

/// `averages` moved towards `weights`.
pub fn average(averages: Weights, weights: Weights, decay: f64) -> Weights {
    if averages.is_empty() {
        return averages;
    }
    raised(Dispatch::average(lowered(averages), lowered(weights), decay))
}

fn lowered(weights: Weights) -> Parameters<Dispatch> {
    Parameters(weights.into_iter().map(Tensor::into_dispatch).collect())
}

fn raised(parameters: Vec<FloatTensor<Dispatch>>) -> Weights {
    parameters.into_iter().map(Tensor::from_dispatch).collect()
}

/// By hand, since Burn derives it for fields that are tensors alone.
impl<B: Backend> ExtensionType<B> for Parameters<B> {
    type Target = Parameters<Dispatch>;

    fn map_to_dispatch<F>(self, map_kind: F, autodiff: DispatchAutodiffContext) -> Self::Target
    where
        F: Fn(BackendTensor<B>) -> DispatchTensorKind,
    {
        let wrapped = |tensor| DispatchTensor { kind: map_kind(BackendTensor::Float(tensor)), autodiff };
        Parameters(self.0.into_iter().map(wrapped).collect())
    }

    fn map_from_dispatch<F>(target: Self::Target, unwrap_kind: F) -> Self
    where
        F: Fn(DispatchTensor) -> BackendTensor<B>,
    {
        Self(target.0.into_iter().map(|tensor| unwrap_kind(tensor).float()).collect())
    }

    fn routing_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn routing_float_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }
}
