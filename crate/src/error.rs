//! Errors for people: one sentence that names the file or the setting, and the way out.

use std::path::{Path, PathBuf};

/// What can go wrong at the edges: files, settings, devices, and a training run that diverges.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder that was read is not what it should be.
    #[error("{}: {reason}", path.display())]
    Input { path: PathBuf, reason: String },
    /// A file or folder cannot be written.
    #[error("{}: {reason}", path.display())]
    Output { path: PathBuf, reason: String },
    /// A flag, a configuration key or an argument has a value that cannot be used.
    #[error("{name}: {reason}")]
    Setting { name: String, reason: String },
    /// A device is missing or cannot be opened.
    #[error("device {name}: {reason}")]
    Device { name: String, reason: String },
    /// A device stopped answering: it was taken away, or its memory ran out.
    #[error("device {name}: its memory cannot be read ({reason})")]
    DeviceLost { name: String, reason: String },
    /// What was asked for needs more memory than is free.
    #[error("{name}: {reason}")]
    Memory { name: String, reason: String },
    /// Training produced a value that is not finite.
    #[error("{0}")]
    Diverged(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn input(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Input { path: path.as_ref().into(), reason: reason.into() }
    }

    pub fn output(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Output { path: path.as_ref().into(), reason: reason.into() }
    }

    pub fn setting(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Setting { name: name.into(), reason: reason.into() }
    }

    pub fn device(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Device { name: name.into(), reason: brief(reason.into()) }
    }

    pub fn device_lost(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::DeviceLost { name: name.into(), reason: brief(reason.into()) }
    }
}

/// The beginning of what a driver says, which may go on with the whole kernel that it could not compile.
fn brief(mut reason: String) -> String {
    const LONGEST: usize = 600;
    if reason.len() > LONGEST {
        reason.truncate(reason.floor_char_boundary(LONGEST));
        reason.push('…');
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_prints_a_kernel_is_cut_short() {
        let told = Error::device("cuda", "wörds ".repeat(1000)).to_string();
        assert!(told.starts_with("device cuda: wörds") && told.ends_with('…') && told.len() < 700, "{told}");
        assert_eq!(
            Error::device_lost("cuda", "gone").to_string(),
            "device cuda: its memory cannot be read (gone)"
        );
    }
}
