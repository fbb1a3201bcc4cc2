//! Python's pickles from their bytes, without running anything.
//!
//! A pickle is a small program; here its instructions only build values in an arena, and the names that it would
//! import are tags from a list that its reader gives ([`Names`]). Every step reads at least one byte of the file, and
//! lengths are compared with what is left before anything is taken, so time and memory follow from the file's length.
//! Values refer to each other by number: nothing here recurses, and nothing is freed recursively.
//!
//! This room depends on std alone, so that `fuzz/` and `tests/snapshots` can include it as it is.

mod arena;
mod cursor;
mod layout;
mod machine;
mod names;

pub use arena::{Arena, Id, Value};
pub use cursor::Cursor;
pub use layout::Layout;
pub use machine::{Rules, run};
pub use names::{Names, Role};

use std::fmt;

/// What is wrong with a file: the rest of a sentence that begins with its name.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem(pub String);

pub type Result<T> = std::result::Result<T, Problem>;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

/// Whether a file begins as a pickle does: a protocol, then an instruction. The length that a safetensors file begins
/// with can look like the former, and has a 0 where the latter stands.
pub fn is_one(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, instruction, ..] if *instruction != 0)
}

/// The file is damaged or is something else.
pub fn problem<T>(reason: impl Into<String>) -> Result<T> {
    Err(Problem(reason.into()))
}

/// A name from the file as a message shows it: short, and without control characters.
pub fn shown(name: &str) -> String {
    const MOST: usize = 80;
    let mut short: String = name.chars().take(MOST).flat_map(char::escape_debug).collect();
    if name.chars().nth(MOST).is_some() {
        short.push_str("...");
    }
    short
}
