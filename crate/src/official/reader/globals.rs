//! The names that a snapshot may import, as tags. No module is loaded and no function is called.

use crate::pickle::{self, Names, Role};

/// The values of a snapshot.
pub type Arena<'a> = pickle::Arena<'a, Global>;
pub type Value<'a> = pickle::Value<'a, Global>;

/// What an imported name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// A class of modules, whose objects have a state.
    Class(Class),
    /// A function that stands for a value.
    Function(Function),
    /// A dictionary by another name.
    OrderedDict,
    Precision(Precision),
    /// The only kind of storage that there is: weights are f32, whatever they are computed in.
    FloatStorage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A whole network, with its sizes as attributes.
    Network(Side),
    /// Anything inside one: names and shapes of parameters say which.
    Part,
}

/// Which of the two players a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Generator,
    Discriminator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Parameter,
    Tensor,
    Storage,
}

/// What a stage computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Float32,
    BFloat16,
}

impl Names for Global {
    const FILE: &'static str = "R3GAN snapshot";

    /// Under the names of today and of the published weights (training notes, section 9).
    fn find(module: &str, name: &str) -> Option<Self> {
        use Global::{FloatStorage, OrderedDict};
        let network = Class::Network;
        let class = match (module, name) {
            ("collections", "OrderedDict") => return Some(OrderedDict),
            ("torch", "float32") => return Some(Global::Precision(Precision::Float32)),
            ("torch", "bfloat16") => return Some(Global::Precision(Precision::BFloat16)),
            ("torch", "FloatStorage") => return Some(FloatStorage),
            ("torch._utils", "_rebuild_parameter") => return Some(Global::Function(Function::Parameter)),
            ("torch._utils", "_rebuild_tensor_v2") => return Some(Global::Function(Function::Tensor)),
            ("torch.storage", "_load_from_bytes") => return Some(Global::Function(Function::Storage)),
            ("training.networks" | "training.networks_baseline", "Generator") => network(Side::Generator),
            ("training.networks" | "training.networks_baseline", "Discriminator") => {
                network(Side::Discriminator)
            }
            ("torch.nn.modules.container", "ModuleList")
            | ("torch.nn.modules.conv", "Conv2d")
            | ("torch.nn.modules.linear", "Linear")
            | (
                "R3GAN.Networks" | "BaselineGAN.Networks",
                "Generator"
                | "Discriminator"
                | "GeneratorStage"
                | "DiscriminatorStage"
                | "GenerativeBasis"
                | "DiscriminativeBasis"
                | "ResidualBlock"
                | "Convolution"
                | "UpsampleLayer"
                | "DownsampleLayer",
            )
            | ("R3GAN.FusedOperators" | "BaselineGAN.FusedOperators", "BiasedActivationCUDA")
            | (
                "R3GAN.Resamplers" | "BaselineGAN.Resamplers",
                "InterpolativeUpsamplerCUDA" | "InterpolativeDownsamplerCUDA",
            ) => Class::Part,
            _ => return None,
        };
        Some(Self::Class(class))
    }

    fn role(self) -> Role {
        match self {
            Self::Class(_) => Role::Class,
            Self::Function(_) => Role::Function { stateful: false },
            Self::OrderedDict => Role::Dictionary,
            Self::Precision(_) | Self::FloatStorage => Role::Constant,
        }
    }
}
