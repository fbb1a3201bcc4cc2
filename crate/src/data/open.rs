//! Finds out what a path, or a handful of files in memory, holds.

#[cfg(not(target_family = "wasm"))]
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(not(target_family = "wasm"))]
use super::cifar::python;
use super::cifar::{self, CifarImages};
use super::dataset::{Dataset, Images};
use super::idx::{self, IdxImages};
use super::labels::Labels;
use super::picture::is_picture_name;
use super::pictures::Pictures;
#[cfg(not(target_family = "wasm"))]
use super::points::PointCloud;
use super::source::Source;
use super::store::Store;
use crate::error::{Error, Result};
#[cfg(not(target_family = "wasm"))]
use crate::pickle;

/// How to open a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Read the labels.
    pub labels: bool,
    /// It is an error if labels are asked for and there are none.
    pub labels_required: bool,
    /// The most that decoded pictures may keep in memory, in bytes.
    pub cache_bytes: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { labels: false, labels_required: true, cache_bytes: 256 << 20 }
    }
}

/// Files side by side: a folder, or files in memory.
enum Shelf {
    #[cfg(not(target_family = "wasm"))]
    Folder(PathBuf),
    Memory(Vec<(String, Source)>),
}

/// Opens `ring8`, `grid25`, an IDX file or its folder (plain or .gz), CIFAR-10 (a batch or the folder of them, binary or
/// python, and the python version's archive), a folder of pictures, or a zip of pictures; the last two may have a `dataset.json` with labels.
///
/// # Errors
/// One sentence naming the file that cannot be used and what to do about it.
#[cfg(not(target_family = "wasm"))]
pub fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    if let Some(cloud) = path.to_str().and_then(PointCloud::named) {
        return Dataset::points(cloud, options.labels);
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::input(path, "does not exist; check the path"),
        _ => Error::input(path, format!("cannot be read ({error})")),
    };
    let about = fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        let mut names = Vec::new();
        for item in fs::read_dir(path).map_err(failed)? {
            names.extend(item.map_err(failed)?.file_name().into_string());
        }
        let shelf = Shelf::Folder(path.into());
        if let Some(dataset) = open_binary(&shelf, path, &names, options)? {
            return Ok(dataset);
        }
        return open_pictures(path, Store::folder(path)?, options);
    }
    // Opening a pipe or a device would wait for someone to write.
    if !about.is_file() {
        return Err(Error::input(path, "is not a regular file; give a file or a folder"));
    }
    let source = fs::File::open(path).and_then(Source::file).map_err(failed)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let shelf = Shelf::Folder(path.parent().unwrap_or(Path::new("")).into());
    open_file(&shelf, path, &name, &source, options)
}

/// The pictures that [`open`] would take from a folder or a zip; none where it would take something else.
#[cfg(not(target_family = "wasm"))]
pub(super) fn store(path: &Path) -> Result<Option<Store>> {
    let failed = |error: std::io::Error| Error::input(path, format!("cannot be read ({error})"));
    if path.to_str().and_then(PointCloud::named).is_some() {
        return Ok(None);
    }
    // What cannot be opened at all is told by `open`.
    let Ok(about) = fs::metadata(path) else { return Ok(None) };
    if about.is_dir() {
        for item in fs::read_dir(path).map_err(failed)? {
            if item.map_err(failed)?.file_name().to_str().is_some_and(is_binary) {
                return Ok(None);
            }
        }
        return Store::folder(path).map(Some);
    }
    if !about.is_file() {
        return Ok(None);
    }
    let source = fs::File::open(path).and_then(Source::file).map_err(failed)?;
    let is_zip = source.head(4).map_err(failed)?.starts_with(b"PK\x03\x04");
    if is_zip { Store::zip(path, &source).map(Some) } else { Ok(None) }
}

