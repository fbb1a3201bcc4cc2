//! Checkpoints: everything that a run needs to go on as if it had never stopped.

use std::path::Path;

use burn::tensor::Device;

use super::container::{Container, Entry, Values, encode, entries};
use super::header::{AVERAGE, DataState, FORMAT, Kind, KindHeader, TrainingHeader};
use crate::error::{Error, Result};
use crate::official;
use crate::random::{RandomSnapshot, RandomState};
use crate::training::{Adam, Players, Trainer};

const GENERATOR: &str = "generator.";
const CRITIC: &str = "critic.";
const GENERATOR_MOMENTS: &str = "adam.generator.";
const CRITIC_MOMENTS: &str = "adam.critic.";
const NOISE_KEY: &str = "noise.key";
const NOISE_WORDS: usize = 624;
/// The longest run that a configuration allows.
const MOST_IMAGES: u64 = 1_000_000_000_000;
/// The largest batch that a configuration allows.
const MOST_BATCH: u64 = 65_536;

/// The bytes of a checkpoint.
///
/// # Errors
/// [`Error::Diverged`] if a weight is not finite: such a state is not worth keeping.
pub async fn encode_checkpoint(trainer: &Trainer, data: &DataState) -> Result<Vec<u8>> {
    let noise = trainer.noise.state();
    let players = &trainer.players;
    let header = TrainingHeader {
        format: FORMAT,
        kind: Kind::Checkpoint,
        config: trainer.config.clone(),
        images: trainer.images,
        generator_steps: players.generator_adam.steps,
        critic_steps: players.critic_adam.steps,
        data: data.clone(),
        noise_position: noise.position,
        noise_cached: noise.cached,
        licence: trainer.origin.licence.clone(),
        official_precision: trainer.origin.official_precision.clone(),
    };
    let (generator, critic) = (&trainer.generator, &trainer.critic);
    let mut all =
        vec![Entry { name: NOISE_KEY.into(), shape: vec![NOISE_WORDS], values: Values::U32(noise.key) }];
    for (prefix, network, weights) in [
        (GENERATOR, generator, &players.generator),
        (CRITIC, critic, &players.critic),
        (AVERAGE, generator, &players.average),
        (GENERATOR_MOMENTS, generator, &players.generator_adam.second_moments),
        (CRITIC_MOMENTS, critic, &players.critic_adam.second_moments),
    ] {
        all.extend(entries(prefix, network, weights).await?);
    }
    Ok(encode(&all, Some(&header)))
}

/// The trainer of a checkpoint, on `device`, and where it is in its data.
pub fn decode_checkpoint(bytes: &[u8], origin: &Path, device: &Device) -> Result<(Trainer, DataState)> {
    if official::Snapshot::is_one(bytes) {
        let reason = "is an official snapshot; make a checkpoint of it with `r3gan import FILE --full --out \
                      checkpoint.safetensors`, and resume from that";
        return Err(Error::input(origin, reason));
    }
    let file = Container::parse(bytes, origin)?;
    let header = header(&file, origin)?;
    let unusable = |e: Error| Error::input(origin, format!("has a configuration that cannot be used ({e})"));
    header.config.validate().map_err(unusable)?;
    // All are counted on from here, and the order of the data is replayed to its position.
    let TrainingHeader { images, generator_steps, critic_steps, .. } = header;
    let position = header.data.position;
    // An iteration takes two batches; a generator's step out of turn takes one more.
    let most_drawn = 2 * images.min(MOST_IMAGES) + MOST_BATCH * generator_steps.min(MOST_IMAGES);
    if images > MOST_IMAGES || critic_steps > images || generator_steps > MOST_IMAGES || position > most_drawn
    {
        let reason = format!(
            "claims {images} images, {critic_steps} and {generator_steps} steps, and position {position} in its \
             data, which no run has"
        );
        return Err(Error::input(origin, reason));
    }
    let generator = header.config.network.generator().map_err(unusable)?;
    let critic = header.config.network.critic().map_err(unusable)?;

    let generator_adam = Adam {
        second_moments: file.weights(GENERATOR_MOMENTS, &generator, device)?,
        steps: header.generator_steps,
    };
    let critic_adam =
        Adam { second_moments: file.weights(CRITIC_MOMENTS, &critic, device)?, steps: header.critic_steps };
    let players = Players {
        generator: file.weights(GENERATOR, &generator, device)?,
        critic: file.weights(CRITIC, &critic, device)?,
        average: file.weights(AVERAGE, &generator, device)?,
        generator_adam,
        critic_adam,
    };
    let snapshot = RandomSnapshot {
        key: file.words(NOISE_KEY, NOISE_WORDS)?,
        position: header.noise_position,
        cached: header.noise_cached,
    };
    let noise = RandomState::from_snapshot(&snapshot)
        .map_err(|e| Error::input(origin, format!("has a random state that cannot be used ({e})")))?;
    let about = header.origin();
    let mut trainer = Trainer::from_parts(header.config, players, noise, about, device).map_err(unusable)?;
    trainer.images = header.images;
    Ok((trainer, header.data))
}

/// The header of a checkpoint; a model is refused with the way out.
pub fn header(file: &Container, origin: &Path) -> Result<TrainingHeader> {
    match KindHeader::of(file, origin)? {
        Kind::Checkpoint => file.header(),
        Kind::Model => Err(Error::input(
            origin,
            "is a model, which has no training state; resume from a checkpoint-*.safetensors file",
        )),
    }
}
