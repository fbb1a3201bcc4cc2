//! Names of metrics, as the field writes them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Numbers of generated pictures that can be asked for; ten splits and a third neighbour need some.
const COUNTS: RangeInclusive<usize> = 16..=1_000_000;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Fréchet Inception distance (Heusel et al. 2017).
    Fid,
    /// Kernel Inception distance (Bińkowski et al. 2018).
    Kid,
    /// Improved precision and recall with the third neighbour (Kynkäänniemi et al. 2019).
    PrecisionRecall,
    /// Inception score (Salimans et al. 2016).
    InceptionScore,
}

/// A measure and the numbers of pictures that it is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric {
    pub measure: Measure,
    /// Number of generated pictures.
    pub fakes: usize,
    /// All real pictures as they are; else as many as generated ones, with the mirror images of the data set.
    pub full: bool,
}

impl Metric {
    /// The published metrics; another number may stand for the 50k.
    pub const PUBLISHED: [&str; 7] =
        ["fid50k_full", "kid50k_full", "pr50k3_full", "is50k", "fid50k", "kid50k", "pr50k3"];

    /// The most real pictures that are used (training notes, section 8).
    pub fn most_reals(self) -> usize {
        match (self.measure, self.full) {
            (Measure::InceptionScore, _) => 0,
            (_, false) => self.fakes,
            (Measure::Fid, true) => usize::MAX,
            (Measure::Kid, true) => 1_000_000,
            (Measure::PrecisionRecall, true) => 200_000,
        }
    }

    /// What its results are called in files, the one to keep the best by first.
    pub fn results(self) -> Vec<String> {
        match self.measure {
            Measure::Fid | Measure::Kid => vec![self.to_string()],
            Measure::PrecisionRecall => ["precision", "recall"].map(|part| format!("{self}_{part}")).into(),
            Measure::InceptionScore => ["mean", "std"].map(|part| format!("{self}_{part}")).into(),
        }
    }

    /// Whether `one` result is better than `other`.
    pub fn is_better(self, one: f64, other: f64) -> bool {
        match self.measure {
            Measure::Fid | Measure::Kid => one < other,
            Measure::PrecisionRecall | Measure::InceptionScore => one > other,
        }
    }

    /// The metrics of a list such as `fid50k_full,kid50k_full`, each once; `none` is an empty one.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is none.
    pub fn list(text: &str) -> Result<Vec<Self>> {
        if text == "none" {
            return Ok(Vec::new());
        }
        let mut metrics = Vec::new();
        for name in text.split(',') {
            let metric = name.parse()?;
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        Ok(metrics)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, neighbours) = match self.measure {
            Measure::Fid => ("fid", ""),
            Measure::Kid => ("kid", ""),
            Measure::PrecisionRecall => ("pr", "_3"),
            Measure::InceptionScore => ("is", ""),
        };
        // The published names write the 3 right behind the k.
        let (number, neighbours) = match self.fakes % 1000 {
            0 => (format!("{}k", self.fakes / 1000), neighbours.trim_start_matches('_')),
            _ => (self.fakes.to_string(), neighbours),
        };
        let end = if self.full { "_full" } else { "" };
        write!(f, "{name}{number}{neighbours}{end}")
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let (rest, full) = name.strip_suffix("_full").map_or((name, false), |rest| (rest, true));
        let known = [
            (Measure::Fid, "fid"),
            (Measure::Kid, "kid"),
            (Measure::PrecisionRecall, "pr"),
            (Measure::InceptionScore, "is"),
        ];
        for (measure, start) in known {
            let Some(rest) = rest.strip_prefix(start) else { continue };
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Ok(number) = rest[..digits].parse::<usize>() else { continue };
            let fakes = if rest[digits..].starts_with('k') { number.saturating_mul(1000) } else { number };
            let metric = Self { measure, fakes, full };
            // A number has one way to be written, and the score has no real pictures.
            let is_written_so = metric.to_string() == name;
            if is_written_so && COUNTS.contains(&fakes) && !(full && measure == Measure::InceptionScore) {
                return Ok(metric);
            }
        }
        let known = Self::PUBLISHED.join(", ");
        let reason = format!(
            "there is no metric '{name}'; choose from {known}, or none; another number from {} to {} may stand for 50k",
            COUNTS.start(),
            COUNTS.end()
        );
        Err(Error::setting("--metrics", reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in
            Metric::PUBLISHED.into_iter().chain(["fid5k_full", "is1k", "pr10k3", "kid16", "pr500_3_full"])
        {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
        for broken in [
            "",
            "fid",
            "fid15",
            "fidk",
            "fid0k",
            "fid05k",
            "fid+5k",
            "fid1000",
            "is50k_full",
            "pr50k",
            "pr503",
            "kid1001k",
            "FID50k",
            "fid99999999999999999999k",
        ] {
            let error = broken.parse::<Metric>().unwrap_err().to_string();
            assert!(error.contains("there is no metric"), "{error}");
        }
        assert_eq!(Metric::list("none").unwrap(), []);
        let list = Metric::list("kid5k_full,fid5k_full,kid5k_full").unwrap();
        assert_eq!(list.iter().map(Metric::to_string).collect::<Vec<_>>(), ["kid5k_full", "fid5k_full"]);
        assert!(Metric::list("fid5k,").is_err());
    }

    #[test]
    fn results_have_the_published_names() {
        let results = |name: &str| name.parse::<Metric>().unwrap().results();
        assert_eq!(results("fid50k_full"), ["fid50k_full"]);
        assert_eq!(results("pr50k3_full"), ["pr50k3_full_precision", "pr50k3_full_recall"]);
        assert_eq!(results("is50k"), ["is50k_mean", "is50k_std"]);
    }
}
