//! The networks that the field measures pictures by.

use std::fmt;

use super::plan::{Step, convolutions};
use super::{inception, vgg16};

/// A published network, up to the features that metrics use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backbone {
    /// FID's Inception v3.
    Inception,
    /// VGG16, for precision and recall.
    Vgg16,
}

impl Backbone {
    pub const ALL: [Self; 2] = [Self::Inception, Self::Vgg16];

    /// From `[batch, 3, side, side]` to `[batch, width, n, n]`, whose means are the features.
    pub(super) fn plan(self) -> Vec<Step> {
        match self {
            Self::Inception => inception::plan(),
            Self::Vgg16 => vgg16::plan(),
        }
    }

    /// Pixels a side of what it sees.
    pub fn side(self) -> usize {
        match self {
            Self::Inception => inception::SIDE,
            Self::Vgg16 => vgg16::SIDE,
        }
    }

    /// Features of a picture.
    pub fn width(self) -> usize {
        match self {
            Self::Inception => inception::WIDTH,
            Self::Vgg16 => vgg16::WIDTH,
        }
    }

    /// Pictures that go through it at a time on a GPU: VGG16's first layers take 26 MB for each.
    pub(super) fn gpu_batch(self) -> usize {
        match self {
            Self::Inception => 64,
            Self::Vgg16 => 16,
        }
    }

    /// What is taken from the levels 0 to 255 of each colour, and what the rest is divided by.
    pub(super) fn levels(self) -> [(f32, f32); 3] {
        match self {
            Self::Inception => [(128.0, 128.0); 3],
            Self::Vgg16 => vgg16::LEVELS,
        }
    }

    /// Names of the layers in our files, with the shapes of their weights. No two networks have a name in common.
    pub fn layers(self) -> Vec<(String, [usize; 4])> {
        let plan = self.plan();
        convolutions(&plan).into_iter().map(|layer| (layer.name.clone(), layer.shape())).collect()
    }
}

impl fmt::Display for Backbone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inception => "FID's Inception",
            Self::Vgg16 => "VGG16",
        })
    }
}
