//! IDX, the format of MNIST and its family: a magic number, big-endian sizes, then bytes
//! (<http://yann.lecun.com/exdb/mnist/>).

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::dataset::Images;
use super::digest::Digest;
use super::picture::MAX_SIDE;
use super::source::Source;
use crate::error::{Error, Result};

/// The most that a .gz may unpack to, since it goes to the temporary folder.
const MAX_UNPACKED: u64 = 16 << 30;
/// Deflate cannot pack tighter than 1032 to 1.
const MAX_RATIO: u64 = 1032;

/// Grey pictures in one IDX file, read by position.
#[derive(Debug)]
pub struct IdxImages {
    path: PathBuf,
    source: Source,
    count: u32,
    side: usize,
}

impl IdxImages {
    pub fn open(path: &Path, source: &Source) -> Result<Self> {
        let (source, [count, height, width]) = open(path, source)?;
        if height != width {
            let reason = format!("holds pictures of {width}x{height} pixels; crop or pad them to squares");
            return Err(Error::input(path, reason));
        }
        if width > MAX_SIDE {
            let reason =
                format!("holds pictures {width} pixels wide; the largest that can be used is {MAX_SIDE}");
            return Err(Error::input(path, reason));
        }
        Ok(Self { path: path.into(), source, count, side: width as usize })
    }
}

impl Images for IdxImages {
    fn count(&self) -> usize {
        self.count as usize
    }

    fn side(&self) -> usize {
        self.side
    }

    fn channels(&self) -> usize {
        1
    }

    fn read(&self, index: usize, out: &mut [u8]) -> Result<()> {
        let offset = 16 + index as u64 * (self.side * self.side) as u64;
        self.source.read_at(offset, out).map_err(|error| unreadable(&self.path, &error))
    }

    fn digest(&self, digest: &mut Digest) -> Result<()> {
        self.source.digest(digest).map_err(|error| unreadable(&self.path, &error))
    }
}

/// The labels of `count` pictures, one byte each.
pub fn labels(path: &Path, source: &Source, count: usize) -> Result<Vec<u32>> {
    let (source, [found]) = open(path, source)?;
    if found as usize != count {
        let reason = format!("holds {found} labels for {count} pictures; use the two files of one set");
        return Err(Error::input(path, reason));
    }
    let mut bytes = vec![0; count];
    source.read_at(8, &mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(bytes.into_iter().map(u32::from).collect())
}

/// An unpacked source whose length is what its header promises, and the sizes in that header.
fn open<const N: usize>(path: &Path, source: &Source) -> Result<(Source, [u32; N])> {
    let failed = |error: io::Error| unreadable(path, &error);
    if source.head(2).map_err(failed)? != [0x1f, 0x8b] {
        let sizes = header(path, &mut source.reader())?;
        let promised = promised_length(path, sizes)?;
        if source.len() != promised {
            let reason =
                format!("has {} bytes where its header promises {promised}; fetch it again", source.len());
            return Err(Error::input(path, reason));
        }
        return Ok((source.clone(), sizes));
    }
    let sizes = header(path, &mut MultiGzDecoder::new(source.reader()))?;
    let promised = promised_length(path, sizes)?;
    if promised > MAX_UNPACKED.min(source.len().saturating_mul(MAX_RATIO)) {
        let reason = format!("its header promises {promised} bytes, more than it can hold; fetch it again");
        return Err(Error::input(path, reason));
    }
    // One byte more than promised is enough to know that there is more.
    let stream = MultiGzDecoder::new(source.reader()).take(promised + 1);
    let unpacked = Source::spool(stream)
        .map_err(|error| Error::input(path, format!("cannot be unpacked ({error}); fetch it again")))?;
    if unpacked.len() != promised {
        let than = if unpacked.len() < promised { "fewer" } else { "more" };
        let reason =
            format!("unpacks to {than} bytes than the {promised} its header promises; fetch it again");
        return Err(Error::input(path, reason));
    }
    Ok((unpacked, sizes))
}

fn header<const N: usize>(path: &Path, reader: &mut impl Read) -> Result<[u32; N]> {
    let damaged = |error| Error::input(path, format!("is cut short or damaged ({error}); fetch it again"));
    let mut word = [0; 4];
    reader.read_exact(&mut word).map_err(damaged)?;
    if word != [0, 0, 8, N as u8] {
        let reason = format!("is not an IDX file of bytes with {N} dimensions (magic number {word:02x?})");
        return Err(Error::input(path, reason));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        reader.read_exact(&mut word).map_err(damaged)?;
        *size = u32::from_be_bytes(word);
    }
    Ok(sizes)
}

fn promised_length<const N: usize>(path: &Path, sizes: [u32; N]) -> Result<u64> {
    let header = 4 + 4 * N as u64;
    let length = sizes.iter().try_fold(1u64, |length, &size| length.checked_mul(u64::from(size)));
    match length.and_then(|length| length.checked_add(header)) {
        Some(length) if length > header => Ok(length),
        _ => Err(Error::input(path, format!("its header promises sizes {sizes:?}, which no data has"))),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::input(path, format!("cannot be read ({error})"))
}
