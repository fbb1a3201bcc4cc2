//! VGG16, with weights made here: the trained ones come with no package. `xtask/agreement/vgg16.py` made the numbers
//! with the same.

use std::path::Path;

use r3gan::backend;
use r3gan::checkpoint::container::{Entry, Values, encode};
use r3gan::metrics::{Backbone, Extractor};

/// `hashed` of `xtask/agreement/vgg16.py`: -0.5..0.5, 24 bits.
fn hashed(index: u32, layer: u32) -> f32 {
    let mut h = index.wrapping_mul(2_654_435_761).wrapping_add(layer * 40_503);
    h ^= h >> 15;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    (h >> 8) as f32 / (1 << 24) as f32 - 0.5
}

fn file() -> Vec<u8> {
    let mut entries = Vec::new();
    for (layer, (name, shape)) in (0..).zip(Backbone::Vgg16.layers()) {
        let inputs: usize = shape[1..].iter().product();
        let scale = (24.0 / inputs as f64).sqrt() as f32;
        let mut entry = |part: &str, shape: &[usize], layer: u32, scale: f32| {
            let count = shape.iter().product::<usize>() as u32;
            let values = Values::F32((0..count).map(|index| hashed(index, layer) * scale).collect());
            entries.push(Entry { name: format!("{name}.{part}"), shape: shape.into(), values });
        };
        entry("weight", &shape, layer, scale);
        entry("bias", &shape[..1], layer + 100, 0.1);
    }
    encode(&entries, None::<&()>)
}

#[test]
fn features_equal_pytorchs() {
    let device = backend::open("cpu").expect("a CPU");
    let mut extractor =
        Extractor::decode(&file(), Path::new("vgg16.safetensors"), &device).expect("an extractor");
    assert_eq!((extractor.backbone(), extractor.width()), (Backbone::Vgg16, 4096));
    super::features_equal_pytorchs(&mut extractor, "vgg16");
}
