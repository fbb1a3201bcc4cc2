//! Number formats that stages compute in, and how a device comes to them.
//!
//! The published pairs compute the stages next to the pictures in bf16 and the others in f32 (training notes,
//! section 3). Weights, optimiser and average are f32 all the same: a layer reads its weight rounded to the format,
//! and gives back its gradient in f32.

use burn::tensor::{DType, Device, FloatDType, Tensor};
use serde::{Deserialize, Serialize};

use super::{Architecture, NetworkConfig};
use crate::backend;
use crate::error::{Error, Result};

/// What the stages next to the pictures compute in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    F32,
    /// f32's range with 8 significant bits: what the published presets train in.
    Bf16,
    /// 11 significant bits from 6e-8 to 65504: enough to sample, too narrow for gradients.
    F16,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// By its name.
    ///
    /// # Errors
    /// [`Error::Setting`] named `precision`.
    pub fn named(name: &str) -> Result<Self> {
        let known = [Self::F32, Self::Bf16, Self::F16];
        known.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            Error::setting("precision", format!("there is no '{name}'; choose f32, bf16 or f16"))
        })
    }

    /// Whether the device computes in tensors of this format. The CPU could in bf16 too, but its own kernels are for
    /// f32, and rounding that is several times as fast.
    pub fn is_native(self, device: &Device) -> bool {
        match self {
            Self::F32 => true,
            Self::Bf16 => !backend::is_cpu(device) && device.supports_dtype(FloatDType::BF16),
            Self::F16 => device.supports_dtype(FloatDType::F16),
        }
    }

    /// Refuses what cannot be computed: f16 on a device without it (bf16 can be rounded to anywhere), and any format
    /// but f32 where no stage is to have it.
    ///
    /// # Errors
    /// [`Error::Setting`] named `precision`.
    pub fn check(self, stages: usize, device: &Device) -> Result<()> {
        let refuse = |reason: String| Err(Error::setting("precision", reason));
        if self != Self::F32 && stages == 0 {
            return refuse(format!("no stage of this network computes in {}; choose f32", self.name()));
        }
        if self == Self::F16 && !self.is_native(device) {
            return refuse("this device does not compute in f16; choose bf16 or f32".into());
        }
        Ok(())
    }
}

/// How many stages of each network, counted from the pictures, are computed in a format other than f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    pub generator: usize,
    pub critic: usize,
}

/// The most stages that a published pair computes in bf16.
const MOST_REDUCED: usize = 4;

impl NetworkConfig {
    /// The stages that published pairs compute in bf16: the four next to the pictures, never that of 4x4
    /// (training notes, section 3). Perceptrons have no stages.
    pub fn reduced(&self) -> Reduced {
        let stages = match &self.architecture {
            Architecture::Convolutional { widths, .. } => widths.len().saturating_sub(1).min(MOST_REDUCED),
            Architecture::Perceptron { .. } => 0,
        };
        Reduced { generator: stages, critic: stages }
    }
}

/// How the tensors of a walk hold a format's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// As they come: in f32, or in f64 where a test asks for it.
    Plain,
    /// In tensors of the format.
    Native(DType),
    /// In f32, rounded to bf16 after every layer: the numbers of a GPU that multiplies bf16, adds up in f32 and stores
    /// bf16.
    Rounded,
}

impl Arithmetic {
    pub fn of(format: Format, device: &Device) -> Self {
        match format {
            Format::F32 => Self::Plain,
            Format::Bf16 if format.is_native(device) => Self::Native(DType::BF16),
            Format::Bf16 => Self::Rounded,
            Format::F16 => Self::Native(DType::F16),
        }
    }

    /// Whether a layer may be computed together with the one before it, without rounding what is between them.
    pub fn joins(self) -> bool {
        self != Self::Rounded
    }

    /// The same numbers as the format has them.
    pub fn narrow<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Native(dtype) if x.dtype() != dtype => x.cast(dtype),
            Self::Rounded => rounded(x),
            _ => x,
        }
    }

    /// Back to f32, which holds all of the format's numbers.
    pub fn widen<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Native(_) => x.cast(DType::F32),
            _ => x,
        }
    }
}

/// To the nearest number of 8 bits, ties to even: Veltkamp's splitting, which leaves out the lower 16 of 24 bits.
fn rounded<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let high = x.clone() * f64::from((1 << 16) + 1);
    high.clone() - (high - x)
}

