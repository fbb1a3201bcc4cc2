//! How the command ends: exit codes that mean something, and one line about what went wrong.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use crate::{Error, Result};

/// A flag, a setting or an argument that cannot be used.
pub const USAGE: u8 = 2;
/// A run that was interrupted, as shells number it: 128 + SIGINT. Its checkpoint is written by then.
pub const INTERRUPTED: u8 = 130;

/// The table that `r3gan --help` ends with.
pub const CODES: &str = "\
Exit codes:
    0  done
    2  a flag or a setting cannot be used
    3  a file that was read is not what it should be
    4  a file cannot be written
    5  the device is missing or failed
    6  training diverged
  130  interrupted; a checkpoint was written, unless it was interrupted twice";

/// The code of an error.
pub fn code(error: &Error) -> u8 {
    match error {
        Error::Setting { .. } | Error::Memory { .. } => USAGE,
        Error::Input { .. } => 3,
        Error::Output { .. } => 4,
        Error::Device { .. } | Error::DeviceLost { .. } => 5,
        Error::Diverged(_) => 6,
    }
}

/// Tells the error and gives its code.
pub fn report(error: &Error) -> ExitCode {
    complain(&error.to_string());
    ExitCode::from(code(error))
}

/// What went wrong.
pub fn complain(sentence: &str) {
    tell("error", sentence);
}

/// A remark that does not stop the work.
pub fn warn(sentence: &str) {
    tell("warning", sentence);
}

/// One line on stderr; nobody is told if that is closed.
fn tell(kind: &str, sentence: &str) {
    let line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "{kind}: {line}");
}

/// Writes text and a line feed to stdout. A reader that has left (`| head`) ends the command quietly.
pub fn say(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(Error::output("stdout", format!("cannot be written ({e})"))),
    }
}
