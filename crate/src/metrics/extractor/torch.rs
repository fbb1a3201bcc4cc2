//! Weights from a file of PyTorch, `torch.save`'s or TorchScript's: a zip of one pickle, and a file for each storage.
//!
//! Nothing in it is run: the pickle only names tensors, TorchScript's code is not looked at.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::pickle::{self, Id, Layout, Names, Problem, Role, Rules, Value, problem, run};

/// FID's Inception takes 13,000.
const RULES: Rules = Rules { steps: 1 << 18, persistent: true, byte_strings: false };
/// Values that are looked at on the way to the tensors, and how deep they lie in each other.
const MOST_VALUES: usize = 1 << 16;
const DEEPEST: usize = 16;
/// The most that the pickle and a storage may be, unpacked; the Inception's classifier has 8 MB.
const LONGEST_PICKLE: u64 = 16 << 20;
const LARGEST_STORAGE: u64 = 64 << 20;

/// What a file of weights may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Torch {
    /// A class that TorchScript describes in the file itself.
    Module,
    OrderedDict,
    FloatStorage,
    /// Of numbers that are no weights.
    OtherStorage,
    Tensor,
    Parameter,
    /// TorchScript's list of whole numbers.
    IntList,
}

impl Names for Torch {
    const FILE: &'static str = "file of weights";

    fn find(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch", "FloatStorage") => Some(Self::FloatStorage),
            ("torch", "LongStorage" | "IntStorage" | "DoubleStorage") => Some(Self::OtherStorage),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::Tensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::Parameter),
            ("torch.jit._pickle", "build_intlist") => Some(Self::IntList),
            _ if module.starts_with("__torch__") => Some(Self::Module),
            _ => None,
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Module => Role::Class,
            Self::OrderedDict => Role::Dictionary,
            Self::FloatStorage | Self::OtherStorage => Role::Constant,
            Self::Tensor | Self::Parameter | Self::IntList => Role::Function,
        }
    }
}

type Arena<'a> = pickle::Arena<'a, Torch>;

/// A tensor of f32, and the file in the zip that has its values.
struct Place {
    name: String,
    layout: Layout,
    storage: String,
}

/// Named tensors of f32.
pub struct TorchFile {
    origin: PathBuf,
    archive: ZipArchive<Cursor<Vec<u8>>>,
    places: Vec<Place>,
}

impl TorchFile {
    /// Whether a file begins as a zip does.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04")
    }

    /// Reads names and shapes; `origin` names the file in errors.
    ///
    /// # Errors
    /// [`Error::Input`] with what is wrong with the file.
    pub fn read(bytes: Vec<u8>, origin: &Path) -> Result<Self> {
        let input = |reason: String| Error::input(origin, reason);
        let archive = ZipArchive::new(Cursor::new(bytes));
        let mut archive =
            archive.map_err(|e| input(format!("is a zip that cannot be read ({e}); fetch it again")))?;
        let index = archive
            .file_names()
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .find(|name| name == "data.pkl" || name.ends_with("/data.pkl"));
        let Some(index) = index else {
            return Err(input("is a zip without data.pkl, so it is no file of PyTorch".into()));
        };
        let folder = index.trim_end_matches("data.pkl").to_owned();
        let pickle = entry(&mut archive, &index, LONGEST_PICKLE).map_err(input)?;
        let places = places(&pickle, &folder).map_err(|Problem(reason)| input(reason))?;
        Ok(Self { origin: origin.into(), archive, places })
    }

    /// Names of the tensors, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.name.as_str())
    }

    /// The values of a tensor, which must have this shape and be finite.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let input = |reason: String| Error::input(&self.origin, reason);
        let Some(place) = self.places.iter().find(|place| place.name == name) else {
            return Err(input(format!("has no tensor {name}, so it is no Inception of FID")));
        };
        if place.layout.shape != shape {
            let found = &place.layout.shape;
            return Err(input(format!(
                "has {name} of the size {found:?}, and FID's Inception has {shape:?}"
            )));
        }
        let bytes = entry(&mut self.archive, &place.storage, LARGEST_STORAGE).map_err(input)?;
        let part = place.layout.part(bytes.len()).map_err(|Problem(reason)| input(reason))?;
        let values: Vec<f32> =
            bytes[part].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(input(format!("has values in {name} that are not finite; fetch it again")));
        }
        Ok(values)
    }
}

/// A file of the zip, of at most `most` bytes.
fn entry(
    archive: &mut ZipArchive<Cursor<Vec<u8>>>,
    name: &str,
    most: u64,
) -> std::result::Result<Vec<u8>, String> {
    let broken =
        |e: &dyn std::fmt::Display| format!("has {name}, which cannot be read ({e}); fetch it again");
    let file = archive.by_name(name).map_err(|e| broken(&e))?;
    if file.size() > most {
        return Err(format!("has {name} of {} bytes, where {most} at most belong", file.size()));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
    Ok(bytes)
}

/// All tensors of f32 below the whole, by their path.
fn places(bytes: &[u8], folder: &str) -> pickle::Result<Vec<Place>> {
    let (arena, whole) = run::<Torch>(&mut pickle::Cursor::new(bytes), RULES)?;
    let mut places = Vec::new();
    let mut open = vec![(whole, String::new(), 0)];
    let mut seen = 0;
    while let Some((id, path, depth)) = open.pop() {
        seen += 1;
        if seen > MOST_VALUES || depth > DEEPEST {
            return problem("is no file of weights: it has too many values, or too many inside each other");
        }
        let inside = match arena.get(id) {
            Value::Made { by: Torch::Module, state: Some(state), .. } => arena.entries(*state),
            Value::Made { by: Torch::Tensor, arguments, .. } => {
                places.extend(place(&arena, *arguments, path, folder)?);
                continue;
            }
            Value::Made { by: Torch::Parameter, arguments, .. } => {
                let inner = arena.tuple(*arguments).and_then(|arguments| arguments.first());
                open.extend(inner.map(|inner| (*inner, path, depth + 1)));
                continue;
            }
            Value::Dict(entries) => Some(entries.as_slice()),
            _ => None,
        };
        // The last is taken first.
        for (key, value) in inside.unwrap_or_default().iter().rev() {
            if let Some(key) = arena.text(*key) {
                let name = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                open.push((*value, name, depth + 1));
            }
        }
    }
    Ok(places)
}

/// Nothing for a tensor of other numbers.
fn place(arena: &Arena, arguments: Id, name: String, folder: &str) -> pickle::Result<Option<Place>> {
    let damaged = || Problem("has a tensor that is not described as torch does".into());
    let arguments = arena.tuple(arguments).ok_or_else(damaged)?;
    let layout = Layout::read(arena, arguments)?;
    let Value::Persistent(store) = arena.get(layout.store) else { return Err(damaged()) };
    // ('storage', class, key, device, number of values)
    let Some(&[_, class, key, _, _, ..]) = arena.tuple(*store) else { return Err(damaged()) };
    if !matches!(arena.get(class), Value::Global(Torch::FloatStorage)) {
        return Ok(None);
    }
    let key = arena.text(key).ok_or_else(damaged)?;
    let storage = format!("{folder}data/{key}");
    Ok(Some(Place { name, layout, storage }))
}
