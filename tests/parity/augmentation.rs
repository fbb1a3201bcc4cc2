//! The augmentation against the reference's: every transform alone and together, with vector-Jacobian products,
//! and the gradients of both players through it.

use burn::tensor::Device;
use r3gan::augment::{Pipeline, Transforms};

use crate::compare::{assert_within, host};
use crate::fixtures::{Fixture, folders_with};
use crate::platform::on_devices;

/// Largest difference of a value, in pictures of about unit size.
const TOLERANCE: f32 = 1e-4;

/// The transforms that the reference makes of its `debug_percentile`; `which` is one transform's name, or `all`.
pub fn at_percentile(which: &str, percentile: f32) -> Transforms {
    let q = percentile;
    // erfinv(2q - 1), which the reference takes for the normal's quantile.
    let table =
        [(0.1, -0.906_193_8), (0.3, -0.370_807_16), (0.5, 0.0), (0.7, 0.370_807_16), (0.9, 0.906_193_8)];
    let e: f32 = table.iter().find(|(known, _)| *known == q).expect("a percentile of the fixtures").1;
    let angle = (2.0 * q - 1.0) * std::f32::consts::PI;
    let all = Transforms {
        flip: (2.0 * q).floor() > 0.0,
        turns: (4.0 * q).floor() as u8,
        shift: [(2.0 * q - 1.0) * 0.125; 2],
        scale: (0.2 * e).exp2(),
        rotation: [angle, 0.0],
        aspect: (0.2 * e).exp2(),
        fine_shift: [0.125 * e; 2],
        brightness: 0.2 * e,
        contrast: (0.5 * e).exp2(),
        luma_flip: (2.0 * q).floor() > 0.0,
        hue: angle,
        saturation: e.exp2(),
        hole_size: 0.5,
        hole_centre: [q; 2],
    };
    let none = Transforms::NONE;
    match which {
        "all" => all,
        "xflip" => Transforms { flip: all.flip, ..none },
        "rotate90" => Transforms { turns: all.turns, ..none },
        "xint" => Transforms { shift: all.shift, ..none },
        "scale" => Transforms { scale: all.scale, ..none },
        "rotate" => Transforms { rotation: all.rotation, ..none },
        "aniso" => Transforms { aspect: all.aspect, ..none },
        "xfrac" => Transforms { fine_shift: all.fine_shift, ..none },
        "brightness" => Transforms { brightness: all.brightness, ..none },
        "contrast" => Transforms { contrast: all.contrast, ..none },
        "lumaflip" => Transforms { luma_flip: all.luma_flip, ..none },
        "hue" => Transforms { hue: all.hue, ..none },
        "saturation" => Transforms { saturation: all.saturation, ..none },
        "cutout" => Transforms { hole_size: all.hole_size, hole_centre: all.hole_centre, ..none },
        unknown => panic!("no transform {unknown}"),
    }
}

fn fixtures() -> Vec<Fixture> {
    let found: Vec<Fixture> =
        folders_with(&["input.safetensors", "output.safetensors", "vjp.safetensors", "geometry.safetensors"])
            .into_iter()
            .filter(|fixture| fixture.meta["percentiles"].is_array())
            .collect();
    assert!(!found.is_empty(), "no fixture was made at percentiles");
    found
}

/// `all.0.3` as the pipeline of that transform and percentile.
fn named(key: &str) -> Transforms {
    let (which, percentile) = key.split_once('.').expect("a transform and a percentile");
    at_percentile(which, percentile.parse().expect("a number"))
}

async fn transforms_and_their_adjoints(device: &Device) {
    for fixture in fixtures() {
        let (input, output, vjp) = ("input.safetensors", "output.safetensors", "vjp.safetensors");
        let [input, output, vjp] = [input, output, vjp].map(|file| fixture.file(file));
        let (x, v) = (input.pictures("input", device), input.pictures("v", device));
        let [batch, side, _, channels] = x.dims();
        let pipeline = Pipeline::new(side, channels, device);
        for key in output.names() {
            let augmentation = pipeline.augmentation(&vec![named(&key); batch]);
            let y = host(augmentation.apply(x.clone()).permute([0, 3, 1, 2])).await;
            let what = format!("{} {key}", fixture.name);
            assert_within(&what, &y, &output.values(&key).1, TOLERANCE);
            if vjp.names().contains(&key) {
                let back = host(augmentation.adjoint(v.clone()).permute([0, 3, 1, 2])).await;
                assert_within(&format!("{what}, adjoint"), &back, &vjp.values(&key).1, TOLERANCE);
            }
        }
    }
}

on_devices! { transforms_and_their_adjoints }
