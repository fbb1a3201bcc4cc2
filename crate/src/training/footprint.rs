//! How much memory a configuration needs, from its description alone, before any is taken.

use burn::tensor::Device;

use crate::backend;
use crate::config::TrainingConfig;
use crate::error::{Error, Result};
use crate::linear::{LinearMap, basis::SIDE, resample::Resample};
use crate::network::{Layer, Network};

const BYTES: u64 = 4;
/// Copies of every weight: the weight, its gradient, its second moment, the average, and one in flight.
const WEIGHT_COPIES: u64 = 5;

/// About the peak of a training step in bytes, all of it counted in f32.
///
/// Activations dominate: a pass keeps each layer's output once, for reals and fakes in the critic's phase.
/// Measured peaks are within a quarter of this for the small presets on the CPU.
pub fn bytes(config: &TrainingConfig) -> Result<u64> {
    let (generator, critic) = (config.network.generator()?, config.network.critic()?);
    let [height, width, channels] = config.network.sample_shape();
    let made = outputs(&generator, [1, 1, config.network.latent]);
    let judged = outputs(&critic, [height, width, channels]);
    let weights = (generator.parameter_count() + critic.parameter_count()) as u64;
    let activations = config.pass() as u64 * made.max(2 * judged).max(made + judged);
    Ok(BYTES.saturating_mul(weights.saturating_mul(WEIGHT_COPIES).saturating_add(activations)))
}

/// Refuses a configuration that the device cannot hold.
///
/// # Errors
/// [`Error::Memory`]; only the CPU says how much memory is free, other devices are not checked.
pub fn check(config: &TrainingConfig, device: &Device) -> Result<()> {
    let (needed, Some(free)) = (bytes(config)?, backend::free_memory(device)) else { return Ok(()) };
    if needed <= free {
        return Ok(());
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let reason = format!(
        "a step with {} samples a pass needs about {:.1} GB and {:.1} GB are free; use a smaller batch, micro-batch or \
         network",
        config.pass(),
        gigabytes(needed),
        gigabytes(free)
    );
    Err(Error::Memory { name: "batch".into(), reason })
}

/// Values of all layers' outputs for one sample of shape `[height, width, channels]`.
fn outputs(network: &Network, shape: [usize; 3]) -> u64 {
    let mut total = 0;
    follow(&network.layers, shape, &mut total);
    total
}

/// Adds up the layers' outputs and gives the shape after them.
fn follow(layers: &[Layer], mut shape: [usize; 3], total: &mut u64) -> [usize; 3] {
    for layer in layers {
        let [height, width, channels] = shape;
        shape = match layer {
            Layer::Linear { map, .. } => match *map {
                LinearMap::Pointwise { outputs, .. } => [height, width, outputs],
                LinearMap::Grouped { .. } => shape,
                LinearMap::ExpandBasis { channels } => [SIDE, SIDE, channels],
                LinearMap::ContractBasis { channels } => [1, 1, channels],
                LinearMap::Project { .. } => [1, 1, 1],
            },
            Layer::Activation { .. } => shape,
            Layer::AppendLabel { embedding, .. } => [height, width, channels + embedding],
            Layer::Resample(Resample::Up) => [2 * height, 2 * width, channels],
            Layer::Resample(Resample::Down) => [height / 2, width / 2, channels],
            Layer::Residual(inner) | Layer::Reduced { layers: inner, .. } => follow(inner, shape, total),
        };
        *total += shape.iter().map(|size| *size as u64).product::<u64>();
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset;

    #[test]
    fn counts_every_layer_of_a_perceptron() {
        let config = preset::config("points", 0).unwrap();
        let critic = config.network.critic().unwrap();
        // Three hidden layers of 256, each a product and an activation, and one logit.
        assert_eq!(outputs(&critic, [1, 1, 2]), 3 * 2 * 256 + 1);
    }

    #[test]
    fn refuses_what_no_machine_holds() {
        let config = preset::config("ffhq-256", 0).unwrap().with_overrides(&["batch=65536".into()]).unwrap();
        let refused = check(&config, &backend::open("cpu").unwrap()).unwrap_err();
        assert!(refused.to_string().starts_with("batch: a step with"), "{refused}");
    }
}
