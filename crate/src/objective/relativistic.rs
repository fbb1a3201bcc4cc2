//! The relativistic pairing loss, non-saturating for both players (training notes, section 1).

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, softplus};

use super::{CriticLoss, GeneratorLoss};

/// softplus(-(real - fake)) and its derivatives: -s and +s with s = sigmoid(-(real - fake)).
pub fn critic(real: Tensor<1>, fake: Tensor<1>) -> CriticLoss {
    let difference = fake - real;
    let s = sigmoid(difference.clone());
    CriticLoss { loss: softplus(difference, 1.0), real: -s.clone(), fake: s }
}

/// softplus(-(fake - real)) and its derivative with respect to the fake logit.
pub fn generator(real: Tensor<1>, fake: Tensor<1>) -> GeneratorLoss {
    let difference = real - fake;
    GeneratorLoss { loss: softplus(difference.clone(), 1.0), fake: -sigmoid(difference) }
}
