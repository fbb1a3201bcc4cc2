//! Measurements: lines of JSON that programs print, and the numbers in them.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// One process: the measurements among the lines that it prints, with the turn.
pub fn measure(command: &mut Command, round: usize) -> Result<Vec<Value>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("starting {program}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = Vec::new();
    for mut line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if line["median_s"].is_number() {
            line["turn"] = json!(round + 1);
            println!("{line}");
            found.push(line);
        }
    }
    if found.is_empty() {
        bail!("{program} printed no measurement ({}); it printed: {}", output.status, text.trim());
    }
    Ok(found)
}

/// The middle of what several measurements give for `key`.
pub fn median(lines: &[Value], key: &str) -> Result<f64> {
    let mut values = Vec::new();
    for line in lines {
        values
            .push(line[key].as_f64().with_context(|| format!("a measurement has no number {key}: {line}"))?);
    }
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1).context("nothing was measured")?;
    Ok((values[middle / 2] + values[middle.div_ceil(2)]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_are_told_from_other_lines() {
        let text =
            r#"echo loading; echo '{"preset": "x"}'; echo '{"median_s": 2.0}'; echo '{"median_s": 1}'"#;
        let found = measure(Command::new("sh").args(["-c", text]), 1).unwrap();
        assert_eq!(found.iter().map(|line| line["turn"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(2)]);
        let error = measure(Command::new("sh").args(["-c", "echo out of memory; exit 3"]), 0).unwrap_err();
        assert!(error.to_string().contains("out of memory"), "{error}");
    }

    #[test]
    fn the_middle_of_several_is_their_median() {
        let lines = |values: &[f64]| values.iter().map(|value| json!({ "s": value })).collect::<Vec<_>>();
        assert_eq!(median(&lines(&[3.0, 1.0, 2.0]), "s").unwrap(), 2.0);
        assert_eq!(median(&lines(&[4.0, 1.0, 3.0, 2.0]), "s").unwrap(), 2.5);
        assert!(median(&[], "s").is_err());
        assert!(median(&[json!({ "s": null })], "s").is_err());
    }
}
