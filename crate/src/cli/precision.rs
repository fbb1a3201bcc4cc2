//! What `--precision` means on a device.

use burn::tensor::Device;
use clap::ValueEnum;

use crate::network::Format;

/// Number formats of the stages next to the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// As published, bf16, on a GPU that computes in it; else f32
    Auto,
    F32,
    /// By rounding f32 after every layer where the device has no bf16, which is slower than f32
    Bf16,
    /// For sampling alone: training needs the range of bf16
    F16,
}

impl Precision {
    /// The format for networks that were published in `published`.
    pub fn format(self, published: Format, device: &Device) -> Format {
        match self {
            Self::Auto if published.is_native(device) => published,
            Self::Auto | Self::F32 => Format::F32,
            Self::Bf16 => Format::Bf16,
            Self::F16 => Format::F16,
        }
    }
}

/// `precision: bf16 in the stages next to the pictures, f32 in the others`
pub fn told(format: Format, device: &Device) -> String {
    match format {
        Format::F32 => "precision: f32".into(),
        _ => {
            let how = if format.is_native(device) { "" } else { "; this device rounds f32 to it" };
            format!("precision: {} in the stages next to the pictures, f32 in the others{how}", format.name())
        }
    }
}
