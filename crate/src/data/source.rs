//! Bytes read by position: a file on the computer, or memory in the browser.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::digest::Digest;

/// A file that many threads read at once, each at its own place, without sharing a cursor.
#[derive(Clone, Debug)]
pub struct Source {
    place: Place,
    length: u64,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<Vec<u8>>),
    #[cfg(not(target_family = "wasm"))]
    File(Arc<std::fs::File>),
}

impl Source {
    pub fn memory(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, place: Place::Memory(Arc::new(bytes)) }
    }

    #[cfg(not(target_family = "wasm"))]
    pub fn file(file: std::fs::File) -> io::Result<Self> {
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::Error::other("it is a folder where a file belongs"));
        }
        Ok(Self { length: about.len(), place: Place::File(Arc::new(file)) })
    }

    /// Keeps what a stream holds, where it does not weigh on memory: in a nameless temporary file.
    #[cfg(not(target_family = "wasm"))]
    pub fn spool(mut stream: impl Read) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        io::copy(&mut stream, &mut file)?;
        Self::file(file)
    }

    /// Keeps what a stream holds; the browser has only memory.
    #[cfg(target_family = "wasm")]
    pub fn spool(mut stream: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Ok(Self::memory(bytes))
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when the source ends before `out` is full.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &self.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let found = start.checked_add(out.len()).and_then(|end| bytes.get(start..end));
                out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            #[cfg(not(target_family = "wasm"))]
            Place::File(file) => read_file_at(file, offset, out),
        }
    }

    /// At most `limit` bytes from the start.
    pub fn head(&self, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.length.min(limit as u64) as usize];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Adds the length and both ends to a fingerprint.
    pub fn digest(&self, digest: &mut Digest) -> io::Result<()> {
        let mut end = vec![0; self.length.min(4096) as usize];
        digest.add(&self.length.to_le_bytes());
        for offset in [0, self.length - end.len() as u64] {
            self.read_at(offset, &mut end)?;
            digest.add(&end);
        }
        Ok(())
    }

    /// A cursor of one's own over the whole source.
    pub fn reader(&self) -> SourceReader {
        SourceReader { source: self.clone(), position: 0 }
    }
}

#[cfg(unix)]
fn read_file_at(file: &std::fs::File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(windows)]
fn read_file_at(file: &std::fs::File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                out = &mut out[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

/// `Read` and `Seek` over a [`Source`], for the crates that want them.
#[derive(Clone, Debug)]
pub struct SourceReader {
    source: Source,
    position: u64,
}

impl Read for SourceReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.source.len().saturating_sub(self.position);
        let count = left.min(out.len() as u64) as usize;
        self.source.read_at(self.position, &mut out[..count])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SourceReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.source.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_file_read_alike() {
        let bytes: Vec<u8> = (0..100).collect();
        for source in [Source::memory(bytes.clone()), Source::spool(bytes.as_slice()).unwrap()] {
            assert_eq!(source.len(), 100);
            assert_eq!(source.head(3).unwrap(), [0, 1, 2]);
            let mut out = [0; 4];
            source.read_at(96, &mut out).unwrap();
            assert_eq!(out, [96, 97, 98, 99]);
            assert!(source.read_at(97, &mut out).is_err());
            assert!(source.read_at(u64::MAX, &mut out).is_err());
            let mut reader = source.reader();
            assert_eq!(reader.seek(SeekFrom::End(-2)).unwrap(), 98);
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, [98, 99]);
            assert!(reader.seek(SeekFrom::Current(-101)).is_err());
        }
    }
}
