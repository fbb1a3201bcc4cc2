//! Parameters: names, published shapes, and how they start.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Network, Weights};
use crate::random::RandomState;

/// One parameter of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    pub name: String,
    /// The published shape; tensors are kept flat in this order.
    pub shape: Vec<usize>,
    /// Standard deviation at the start; 0 starts at zero.
    pub deviation: f64,
}

impl ParameterSpec {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Network {
    /// Fresh weights, N(0, deviation²) entry by entry from the host's random source.
    pub fn initialize(&self, random: &mut RandomState, device: &Device) -> Weights {
        self.parameters
            .iter()
            .map(|spec| {
                let values: Vec<f32> = if spec.deviation == 0.0 {
                    vec![0.0; spec.len()]
                } else {
                    (0..spec.len()).map(|_| (random.randn() * spec.deviation) as f32).collect()
                };
                Tensor::from_data(TensorData::new(values, [spec.len()]), device)
            })
            .collect()
    }
}