/// Values rounded to `format`, in f32: for what the reference computes outside of the networks in their format.
pub(crate) fn rounded_to<const D: usize>(x: Tensor<D>, format: Format) -> Tensor<D> {
    let arithmetic = Arithmetic::of(format, &x.device());
    arithmetic.widen(arithmetic.narrow(x))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use burn::tensor::TensorData;
    use half::bf16;

    use super::*;
    use crate::network::{Layer, Network};
    use crate::preset;
    use crate::random::RandomState;

    /// Training notes, section 3, rows "bf16 G stages" and "bf16 D stages".
    #[test]
    fn stages_are_the_published_ones() {
        for (name, stages) in
            [("cifar10", 3), ("ffhq-64", 4), ("ffhq-256", 4), ("imagenet-32", 3), ("imagenet-64", 4)]
        {
            let network = preset::config(name, 0).unwrap().network;
            assert_eq!(network.reduced(), Reduced { generator: stages, critic: stages }, "{name}");
        }
        assert_eq!(preset::config("points", 0).unwrap().network.reduced(), Reduced::default());
    }

    /// The stages that a network's parameters in a format belong to, and whether the pictures' convolution is there.
    fn inside(network: &Network) -> (BTreeSet<&str>, bool) {
        fn collect<'a>(layers: &[Layer], network: &'a Network, found: &mut BTreeSet<&'a str>) {
            for layer in layers {
                match layer {
                    Layer::Linear { weight: id, .. }
                    | Layer::Activation { bias: id }
                    | Layer::AppendLabel { weight: id, .. } => {
                        found.extend(network.parameters[*id].name.split('.').next());
                    }
                    Layer::Residual(layers) | Layer::Reduced { layers, .. } => {
                        collect(layers, network, found)
                    }
                    Layer::Resample(_) => {}
                }
            }
        }
        let mut found = BTreeSet::new();
        let reduced = network.layers.iter().filter(|layer| matches!(layer, Layer::Reduced { .. }));
        reduced.for_each(|layer| collect(std::slice::from_ref(layer), network, &mut found));
        let pictures = found.remove("rgb");
        (found, pictures)
    }

    #[test]
    fn a_format_holds_whole_stages_and_the_pictures() {
        for classes in [0, 10] {
            let config = preset::config("ffhq-256", classes).unwrap().network;
            let Reduced { generator, critic } = config.reduced();
            let generator = config.generator_in(Format::Bf16, generator).unwrap();
            // The generator's stages are numbered from 4x4 upwards, the critic's from the picture downwards.
            assert_eq!(inside(&generator), (BTreeSet::from(["stage3", "stage4", "stage5", "stage6"]), true));
            let critic = config.critic_in(Format::Bf16, critic).unwrap();
            assert_eq!(inside(&critic), (BTreeSet::from(["stage0", "stage1", "stage2", "stage3"]), true));
            assert_eq!((generator.format(), critic.format()), (Format::Bf16, Format::Bf16));
            for plain in [config.generator().unwrap(), config.critic().unwrap()] {
                assert_eq!((inside(&plain), plain.format()), ((BTreeSet::new(), false), Format::F32));
            }
        }
    }

    #[test]
    fn rounding_is_that_of_bf16() {
        let mut values: Vec<f32> =
            RandomState::new(0).randn_vec(10_000).into_iter().map(|v| v as f32).collect();
        // Sums of neighbours lie in the middle between two numbers of the format.
        let ties = values.iter().map(|v| {
            let bits = bf16::from_f32(*v).to_f32().to_bits();
            f32::from_bits(bits | 0x8000)
        });
        values.extend(ties.collect::<Vec<_>>());
        values.extend([0.0, 1.0, -1.0, 1.999_999_9, 1e-30, -3e30]);
        let expected: Vec<f32> = values.iter().map(|v| bf16::from_f32(*v).to_f32()).collect();
        let x = Tensor::<1>::from_data(
            TensorData::new(values.clone(), [values.len()]),
            &backend::open("cpu").unwrap(),
        );
        let ours: Vec<f32> = rounded(x.clone()).into_data().try_to_vec().unwrap();
        assert_eq!(ours, expected);
        let ours: Vec<f32> = rounded_to(x, Format::Bf16).into_data().try_to_vec().unwrap();
        assert_eq!(ours, expected);
    }
}
