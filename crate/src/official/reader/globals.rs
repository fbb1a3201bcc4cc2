//! The names that a snapshot may import, as tags. No module is loaded and no function is called.

use super::{Problem, Result, shown};

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

/// The tag of `module.name` (training notes, section 9), under the names of today and of the published weights.
pub fn global(module: &str, name: &str) -> Result<Global> {
    use Global::{FloatStorage, OrderedDict};
    let network = Class::Network;
    let class = match (module, name) {
        ("collections", "OrderedDict") => return Ok(OrderedDict),
        ("torch", "float32") => return Ok(Global::Precision(Precision::Float32)),
        ("torch", "bfloat16") => return Ok(Global::Precision(Precision::BFloat16)),
        ("torch", "FloatStorage") => return Ok(FloatStorage),
        ("torch._utils", "_rebuild_parameter") => return Ok(Global::Function(Function::Parameter)),
        ("torch._utils", "_rebuild_tensor_v2") => return Ok(Global::Function(Function::Tensor)),
        ("torch.storage", "_load_from_bytes") => return Ok(Global::Function(Function::Storage)),
        ("training.networks" | "training.networks_baseline", "Generator") => network(Side::Generator),
        ("training.networks" | "training.networks_baseline", "Discriminator") => network(Side::Discriminator),
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
        _ => return Err(unknown(module, name)),
    };
    Ok(Global::Class(class))
}

fn unknown(module: &str, name: &str) -> Problem {
    Problem(format!(
        "is not an R3GAN snapshot: it asks for Python's {}.{}, which no network of R3GAN has (nothing was run)",
        shown(module),
        shown(name)
    ))
}
