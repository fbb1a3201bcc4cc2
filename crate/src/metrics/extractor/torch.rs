//! Weights from a file of PyTorch, `torch.save`'s of any age or TorchScript's.
//!
//! Today's are zips of one pickle and a file for each storage; older ones are five pickles and the storages behind them.
//! Nothing in either is run: the pickles only name tensors, and TorchScript's code is not looked at.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::pickle::{self, Id, Layout, Names, Problem, Role, Rules, Value, problem, run};

/// How an older file begins: protocol 2, and a number of ten bytes.
const OLDER: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// FID's Inception takes 13,000.
const RULES: Rules = Rules { steps: 1 << 18, persistent: true, byte_strings: false };
/// Values that are looked at on the way to the tensors, how deep they lie in each other, and the longest path.
const MOST_VALUES: usize = 1 << 16;
const DEEPEST: usize = 16;
const LONGEST_PATH: usize = 256;
/// The most that the pickle and a storage may be, unpacked; the first connected layer of VGG16 has 411 MB.
const LONGEST_PICKLE: u64 = 16 << 20;
const LARGEST_STORAGE: u64 = 512 << 20;

/// What a file of weights may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Torch {
    /// A class that TorchScript describes in the file itself.
    Module,
    OrderedDict,
    /// Of numbers of so many bytes.
    Storage {
        bytes: usize,
        floats: bool,
    },
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
            ("torch", "FloatStorage") => Some(Self::Storage { bytes: 4, floats: true }),
            ("torch", "IntStorage") => Some(Self::Storage { bytes: 4, floats: false }),
            ("torch", "LongStorage" | "DoubleStorage") => Some(Self::Storage { bytes: 8, floats: false }),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::Tensor),
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
            Self::Storage { .. } => Role::Constant,
            Self::Tensor | Self::Parameter | Self::IntList => Role::Function { stateful: false },
        }
    }
}

type Arena<'a> = pickle::Arena<'a, Torch>;

/// A tensor, and the storage that has its values.
struct Place {
    name: String,
    layout: Layout,
    key: String,
    bytes: usize,
    floats: bool,
}

/// Where the storages are.
enum Storages {
    Zip { archive: ZipArchive<Cursor<Vec<u8>>>, folder: String },
    Behind { bytes: Vec<u8>, places: Ranges },
}

/// Where each storage lies in the file, by its key.
type Ranges = HashMap<String, Range<usize>>;

/// Named tensors of f32.
pub struct TorchFile {
    origin: PathBuf,
    storages: Storages,
    places: Vec<Place>,
}

impl TorchFile {
    /// Whether a file begins as one of PyTorch does.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(OLDER)
    }

    /// Reads names and shapes; `origin` names the file in errors.
    ///
    /// # Errors
    /// [`Error::Input`] with what is wrong with the file.
    pub fn read(bytes: Vec<u8>, origin: &Path) -> Result<Self> {
        let input = |reason: String| Error::input(origin, reason);
        let (storages, places) = if bytes.starts_with(OLDER) {
            let (places, storages) = older(&bytes).map_err(|Problem(reason)| input(reason))?;
            (Storages::Behind { bytes, places: storages }, places)
        } else {
            zipped(bytes).map_err(input)?
        };
        let places = places.into_iter().filter(|place| place.floats).collect();
        Ok(Self { origin: origin.into(), storages, places })
    }

    /// Names of the tensors, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.name.as_str())
    }

    /// An error that names the file.
    pub fn refuse(&self, reason: String) -> Error {
        Error::input(&self.origin, reason)
    }

    /// The values of a tensor, which must have this shape and be finite.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let input = |reason: String| Error::input(&self.origin, reason);
        let Some(place) = self.places.iter().find(|place| place.name == name) else {
            return Err(input(format!("has no tensor {name}, so it is not the network it seems to be")));
        };
        if place.layout.shape != shape {
            let found = &place.layout.shape;
            return Err(input(format!(
                "has {name} of the size {found:?}, and the published one has {shape:?}"
            )));
        }
        let bytes = match &mut self.storages {
            Storages::Zip { archive, folder } => {
                // A storage that is much larger than its tensor would be unpacked for nothing.
                let most = 4 * (place.layout.count() as u64 + place.layout.offset.min(1 << 20) as u64);
                let file = format!("{folder}data/{}", place.key);
                entry(archive, &file, most.min(LARGEST_STORAGE)).map_err(input)?
            }
            Storages::Behind { bytes, places } => match places.get(&place.key) {
                Some(range) => bytes[range.clone()].to_vec(),
                None => return Err(input(format!("has no storage for {name}; fetch it again"))),
            },
        };
        let part = place.layout.part(bytes.len()).map_err(|Problem(reason)| input(reason))?;
        let values: Vec<f32> =
            bytes[part].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(input(format!("has values in {name} that are not finite; fetch it again")));
        }
        Ok(values)
    }
}

