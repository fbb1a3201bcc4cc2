//! What was measured on a device, kept in the user's cache for the next process.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::Measured;
use crate::cache;
use crate::checkpoint::{read, write_atomic};
use crate::error::{Error, Result};
use crate::pickle::shown;

/// Bytes of a file: some thousand sizes.
const LARGEST: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Kept {
    /// The version whose kernels were measured; of a table or a kernel that changed since, only a release tells.
    r3gan: String,
    device: String,
    #[serde(flatten)]
    measured: Measured,
}

/// Where that of a device is kept, which is opened by `name`; `None` where the user has no cache.
pub fn place(name: &str, device: &Device) -> Option<PathBuf> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let file: String = full_name(name, device).chars().map(plain).collect();
    Some(cache::folder("tuned")?.join(format!("{file}.json")))
}

/// The interface to the device, and what it calls itself.
fn full_name(name: &str, device: &Device) -> String {
    let api = name.split(':').next().unwrap_or(name);
    let adapter = device.identity().map_or_else(|| name.to_owned(), |identity| identity.name);
    format!("{api} {adapter}")
}

/// Reads what was kept at `path` for a device; `None` where nothing was.
///
/// # Errors
/// [`Error::Input`] for a file that is something else, or of another version or device.
pub fn load(path: &Path, name: &str, device: &Device) -> Result<Option<Measured>> {
    if !path.exists() {
        return Ok(None);
    }
    let refuse = |reason: String| {
        Error::input(path, format!("{reason}; run `r3gan bench --tune` again, or delete the file"))
    };
    if std::fs::metadata(path).is_ok_and(|about| about.len() > LARGEST) {
        return Err(refuse(format!("is larger than the {LARGEST} bytes of all that is ever measured")));
    }
    let kept: Kept = serde_json::from_slice(&read(path)?)
        // What else the error says is the file's own words.
        .map_err(|e| {
            refuse(format!(
                "is not what `r3gan bench --tune` writes (from line {}, column {})",
                e.line(),
                e.column()
            ))
        })?;
    if kept.r3gan != env!("CARGO_PKG_VERSION") {
        return Err(refuse(format!("was measured by another version, {}", shown(&kept.r3gan))));
    }
    if kept.device != full_name(name, device) {
        return Err(refuse(format!("was measured on another device, {}", shown(&kept.device))));
    }
    Ok(Some(kept.measured))
}

/// Keeps what was measured on a device.
///
/// # Errors
/// [`Error::Output`], also for more than [`load`] would read.
pub fn save(path: &Path, name: &str, device: &Device, measured: Measured) -> Result<()> {
    let kept = Kept { r3gan: env!("CARGO_PKG_VERSION").into(), device: full_name(name, device), measured };
    let bytes = serde_json::to_vec(&kept).map_err(|e| Error::output(path, e.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::output(
            path,
            format!("would be larger than {LARGEST} bytes; delete it to begin anew"),
        ));
    }
    write_atomic(path, &bytes)
}
