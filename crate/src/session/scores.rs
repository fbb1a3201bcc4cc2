//! What metrics leave in a run directory: a line for each evaluation, and the best model.

use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::event::{duration, now};
use crate::error::Result;
use crate::metrics::{Metric, Score};

/// A line of `metric-NAME.jsonl`, with the official keys.
#[derive(Serialize, Deserialize)]
pub struct ScoreLine {
    results: serde_json::Map<String, serde_json::Value>,
    metric: String,
    total_time: f64,
    total_time_str: String,
    num_gpus: u32,
    /// The model that was measured, beside the file.
    snapshot_pkl: String,
    timestamp: f64,
    /// What it was measured against; only scores against the same compare.
    #[serde(default)]
    reference: String,
}

impl ScoreLine {
    pub fn new(score: &Score, model: &str) -> Self {
        Self {
            results: score.results.iter().map(|(name, value)| (name.clone(), (*value).into())).collect(),
            metric: score.metric.to_string(),
            total_time: score.seconds,
            total_time_str: duration(score.seconds),
            num_gpus: 1,
            snapshot_pkl: model.into(),
            timestamp: now(),
            reference: score.reference.clone(),
        }
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a line is plain data")
    }
}

/// The file that a metric's lines are in.
pub fn file(metric: Metric) -> String {
    format!("metric-{metric}.jsonl")
}

/// Adds the scores of a model to the files of a run.
///
/// # Errors
/// [`crate::Error::Output`].
pub fn append(directory: &RunDirectory, scores: &[Score], model: &str) -> Result<()> {
    let line = |score| ScoreLine::new(score, model).text();
    scores.iter().try_for_each(|score| directory.append_line(&file(score.metric), &line(score)))
}

/// Whether the score is better than all that the run has had against the same reference; lines that cannot be read do
/// not count.
pub fn is_best(directory: &RunDirectory, score: &Score) -> bool {
    let Some((name, value)) = score.results.first() else { return false };
    let text = std::fs::read_to_string(directory.path().join(file(score.metric))).unwrap_or_default();
    let earlier = text.lines().filter_map(|line| {
        let line: ScoreLine = serde_json::from_str(line).ok()?;
        line.results.get(name)?.as_f64().filter(|_| line.reference == score.reference)
    });
    earlier.into_iter().all(|earlier| score.metric.is_better(*value, earlier))
}
