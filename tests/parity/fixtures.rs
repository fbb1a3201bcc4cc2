//! Reading fixtures: folders with a `meta.json` and safetensors files.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use r3gan::checkpoint::container::Container;
use r3gan::network::{Architecture, Network, NetworkConfig, Weights, published};
use serde_json::Value;

use crate::platform;

/// Parses a JSON file.
pub fn json(path: &str) -> Value {
    serde_json::from_slice(&platform::read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// One folder.
pub struct Fixture {
    pub name: String,
    pub meta: Value,
}

/// Folders that hold all of the given files; there must be at least one.
pub fn folders_with(files: &[&str]) -> Vec<Fixture> {
    let all = platform::files();
    let mut folders: Vec<&str> = all.iter().filter_map(|path| Some(path.split_once('/')?.0)).collect();
    folders.dedup();
    folders.retain(|folder| files.iter().all(|file| all.contains(&format!("{folder}/{file}"))));
    assert!(!folders.is_empty(), "no fixture has {files:?}");
    let fixture = |folder| Fixture { meta: json(&format!("{folder}/meta.json")), name: folder };
    folders.into_iter().map(str::to_owned).map(fixture).collect()
}

impl Fixture {
    pub fn file(&self, name: &str) -> File {
        let path = format!("{}/{name}", self.name);
        File { bytes: platform::read(&path), path }
    }

    pub fn has(&self, name: &str) -> bool {
        platform::files().contains(&format!("{}/{name}", self.name))
    }

    /// The pair of networks that `meta.json` describes.
    pub fn config(&self) -> NetworkConfig {
        let side = |name: &str| &self.meta["config"][name];
        let list = |value: &Value| -> Vec<usize> {
            value.as_array().expect("a list").iter().map(|v| v.as_u64().expect("a size") as usize).collect()
        };
        let number = |value: &Value| value.as_u64().unwrap_or(0) as usize;
        let g = side("G");
        NetworkConfig {
            latent: number(&g["NoiseDimension"]),
            classes: number(&g["c_dim"]),
            architecture: Architecture::Convolutional {
                widths: list(&g["WidthPerStage"]),
                cardinality: list(&g["CardinalityPerStage"]),
                blocks: list(&g["BlocksPerStage"]),
                expansion: number(&g["ExpansionFactor"]),
                generator_embedding: number(&g["ConditionEmbeddingDimension"]),
                critic_embedding: number(&side("D")["ConditionEmbeddingDimension"]),
            },
        }
    }
}

/// A safetensors file in memory.
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

impl File {
    fn container(&self) -> Container<'_> {
        Container::parse(&self.bytes, Path::new(&self.path)).expect("a safetensors file")
    }

    /// Shape and values of a tensor; u8 pictures come as they are in `pixels`.
    pub fn values(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let container = self.container();
        let list = container.list();
        let (_, shape) = list.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no tensor {name}"));
        (shape.clone(), container.any_floats(name).unwrap_or_else(|e| panic!("{e}")))
    }

    /// A tensor of bytes.
    pub fn pixels(&self, name: &str) -> (Vec<usize>, Vec<u8>) {
        let file = safetensors::SafeTensors::deserialize(&self.bytes).expect("a safetensors file");
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        (tensor.shape().to_vec(), tensor.data().to_vec())
    }

    pub fn names(&self) -> Vec<String> {
        self.container().list().into_iter().map(|(name, _)| name).collect()
    }

    /// Published weights in our order, flat.
    pub fn weights(
        &self,
        config: &NetworkConfig,
        network: &Network,
        prefix: &str,
        device: &Device,
    ) -> Weights {
        let names = published::names(config, network).expect("a published family");
        let load = |(name, spec): (&String, &r3gan::network::ParameterSpec)| {
            let (shape, values) = self.values(&format!("{prefix}{name}"));
            assert_eq!(shape, spec.shape, "{name}");
            Tensor::from_data(TensorData::new(values, [spec.len()]), device)
        };
        names.iter().zip(&network.parameters).map(load).collect()
    }

    /// Pictures `[n, c, h, w]` as our `[n, h, w, c]`.
    pub fn pictures(&self, name: &str, device: &Device) -> Tensor<4> {
        let (shape, values) = self.values(name);
        pictures(values, &shape, device)
    }

    /// Rows `[n, c]` as `[n, 1, 1, c]`.
    pub fn rows(&self, name: &str, device: &Device) -> Tensor<4> {
        let (shape, values) = self.values(name);
        Tensor::from_data(TensorData::new(values, [shape[0], 1, 1, shape[1]]), device)
    }
}

/// Channels-first values as a channels-last tensor.
pub fn pictures(values: Vec<f32>, shape: &[usize], device: &Device) -> Tensor<4> {
    let shape: [usize; 4] = shape.try_into().expect("four axes");
    Tensor::<4>::from_data(TensorData::new(values, shape), device).permute([0, 2, 3, 1])
}
