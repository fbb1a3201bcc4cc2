//! Snapshots that the official training loop wrote: every tensor in them, and what the networks make of it.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use r3gan::checkpoint::Model;
use r3gan::network::{Architecture, Network, NetworkConfig, Weights, published};
use r3gan::official::Snapshot;
use r3gan::sampling::{self, Sampler};
use r3gan::training::{Adam, NumberFormat, Trainer};
use r3gan::{backend, pictures, preset};

use crate::compare::{FORWARD, assert_close, assert_within, host};
use crate::fixtures::{File, Fixture, folders_with};
use crate::platform::{NORMAL_UNITS, note, on_devices};

/// Of a picture's values, absolutely.
const PICTURE: f32 = 1e-5;
/// Of the largest value where the reference computed stages in bf16, which has 8 bits: 6e-3 was measured.
const HALVED: f32 = 2e-2;

/// A snapshot of a fixture, by the name of its files; `meta` is the snapshot's own part.
struct Official {
    fixture: Fixture,
    name: String,
    pickle: File,
}

impl Official {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for folder in folders_with(&["meta.json"]) {
            for (name, meta) in folder.meta["snapshots"].as_object().into_iter().flatten() {
                let fixture = Fixture { name: folder.name.clone(), meta: meta.clone() };
                let pickle = fixture.file(&format!("{name}.pkl"));
                all.push(Self { fixture, name: name.clone(), pickle });
            }
        }
        assert!(!all.is_empty(), "no fixture has snapshots");
        all
    }

    fn file(&self, part: &str) -> File {
        self.fixture.file(&format!("{}.{part}.safetensors", self.name))
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::read(&self.pickle.bytes, Path::new(&self.pickle.path)).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The networks that the fixture describes; the embeddings that an unconditional pair has not are those of
    /// every preset.
    fn config(&self) -> NetworkConfig {
        let mut config = self.fixture.config();
        if let (Architecture::Convolutional { widths, generator_embedding, critic_embedding, .. }, 0) =
            (&mut config.architecture, config.classes)
        {
            (*generator_embedding, *critic_embedding) = (64, widths[0]);
        }
        config
    }

    /// The run that goes on from it; the preset only lends its schedules.
    fn trainer(&self, device: &Device) -> Trainer {
        let config = preset::config("cifar10", 0).expect("a preset");
        self.snapshot().trainer(config, device).unwrap_or_else(|e| panic!("{e}"))
    }
}

async fn assert_bits(what: &str, theirs: &File, names: &[String], prefix: &str, ours: &Weights) {
    assert_eq!(names.len(), ours.len(), "{what}");
    for (name, ours) in names.iter().zip(ours) {
        let expected = theirs.values(&format!("{prefix}{name}")).1;
        assert_eq!(host(ours.clone()).await, expected, "{what} {name}");
    }
}

async fn assert_adam(what: &str, theirs: &File, network: &Network, config: &NetworkConfig, adam: &Adam) {
    let names = published::names(config, network).expect("a published family");
    assert_bits(what, theirs, &names, "exp_avg_sq.", &adam.second_moments).await;
    assert_eq!(theirs.values("step").1, [adam.steps as f32], "{what}");
}

/// Weights, second moments and counts are those of the file, to the bit.
async fn every_tensor_is_taken(device: &Device) {
    for official in Official::all() {
        let trainer = official.trainer(device);
        let Trainer { generator, critic, players, config, .. } = &trainer;
        assert_eq!(config.network, official.config());
        assert_eq!(Some(trainer.images), official.fixture.meta["cur_nimg"].as_u64());
        for (part, network, weights) in [
            ("G", generator, &players.generator),
            ("D", critic, &players.critic),
            ("G_ema", generator, &players.average),
        ] {
            let theirs = official.file(part);
            let names = published::names(&config.network, network).expect("a published family");
            assert_bits(part, &theirs, &names, "", weights).await;
            // What is left are the resamplers' kernels.
            let kernels = published::resamplers(&config.network, network.role);
            let mut all = [names, kernels].concat();
            all.sort();
            assert_eq!(theirs.names(), all, "{part}");
        }
        for (part, network, adam) in
            [("G_opt", generator, &players.generator_adam), ("D_opt", critic, &players.critic_adam)]
        {
            assert_adam(part, &official.file(part), network, &config.network, adam).await;
        }
    }
}

