//! Networks that turn pictures into features, read from a file.

mod backbone;
mod import;
mod inception;
mod plan;
mod resize;
mod torch;
mod vgg16;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData, activation::softmax};
use sha2::{Digest, Sha256};

pub use self::backbone::Backbone;
pub use self::import::import;
use self::plan::{Step, Weights};
use self::resize::Resize;
pub use self::torch::TorchFile;
use crate::backend;
use crate::checkpoint::container::Container;
use crate::error::{Error, Result};
use crate::kernels;
use crate::training::read_values;

/// Pictures that go through the network at a time on a CPU.
const CPU_BATCH: usize = 8;
/// The tensor that a file for the inception score has.
const CLASSIFIER: &str = "classifier.weight";

/// A network with its weights.
pub struct Extractor {
    backbone: Backbone,
    path: PathBuf,
    /// Of the file, in hexadecimal digits.
    hash: String,
    steps: Vec<Step>,
    weights: Vec<Weights>,
    /// `[2048, 1008]`
    classifier: Option<Tensor<2>>,
    device: Device,
    resize: Option<Resize>,
}

/// What the extractor makes of pictures.
pub struct Extracted {
    /// `[n, width]`
    pub features: Vec<f32>,
    /// `[n, classes]`, of the classifier without its bias; empty where there is none or nobody asked.
    pub probabilities: Vec<f32>,
}

impl Extractor {
    /// Classes that a picture may be of.
    pub const CLASSES: usize = inception::CLASSES;

    /// Reads the file that `r3gan import` makes of a published one.
    ///
    /// # Errors
    /// [`Error::Input`] with what is wrong with the file.
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        Self::decode(&crate::checkpoint::read(path)?, path, device)
    }

    /// The same from bytes; `origin` names them in errors.
    pub fn decode(bytes: &[u8], origin: &Path, device: &Device) -> Result<Self> {
        let file = Container::parse(bytes, origin)?;
        let of_file = |backbone: &Backbone| {
            backbone.layers().first().is_some_and(|(name, _)| file.has(&format!("{name}.weight")))
        };
        let Some(backbone) = Backbone::ALL.into_iter().find(of_file) else {
            let reason = "is no feature extractor, which is what `r3gan import` makes of a published Inception or VGG16";
            return Err(Error::input(origin, reason));
        };
        let steps = backbone.plan();
        let load = |convolution: &plan::Convolution| {
            let (shape, name) = (convolution.shape(), &convolution.name);
            let weight = file.floats(&format!("{name}.weight"), &shape)?;
            let bias = file.floats(&format!("{name}.bias"), &shape[..1])?;
            let weight = Tensor::from_data(TensorData::new(weight, shape), device);
            Ok((weight, Tensor::from_data(TensorData::new(bias, [shape[0]]), device)))
        };
        let weights = plan::convolutions(&steps).into_iter().map(load).collect::<Result<Vec<_>>>()?;
        let shape = [inception::CLASSES, inception::WIDTH];
        let classifier = match backbone == Backbone::Inception && file.has(CLASSIFIER) {
            true => {
                let values = file.floats(CLASSIFIER, &shape)?;
                Some(Tensor::<2>::from_data(TensorData::new(values, shape), device).transpose())
            }
            false => None,
        };
        let hash = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            backbone,
            path: origin.into(),
            hash,
            steps,
            weights,
            classifier,
            device: device.clone(),
            resize: None,
        })
    }

    pub fn backbone(&self) -> Backbone {
        self.backbone
    }

    /// Features of a picture.
    pub fn width(&self) -> usize {
        self.backbone.width()
    }

    /// Of the file's bytes.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can tell classes.
    pub fn has_classifier(&self) -> bool {
        self.classifier.is_some()
    }

    /// Whether it runs on the host's cores.
    pub fn on_cpu(&self) -> bool {
        backend::is_cpu(&self.device)
    }

    /// Pictures that are best given at a time.
    pub fn batch(&self) -> usize {
        if self.on_cpu() { CPU_BATCH } else { self.backbone.gpu_batch() }
    }

    /// Features of `pixels [n, side, side, 3]`, and if asked for the probabilities of classes.
    ///
    /// # Errors
    /// The device's.
    pub async fn extract(&mut self, pixels: &[u8], side: usize, classify: bool) -> Result<Extracted> {
        let resize = match self.resize.take() {
            Some(resize) if resize.side() == side => resize,
            _ => Resize::new(side, self.backbone, &self.device),
        };
        let x = plan::run(&self.steps, resize.apply(pixels), &mut self.weights.iter());
        self.resize = Some(resize);
        let features: Tensor<2> = x.mean_dims(&[2, 3]).flatten::<2>(1, 3);
        let probabilities = match self.classifier.as_ref().filter(|_| classify) {
            Some(classifier) => {
                read_values(softmax(kernels::matrix_product(features.clone(), classifier.clone()), 1)).await?
            }
            None => Vec::new(),
        };
        Ok(Extracted { features: read_values(features).await?, probabilities })
    }
}
