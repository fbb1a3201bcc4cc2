//! What the page fetches on demand: compact data sets in `www/data`, models in `www/models`, and the catalog that
//! names them with their sizes and hashes.

use crate::data::{self, DataSet};
use anyhow::{Context, Result, bail};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const CATALOG: &str = "www/catalog.json";
const FACES: &[&str] = &["--count", "3000", "--side", "32", "--small"];
const DIGITS: usize = 10_000;

/// Makes `www/data` anew, from the same seeds and packages the same, and brings the catalog up to date.
pub fn make() -> Result<PathBuf> {
    let folder = fs::canonicalize("www")?.join("data");
    fs::create_dir_all(folder.join("digits"))?;
    data::render_faces(&folder.join("faces-32.zip"), FACES)?;
    let mnist = data::fetch(DataSet::Mnist)?;
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        let whole = fs::read(mnist.join(name)).with_context(|| mnist.join(name).display().to_string())?;
        let some = first_items(&whole, DIGITS).with_context(|| name.to_owned())?;
        replace(&folder.join("digits").join(format!("{name}.gz")), &gzipped(&some)?)?;
    }
    update_catalog()?;
    Ok(folder)
}

/// The beginning of an IDX file: its first `count` pictures or labels, with a header that says so.
fn first_items(idx: &[u8], count: usize) -> Result<Vec<u8>> {
    let number = |at: usize| -> Result<usize> {
        let bytes = idx.get(at..at + 4).context("the file ends within its header")?;
        Ok(u32::from_be_bytes(bytes.try_into()?) as usize)
    };
    let [0, 0, 8, dimensions @ 1..=4] = *idx.first_chunk().context("the file is empty")? else {
        bail!("this is no IDX file of bytes");
    };
    let header = 4 + 4 * usize::from(dimensions);
    let mut item = 1;
    for at in (8..header).step_by(4) {
        item *= number(at)?;
    }
    let items = number(4)?;
    if count > items || idx.len() != header + items * item {
        bail!("the file should hold {count} or more items of {item} bytes, and nothing else");
    }
    let mut some = idx[..header + count * item].to_vec();
    some[4..8].copy_from_slice(&u32::try_from(count)?.to_be_bytes());
    Ok(some)
}

fn gzipped(bytes: &[u8]) -> Result<Vec<u8>> {
    // Without a time or a name in its header, so that the same bytes come out every day.
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes)?;
    let packed = packer.finish()?;
    let mut again = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut again)?;
    if again != bytes {
        bail!("a file does not unpack to what was packed");
    }
    Ok(packed)
}

/// A file is there whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = File::create(&unfinished).with_context(|| unfinished.display().to_string())?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path).with_context(|| path.display().to_string())
}

/// Writes the size and hash of every file into the catalog; the rest of it is written by hand.
fn update_catalog() -> Result<()> {
    let mut catalog: Value = serde_json::from_str(&fs::read_to_string(CATALOG)?).context(CATALOG)?;
    for entry in entries(&mut catalog)? {
        let (bytes, sha256) = measure(&file_of(entry)?)?;
        entry["bytes"] = json!(bytes);
        entry["sha256"] = json!(sha256);
    }
    replace(Path::new(CATALOG), format!("{}\n", serde_json::to_string_pretty(&catalog)?).as_bytes())
}

/// Everything in the catalog that is a file: models, and the files of data sets.
fn entries(catalog: &mut Value) -> Result<Vec<&mut Value>> {
    let mut entries = Vec::new();
    for (key, part) in catalog.as_object_mut().context("the catalog is an object")? {
        let list = part.as_array_mut().with_context(|| format!("{key} is a list"))?;
        for entry in list {
            if entry.get("files").is_some() {
                entries.extend(entry["files"].as_array_mut().context("files is a list")?);
            } else {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

fn file_of(entry: &Value) -> Result<PathBuf> {
    let path = entry["file"].as_str().or(entry["url"].as_str());
    Ok(Path::new("www").join(path.with_context(|| format!("this entry names no file: {entry}"))?))
}

fn measure(path: &Path) -> Result<(u64, String)> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes.len() as u64, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a demonstration may weigh on the visitor's line, in bytes.
    const MODEL_BUDGET: u64 = 4_000_000;
    const DATA_BUDGET: u64 = 5_000_000;

    /// Tests start in the package's folder, chores in the repository's.
    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn catalog() -> Value {
        serde_json::from_str(&fs::read_to_string(root().join(CATALOG)).expect("a catalog")).expect("JSON")
    }

    #[test]
    fn catalog_has_the_sizes_and_hashes_of_the_files() {
        let mut catalog = catalog();
        let entries = entries(&mut catalog).expect("entries");
        assert!(entries.len() >= 3, "a model, faces and digits");
        for entry in entries {
            let (bytes, sha256) =
                measure(&root().join(file_of(entry).expect("a file"))).expect("it can be read");
            assert_eq!((&entry["bytes"], &entry["sha256"]), (&json!(bytes), &json!(sha256)), "{entry}");
        }
    }

    #[test]
    fn every_demonstration_is_within_its_budget() {
        let catalog = catalog();
        for model in catalog["models"].as_array().expect("models") {
            assert!(model["bytes"].as_u64().expect("bytes") <= MODEL_BUDGET, "{model}");
        }
        for set in catalog["datasets"].as_array().expect("data sets") {
            let files = set["files"].as_array().expect("files");
            let sum: u64 = files.iter().map(|file| file["bytes"].as_u64().expect("bytes")).sum();
            assert!(sum <= DATA_BUDGET, "{set}");
        }
    }

    #[test]
    fn posters_have_the_size_of_their_seeds_and_cards_are_there() {
        for model in catalog()["models"].as_array().expect("models") {
            let field = |key: &str| root().join("www").join(model[key].as_str().expect(key));
            let number = |key: &str| model[key].as_u64().expect(key);
            let seeds = model["posterSeeds"].as_array().expect("posterSeeds").len() as u64;
            let poster = fs::read(field("poster")).expect("a poster");
            assert!(poster.starts_with(b"\x89PNG\r\n\x1a\n"));
            let size = [16, 20].map(|at| u32::from_be_bytes(poster[at..at + 4].try_into().expect("4 bytes")));
            let rows = seeds.div_ceil(number("posterColumns"));
            assert_eq!(size.map(u64::from), [number("posterColumns"), rows].map(|n| n * number("side")));
            assert_eq!(model["classNames"].as_array().expect("classNames").len() as u64, number("classes"));
            let card = fs::read_to_string(field("card")).expect("a card");
            assert!(
                card.contains(model["licence"].as_str().expect("a licence")),
                "the card states the licence"
            );
        }
    }

    #[test]
    fn the_beginning_of_an_idx_file_says_how_long_it_is() {
        let whole = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 4, 5, 6]].concat();
        let some = first_items(&whole, 2).expect("two of three");
        assert_eq!(some, [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat());
        assert_eq!(
            first_items(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9], 1).expect("one label"),
            [0, 0, 8, 1, 0, 0, 0, 1, 7]
        );
        for broken in [&whole[..whole.len() - 1], &whole[..11], &[0, 0, 9, 1], &[]] {
            assert!(first_items(broken, 2).is_err());
        }
        assert!(first_items(&whole, 4).is_err());
    }

    #[test]
    fn packed_bytes_are_the_same_every_time() {
        let once = gzipped(&[7; 1000]).expect("packed");
        assert_eq!(once, gzipped(&[7; 1000]).expect("packed"));
        assert_eq!(once[4..8], [0; 4], "no time");
    }
}
