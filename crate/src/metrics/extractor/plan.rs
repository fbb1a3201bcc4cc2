//! Feature extractors as lists of steps: convolutions with ReLU, pooling, and branches that are put side by side.

use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, activation::relu};

/// A step on pictures `[batch, channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Convolve(Convolution),
    /// Maximum of `side` x `side`.
    MaxPool {
        side: usize,
        stride: usize,
        padding: usize,
    },
    /// 3x3 mean, stride 1, of what lies inside the picture.
    MeanPool,
    /// Each list on the same input; their channels follow each other.
    Branches(Vec<Vec<Step>>),
}

/// A convolution with bias, and a ReLU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// In a file: `name.weight` of [`shape`](Self::shape), and `name.bias`.
    pub name: String,
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padding: [usize; 2],
}

impl Convolution {
    pub fn shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.kernel[0], self.kernel[1]]
    }
}

/// Weight and bias of a convolution.
pub type Weights = (Tensor<4>, Tensor<1>);

/// All convolutions, in the order in which [`run`] comes to them.
pub fn convolutions(steps: &[Step]) -> Vec<&Convolution> {
    fn of(step: &Step) -> Vec<&Convolution> {
        match step {
            Step::Convolve(convolution) => vec![convolution],
            Step::MaxPool { .. } | Step::MeanPool => Vec::new(),
            Step::Branches(branches) => branches.iter().flat_map(|steps| convolutions(steps)).collect(),
        }
    }
    steps.iter().flat_map(of).collect()
}

/// Runs the steps; takes the weights that it comes to.
pub fn run<'w>(
    steps: &[Step],
    mut x: Tensor<4>,
    weights: &mut impl Iterator<Item = &'w Weights>,
) -> Tensor<4> {
    for step in steps {
        x = match step {
            Step::Convolve(Convolution { stride, padding, .. }) => {
                let (weight, bias) = weights.next().expect("a plan comes with its weights");
                let options = ConvOptions::new([*stride; 2], *padding, [1; 2], 1);
                relu(conv2d(x, weight.clone(), Some(bias.clone()), options))
            }
            Step::MaxPool { side, stride, padding } => {
                let options = MaxPoolOptions::new([*side; 2]).with_stride([*stride; 2]);
                max_pool2d(x, options.with_padding([*padding; 2]))
            }
            Step::MeanPool => {
                let options = AvgPoolOptions::new([3; 2]).with_stride([1; 2]).with_padding([1; 2]);
                avg_pool2d(x, options.with_count_include_pad(false))
            }
            Step::Branches(branches) => {
                let parts = branches.iter().map(|steps| run(steps, x.clone(), weights)).collect();
                Tensor::cat(parts, 1)
            }
        };
    }
    x
}
