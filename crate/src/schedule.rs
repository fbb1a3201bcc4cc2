//! Cosine schedules with warm-up and hold (training notes, section 2), in f64.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A value that moves from `base` to `end` along half a cosine, as a function of images seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub base: f64,
    pub end: f64,
}

/// When a schedule moves; all numbers are images seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Where the schedule reaches its end.
    pub total: f64,
    /// Length of the linear warm-up from `warmup_value`.
    #[serde(default)]
    pub warmup: f64,
    #[serde(default)]
    pub warmup_value: f64,
    /// Length of the stretch at the base value.
    #[serde(default)]
    pub hold: f64,
}

impl Schedule {
    pub const fn new(base: f64, end: f64) -> Self {
        Self { base, end }
    }

    /// The value after `images` images. Nothing is clamped before the end; after it the value is `end`.
    pub fn at(&self, images: f64, span: &Span) -> f64 {
        let start = span.warmup + span.hold;
        let decay = 0.5 * (1.0 + (PI * (images - start) / (span.total - start)).cos());
        let mut value = self.base + (1.0 - decay) * (self.end - self.base);
        if span.hold > 0.0 && images <= start {
            value = self.base;
        }
        if span.warmup > 0.0 && images < span.warmup {
            value = span.warmup_value + images * (self.base - span.warmup_value) / span.warmup;
        }
        if images > span.total {
            value = self.end;
        }
        value
    }
}
