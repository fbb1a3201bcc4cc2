//! What an iteration reports. Values stay on the device until somebody reads them.

use burn::tensor::Tensor;

use super::gradients::{CriticValues, GeneratorValues};
use crate::error::{Error, Result};

/// The values of one iteration, still on the device; those of a player that did not move are empty.
#[derive(Debug)]
pub struct StepStats {
    pub(super) critic: Vec<CriticValues>,
    pub(super) generator: Vec<GeneratorValues>,
}

/// Per-sample values of both phases of one iteration, on the host; `[batch]` each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseValues {
    /// Adversarial part of the critic's loss.
    pub critic_loss: Vec<f32>,
    /// Real minus fake logit in the critic phase.
    pub critic_difference: Vec<f32>,
    /// Squared gradient norms, without gamma / 2.
    pub r1: Vec<f32>,
    pub r2: Vec<f32>,
    pub generator_loss: Vec<f32>,
    /// Fake minus real logit in the generator phase.
    pub generator_difference: Vec<f32>,
}

impl StepStats {
    /// Reads all values in one transfer.
    ///
    /// # Errors
    /// The device's, if it cannot be read.
    pub async fn read(self) -> Result<PhaseValues> {
        let critic = |pick: fn(&CriticValues) -> &Tensor<1>| self.critic.iter().map(pick).cloned().collect();
        let generator =
            |pick: fn(&GeneratorValues) -> &Tensor<1>| self.generator.iter().map(pick).cloned().collect();
        let columns: [Vec<Tensor<1>>; 6] = [
            critic(|v| &v.loss),
            critic(|v| &v.difference),
            critic(|v| &v.r1),
            critic(|v| &v.r2),
            generator(|v| &v.loss),
            generator(|v| &v.difference),
        ];
        let lengths = columns.each_ref().map(|parts| parts.iter().map(|part| part.dims()[0]).sum::<usize>());
        let all = Tensor::cat(columns.into_iter().flatten().collect(), 0);
        let mut values = read(all).await?.into_iter();
        let mut next = |length: usize| values.by_ref().take(length).collect();
        Ok(PhaseValues {
            critic_loss: next(lengths[0]),
            critic_difference: next(lengths[1]),
            r1: next(lengths[2]),
            r2: next(lengths[3]),
            generator_loss: next(lengths[4]),
            generator_difference: next(lengths[5]),
        })
    }
}

impl PhaseValues {
    /// Whether every value is a number.
    pub fn is_finite(&self) -> bool {
        self.not_finite().is_none()
    }

    /// What stopped being a number first, in words; the penalties show it before the losses do.
    pub fn not_finite(&self) -> Option<&'static str> {
        [
            ("the gradient penalties", [&self.r1, &self.r2]),
            ("the critic's loss", [&self.critic_loss, &self.critic_difference]),
            ("the generator's loss", [&self.generator_loss, &self.generator_difference]),
        ]
        .into_iter()
        .find(|(_, values)| values.iter().any(|values| values.iter().any(|value| !value.is_finite())))
        .map(|(what, _)| what)
    }
}

/// A tensor's values in f32 on the host.
pub(crate) async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let name = format!("{:?}", tensor.device());
    let lost = |reason: String| Error::device_lost(name.as_str(), reason);
    let data = tensor.into_data_async().await.map_err(|e| lost(e.to_string()))?;
    data.convert::<f32>().try_to_vec().map_err(|e| lost(format!("{e:?}")))
}
