//! Feature extractors against PyTorch's numbers.

mod inception;
mod vgg16;

use std::path::Path;

use r3gan::checkpoint::container::Container;
use r3gan::metrics::Extractor;

/// Of the largest feature. Each is a sum of thousands of products, in another order.
const TOLERANCE: f32 = 1e-4;

/// Value (i, y, x, c) is (37 i + 7 y + 13 x + 29 c + 5 (x y mod 17)) mod 256.
fn pictures(count: usize, side: usize) -> Vec<u8> {
    let mut pixels = Vec::new();
    for i in 0..count {
        for y in 0..side {
            for x in 0..side {
                pixels.extend(
                    (0..3).map(|c| ((37 * i + 7 * y + 13 * x + 29 * c + 5 * (x * y % 17)) % 256) as u8),
                );
            }
        }
    }
    pixels
}

/// Three pictures of 32x32, and one of the size that the network sees, against the fixture in `folder`.
fn features_equal_pytorchs(extractor: &mut Extractor, folder: &str) {
    let origin = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(folder)
        .join("features.safetensors");
    let bytes = std::fs::read(&origin).expect("a fixture");
    let fixture = Container::parse(&bytes, &origin).expect("safetensors");
    for (count, side) in [(3, 32), (1, extractor.backbone().side())] {
        let expected = fixture.floats(&format!("of_{side}"), &[count, extractor.width()]).expect("features");
        let found = pollster::block_on(extractor.extract(&pictures(count, side), side, false))
            .expect("features")
            .features;
        let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(found.iter().all(|value| value.is_finite()), "{side}: features are numbers");
        let error = found.iter().zip(&expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(
            found.len() == expected.len() && error <= TOLERANCE * largest,
            "{side}: {error} of {largest}"
        );
        println!("{side}: features differ by at most {:.1e} of the largest", error / largest);
    }
}
