//! What a check found: how many passed, failed and were skipped, and why.

use std::fmt;
use std::ops::AddAssign;

#[derive(Default, Debug, PartialEq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// One line for each failure and each skip.
    pub notes: Vec<String>,
}

impl Tally {
    pub fn passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    pub fn failed(why: impl Into<String>) -> Self {
        Self { failed: 1, notes: vec![format!("failed: {}", why.into())], ..Self::default() }
    }

    pub fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: 1, notes: vec![format!("skipped: {}", why.into())], ..Self::default() }
    }

    /// Reads one line that `cargo test` printed.
    pub fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, "passed");
            self.failed += number_before(result, "failed");
            self.skipped += number_before(result, "ignored");
        } else if let Some((name, how)) =
            line.strip_prefix("test ").and_then(|test| test.rsplit_once(" ... "))
        {
            match how {
                "FAILED" => self.notes.push(format!("failed: {name}")),
                how if how.starts_with("ignored") => self.notes.push(format!("skipped: {name} ({how})")),
                _ => {}
            }
        }
    }
}

/// The number before `word` in "ok. 3 passed; 0 failed; 1 ignored; ...", 0 where there is none.
fn number_before(result: &str, word: &str) -> usize {
    let words: Vec<_> = result.split([' ', ';']).collect();
    let at = words.iter().position(|w| *w == word).and_then(|at| at.checked_sub(1));
    at.and_then(|at| words[at].parse().ok()).unwrap_or(0)
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.notes.extend(other.notes);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    /// The lines are cargo test's own.
    #[test]
    fn reads_what_cargo_test_prints() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test kernels::agrees ... ok",
            "test kernels::explodes ... FAILED",
            "test data::whole_mnist ... ignored, needs `cargo xtask data mnist`",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test crate/src/lib.rs - example (line 3) ... ok",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (2, 1, 1));
        assert_eq!(
            tally.notes,
            [
                "failed: kernels::explodes",
                "skipped: data::whole_mnist (ignored, needs `cargo xtask data mnist`)"
            ]
        );
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 1 skipped");
    }
}
