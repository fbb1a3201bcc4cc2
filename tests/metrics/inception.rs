//! FID's Inception. Its weights are 87 MB and not here: `cargo xtask data inception` fetches them, and
//! `R3GAN_INCEPTION` names the file. `xtask/agreement/features.py` made the numbers.

use std::path::Path;

use r3gan::backend;
use r3gan::metrics::Extractor;

fn on(device: &str) {
    let device = backend::open(device).expect("a device");
    let place = std::env::var("R3GAN_INCEPTION").expect("R3GAN_INCEPTION names an extractor");
    let mut extractor = Extractor::open(Path::new(&place), &device).expect("an extractor");
    super::features_equal_pytorchs(&mut extractor, "inception");
}

#[test]
#[ignore = "needs the 87 MB that R3GAN_INCEPTION names"]
fn features_equal_pytorchs_on_the_cpu() {
    on("cpu");
}

#[test]
#[ignore = "needs the 87 MB that R3GAN_INCEPTION names"]
fn features_equal_pytorchs_on_wgpu() {
    on("wgpu");
}
