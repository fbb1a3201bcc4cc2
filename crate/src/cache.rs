//! Where what can be made again is kept from one process to the next.

use std::path::{Path, PathBuf};

/// The folder for one kind of things in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`); `None` where there is neither.
/// It may not exist yet.
pub fn folder(kind: &str) -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Path::is_absolute(&base).then(|| base.join("r3gan").join(kind))
}
