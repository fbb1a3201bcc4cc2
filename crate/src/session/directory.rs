//! The run directory: the names in it are a contract.
//!
//! | file | is |
//! |---|---|
//! | `options.toml` | the configuration, and the data the run was started with |
//! | `log.txt` | every tick line |
//! | `stats.jsonl` | one JSON object a tick: name to {num, mean, std}, and a timestamp |
//! | `events.out.tfevents.*` | the means of those for TensorBoard, by kimg; a file for each start |
//! | `metric-fid5k_full.jsonl` | one JSON object for each model that was measured, with the official keys |
//! | `best-fid5k_full.safetensors` | the model that was best by the first metric |
//! | `reals.png` | real samples, with labels a row of each class |
//! | `fakes-000012.png` | samples at fixed latents, with the labels of those, after 12 kimg |
//! | `model-000012.safetensors` | the averaged generator after 12 kimg |
//! | `checkpoint-000012.safetensors` | all that a resumed run needs; the last two are kept |
//! | `set-aside-*` | checkpoints and best models after the checkpoint that a run was taken back to |

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::checkpoint::container::Container;
use crate::checkpoint::{self, ModelHeader, UNFINISHED, write_atomic};
use crate::error::{Error, Result};

/// The file of tick lines.
pub const LOG: &str = "log.txt";
/// Checkpoints that stay when a new one is whole.
const CHECKPOINTS_KEPT: usize = 2;

/// A directory that one run writes to.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Creates the directory if need be.
    ///
    /// # Errors
    /// [`Error::Output`] if it cannot be created or written.
    pub fn create(path: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::output(path, checkpoint::output_reason(&e));
        if path.exists() && !path.is_dir() {
            return Err(Error::output(path, "is a file; --out needs a directory"));
        }
        fs::create_dir_all(path).map_err(failed)?;
        // Learn now, not after an hour, whether files can be written here.
        tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(path).map_err(failed)?;
        Ok(Self { path: path.into() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole or not at all.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.path.join(name);
        write_atomic(&path, bytes)?;
        Ok(path)
    }

    /// Adds a line to a text file.
    pub fn append_line(&self, name: &str, line: &str) -> Result<()> {
        self.append(name, format!("{line}\n").as_bytes())
    }

    /// Adds bytes to a file.
    pub fn append(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        let failed = |e: std::io::Error| Error::output(&path, checkpoint::output_reason(&e));
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        file.write_all(bytes).map_err(failed)
    }

    /// `checkpoint-000012.safetensors` after 12 thousand images.
    pub fn name(kind: &str, images: u64, extension: &str) -> String {
        format!("{kind}-{:06}.{extension}", images / 1000)
    }

    /// The thousands of images in a name of [`name`](Self::name)'s form.
    fn number(name: &str, kind: &str) -> Option<u64> {
        name.strip_prefix(kind)?.strip_prefix('-')?.strip_suffix(".safetensors")?.parse().ok()
    }

    /// Checkpoints in the directory, newest first.
    pub fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        let number = |name: String| Some((Self::number(&name, "checkpoint")?, self.path.join(name)));
        let mut found: Vec<_> = self.names()?.into_iter().filter_map(number).collect();
        found.sort();
        Ok(found.into_iter().rev().map(|(_, path)| path).collect())
    }

    /// Whether a run has written here.
    pub fn holds_run(&self) -> Result<bool> {
        Ok(self.path.join("stats.jsonl").exists() || !self.checkpoints()?.is_empty())
    }

    /// Renames checkpoints, and best models, of more than `images` images: a run that goes on from before them makes
    /// its own.
    pub fn set_aside_after(&self, images: u64) -> Result<()> {
        for name in self.names()? {
            let is_later = match Self::number(&name, "checkpoint") {
                Some(number) => number > images / 1000,
                None => name.starts_with("best-") && self.images_of(&name).is_some_and(|seen| seen > images),
            };
            if is_later {
                let (path, aside) = (self.path.join(&name), self.path.join(format!("set-aside-{name}")));
                fs::rename(&path, &aside).map_err(|e| Error::output(&path, checkpoint::output_reason(&e)))?;
            }
        }
        Ok(())
    }

    /// Images that a model had seen, if it can be read.
    fn images_of(&self, name: &str) -> Option<u64> {
        let path = self.path.join(name);
        let bytes = fs::read(&path).ok()?;
        Some(Container::parse(&bytes, &path).ok()?.header::<ModelHeader>().ok()?.images)
    }

    /// Removes all but the newest checkpoints; called once a new one is whole.
    pub fn prune_checkpoints(&self) -> Result<()> {
        for old in self.checkpoints()?.into_iter().skip(CHECKPOINTS_KEPT) {
            fs::remove_file(&old).map_err(|e| Error::output(&old, format!("cannot be removed ({e})")))?;
        }
        Ok(())
    }

    /// Removes what a killed run was writing when it ended.
    pub fn clear_unfinished(&self) -> Result<()> {
        for name in self.names()? {
            if name.starts_with(UNFINISHED) {
                let path = self.path.join(name);
                fs::remove_file(&path)
                    .map_err(|e| Error::output(&path, format!("cannot be removed ({e})")))?;
            }
        }
        Ok(())
    }

    /// Drops the tick lines after `images`, as [`rewind_statistics`](Self::rewind_statistics) does; other lines stay.
    pub fn rewind_log(&self, images: u64) -> Result<()> {
        // As far as a line tells: `tick 3     kimg 12.0 ...`.
        let limit = images as f64 / 1e3 + 0.05;
        let seen = |line: &str| {
            let words = line.strip_prefix("tick ")?;
            words.split_once(" kimg ")?.1.split_whitespace().next()?.parse::<f64>().ok()
        };
        self.keep_lines(LOG, |line| seen(line).is_none_or(|kimg| kimg <= limit))
    }

    /// Drops statistics and scores after `images`: a killed run wrote them, and the resumed one writes them again.
    pub fn rewind_statistics(&self, images: u64) -> Result<()> {
        let limit = images as f64 / 1e3;
        self.keep_objects("stats.jsonl", |line| {
            line.pointer("/Progress~1kimg/mean").and_then(Value::as_f64).is_some_and(|kimg| kimg <= limit)
        })?;
        for name in self.names()? {
            if name.starts_with("metric-") && name.ends_with(".jsonl") {
                // Lines about models of another name are nobody's to drop.
                let number = |line: &Value| Self::number(line.pointer("/snapshot_pkl")?.as_str()?, "model");
                self.keep_objects(&name, |line| number(line).is_none_or(|number| number <= images / 1000))?;
            }
        }
        Ok(())
    }

    /// Keeps some lines of a file of JSON objects, if it is there.
    fn keep_objects(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        self.keep_lines(name, |line| serde_json::from_str(line).is_ok_and(|object| wanted(&object)))
    }

    /// Keeps some lines of a file, if it is there.
    fn keep_lines(&self, name: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let path = self.path.join(name);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
        let kept: String = text.lines().filter(|line| wanted(line)).flat_map(|line| [line, "\n"]).collect();
        if kept.len() == text.len() { Ok(()) } else { write_atomic(&path, kept.as_bytes()) }
    }

    /// Names of all files.
    fn names(&self) -> Result<Vec<String>> {
        let failed = |e: std::io::Error| Error::input(&self.path, format!("cannot be read ({e})"));
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        Ok(names)
    }
}