fn zipped(bytes: Vec<u8>) -> std::result::Result<(Storages, Vec<Place>), String> {
    let archive = ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|e| format!("is a zip that cannot be read ({e}); fetch it again"))?;
    let index = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .find(|name| name == "data.pkl" || name.ends_with("/data.pkl"));
    let Some(index) = index else {
        return Err("is a zip without data.pkl, so it is no file of PyTorch".into());
    };
    let pickle = entry(&mut archive, &index, LONGEST_PICKLE)?;
    let (arena, whole) = run(&mut pickle::Cursor::new(&pickle), RULES).map_err(|Problem(reason)| reason)?;
    let places = places(&arena, whole).map_err(|Problem(reason)| reason)?;
    let folder = index.trim_end_matches("data.pkl").to_owned();
    Ok((Storages::Zip { archive, folder }, places))
}

/// A number, the format's version, the system, the whole, and the keys of the storages, which follow in that order:
/// for each the number of its values, and the values.
fn older(bytes: &[u8]) -> pickle::Result<(Vec<Place>, Ranges)> {
    let mut cursor = pickle::Cursor::new(bytes);
    for _ in 0..3 {
        run::<Torch>(&mut cursor, RULES)?;
    }
    let (arena, whole) = run(&mut cursor, RULES)?;
    let places = places(&arena, whole)?;
    let sizes: HashMap<&str, usize> = places.iter().map(|place| (place.key.as_str(), place.bytes)).collect();
    let (keys, list) = run::<Torch>(&mut cursor, RULES)?;
    let Some(list) = keys.list(list) else { return problem("has no list of its storages") };
    let mut storages = Ranges::new();
    for key in list {
        let key = keys.text(*key).unwrap_or_default();
        let Some(size) = sizes.get(key) else { return problem("has a storage that no tensor lies in") };
        let count = cursor.u64()?;
        let Some(length) = count.checked_mul(*size as u64) else {
            return problem("has a storage of no size");
        };
        let values = cursor.take(length)?;
        storages.insert(key.to_owned(), cursor.at() - values.len()..cursor.at());
    }
    Ok((places, storages))
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

/// All tensors below the whole, by their path.
fn places(arena: &Arena, whole: Id) -> pickle::Result<Vec<Place>> {
    let too_much = "is no file of weights: it has too many values, or too many inside each other";
    let mut places = Vec::new();
    let mut open = vec![(whole, String::new(), 0)];
    let mut seen = 0;
    while let Some((id, path, depth)) = open.pop() {
        seen += 1;
        if depth > DEEPEST || path.len() > LONGEST_PATH {
            return problem(too_much);
        }
        let inside = match arena.get(id) {
            Value::Made { by: Torch::Module, state: Some(state), .. } => arena.entries(*state),
            Value::Made { by: Torch::Tensor, arguments, .. } => {
                places.push(place(arena, *arguments, path)?);
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
        let inside = inside.unwrap_or_default();
        if seen + open.len() + inside.len() > MOST_VALUES {
            return problem(too_much);
        }
        // The last is taken first.
        for (key, value) in inside.iter().rev() {
            if let Some(key) = arena.text(*key).filter(|key| key.len() <= LONGEST_PATH) {
                let name = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                open.push((*value, name, depth + 1));
            }
        }
    }
    Ok(places)
}

/// A tensor whose storage is `('storage', class, key, device, number of values)`, with a view behind it in older files.
fn place(arena: &Arena, arguments: Id, name: String) -> pickle::Result<Place> {
    let damaged = || Problem("has a tensor that is not described as torch does".into());
    let layout = Layout::read(arena, arena.tuple(arguments).ok_or_else(damaged)?)?;
    let Value::Persistent(store) = arena.get(layout.store) else { return Err(damaged()) };
    let Some(&[_, class, key, _, _, ..]) = arena.tuple(*store) else { return Err(damaged()) };
    let Value::Global(Torch::Storage { bytes, floats }) = arena.get(class) else { return Err(damaged()) };
    let key = arena.text(key).filter(|key| key.len() <= LONGEST_PATH).ok_or_else(damaged)?;
    Ok(Place { name, layout, key: key.into(), bytes: *bytes, floats: *floats })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Sequential(Linear(2, 3), BatchNorm1d(3))`, written by PyTorch 2.15 as a dictionary in both of its forms, in the
    /// second also with tensors as they were described in 2017 (torchvision's VGG16 is such a file), and as TorchScript.
    const FILES: [(&str, &[u8]); 4] = [
        ("zip.pth", include_bytes!("../../../../tests/fixtures/torch/zip.pth")),
        ("older.pth", include_bytes!("../../../../tests/fixtures/torch/older.pth")),
        ("oldest.pth", include_bytes!("../../../../tests/fixtures/torch/oldest.pth")),
        ("script.pt", include_bytes!("../../../../tests/fixtures/torch/script.pt")),
    ];

    fn open(name: &str, bytes: &[u8]) -> Result<TorchFile> {
        TorchFile::read(bytes.to_vec(), Path::new(name))
    }

    #[test]
    fn every_form_has_the_same_tensors() {
        for (name, bytes) in FILES {
            assert!(TorchFile::is_one(bytes), "{name}");
            let mut file = open(name, bytes).unwrap();
            let names: Vec<_> = file.names().map(str::to_owned).collect();
            assert_eq!(
                names,
                ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"]
            );
            assert_eq!(file.floats("0.weight", &[3, 2]).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "{name}");
            assert_eq!(file.floats("0.bias", &[3]).unwrap(), [0.5, -0.5, 0.0], "{name}");
            assert_eq!(file.floats("1.running_var", &[3]).unwrap(), [1.0; 3], "{name}");
            let refusals = [file.floats("0.weight", &[2, 3]), file.floats("0.scale", &[3])];
            for (refused, says) in refusals.into_iter().zip(["of the size [3, 2]", "no tensor 0.scale"]) {
                let error = refused.unwrap_err().to_string();
                assert!(error.starts_with(name) && error.contains(says), "{error}");
            }
        }
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        let (name, bytes) = FILES[1];
        let mut bytes = bytes.to_vec();
        let three = bytes.windows(4).position(|window| window == 3f32.to_le_bytes()).unwrap();
        bytes[three..three + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        let error = open(name, &bytes).unwrap().floats("0.weight", &[3, 2]).unwrap_err().to_string();
        assert!(error.contains("not finite"), "{error}");
    }

    /// Each byte in turn is changed, and the file is cut there.
    #[test]
    fn damaged_files_are_refused_and_nothing_panics() {
        for (name, whole) in FILES {
            let mut bytes = whole.to_vec();
            for at in 0..bytes.len() {
                for change in [0x01, 0x80, 0xff] {
                    bytes[at] ^= change;
                    if let Ok(mut file) = open(name, &bytes) {
                        let _ = file.floats("0.weight", &[3, 2]);
                    }
                    bytes[at] = whole[at];
                }
                if let Ok(mut file) = open(name, &whole[..at]) {
                    assert!(file.floats("1.running_var", &[3]).is_err(), "{name} cut at {at}");
                }
            }
        }
    }
}
