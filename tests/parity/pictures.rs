//! The same seed gives the same picture: on the CPU, on a GPU, natively and in a browser.

use std::path::Path;

use burn::tensor::Device;
use r3gan::checkpoint::Model;
use r3gan::sampling::{self, Sampler};
use r3gan::{backend, pictures};

use crate::compare::{FORWARD, assert_close, largest_difference};
use crate::fixtures::{File, folders_with};
use crate::platform::{NORMAL_UNITS, SAMPLES_ON_CPU, note, on_devices};

/// Models of ours with samples by seed (and class) that the command line made on the CPU; `meta.json` says how.
async fn same_seed_same_picture(device: &Device) {
    for fixture in folders_with(&["model.safetensors", "samples.safetensors"]) {
        let model = fixture.file("model.safetensors");
        let model = Model::decode(&model.bytes, Path::new(&model.path), device).expect("a model");
        let seeds = fixture.meta["seeds"].as_array().expect("a list of seeds");
        let seeds: Vec<u32> = seeds.iter().map(|seed| seed.as_u64().expect("a seed") as u32).collect();
        let samples = fixture.file("samples.safetensors");

        let latents = sampling::latents(&seeds, model.header.network.latent);
        let (_, expected) = samples.values("latents");
        // In units of f64: what is left of a difference after rounding to f32 is at most one unit there.
        let tolerance = if NORMAL_UNITS == 0 { 0.0 } else { f32::EPSILON };
        assert_close("latents", &latents, &expected, tolerance);

        let labels = fixture.meta["classes"].as_array().map(|classes| {
            let classes: Vec<_> = classes.iter().map(|c| c.as_u64().expect("a class") as usize).collect();
            sampling::one_hot(&classes, model.header.network.classes).expect("labels")
        });
        let ours = Sampler::new(model).sample(&latents, labels.as_deref(), 16).await.expect("samples");
        let expected = channels_last(&samples, "images");
        let on_cpu = backend::is_cpu(device);
        assert_close("samples", &ours, &expected, if on_cpu { SAMPLES_ON_CPU } else { FORWARD });

        // A value that lies on the border of two levels may fall to either side, by one.
        let (our_pixels, pixels) = (pictures::to_pixels(&ours), pictures::to_pixels(&expected));
        let moved = our_pixels.iter().zip(&pixels).filter(|(a, b)| a != b).count();
        let most = our_pixels.iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
        note(&format!(
            "{}: latents differ by {:e}, samples by {:e}, {moved} of {} levels by at most {}",
            fixture.name,
            largest_difference(&latents, &samples.values("latents").1),
            largest_difference(&ours, &expected),
            pixels.len(),
            most.unwrap_or(0)
        ));
        assert!(most <= Some(1), "a level differs by {most:?}");
        assert!(moved * 1000 <= pixels.len(), "{moved} of {} levels differ", pixels.len());
    }
}

/// `[n, c, h, w]` as `[n, h, w, c]`.
fn channels_last(file: &File, name: &str) -> Vec<f32> {
    let (shape, values) = file.values(name);
    let &[count, channels, height, width] = &shape[..] else { panic!("{name} has shape {shape:?}") };
    let plane = height * width;
    let place = |index: usize| {
        let (pixel, channel) = (index / channels, index % channels);
        (pixel / plane * channels + channel) * plane + pixel % plane
    };
    (0..count * plane * channels).map(|index| values[place(index)]).collect()
}

on_devices! { same_seed_same_picture }
