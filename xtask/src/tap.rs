//! What `node --test` found, from its TAP report.

use crate::tally::Tally;

/// Reads a report line by line; what it found counts only once the summary at its end is there.
#[derive(Default)]
pub struct Tap {
    pub tally: Tally,
    /// Whether the runner came to its summary.
    pub complete: bool,
    /// A failed test of which it is not known yet whether it only holds failed tests.
    failed: Option<String>,
}

impl Tap {
    pub fn read(&mut self, line: &str) {
        let inner = line.trim_start();
        if let Some(test) = inner.strip_prefix("not ok ") {
            self.settle();
            self.failed = (!test.contains(" # TODO")).then(|| name(test));
        } else if inner == "failureType: 'subtestsFailed'" {
            self.failed = None;
        } else if let Some((test, why)) =
            inner.strip_prefix("ok ").and_then(|test| test.split_once(" # SKIP"))
        {
            let why = if why.is_empty() { "no reason given" } else { why.trim() };
            self.tally.notes.push(format!("skipped: {} ({why})", name(test)));
        } else if let Some((word, count)) = line.strip_prefix("# ").and_then(|line| line.split_once(' ')) {
            self.count(word, count);
        }
    }

    /// A line of the summary. What tests print looks like one too, so the last of each counts.
    fn count(&mut self, word: &str, count: &str) {
        let Ok(count) = count.parse::<usize>() else { return };
        match word {
            "pass" => self.tally.passed = count,
            "fail" => self.tally.failed = count,
            // Tests that ran out of time, or whose parent ended, follow `fail` in the summary.
            "cancelled" => self.tally.failed += count,
            "skipped" => self.tally.skipped = count,
            "todo" => {
                self.tally.skipped += count;
                self.settle();
                self.complete = true;
            }
            _ => {}
        }
    }

    fn settle(&mut self) {
        if let Some(name) = self.failed.take() {
            self.tally.notes.push(format!("failed: {name}"));
        }
    }
}

/// "bad \# hash" of "2 - bad \# hash"
fn name(test: &str) -> String {
    test.split_once(" - ").map_or(test, |(_, name)| name).replace("\\#", "#")
}

#[cfg(test)]
mod tests {
    use super::Tap;

    fn read(report: &str) -> Tap {
        let mut tap = Tap::default();
        report.lines().for_each(|line| tap.read(line));
        tap
    }

    /// Shortened from what node 20 wrote about a file with every kind of test.
    const REPORT: &str = r"TAP version 13
# Subtest: passes
ok 1 - passes
  ---
  duration_ms: 9.358925
  ...
# pass 99
# Subtest: parent
    # Subtest: child bad
    not ok 2 - child bad
      ---
      failureType: 'testCodeFailure'
      error: '1 == 2'
      ...
    1..2
not ok 2 - parent
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
ok 3 - skipped one # SKIP no reason
not ok 4 - later # TODO
  ---
  failureType: 'testCodeFailure'
  ...
# Subtest: hang \# on
not ok 5 - hang \# on
  ---
  failureType: 'testTimeoutFailure'
  ...
1..5
# tests 8
# suites 1
# pass 3
# fail 2
# cancelled 1
# skipped 1
# todo 1
# duration_ms 586.735189
";

    #[test]
    fn reads_the_summary_and_names_what_failed() {
        let tap = read(REPORT);
        assert!(tap.complete);
        assert_eq!((tap.tally.passed, tap.tally.failed, tap.tally.skipped), (3, 3, 2));
        assert_eq!(
            tap.tally.notes,
            ["failed: child bad", "skipped: skipped one (no reason)", "failed: hang # on"]
        );
    }

    #[test]
    fn a_report_that_breaks_off_is_not_complete() {
        let end = REPORT.find("1..5\n").unwrap();
        assert!(!read(&REPORT[..end]).complete);
        assert!(!read("").complete);
    }

    #[test]
    fn a_file_that_crashes_is_a_failure_by_its_name() {
        let tap = read(
            "not ok 1 - /tests/crash.test.mjs\n  ---\n  failureType: 'testCodeFailure'\n  exitCode: 3\n  ...\n\
             1..1\n# tests 1\n# suites 0\n# pass 0\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n",
        );
        assert_eq!((tap.tally.passed, tap.tally.failed), (0, 1));
        assert_eq!(tap.tally.notes, ["failed: /tests/crash.test.mjs"]);
    }
}
