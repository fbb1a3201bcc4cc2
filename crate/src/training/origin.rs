//! Where weights come from: every file of them says so, and a run that goes on keeps it.

use serde::{Deserialize, Serialize};

use crate::network::{NetworkConfig, Reduced};

/// What may be done with weights that were trained here.
pub const OWN_LICENCE: &str =
    "Weights trained with r3gan (MIT OR Apache-2.0). The rights in the training data may limit their use.";

/// What may be done with weights of an official snapshot: the file itself does not say.
pub const OFFICIAL_LICENCE: &str = "Weights of an official R3GAN snapshot: the terms of whoever trained and published it apply, to what is trained \
     further from them as well.";

/// What weights say about themselves besides their values.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub licence: String,
    pub official_precision: Option<OfficialPrecision>,
}

/// What the stages of an official pair computed in; their weights were f32 all the same, and so are ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficialPrecision {
    /// From 4x4 upwards.
    pub generator: Vec<NumberFormat>,
    /// From the picture down to 4x4; empty if the file had no critic.
    pub critic: Vec<NumberFormat>,
}

/// A number format by torch's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberFormat {
    Float32,
    BFloat16,
}

impl Default for Origin {
    /// Of weights that were trained here.
    fn default() -> Self {
        Self { licence: OWN_LICENCE.into(), official_precision: None }
    }
}

impl OfficialPrecision {
    /// The stages that are to be computed in another format than f32: what `given` says of a pair from an official
    /// snapshot, the published rule for all others.
    pub fn reduced(given: Option<&Self>, network: &NetworkConfig) -> Reduced {
        let Some(Self { generator, critic }) = given else { return network.reduced() };
        let is_reduced = |format: &&NumberFormat| **format == NumberFormat::BFloat16;
        Reduced {
            generator: generator.iter().rev().take_while(is_reduced).count(),
            critic: critic.iter().take_while(is_reduced).count(),
        }
    }
}

impl NumberFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::BFloat16 => "bfloat16",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset;

    #[test]
    fn a_snapshot_says_which_stages_are_reduced() {
        use NumberFormat::{BFloat16, Float32};
        let network = preset::config("cifar10", 0).unwrap().network;
        let reduced = |given: Option<[&[NumberFormat]; 2]>| {
            let given = given.map(|[generator, critic]| OfficialPrecision {
                generator: generator.to_vec(),
                critic: critic.to_vec(),
            });
            let Reduced { generator, critic } = OfficialPrecision::reduced(given.as_ref(), &network);
            [generator, critic]
        };
        let published =
            [&[Float32, BFloat16, BFloat16, BFloat16][..], &[BFloat16, BFloat16, BFloat16, Float32]];
        assert_eq!(reduced(Some(published)), [3, 3]);
        assert_eq!(reduced(Some([&[Float32; 4], &[]])), [0, 0]);
        assert_eq!(reduced(Some([&[Float32, Float32, BFloat16, BFloat16], &[]])), [2, 0]);
        assert_eq!(reduced(None), [3, 3]);
    }
}
