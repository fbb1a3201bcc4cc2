//! Files of weights, opened with the format's own crate and changed by hand.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

/// A tensor's type, shape and bytes.
pub type Stored = (Dtype, Vec<usize>, Vec<u8>);

/// A model, a checkpoint or a file of samples.
pub struct Weights {
    /// The `r3gan` entry of the metadata; null if there is none.
    pub header: Value,
    pub tensors: BTreeMap<String, Stored>,
}

impl Weights {
    pub fn parse(bytes: &[u8]) -> Self {
        let (_, about) = SafeTensors::read_metadata(bytes).expect("a whole file");
        let header = about.metadata().as_ref().and_then(|entries| entries.get("r3gan"));
        let header = header.map_or(Value::Null, |json| serde_json::from_str(json).expect("JSON"));
        let file = SafeTensors::deserialize(bytes).expect("a whole file");
        let stored = |t: &TensorView| (t.dtype(), t.shape().to_vec(), t.data().to_vec());
        Self { header, tensors: file.iter().map(|(name, t)| (name.to_owned(), stored(&t))).collect() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).expect("bytes that fit the shape"))
        });
        let header =
            (!self.header.is_null()).then(|| HashMap::from([("r3gan".into(), self.header.to_string())]));
        safetensors::serialize(views, header).expect("a whole file")
    }

    pub fn f32s(&self, name: &str) -> (&[usize], Vec<f32>) {
        let (dtype, shape, data) = &self.tensors[name];
        assert_eq!(*dtype, Dtype::F32);
        (shape, data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    /// Adds a tensor of f32.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.insert(name.into(), (Dtype::F32, shape.into(), data));
    }
}

/// The file after a change.
pub fn changed(bytes: &[u8], change: impl FnOnce(&mut Weights)) -> Vec<u8> {
    let mut weights = Weights::parse(bytes);
    change(&mut weights);
    weights.bytes()
}

/// A file with one tensor of f32 and no metadata, as other programs write it.
pub fn one_tensor(name: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
    let mut weights = Weights { header: Value::Null, tensors: BTreeMap::new() };
    weights.insert(name, shape, values);
    weights.bytes()
}
