//! One command of a chore: it is announced, streamed and timed, and may have a time limit.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static START: OnceLock<Instant> = OnceLock::new();

/// How long a program that is told to end may take to.
const GRACE: Duration = Duration::from_secs(10);

/// Prints a line headed by the time since the chore began.
pub fn say(line: impl AsRef<str>) {
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
    println!("[{:3}:{:02}] {}", seconds / 60, seconds % 60, line.as_ref());
}

/// A command, free of what `cargo run` told this process about its own package: a child `cargo` then shares its
/// build with one started by hand. Nothing reads standard input.
pub fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|p| text.starts_with(p))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// How a command reads when typed.
fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a command, its output streaming to ours; anything but success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let (text, child) = start(command)?;
    finish(&text, child.wait_with_output()?.status)
}

/// As [`run`], ended after `limit`.
pub fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    match ended_within(limit, command)? {
        Some(status) => finish(&typed(command), status),
        None => bail!("`{}` had no answer after {} s", typed(command), limit.as_secs()),
    }
}

/// How a command ended; `None` where it took longer than `limit` and was ended by us.
pub fn ended_within(limit: Duration, command: &mut Command) -> Result<Option<ExitStatus>> {
    let (_, mut child) = start(command)?;
    let begun = Instant::now();
    let mut asked = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!asked).then_some(status));
        }
        if begun.elapsed() > limit && !asked {
            // First the signal that lets a program end what it has started itself.
            asked = output("kill", &[&child.id().to_string()]).is_some();
            if !asked {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
        }
        if begun.elapsed() > limit + GRACE {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// As [`run`], handing every line of standard output to `each` after it is printed; the status is the caller's.
pub fn run_reading(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let (text, mut child) = start(command.stdout(Stdio::piped()))?;
    let output = child.stdout.take().context("a piped output")?;
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        each(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    child.wait().with_context(|| format!("waiting for `{text}`"))
}

/// As [`run`], giving standard output to the caller in place of the terminal.
pub fn captured(command: &mut Command) -> Result<String> {
    let (text, child) = start(command.stdout(Stdio::piped()))?;
    let output = child.wait_with_output()?;
    finish(&text, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The standard output of a command that is not worth announcing; `None` where it fails or does not exist.
pub fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = command(program, args).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Starts a command whose end is the caller's to wait for; gives its text for [`finish`].
pub fn start(command: &mut Command) -> Result<(String, Child)> {
    let text = typed(command);
    say(format!("$ {text}"));
    let child = command.spawn().with_context(|| format!("`{text}` did not start"))?;
    Ok((text, child))
}

/// Anything but success is an error.
pub fn finish(text: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{text}` failed ({status})");
    }
    Ok(())
}

/// "1.4 s" below ten seconds, "95 s" up to two minutes, then "3 min 20 s".
pub fn readable(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 10 => format!("{:.1} s", time.as_secs_f64()),
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// "412 B", "13.2 kB", "1.72 MB": powers of ten, as budgets are given.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.2} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_takes_too_long_is_ended_and_one_that_does_not_tells_how_it_ended() {
        let begun = Instant::now();
        let slow = ended_within(Duration::from_millis(100), &mut command("sleep", &["60"])).unwrap();
        assert!(slow.is_none());
        assert!(begun.elapsed() < Duration::from_secs(30));
        let limit = Duration::from_secs(60);
        let failed = ended_within(limit, &mut command("false", &[])).unwrap().unwrap();
        assert!(!failed.success());
        assert!(run_within(limit, &mut command("false", &[])).is_err());
    }

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!([412, 13_240, 1_720_000].map(size), ["412 B", "13.2 kB", "1.72 MB"]);
        let times = [1_400, 95_000, 200_000].map(|ms| readable(Duration::from_millis(ms)));
        assert_eq!(times, ["1.4 s", "95 s", "3 min 20 s"]);
    }
}
