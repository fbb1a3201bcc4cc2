//! Which networks a snapshot holds: read off the names and shapes of its parameters.

use std::collections::HashMap;

use super::reader::Module;
use crate::network::{Architecture, NetworkConfig};
use crate::preset;

/// Width of the label embedding of every preset's generator; an unconditional network has none.
const EMBEDDING: usize = 64;

/// What a snapshot's network is called that no preset has.
pub const CUSTOM: &str = "custom";

/// Shapes by published name.
struct Shapes<'a>(HashMap<&'a str, &'a [usize]>);

impl<'a> Shapes<'a> {
    fn of(module: &'a Module) -> Self {
        let shape = |(name, tensor): &'a (String, super::reader::Tensor)| (name.as_str(), &*tensor.shape);
        Self(module.parameters.iter().map(shape).collect())
    }

    fn get<const N: usize>(&self, name: &str) -> Result<[usize; N], String> {
        let shape = self.0.get(name).ok_or_else(|| format!("lacks {name}"))?;
        (*shape).try_into().map_err(|_| format!("has {name} with shape {shape:?}"))
    }
}

/// The pair that a generator belongs to, and its critic if there is one. The reason otherwise.
///
/// The sizes are read from a few parameters, so the networks still have to be compared with all of them.
pub fn pair(generator: &Module, critic: Option<&Module>) -> Result<NetworkConfig, String> {
    let shapes = Shapes::of(generator);
    let (mut widths, mut cardinality, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    let mut expansion = 0;
    let first_of = |stage: usize, block: usize| {
        format!("Model.MainLayers.{stage}.Layers.{}.LinearLayer1.Layer.weight", block + 1)
    };
    while shapes.0.contains_key(&*first_of(widths.len(), 0)) {
        let stage = widths.len();
        let count = (0..).take_while(|block| shapes.0.contains_key(&*first_of(stage, *block))).count();
        let [channels, width, ..] = shapes.get::<4>(&first_of(stage, 0))?;
        let [_, group, ..] =
            shapes.get::<4>(&format!("Model.MainLayers.{stage}.Layers.1.LinearLayer2.Layer.weight"))?;
        if width == 0 || group == 0 {
            return Err(format!("has a stage {stage} without channels"));
        }
        widths.push(width);
        cardinality.push(channels / group);
        blocks.push(count);
        expansion = channels / width;
    }
    let Some(&first) = widths.first() else { return Err("has a generator without stages".into()) };
    let [_, inputs] = shapes.get("Model.MainLayers.0.Layers.0.LinearLayer.weight")?;
    let embedded = |shapes: &Shapes| shapes.get::<2>("Model.EmbeddingLayer.weight").ok();
    let (embedding, classes) = embedded(&shapes).map_or((0, 0), |[embedding, classes]| (embedding, classes));
    let latent = inputs.saturating_sub(embedding);
    let critic_embedding = critic.and_then(|critic| embedded(&Shapes::of(critic)));
    let config = NetworkConfig {
        latent,
        classes,
        architecture: Architecture::Convolutional {
            widths,
            cardinality,
            blocks,
            expansion,
            generator_embedding: if classes > 0 { embedding } else { EMBEDDING },
            critic_embedding: critic_embedding.map_or(first, |[embedding, _]| embedding),
        },
    };
    config.validate().map_err(|e| format!("has networks that cannot be used ({e})"))?;
    let side = config.sample_shape()[0];
    for (name, said, found) in [
        ("z_dim", generator.z_dim, latent),
        ("c_dim", generator.c_dim, classes),
        ("img_resolution", generator.img_resolution, side),
    ] {
        if said.is_some_and(|said| said != found as u64) {
            return Err(format!("says {name} {}, but its weights are made for {found}", said.unwrap_or(0)));
        }
    }
    Ok(config)
}

/// The preset that has these networks.
pub fn preset_of(network: &NetworkConfig) -> Option<&'static str> {
    preset::names()
        .find(|name| preset::config(name, network.classes).is_ok_and(|config| config.network == *network))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::published;
    use crate::official::reader::{Side, Tensor};

    /// A network's parameters as a snapshot has them, without values.
    fn module(config: &NetworkConfig, side: Side) -> Module<'static> {
        let network = if side == Side::Generator { config.generator() } else { config.critic() }.unwrap();
        let names = published::names(config, &network).unwrap();
        let tensors = network.parameters.iter().map(|p| Tensor { shape: p.shape.clone(), bytes: &[] });
        Module {
            side,
            parameters: names.into_iter().zip(tensors).collect(),
            buffers: Vec::new(),
            precision: Vec::new(),
            z_dim: None,
            c_dim: None,
            img_resolution: None,
        }
    }

    #[test]
    fn every_published_preset_is_recognised() {
        for name in ["cifar10", "ffhq-64", "ffhq-256", "imagenet-32", "imagenet-64", "demo-32"] {
            for classes in [0, preset::published_classes(name).unwrap()] {
                let network = preset::config(name, classes).unwrap().network;
                let (generator, critic) =
                    (module(&network, Side::Generator), module(&network, Side::Discriminator));
                let found = pair(&generator, Some(&critic)).unwrap();
                assert_eq!(found, network, "{name} with {classes} classes");
                assert_eq!(preset_of(&found), Some(name));
                assert_eq!(pair(&generator, None).unwrap(), network, "{name} without a critic");
            }
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_told() {
        let network = preset::config("cifar10", 10).unwrap().network;
        let mut generator = module(&network, Side::Generator);
        generator.img_resolution = Some(64);
        assert!(pair(&generator, None).unwrap_err().contains("img_resolution 64"));
        generator.parameters.retain(|(name, _)| !name.contains("LinearLayer1"));
        assert!(pair(&generator, None).unwrap_err().contains("without stages"));
        generator.parameters.clear();
        assert!(pair(&generator, None).is_err());
    }
}
