//! The full-size CIFAR-10 preset with weights by recipe: pictures and logits of the official code.

use burn::tensor::{Device, Tensor, TensorData};
use r3gan::network::{Network, NetworkConfig, Weights, published};
use r3gan::preset;

use crate::compare::{assert_close, host};
use crate::fixtures::folders_with;
use crate::platform::on_fast_devices;

/// 20 million weights summed in f32 in another order.
const TOLERANCE: f32 = 1e-4;

/// CRC-32 of a name, as zlib's.
fn crc32(text: &str) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

/// How a parameter's values follow from its published name and shape.
type Recipe = fn(&str, &[usize]) -> Vec<f32>;

/// `w_i = 0.02 sin(0.37 i + crc mod 1000)`
fn sine(name: &str, shape: &[usize]) -> Vec<f32> {
    let phase = f64::from(crc32(name) % 1000);
    let count: usize = shape.iter().product();
    (0..count).map(|index| (0.02 * (0.37 * index as f64 + phase).sin()) as f32).collect()
}

/// SplitMix64 of name and index, scaled by the kind of parameter; see the fixture's `meta.json`.
fn hash(name: &str, shape: &[usize]) -> Vec<f32> {
    let crc = u64::from(crc32(name)) << 32;
    let fan_in: usize = shape[1..].iter().product();
    let scale = match name {
        name if name.ends_with("Bias") => 0.2,
        name if name.ends_with(".Basis") && shape.len() == 3 => 3f64.sqrt(),
        name if name.contains(".LinearLayer3.") => 0.25 * (3.0 / fan_in as f64).sqrt(),
        _ => (3.0 / fan_in as f64).sqrt(),
    };
    let value = |index: usize| {
        let x = crc | index as u64;
        let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let u = (z >> 40) as f64 / f64::from(1u32 << 24);
        ((2.0 * u - 1.0) * scale) as f32
    };
    (0..shape.iter().product()).map(value).collect()
}

fn recipe_weights(recipe: Recipe, config: &NetworkConfig, network: &Network, device: &Device) -> Weights {
    let names = published::names(config, network).expect("a published family");
    let build = |(name, spec): (&String, &r3gan::network::ParameterSpec)| {
        Tensor::from_data(TensorData::new(recipe(name, &spec.shape), [spec.len()]), device)
    };
    names.iter().zip(&network.parameters).map(build).collect()
}

async fn pictures_and_logits(device: &Device) {
    let mut fixtures = folders_with(&["io.safetensors"]);
    fixtures.retain(|fixture| fixture.meta.get("recipes").is_some());
    assert!(!fixtures.is_empty(), "no fixture has recipes");
    for fixture in fixtures {
        let io = fixture.file("io.safetensors");
        let (shape, labels) = io.values("c");
        let labels: Tensor<2> = Tensor::from_data(TensorData::new(labels, [shape[0], shape[1]]), device);
        let name = fixture.meta["preset"].as_str().expect("a preset").to_lowercase();
        let config = preset::config(&name, shape[1]).expect("a preset of ours").network;
        let (generator, critic) =
            (config.generator().expect("a generator"), config.critic().expect("a critic"));
        for (recipe, weight) in [("hash", hash as Recipe), ("sin", sine)] {
            let weights = recipe_weights(weight, &config, &generator, device);
            let image = generator.evaluate(&weights, io.rows("z", device), Some(&labels));
            let what = format!("{recipe}.image");
            assert_close(&what, &host(image.permute([0, 3, 1, 2])).await, &io.values(&what).1, TOLERANCE);
            let weights = recipe_weights(weight, &config, &critic, device);
            let logits = critic.evaluate(&weights, io.pictures("d_input", device), Some(&labels));
            let what = format!("{recipe}.logits");
            assert_close(&what, &host(logits).await, &io.values(&what).1, TOLERANCE);
        }
    }
}

on_fast_devices! { pictures_and_logits }