/// Opens files that lie in memory, given with their relative names: what [`open`] takes, for the browser.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(files: Vec<(String, Vec<u8>)>, options: &OpenOptions) -> Result<Dataset> {
    let files: Vec<_> = files.into_iter().map(|(name, bytes)| (name, Source::memory(bytes))).collect();
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let path = Path::new("the chosen files");
    let shelf = Shelf::Memory(files.clone());
    if let Some(dataset) = open_binary(&shelf, path, &names, options)? {
        return Ok(dataset);
    }
    match files.as_slice() {
        [(name, source)] if !is_picture_name(name) => {
            open_file(&shelf, Path::new(name), name, source, options)
        }
        _ => open_pictures(path, Store::memory(path, files)?, options),
    }
}

/// The IDX pair or the CIFAR-10 batches among these names, if any.
fn open_binary(
    shelf: &Shelf,
    path: &Path,
    names: &[String],
    options: &OpenOptions,
) -> Result<Option<Dataset>> {
    let mut idx: Vec<&String> = names.iter().filter(|name| is_idx_images(name)).collect();
    if idx.iter().any(|name| name.starts_with("train")) {
        idx.retain(|name| name.starts_with("train"));
    }
    // The same file may lie there packed and unpacked.
    idx.sort_by_key(|name| (name.trim_end_matches(".gz"), name.len()));
    idx.dedup_by_key(|name| name.trim_end_matches(".gz"));
    match idx.as_slice() {
        [] => {}
        [name] => {
            let source = shelf.need(name)?;
            return open_idx(shelf, &shelf.path(name), name, &source, options).map(Some);
        }
        [one, other, ..] => {
            let reason = format!("holds {one} and {other}; give the path of one of them");
            return Err(Error::input(path, reason));
        }
    }
    let mut batches: Vec<&String> = names.iter().filter(|name| is_cifar_batch(name)).collect();
    batches.sort();
    #[cfg(not(target_family = "wasm"))]
    if batches.is_empty() && names.iter().any(|name| is_python_batch(name)) {
        return open_cifar(path, python_batches(shelf)?, options).map(Some);
    }
    if batches.is_empty() {
        return Ok(None);
    }
    let files =
        batches.iter().map(|name| Ok((shelf.path(name), shelf.need(name)?))).collect::<Result<_>>()?;
    open_cifar(path, files, options).map(Some)
}

fn open_file(
    shelf: &Shelf,
    path: &Path,
    name: &str,
    source: &Source,
    options: &OpenOptions,
) -> Result<Dataset> {
    let magic = source.head(4).map_err(|error| Error::input(path, format!("cannot be read ({error})")))?;
    if is_idx_images(name) || magic == [0, 0, 8, 3] {
        return open_idx(shelf, path, name, source, options);
    }
    if name.to_ascii_lowercase().ends_with(".zip") || magic.starts_with(b"PK\x03\x04") {
        return open_pictures(path, Store::zip(path, source)?, options);
    }
    if name.ends_with(".bin") {
        return open_cifar(path, vec![(path.into(), source.clone())], options);
    }
    #[cfg(not(target_family = "wasm"))]
    if python::is_archive(name) {
        return open_cifar(path, python::archive(path, source)?, options);
    }
    #[cfg(not(target_family = "wasm"))]
    if is_python_batch(name) || pickle::is_one(&magic) {
        return open_cifar(path, vec![python::batch(path, source)?], options);
    }
    let reason =
        "is not a data set; give a folder or zip of pictures, an IDX images file, or CIFAR-10's files";
    Err(Error::input(path, reason))
}

