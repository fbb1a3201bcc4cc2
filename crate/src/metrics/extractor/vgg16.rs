//! VGG16 (Simonyan and Zisserman 2015, configuration D) up to its second fully connected layer, as improved precision
//! and recall uses it (Kynkäänniemi et al. 2019).
//!
//! Names of layers are the field's. A fully connected layer is a convolution that sees all of its input.

use super::plan::{Convolution, Step};

/// Pixels a side of what the network sees.
pub const SIDE: usize = 224;
/// Features, the second fully connected layer behind its ReLU.
pub const WIDTH: usize = 4096;
/// ImageNet's mean and deviation, as torchvision's weights expect them.
pub const LEVELS: [(f32, f32); 3] =
    [(255.0 * 0.485, 255.0 * 0.229), (255.0 * 0.456, 255.0 * 0.224), (255.0 * 0.406, 255.0 * 0.225)];

/// Convolutions of each block, and their channels.
const BLOCKS: [(usize, usize); 5] = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];

/// From `[batch, 3, 224, 224]` to `[batch, 4096, 1, 1]`.
pub fn plan() -> Vec<Step> {
    let convolve = |name: String, inputs, outputs, side, padding| {
        let (kernel, padding) = ([side; 2], [padding; 2]);
        Step::Convolve(Convolution { name, inputs, outputs, kernel, stride: 1, padding })
    };
    let mut steps = Vec::new();
    let mut inputs = 3;
    for (block, (depth, channels)) in (1..).zip(BLOCKS) {
        for layer in 1..=depth {
            steps.push(convolve(format!("conv{block}_{layer}"), inputs, channels, 3, 1));
            inputs = channels;
        }
        steps.push(Step::MaxPool { side: 2, stride: 2, padding: 0 });
    }
    steps.push(convolve("fc6".into(), inputs, WIDTH, SIDE >> BLOCKS.len(), 0));
    steps.push(convolve("fc7".into(), WIDTH, WIDTH, 1, 0));
    steps
}

#[cfg(test)]
mod tests {
    use super::super::plan::convolutions;

    #[test]
    fn it_has_the_published_size() {
        let plan = super::plan();
        let values = convolutions(&plan).into_iter().map(|c| c.shape().iter().product::<usize>() + c.outputs);
        // Of the network's 138,357,544 all but the classifier's 1000 outputs.
        assert_eq!(values.sum::<usize>(), 138_357_544 - 1000 * (4096 + 1));
    }
}
