//! Reading whole files, and writing them so that a crash or a full disk leaves the old one intact.

use std::io::{ErrorKind, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// How the names of files begin that are not whole yet.
pub const UNFINISHED: &str = ".writing-";

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| {
        let reason = match e.kind() {
            ErrorKind::NotFound => "does not exist".into(),
            ErrorKind::PermissionDenied => "cannot be read: permission denied".into(),
            _ => format!("cannot be read ({e})"),
        };
        Error::input(path, reason)
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(Error::input(path, "is a directory, not a file"));
    }
    // A device may never end, and a pipe may never begin.
    if !about.is_file() {
        return Err(Error::input(path, "is not a regular file"));
    }
    std::fs::read(path).map_err(failed)
}

/// Replaces `path` by `bytes`: temporary file beside it, synced, then renamed.
///
/// # Errors
/// [`Error::Output`]; whatever was at `path` before is then still there, and no temporary file is left.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic_with(path, |file| file.write_all(bytes).map_err(|e| Error::output(path, reason(&e))))
}

/// As [`write_atomic`], for what is too much for memory.
///
/// # Errors
/// Those of `write` too; the file is then as it was.
pub fn write_atomic_with(path: &Path, write: impl FnOnce(&mut std::fs::File) -> Result<()>) -> Result<()> {
    let failed = |e: std::io::Error| Error::output(path, reason(&e));
    let mut temporary = temporary_beside(path)?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|e| failed(e.error))?;
    sync_directory(directory_of(path)).map_err(failed)
}

/// Learns whether [`write_atomic`] could write there, before the work that makes the bytes.
pub fn check_writable(path: &Path) -> Result<()> {
    temporary_beside(path).map(drop)
}

/// A file that is gone when dropped, where a rename to `path` is one step.
fn temporary_beside(path: &Path) -> Result<NamedTempFile> {
    if path.is_dir() {
        return Err(Error::output(path, "is a directory, so no file can be written there"));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // As any other new file: the user's umask decides, not the privacy of temporary files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(directory_of(path));
    temporary.map_err(|e| Error::output(path, reason(&e)))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Why nothing could be written, and what to do.
pub(crate) fn reason(e: &std::io::Error) -> String {
    match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full; free some space or choose another directory (nothing was half written)".into()
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "cannot be written: permission denied; choose a directory that you own".into()
        }
        ErrorKind::NotFound => "cannot be written: its directory does not exist".into(),
        ErrorKind::NotADirectory => "cannot be written: part of its path is a file, not a directory".into(),
        _ => format!("cannot be written ({e})"),
    }
}

/// A rename is durable once its directory is.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> std::io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}
