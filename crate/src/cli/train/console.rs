//! Between a run and the person in front of it: lines above the progress bar, and Ctrl-C.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use super::super::exit;
use crate::error::{Error, Result};

/// Above the bar on a terminal, else plain lines on stdout.
///
/// Training goes on when nobody reads its output any more; the log has every line.
pub fn print_line(bar: &ProgressBar, line: &str) {
    if std::io::stdout().is_terminal() && !bar.is_hidden() {
        bar.println(line);
    } else {
        let _ = bar.suspend(|| writeln!(std::io::stdout(), "{line}"));
    }
}

/// A flag that the first Ctrl-C raises; the second one ends the process.
pub fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
        exit::warn("finishing the step and writing a checkpoint (again to end at once)");
    })
    .map_err(|e| Error::setting("Ctrl-C", format!("cannot be handled ({e})")))?;
    Ok(stop)
}
