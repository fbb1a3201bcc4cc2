//! CIFAR-10's binary version: records of a label and three planes of 32x32 bytes
//! (<https://www.cs.toronto.edu/~kriz/cifar.html>). The python version becomes that one.

use std::path::PathBuf;

use super::dataset::Images;
use super::digest::Digest;
use super::source::Source;
use crate::error::{Error, Result};

#[cfg(not(target_family = "wasm"))]
pub mod python;

pub const CLASSES: u32 = 10;
const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const RECORD: usize = 1 + 3 * PLANE;

/// The pictures of one or more batch files, read by position.
#[derive(Debug)]
pub struct CifarImages {
    files: Vec<BatchFile>,
}

#[derive(Debug)]
struct BatchFile {
    path: PathBuf,
    source: Source,
    records: usize,
}

impl CifarImages {
    pub fn open(files: Vec<(PathBuf, Source)>) -> Result<Self> {
        let open = |(path, source): (PathBuf, Source)| {
            let length = source.len();
            if length == 0 || length % RECORD as u64 != 0 {
                let reason =
                    format!("has {length} bytes, which is no number of CIFAR-10 records of {RECORD} bytes");
                return Err(Error::input(path, reason));
            }
            Ok(BatchFile { path, source, records: (length / RECORD as u64) as usize })
        };
        Ok(Self { files: files.into_iter().map(open).collect::<Result<_>>()? })
    }

    /// The label of every picture, checked to be 0 to 9.
    pub fn labels(&self) -> Result<Vec<u32>> {
        let mut labels = Vec::new();
        for file in &self.files {
            for record in 0..file.records {
                let mut label = [0];
                file.read(record, 0, &mut label)?;
                let label = u32::from(label[0]);
                if label >= CLASSES {
                    let reason =
                        format!("record {record} has label {label}; the labels of CIFAR-10 are 0 to 9");
                    return Err(Error::input(&file.path, reason));
                }
                labels.push(label);
            }
        }
        Ok(labels)
    }
}

impl BatchFile {
    fn read(&self, record: usize, skip: usize, out: &mut [u8]) -> Result<()> {
        let offset = record as u64 * RECORD as u64 + skip as u64;
        let failed = |error| Error::input(&self.path, format!("cannot be read ({error})"));
        self.source.read_at(offset, out).map_err(failed)
    }
}

impl Images for CifarImages {
    fn count(&self) -> usize {
        self.files.iter().map(|file| file.records).sum()
    }

    fn side(&self) -> usize {
        SIDE
    }

    fn channels(&self) -> usize {
        3
    }

    fn read(&self, mut index: usize, out: &mut [u8]) -> Result<()> {
        for file in &self.files {
            if index < file.records {
                let mut planes = [0; 3 * PLANE];
                file.read(index, 1, &mut planes)?;
                for (i, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                    *pixel = [planes[i], planes[PLANE + i], planes[2 * PLANE + i]];
                }
                return Ok(());
            }
            index -= file.records;
        }
        Err(Error::setting("indices", "an index is beyond the last CIFAR-10 record"))
    }

    fn digest(&self, digest: &mut Digest) -> Result<()> {
        for file in &self.files {
            let failed = |error| Error::input(&file.path, format!("cannot be read ({error})"));
            file.source.digest(digest).map_err(failed)?;
        }
        Ok(())
    }
}
