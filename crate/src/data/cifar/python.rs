//! CIFAR-10's python version, as the archive or unpacked: its five training batches become records of the binary
//! version, in temporary files.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::PLANE;
use crate::data::source::Source;
use crate::error::{Error, Result};

mod batch;

use batch::Batch;

/// The training batches, in the official order.
pub const BATCHES: [&str; 5] =
    ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"];
/// The longest file that is taken for a batch; CIFAR-10's have 31 million bytes.
const MAX_BATCH: u64 = 64 << 20;
/// The most that an archive may unpack to; CIFAR-10's has 186 million bytes.
const MAX_UNPACKED: u64 = 1 << 30;

pub fn is_archive(name: &str) -> bool {
    name.ends_with(".tar.gz") || name.ends_with(".tgz")
}

/// One batch as records of the binary version.
pub fn batch(path: &Path, source: &Source) -> Result<(PathBuf, Source)> {
    let failed = |error| Error::input(path, format!("cannot be read ({error})"));
    check_length(path, source.len())?;
    let bytes = source.head(MAX_BATCH as usize).map_err(failed)?;
    records(path, &bytes)
}

/// The five training batches of an archive such as `cifar-10-python.tar.gz`; what else is in it is passed over.
///
/// # Errors
/// [`Error::Input`] naming the archive or the batch in it.
pub fn archive(path: &Path, source: &Source) -> Result<Vec<(PathBuf, Source)>> {
    let damaged =
        |error: io::Error| Error::input(path, format!("cannot be unpacked ({error}); fetch it again"));
    let mut found = BATCHES.map(|_| None);
    let mut tar = tar::Archive::new(MultiGzDecoder::new(source.reader()).take(MAX_UNPACKED));
    // Raw: no name or size that lies in front of an entry is taken into memory.
    for entry in tar.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        let inside = entry.path().map_err(damaged)?.into_owned();
        let is_file = entry.header().entry_type().is_file();
        let place = BATCHES.iter().position(|name| inside.file_name().is_some_and(|own| own == *name));
        let Some(place) = place.filter(|_| is_file) else { continue };
        let inside = path.join(inside);
        check_length(&inside, entry.size())?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        found[place] = Some(records(&inside, &bytes)?);
    }
    // The checksum lies behind all that was asked for.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(damaged)?;
    if let Some(place) = found.iter().position(Option::is_none) {
        let missing = BATCHES[place];
        let reason = format!("holds no {missing}; give cifar-10-python.tar.gz, or a folder of pictures");
        return Err(Error::input(path, reason));
    }
    Ok(found.into_iter().flatten().collect())
}

fn check_length(path: &Path, length: u64) -> Result<()> {
    if length > MAX_BATCH {
        let reason = format!("has {length} bytes, which no CIFAR-10 batch has; the most is {MAX_BATCH}");
        return Err(Error::input(path, reason));
    }
    Ok(())
}

fn records(path: &Path, bytes: &[u8]) -> Result<(PathBuf, Source)> {
    let Batch { labels, planes } =
        Batch::read(bytes).map_err(|problem| Error::input(path, problem.to_string()))?;
    let pictures = labels.iter().zip(planes.chunks_exact(3 * PLANE));
    let records: Vec<u8> =
        pictures.flat_map(|(label, planes)| std::iter::once(label).chain(planes)).copied().collect();
    let failed = |error| Error::input(path, format!("cannot be kept in a temporary file ({error})"));
    Ok((path.into(), Source::spool(records.as_slice()).map_err(failed)?))
}
