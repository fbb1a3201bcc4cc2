//! A snapshot whose networks are known: what can be taken from it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};

use super::architecture::{pair, preset_of};
use super::reader::{self, Module, Optimizer, Side};
use crate::config::TrainingConfig;
use crate::error::{Error, Result};
use crate::network::{Network, NetworkConfig, Weights, published};
use crate::pickle::{self, Problem};
use crate::random::RandomState;
use crate::training::{Adam, NumberFormat, OFFICIAL_LICENCE, OfficialPrecision, Origin, Players, Trainer};

/// The longest run that a configuration allows.
const MOST_IMAGES: u64 = 1_000_000_000_000;
/// Adam's epsilon, and the only one there is here.
const EPSILON: f64 = 1e-8;
/// One axis of the resampling filter (training notes, section 3).
const FILTER: [f32; 4] = [1.0, 3.0, 3.0, 1.0];

const AVERAGE: &str = "G_ema";
const GENERATOR: &str = "G";
const CRITIC: &str = "D";
const GENERATOR_ADAM: &str = "G_opt_state";
const CRITIC_ADAM: &str = "D_opt_state";

/// An official snapshot.
#[derive(Debug)]
pub struct Snapshot<'a> {
    pub network: NetworkConfig,
    /// The preset with these networks, if it is one.
    pub preset: Option<&'static str>,
    /// Real images that the critic had seen, if the file says so.
    pub images: Option<u64>,
    file: reader::Snapshot<'a>,
    average: Module<'a>,
    critic: Option<Module<'a>>,
    origin: PathBuf,
}

impl<'a> Snapshot<'a> {
    /// Whether a file begins as a pickle does.
    pub fn is_one(bytes: &[u8]) -> bool {
        pickle::is_one(bytes)
    }

    /// Reads a file and recognises its networks; `origin` names it in errors.
    ///
    /// # Errors
    /// [`Error::Input`] with what is wrong with the file. Nothing in it is run.
    pub fn read(bytes: &'a [u8], origin: &Path) -> Result<Self> {
        let named = |problem: Problem| Error::input(origin, problem.to_string());
        let file = reader::Snapshot::read(bytes).map_err(named)?;
        let Some(average) = file.module(AVERAGE, Side::Generator).map_err(named)? else {
            return Err(Error::input(origin, format!("holds no {AVERAGE}, the generator to sample from")));
        };
        let critic = file.module(CRITIC, Side::Discriminator).map_err(named)?;
        let network = pair(&average, critic.as_ref()).map_err(|reason| Error::input(origin, reason))?;
        let (preset, images) = (preset_of(&network), file.images().map_err(named)?);
        Ok(Self { network, preset, images, file, average, critic, origin: origin.into() })
    }

    /// The averaged generator.
    pub fn average(&self, device: &Device) -> Result<(Network, Weights)> {
        let generator = self.network.generator()?;
        let weights = self.weights(AVERAGE, &self.average, &generator, device)?;
        Ok((generator, weights))
    }

    /// The critic, if the file has one, without its weights.
    pub fn critic(&self) -> Result<Option<Network>> {
        self.critic.as_ref().map(|_| self.network.critic()).transpose()
    }

    /// Licence and number formats, which the files made from this one repeat.
    pub fn origin(&self) -> Origin {
        let formats = |module: &Module| {
            let format = |precision: &reader::Precision| match precision {
                reader::Precision::Float32 => NumberFormat::Float32,
                reader::Precision::BFloat16 => NumberFormat::BFloat16,
            };
            module.precision.iter().map(format).collect()
        };
        let critic = self.critic.as_ref().map_or_else(Vec::new, formats);
        let precision = OfficialPrecision { generator: formats(&self.average), critic };
        let official_precision = (!precision.generator.is_empty()).then_some(precision);
        Origin { licence: OFFICIAL_LICENCE.into(), official_precision }
    }

    /// A trainer that goes on where the snapshot was made, with `config`'s batch, seed and schedules and with the
    /// snapshot's networks. The noise starts at the seed, as in an official run that is resumed.
    ///
    /// # Errors
    /// [`Error::Input`] if the file has no state of training, or another one than this trainer's.
    pub fn trainer(&self, config: TrainingConfig, device: &Device) -> Result<Trainer> {
        let config = TrainingConfig { network: self.network.clone(), ..config };
        config.validate()?;
        let (generator, critic) = (self.network.generator()?, self.network.critic()?);
        let generator_module = self.module(GENERATOR, Side::Generator)?;
        let critic_module = self.module(CRITIC, Side::Discriminator)?;
        let images = self.images.ok_or_else(|| self.lacks("cur_nimg"))?;
        let players = Players {
            generator: self.weights(GENERATOR, &generator_module, &generator, device)?,
            critic: self.weights(CRITIC, &critic_module, &critic, device)?,
            average: self.average(device)?.1,
            generator_adam: self.adam(GENERATOR_ADAM, &generator_module, &generator, device)?,
            critic_adam: self.adam(CRITIC_ADAM, &critic_module, &critic, device)?,
        };
        if images > MOST_IMAGES || players.critic_adam.steps > images || players.generator_adam.steps > images
        {
            let reason = format!(
                "claims {images} images and {} steps, which no run has",
                players.critic_adam.steps.max(players.generator_adam.steps)
            );
            return Err(self.refuse(reason));
        }
        let noise = RandomState::new(config.seed);
        let mut trainer = Trainer::from_parts(config, players, noise, self.origin(), device)?;
        trainer.images = images;
        Ok(trainer)
    }

    fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::input(&self.origin, reason)
    }

    fn lacks(&self, key: &str) -> Error {
        self.refuse(format!("has no {key}, so no run can go on from it; import it without --full to sample"))
    }

    fn module(&self, key: &str, side: Side) -> Result<Module<'a>> {
        let found = self.file.module(key, side).map_err(|problem| self.refuse(problem.to_string()))?;
        found.ok_or_else(|| self.lacks(key))
    }

    /// The weights of `network`: every one of them by name and shape, none over, all finite.
    fn weights(&self, key: &str, module: &Module, network: &Network, device: &Device) -> Result<Weights> {
        self.check_resamplers(key, module, network)?;
        let tensors = module.parameters.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        self.in_order(key, tensors, network, device)
    }

    /// Second moments and steps. The first moments are not read: with beta1 = 0 they are the last gradients, which
    /// no further step needs.
    fn adam(&self, key: &str, module: &Module, network: &Network, device: &Device) -> Result<Adam> {
        let found = self.file.optimizer(key).map_err(|problem| self.refuse(problem.to_string()))?;
        let Optimizer { steps, second_moments, beta1, epsilon, weight_decay } =
            found.ok_or_else(|| self.lacks(key))?;
        if (beta1, epsilon, weight_decay) != (0.0, EPSILON, 0.0) {
            return Err(self.refuse(format!(
                "has {key} of another Adam (beta1 {beta1}, eps {epsilon}, weight_decay {weight_decay}); R3GAN's has \
                 0, {EPSILON} and 0"
            )));
        }
        if second_moments.len() != module.parameters.len() {
            let (moments, parameters) = (second_moments.len(), module.parameters.len());
            return Err(self.refuse(format!("has {key} of {moments} parameters, not of {parameters}")));
        }
        let named = module.parameters.iter().map(|(name, _)| name.as_str()).zip(&second_moments);
        let second_moments = self.in_order(key, named.collect(), network, device)?;
        Ok(Adam { second_moments, steps })
    }

    /// Tensors by published name in the network's own order.
    fn in_order(
        &self,
        key: &str,
        mut tensors: HashMap<&str, &reader::Tensor>,
        network: &Network,
        device: &Device,
    ) -> Result<Weights> {
        let names = published::names(&self.network, network).unwrap_or_default();
        let mut weights = Vec::with_capacity(names.len());
        for (name, spec) in names.iter().zip(&network.parameters) {
            let Some(tensor) = tensors.remove(name.as_str()) else {
                return Err(self.refuse(format!("lacks {key}'s {name}, so it is not complete")));
            };
            if tensor.shape != spec.shape {
                return Err(self.refuse(format!(
                    "has {key}'s {name} with shape {:?}, where the network around it needs {:?}",
                    tensor.shape, spec.shape
                )));
            }
            let values = tensor.values();
            if values.iter().any(|value| !value.is_finite()) {
                return Err(self.refuse(format!("has values in {key}'s {name} that are not finite")));
            }
            weights.push(Tensor::from_data(TensorData::new(values, [spec.len()]), device));
        }
        match tensors.keys().min() {
            Some(over) => Err(self.refuse(format!("has {key}'s {over:?}, which networks of R3GAN have not"))),
            None => Ok(weights),
        }
    }

    /// Resampling is a fixed filter here, so a snapshot's has to be the same.
    fn check_resamplers(&self, key: &str, module: &Module, network: &Network) -> Result<()> {
        let mut expected = published::resamplers(&self.network, network.role);
        let mut found: Vec<_> = module.buffers.iter().map(|(name, _)| name.clone()).collect();
        expected.sort();
        found.sort();
        if expected != found {
            return Err(self.refuse(format!("has other resampling in {key} than networks of R3GAN")));
        }
        let filter: Vec<f32> = FILTER.iter().flat_map(|a| FILTER.map(|b| a * b / 64.0)).collect();
        let is_filter = |(_, tensor): &(String, reader::Tensor)| {
            // Sixty-fourths are exact.
            tensor.shape == [4, 4] && tensor.values() == filter
        };
        match module.buffers.iter().find(|buffer| !is_filter(buffer)) {
            Some((name, _)) => {
                Err(self
                    .refuse(format!("has another filter in {key}'s {name} than [1, 2, 1] for resampling")))
            }
            None => Ok(()),
        }
    }
}