/// What the official gen_images makes of the same seeds, and the critic's logits.
async fn pictures_and_logits(device: &Device) {
    for official in Official::all() {
        let model = Model::decode(&official.pickle.bytes, Path::new(&official.pickle.path), device);
        let model = model.unwrap_or_else(|e| panic!("{e}"));
        let expected = official.file("expected");
        let list = |key: &str| official.fixture.meta[key].as_array().expect("a list").clone();
        let seeds: Vec<u32> =
            list("seeds").iter().map(|seed| seed.as_u64().expect("a seed") as u32).collect();
        let precision = model.header.official_precision.as_ref().expect("each stage says its number format");
        let stages = [&precision.generator, &precision.critic].map(|formats| {
            assert!(!formats.is_empty());
            formats.contains(&NumberFormat::BFloat16)
        });

        let sampler = Sampler::new(model);
        let header = sampler.header();
        let latents = sampling::latents(&seeds, header.network.latent);
        let tolerance = if NORMAL_UNITS == 0 { 0.0 } else { f32::EPSILON };
        assert_close("latents", &latents, &expected.values("z").1, tolerance);
        let mut ours = Vec::new();
        for class in list("classes") {
            let labels = class.as_u64().map(|class| {
                let numbers = vec![class as usize; seeds.len()];
                sampling::one_hot(&numbers, header.network.classes).expect("labels")
            });
            let samples = sampler.sample(&latents, labels.as_deref(), 16).await;
            ours.extend(samples.expect("samples"));
        }
        let (shape, _) = expected.values("images");
        let theirs = host(expected.pictures("images", device)).await;
        let [halved_pictures, halved_logits] = stages;
        if halved_pictures {
            assert_close("images", &ours, &theirs, HALVED);
        } else {
            assert_within("images", &ours, &theirs, PICTURE);
            let (_, pixels) = expected.pixels("gen_images_uint8_hwc");
            let moved: Vec<u8> =
                pictures::to_pixels(&ours).iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).collect();
            let most = moved.iter().copied().max();
            // On a GPU a value on the border of two levels may fall to the other side.
            assert!(most <= Some(u8::from(!backend::is_cpu(device))), "a level differs by {most:?}");
            note(&format!("{}: {shape:?}, levels differ by at most {most:?}", official.name));
        }

        let trainer = official.trainer(device);
        let images = expected.pictures("d_input", device);
        let classes = header.network.classes;
        let labels = labels_of(&official, &expected, [images.dims()[0], classes], device);
        if labels.is_none() && classes > 0 {
            note(&format!("{}: nothing says the labels of the critic's pictures", official.name));
            continue;
        }
        let logits = trainer.critic.evaluate(&trainer.players.critic, images, labels.as_ref());
        let tolerance = if halved_logits { HALVED } else { FORWARD };
        assert_close("d_logits", &host(logits).await, &expected.values("d_logits").1, tolerance);
    }
}

/// The labels of a conditional critic's pictures: the tensor of their shape, or a list of classes.
fn labels_of(official: &Official, file: &File, shape: [usize; 2], device: &Device) -> Option<Tensor<2>> {
    let [_, classes] = shape;
    if classes == 0 {
        return None;
    }
    let given = file.names().into_iter().filter(|name| !name.ends_with("_hwc"));
    let given = given.map(|name| file.values(&name)).find(|(found, _)| *found == shape);
    let listed = || {
        let mut lists = ["d_labels", "c_labels"].into_iter().map(|key| &official.fixture.meta[key]);
        let numbers = lists.find_map(|list| list.as_array())?.iter();
        let numbers: Vec<_> = numbers.map(|class| class.as_u64().expect("a class") as usize).collect();
        Some(sampling::one_hot(&numbers, classes).expect("labels"))
    };
    let values = given.map(|(_, values)| values).or_else(listed)?;
    Some(Tensor::from_data(TensorData::new(values, shape), device))
}

on_devices! { every_tensor_is_taken, pictures_and_logits }