fn open_idx(
    shelf: &Shelf,
    path: &Path,
    name: &str,
    source: &Source,
    options: &OpenOptions,
) -> Result<Dataset> {
    let images = IdxImages::open(path, source)?;
    let mut labels = Labels::None;
    if options.labels {
        let plain = name.trim_end_matches(".gz").replace("images", "labels").replace("idx3", "idx1");
        let packed = format!("{plain}.gz");
        // Never the images again, whatever their file is called.
        let mut found = None;
        for candidate in [plain.as_str(), &packed].into_iter().filter(|&candidate| candidate != name) {
            if found.is_none() {
                found = shelf.find(candidate)?.map(|source| (shelf.path(candidate), source));
            }
        }
        match found {
            Some((labels_path, source)) => {
                labels = Labels::classes(idx::labels(&labels_path, &source, images.count())?);
            }
            None if options.labels_required => {
                let reason = format!("has no labels beside it; put {plain} there or train without labels");
                return Err(Error::input(path, reason));
            }
            None => {}
        }
    }
    Dataset::images(path, images, labels)
}

fn open_cifar(path: &Path, files: Vec<(PathBuf, Source)>, options: &OpenOptions) -> Result<Dataset> {
    let images = CifarImages::open(files)?;
    // Checked even when nobody asks for them: a wrong label means that this is another kind of file.
    let of = images.labels()?;
    let classes = cifar::CLASSES as usize;
    Dataset::images(path, images, if options.labels { Labels::Classes { classes, of } } else { Labels::None })
}

/// All of the python version's training batches that lie side by side.
#[cfg(not(target_family = "wasm"))]
fn python_batches(shelf: &Shelf) -> Result<Vec<(PathBuf, Source)>> {
    let batch = |name: &str| match shelf.find(name)? {
        Some(source) => python::batch(&shelf.path(name), &source),
        None => {
            let reason =
                "is missing beside the other batches; unpack the archive again, or give one batch's path";
            Err(Error::input(shelf.path(name), reason))
        }
    };
    python::BATCHES.into_iter().map(batch).collect()
}

fn open_pictures(path: &Path, store: Store, options: &OpenOptions) -> Result<Dataset> {
    let pictures = Pictures::open(store, options.cache_bytes)?;
    let store = pictures.store();
    let mut labels = Labels::None;
    if options.labels {
        if let Some(json) = store.labels()? {
            labels = Labels::from_json(&json, store.names())
                .map_err(|reason| Error::input(store.labels_path(), reason))?;
        }
        if labels == Labels::None && options.labels_required {
            let reason = "has no labels; add a dataset.json that lists them or train without labels";
            return Err(Error::input(path, reason));
        }
    }
    Dataset::images(path, pictures, labels)
}

#[cfg(not(target_family = "wasm"))]
fn is_binary(name: &str) -> bool {
    #[cfg(not(target_family = "wasm"))]
    if is_python_batch(name) {
        return true;
    }
    is_idx_images(name) || is_cifar_batch(name)
}

#[cfg(not(target_family = "wasm"))]
fn is_python_batch(name: &str) -> bool {
    python::BATCHES.contains(&name)
}

fn is_cifar_batch(name: &str) -> bool {
    name.starts_with("data_batch_") && name.ends_with(".bin")
}

fn is_idx_images(name: &str) -> bool {
    let name = name.trim_end_matches(".gz");
    name.ends_with("images-idx3-ubyte") || name.ends_with("images.idx3-ubyte")
}

impl Shelf {
    fn path(&self, name: &str) -> PathBuf {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(folder) => folder.join(name),
            Self::Memory(_) => name.into(),
        }
    }

    fn find(&self, name: &str) -> Result<Option<Source>> {
        match self {
            #[cfg(not(target_family = "wasm"))]
            Self::Folder(folder) => {
                let path = folder.join(name);
                if !path.exists() {
                    return Ok(None);
                }
                let failed = |error| Error::input(&path, format!("cannot be read ({error})"));
                fs::File::open(&path).and_then(Source::file).map_err(failed).map(Some)
            }
            Self::Memory(files) => {
                Ok(files.iter().find(|(known, _)| known == name).map(|(_, source)| source.clone()))
            }
        }
    }

    fn need(&self, name: &str) -> Result<Source> {
        self.find(name)?.ok_or_else(|| Error::input(self.path(name), "does not exist; check the path"))
    }
}
