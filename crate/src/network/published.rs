//! The published names of parameters: the one place that knows them.
//!
//! Names and their order are those of the official checkpoints (training notes, section 3).

use super::{Architecture, Network, NetworkConfig, Role};

/// The published name of every parameter of `network`, in order; `None` for a pair that was never published.
pub fn names(config: &NetworkConfig, network: &Network) -> Option<Vec<String>> {
    let Architecture::Convolutional { blocks, .. } = &config.architecture else { return None };
    network.parameters.iter().map(|spec| name(network.role, blocks, &spec.name)).collect()
}

/// The published names of the resampling kernels, which are buffers: all hold the same numbers.
pub fn resamplers(config: &NetworkConfig, role: Role) -> Vec<String> {
    let Architecture::Convolutional { blocks, .. } = &config.architecture else { return Vec::new() };
    let (last, upwards) = (blocks.len().saturating_sub(1), blocks.iter().rev());
    let layers: Vec<(usize, usize)> = match role {
        Role::Generator => (1..=last).map(|stage| (stage, 0)).collect(),
        Role::Critic => upwards.copied().enumerate().take(last).collect(),
    };
    let name = |(stage, layer)| format!("Model.MainLayers.{stage}.Layers.{layer}.Resampler.Kernel");
    layers.into_iter().map(name).collect()
}

/// `stage1.block0.mix.bias` to `Model.MainLayers.1.Layers.1.NonLinearity2.Bias`.
fn name(role: Role, blocks: &[usize], ours: &str) -> Option<String> {
    let mut parts = ours.split('.');
    let (room, rest) = (parts.next()?, parts.collect::<Vec<_>>());
    match (role, room) {
        (Role::Generator, "rgb") => return Some("Model.AggregationLayer.Layer.weight".into()),
        (Role::Critic, "rgb") => return Some("Model.ExtractionLayer.Layer.weight".into()),
        (_, "embed") => return Some("Model.EmbeddingLayer.weight".into()),
        _ => {}
    }
    let stage: usize = room.strip_prefix("stage")?.parse().ok()?;
    // A stage's list of layers starts (generator) or ends (critic) with its transition.
    let inner =
        |stage: usize, layer: usize, what: &str| format!("Model.MainLayers.{stage}.Layers.{layer}.{what}");
    let blocks_in = |stage: usize| match role {
        Role::Generator => blocks.get(stage).copied(),
        Role::Critic => blocks.iter().rev().nth(stage).copied(),
    };
    Some(match (role, rest.as_slice()) {
        (Role::Generator, ["basis"]) => inner(stage, 0, "Basis"),
        (Role::Generator, ["project", "weight"]) => inner(stage, 0, "LinearLayer.weight"),
        (Role::Generator, ["change", "weight"]) => inner(stage, 0, "LinearLayer.Layer.weight"),
        (Role::Critic, ["basis"]) => inner(stage, blocks_in(stage)?, "Basis.weight"),
        (Role::Critic, ["project", "weight"]) => inner(stage, blocks_in(stage)?, "LinearLayer.weight"),
        // The critic's change of width belongs to the stage that it leaves.
        (Role::Critic, ["change", "weight"]) => {
            let left = stage.checked_sub(1)?;
            inner(left, blocks_in(left)?, "LinearLayer.Layer.weight")
        }
        (_, [block, part, kind]) => {
            let block: usize = block.strip_prefix("block")?.parse().ok()?;
            let layer = block + usize::from(role == Role::Generator);
            let what = match (*part, *kind) {
                ("expand", "weight") => "LinearLayer1.Layer.weight",
                ("mix", "weight") => "LinearLayer2.Layer.weight",
                ("contract", "weight") => "LinearLayer3.Layer.weight",
                ("expand", "bias") => "NonLinearity1.Bias",
                ("mix", "bias") => "NonLinearity2.Bias",
                _ => return None,
            };
            inner(stage, layer, what)
        }
        _ => return None,
    })
}
