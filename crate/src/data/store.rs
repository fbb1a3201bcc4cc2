//! Where picture files lie: a folder, a zip, or memory. Each can be read by many threads at once.

use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::digest::Digest;
use super::picture::is_picture_name;
use super::source::{Source, SourceReader};
use crate::error::{Error, Result};

const LABELS: &str = "dataset.json";
/// The longest picture file that is read, in bytes.
const MAX_PICTURE: u64 = 256 << 20;
/// The longest labels file; parsed, it can take sixteen times as much.
const MAX_LABELS: u64 = 64 << 20;
#[cfg(not(target_family = "wasm"))]
const MAX_DEPTH: usize = 64;

/// Files as one zip, not compressed, which opens as a data set: the same files give the same bytes.
///
/// # Errors
/// [`Error::Setting`] naming a file that cannot be put into a zip, two of one name for example.
pub fn archive(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::DEFAULT);
    for (name, bytes) in files {
        let refused = |reason: String| Error::setting(name, format!("cannot be put into a zip ({reason})"));
        zip.start_file(name.as_str(), options).map_err(|e| refused(e.to_string()))?;
        zip.write_all(bytes).map_err(|e| refused(e.to_string()))?;
    }
    let refused = |e: zip::result::ZipError| Error::setting("zip", format!("cannot be finished ({e})"));
    Ok(zip.finish().map_err(refused)?.into_inner())
}

/// Picture files sorted by name, and the labels file if there is one.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    place: Place,
    pictures: Vec<Entry>,
    labels: Option<Entry>,
}

#[derive(Debug)]
enum Place {
    #[cfg(not(target_family = "wasm"))]
    Folder,
    /// A clone shares the directory and has a cursor of its own.
    Zip(ZipArchive<SourceReader>),
    Memory(Vec<Source>),
}

#[derive(Debug)]
struct Entry {
    /// Relative, with '/'.
    name: String,
    size: u64,
    /// The place in a zip or in memory.
    place: usize,
    /// The checksum that a zip keeps, else 0.
    checksum: u32,
}

impl Store {
    #[cfg(not(target_family = "wasm"))]
    pub fn folder(path: &Path) -> Result<Self> {
        let mut entries = Vec::new();
        walk(path, "", MAX_DEPTH, &mut entries)?;
        Self::new(path, Place::Folder, entries)
    }

    pub fn zip(path: &Path, source: &Source) -> Result<Self> {
        let broken =
            |error| Error::input(path, format!("is not a zip that can be read ({error}); make it again"));
        let mut archive = ZipArchive::new(source.reader()).map_err(broken)?;
        let mut entries = Vec::new();
        for place in 0..archive.len() {
            let file = archive.by_index_raw(place).map_err(broken)?;
            let name = file.name().map_err(broken)?.replace('\\', "/");
            entries.push(Entry { name, size: file.size(), place, checksum: file.crc32() });
        }
        Self::new(path, Place::Zip(archive), entries)
    }

    pub fn memory(path: &Path, files: Vec<(String, Source)>) -> Result<Self> {
        let (names, sources): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let entry = |(place, (name, source)): (usize, (String, &Source))| Entry {
            name,
            size: source.len(),
            place,
            checksum: 0,
        };
        let entries = names.into_iter().zip(&sources).enumerate().map(entry).collect();
        Self::new(path, Place::Memory(sources), entries)
    }

