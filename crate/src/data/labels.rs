//! Labels: a class or a vector for each picture, and StyleGAN's `dataset.json` that lists them.

#[cfg(not(target_family = "wasm"))]
use std::cmp::Ordering;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::digest::Digest;

/// More classes than this is a mistake in the labels.
const MAX_CLASSES: i64 = 100_000;

/// The labels of a data set, in the order of its pictures.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    None,
    Classes { classes: usize, of: Vec<u32> },
    Vectors { width: usize, values: Vec<f32> },
}

#[derive(Deserialize)]
struct DatasetJson {
    labels: Option<Vec<(String, Value)>>,
}

impl Labels {
    /// As many classes as the highest label asks for.
    pub fn classes(of: Vec<u32>) -> Self {
        let classes = of.iter().max().map_or(0, |&highest| highest as usize + 1);
        Self::Classes { classes, of }
    }

    /// The length of a label as the network takes it, 0 without labels.
    pub fn width(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Classes { classes, .. } => *classes,
            Self::Vectors { width, .. } => *width,
        }
    }

    /// Writes one label over `out`, which is [`width`](Self::width) zeros: one-hot, or the vector as it is.
    pub fn write(&self, index: usize, out: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Classes { of, .. } => out[of[index] as usize] = 1.0,
            Self::Vectors { width, values } => out.copy_from_slice(&values[index * width..][..*width]),
        }
    }

    /// The official order of the labels of two pictures: vectors go by their last number first.
    #[cfg(not(target_family = "wasm"))]
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::None => Ordering::Equal,
            Self::Classes { of, .. } => of[a].cmp(&of[b]),
            Self::Vectors { width, values } => {
                let from_last = |index: usize| values[index * width..][..*width].iter().rev();
                // Every number is finite.
                from_last(a).partial_cmp(from_last(b)).unwrap_or(Ordering::Equal)
            }
        }
    }

    pub fn digest(&self, digest: &mut Digest) {
        match self {
            Self::None => {}
            Self::Classes { of, .. } => of.iter().for_each(|label| digest.add(&label.to_le_bytes())),
            Self::Vectors { values, .. } => values.iter().for_each(|value| digest.add(&value.to_le_bytes())),
        }
    }

    /// The labels that a `dataset.json` has for these pictures; `None` where it has none.
    ///
    /// # Errors
    /// The reason, when a picture is not listed or a label cannot be used.
    pub fn from_json<'a>(json: &[u8], names: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let json: DatasetJson = serde_json::from_slice(json)
            .map_err(|error| format!("is not {{\"labels\": [[name, label], ...]}} ({error})"))?;
        let Some(labels) = json.labels else {
            return Ok(Self::None);
        };
        let listed: HashMap<&str, &Value> =
            labels.iter().map(|(name, label)| (name.as_str(), label)).collect();
        let mut classes = Vec::new();
        let mut values = Vec::new();
        let mut width = None;
        for name in names {
            let label = *listed.get(name).ok_or_else(|| format!("has no label for {name}; add it"))?;
            match label {
                Value::Array(vector) => {
                    if *width.get_or_insert(vector.len()) != vector.len() || vector.is_empty() {
                        return Err(format!(
                            "the label of {name} has {} numbers; give all the same",
                            vector.len()
                        ));
                    }
                    for value in vector {
                        values.push(number(value).ok_or_else(|| unusable(name, value, "a finite number"))?);
                    }
                }
                _ => match label.as_i64() {
                    Some(class @ 0..MAX_CLASSES) => classes.push(class as u32),
                    _ => {
                        return Err(unusable(name, label, "an integer from 0 to 99999 or a list of numbers"));
                    }
                },
            }
            if !classes.is_empty() && !values.is_empty() {
                return Err(format!("mixes integers and lists of numbers, first at {name}; use one of them"));
            }
        }
        Ok(match width {
            Some(width) => Self::Vectors { width, values },
            None => Self::classes(classes),
        })
    }
}

fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|value| value as f32).filter(|value| value.is_finite())
}

fn unusable(name: &str, label: &Value, wanted: &str) -> String {
    let label: String = label.to_string().chars().take(40).collect();
    format!("the label of {name} is {label}; it must be {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(json: &str) -> Result<Labels, String> {
        Labels::from_json(json.as_bytes(), ["a.png", "b/c.png"].into_iter())
    }

    #[test]
    fn integers_vectors_and_none() {
        let classes = labels(r#"{"labels": [["b/c.png", 3], ["a.png", 1], ["more.png", 9]]}"#).unwrap();
        assert_eq!(classes, Labels::Classes { classes: 4, of: vec![1, 3] });
        let vectors = labels(r#"{"labels": [["a.png", [0.5, 1]], ["b/c.png", [-2, 0]]]}"#).unwrap();
        assert_eq!(vectors, Labels::Vectors { width: 2, values: vec![0.5, 1.0, -2.0, 0.0] });
        let mut out = [0.0; 2];
        vectors.write(1, &mut out);
        assert_eq!(out, [-2.0, 0.0]);
        assert_eq!((vectors.compare(0, 1), vectors.compare(1, 1)), (Ordering::Greater, Ordering::Equal));
        assert_eq!(classes.compare(0, 1), Ordering::Less);
        let mut out = [0.0; 4];
        classes.write(0, &mut out);
        assert_eq!(out, [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(labels(r#"{"labels": null}"#), Ok(Labels::None));
        assert_eq!(labels("{}"), Ok(Labels::None));
    }

    #[test]
    fn bad_labels_are_refused_in_a_sentence() {
        let with = |a: &str, b: &str| labels(&format!(r#"{{"labels": [["a.png", {a}], ["b/c.png", {b}]]}}"#));
        for (a, b, why) in [
            ("-1", "0", "a.png is -1"),
            ("0", "1.5", "c.png is 1.5"),
            ("0", "1.0", "c.png is 1.0"),
            ("100000", "0", "is 100000"),
            ("1e30", "0", "is 1e+30"),
            ("\"cat\"", "0", "is \"cat\""),
            ("null", "0", "is null"),
            ("0", "[1]", "mixes"),
            ("[1]", "0", "mixes"),
            ("[1]", "[1, 2]", "2 numbers"),
            ("[]", "[]", "0 numbers"),
            ("[1e60]", "[1]", "is 1e+60"),
            ("[null]", "[1]", "is null"),
            ("NaN", "0", "is not {"),
            ("[1e999]", "[1]", "is not {"),
        ] {
            let reason = with(a, b).unwrap_err();
            assert!(reason.contains(why), "{reason}");
        }
        assert!(labels(r#"{"labels": [["a.png", 0]]}"#).unwrap_err().contains("no label for b/c.png"));
        assert!(labels(r#"{"labels": 3}"#).unwrap_err().contains("is not {"));
        assert!(labels("{\"labels\": [").unwrap_err().contains("is not {"));
        assert!(labels(&"[".repeat(100_000)).unwrap_err().contains("is not {"));
    }
}
