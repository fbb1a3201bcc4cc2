//! A place in the file's bytes. Nothing is copied, and nothing beyond the end is given.

use super::{Result, problem};

/// The longest line of text that an instruction has.
const LONGEST_LINE: usize = 256;

#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `length` bytes; `length` may be any number that a file claims.
    pub fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let fits = usize::try_from(length).ok().filter(|length| *length <= self.remaining());
        let Some(length) = fits else {
            return problem(format!(
                "is cut short or damaged: {length} bytes should follow byte {}, and {} do",
                self.at,
                self.remaining()
            ));
        };
        let part = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let part = self.take(N as u64)?;
        let mut array = [0; N];
        array.copy_from_slice(part);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Pickle's only number with the highest byte first.
    pub fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// `length` bytes of UTF-8.
    pub fn text(&mut self, length: u64) -> Result<&'a str> {
        let start = self.at;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).or_else(|_| problem(format!("has text at byte {start} that is not UTF-8")))
    }

    /// Text up to a line feed.
    pub fn line(&mut self) -> Result<&'a str> {
        let ahead = &self.bytes[self.at..self.bytes.len().min(self.at + LONGEST_LINE)];
        match ahead.iter().position(|byte| *byte == b'\n') {
            Some(length) => {
                let text = self.text(length as u64)?;
                self.at += 1;
                Ok(text)
            }
            None => problem(format!("is cut short or damaged: a name at byte {} does not end", self.at)),
        }
    }
}