    fn new(path: &Path, place: Place, mut entries: Vec<Entry>) -> Result<Self> {
        let labels = entries.iter().position(|entry| entry.name == LABELS).map(|at| entries.swap_remove(at));
        entries.retain(|entry| is_picture_name(&entry.name) && !is_hidden(&entry.name));
        if entries.is_empty() {
            let reason = "holds no pictures (png, jpg, webp, bmp, gif, tiff, pnm), no IDX pair and no CIFAR-10 batches";
            return Err(Error::input(path, reason));
        }
        // Byte order of UTF-8 is Python's order of strings.
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { path: path.into(), place, pictures: entries, labels })
    }

    pub fn count(&self) -> usize {
        self.pictures.len()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pictures.iter().map(|entry| entry.name.as_str())
    }

    /// How to call a picture in an error.
    pub fn picture_path(&self, index: usize) -> PathBuf {
        self.path.join(&self.pictures[index].name)
    }

    pub fn labels_path(&self) -> PathBuf {
        self.path.join(LABELS)
    }

    pub fn labels(&self) -> Result<Option<Vec<u8>>> {
        self.labels.as_ref().map(|entry| self.whole(entry, MAX_LABELS)).transpose()
    }

    pub fn picture(&self, index: usize) -> Result<Vec<u8>> {
        self.whole(&self.pictures[index], MAX_PICTURE)
    }

    /// The first bytes of a picture file, at most `most`, and whether that is all of it.
    pub fn picture_head(&self, index: usize, most: u64) -> Result<(Vec<u8>, bool)> {
        let entry = &self.pictures[index];
        Ok((self.read(entry, most)?, entry.size <= most))
    }

    pub fn digest_picture(&self, index: usize, digest: &mut Digest) {
        let entry = &self.pictures[index];
        digest.add(entry.name.as_bytes());
        digest.add(&entry.size.to_le_bytes());
        digest.add(&entry.checksum.to_le_bytes());
    }

    fn whole(&self, entry: &Entry, most: u64) -> Result<Vec<u8>> {
        let refused = |reason: String| Err(Error::input(self.path.join(&entry.name), reason));
        if entry.size > most {
            return refused(format!("has {} bytes; the most that is read is {most}", entry.size));
        }
        // A zip may lie about sizes, and a file may change: one byte more tells.
        let bytes = self.read(entry, entry.size + 1)?;
        if bytes.len() as u64 != entry.size {
            let than = if (bytes.len() as u64) < entry.size { "fewer" } else { "more" };
            return refused(format!(
                "holds {than} bytes than the {} it is listed with; make it again",
                entry.size
            ));
        }
        Ok(bytes)
    }

    fn read(&self, entry: &Entry, most: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read: io::Result<usize> = match &self.place {
            #[cfg(not(target_family = "wasm"))]
            Place::Folder => std::fs::File::open(self.path.join(&entry.name))
                .and_then(|file| file.take(most).read_to_end(&mut bytes)),
            Place::Zip(archive) => archive
                .clone()
                .by_index(entry.place)
                .map_err(io::Error::from)
                .and_then(|file| file.take(most).read_to_end(&mut bytes)),
            Place::Memory(sources) => sources[entry.place].reader().take(most).read_to_end(&mut bytes),
        };
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => {
                let reason = format!("cannot be read ({error}); repair it or take it out");
                Err(Error::input(self.path.join(&entry.name), reason))
            }
        }
    }
}

/// What a Mac leaves beside pictures, and what people hide, is not data.
fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX")
}

/// Lists the regular files under a folder. Links to folders are not followed, so there are no loops.
#[cfg(not(target_family = "wasm"))]
fn walk(root: &Path, inside: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<()> {
    let folder = root.join(inside);
    let failed = |error: io::Error| Error::input(&folder, format!("cannot be listed ({error})"));
    if depth == 0 {
        return Err(Error::input(
            &folder,
            format!("lies more than {MAX_DEPTH} folders deep; give a folder inside"),
        ));
    }
    for item in std::fs::read_dir(&folder).map_err(failed)? {
        let item = item.map_err(failed)?;
        let Ok(own_name) = item.file_name().into_string() else {
            return Err(Error::input(item.path(), "its name is not valid Unicode; rename it"));
        };
        let name = if inside.is_empty() { own_name } else { format!("{inside}/{own_name}") };
        if item.file_type().map_err(failed)?.is_dir() {
            if !is_hidden(&name) {
                walk(root, &name, depth - 1, entries)?;
            }
        } else if name == LABELS || is_picture_name(&name) {
            let about = std::fs::metadata(item.path())
                .map_err(|error| Error::input(item.path(), format!("cannot be read ({error})")))?;
            if about.is_file() {
                entries.push(Entry { name, size: about.len(), place: 0, checksum: 0 });
            }
        }
    }
    Ok(())
}
