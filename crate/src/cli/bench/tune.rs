//! `r3gan bench --tune`: times every kernel for every size that comes up, and keeps what is faster than the table's choice.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::clock::Clock;
use super::{exit, median};
use crate::cli::create_directory;
use crate::kernels::gpu::tuned::{Measured, Question, file, questions};
use crate::{Error, Result};

/// A kernel replaces the table's where it takes at most this share of its time: less is noise.
const FASTER: f64 = 0.97;

pub struct Tune<'a> {
    pub clock: Clock<'a>,
    pub json: bool,
}

impl Tune<'_> {
    /// Measures the operations of `work`, prints a line for each, and keeps the choices. They hold from now on.
    ///
    /// # Errors
    /// [`Error::Setting`] without a cache, before any work; those of `work`, [`Error::Device`], and
    /// [`Error::Output`].
    pub fn run(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let path = self.place()?;
        let (questions, outcome) = questions(work);
        outcome?;
        // What is there of other sizes stays.
        match file::load(&path, self.clock.device_name, self.clock.device) {
            Ok(known) => known.unwrap_or_default().adopt(),
            Err(e) => exit::warn(&format!("{e}; it is written anew")),
        }
        if !self.json {
            exit::say(&format!("\n{:<10} {:<10} {:<6} operation: kernel", "table ms", "best ms", "ratio"))?;
        }
        // Kept one by one: many kernels take minutes, and what ends this loses none.
        for question in &questions {
            self.settle(question.as_ref())?;
            file::save(&path, self.clock.device_name, self.clock.device, Measured::current())?;
        }
        let count = Measured::current().len();
        let sentence = format!(
            "{count} sizes have a kernel of their own in {}; delete it to go back to the table",
            path.display()
        );
        exit::say(&if self.json {
            json!({ "what": "tuned", "sizes": count, "file": path }).to_string()
        } else {
            sentence
        })
    }

    /// Where the choices will be kept, which can be written to.
    fn place(&self) -> Result<PathBuf> {
        let Clock { device_name, device, .. } = self.clock;
        let path = file::place(device_name, device).ok_or_else(|| {
            Error::setting("--tune", "there is no place to keep what is measured; set XDG_CACHE_HOME")
        })?;
        create_directory(path.parent().unwrap_or(Path::new("")))?;
        crate::checkpoint::check_writable(&path)?;
        Ok(path)
    }

    /// Times all kernels of an operation in turns, and lets the fastest compute it.
    fn settle(&self, question: &dyn Question) -> Result<()> {
        let kernels = question.kernels();
        let work = question.work(self.clock.device);
        let (again, _) = questions(&work);
        if again.iter().all(|other| other.operation() != question.operation()) {
            let operation = question.operation();
            exit::warn(&format!(
                "{operation} is of matrices that lie in others: not measured, the table's kernel stays"
            ));
            return Ok(());
        }
        let mut launches = Vec::with_capacity(kernels.len());
        for kernel in 0..kernels.len() {
            question.answer(kernel);
            launches.push(self.clock.launches(&work)?);
        }
        let mut seconds = vec![Vec::with_capacity(self.clock.runs); kernels.len()];
        for _ in 0..self.clock.runs {
            for (kernel, &launches) in launches.iter().enumerate() {
                question.answer(kernel);
                seconds[kernel].push(self.clock.reading(&work, launches)?);
            }
        }
        let seconds: Vec<f64> = seconds.iter().map(|seconds| median(seconds)).collect();
        let best = (0..kernels.len()).min_by(|a, b| seconds[*a].total_cmp(&seconds[*b])).unwrap_or(0);
        let best = if seconds[best] <= FASTER * seconds[0] { best } else { 0 };
        question.answer(best);
        let operation = question.operation();
        let [table, chosen] = [seconds[0], seconds[best]];
        exit::say(&if self.json {
            json!({ "peer": "r3gan", "what": "tune", "device": self.clock.device_name, "operation": operation,
                    "table": kernels[0], "table_s": table, "kernel": kernels[best], "kernel_s": chosen })
            .to_string()
        } else {
            let (table_ms, chosen_ms, ratio) = (table * 1e3, chosen * 1e3, chosen / table);
            let replaced = if best == 0 { String::new() } else { format!(", in place of {}", kernels[0]) };
            format!(
                "{table_ms:<10.3} {chosen_ms:<10.3} {ratio:<6.2} {operation}: {}{replaced}",
                kernels[best]
            )
        })
    }
}
