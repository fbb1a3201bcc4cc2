//! What is kept of pictures that went through an extractor.

use super::evaluator::{Listener, Progress, pixels};
use super::extractor::Extractor;
use super::metric::{Measure, Metric};
use super::moments::Moments;
use crate::data::Dataset;
use crate::error::Result;

/// What metrics need to know of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub moments: bool,
    /// Of single pictures.
    pub features: bool,
    pub probabilities: bool,
}

impl Wanted {
    pub fn by<'m>(metrics: impl IntoIterator<Item = &'m Metric>) -> Self {
        let mut wanted = Self { moments: false, features: false, probabilities: false };
        for metric in metrics {
            match metric.measure {
                Measure::Fid => wanted.moments = true,
                Measure::Kid | Measure::PrecisionRecall => wanted.features = true,
                Measure::InceptionScore => wanted.probabilities = true,
            }
        }
        wanted
    }
}

/// Of all pictures so far, what was wanted.
#[derive(Clone, Debug)]
pub struct Account {
    pub count: usize,
    pub(super) moments: Option<Moments>,
    pub(super) features: Option<Vec<f32>>,
    pub(super) probabilities: Option<Vec<f32>>,
}

const WANTED: &str = "an account is opened with what will be asked of it";

impl Account {
    pub fn new(wanted: Wanted, width: usize) -> Self {
        Self {
            count: 0,
            moments: wanted.moments.then(|| Moments::new(width)),
            features: wanted.features.then(Vec::new),
            probabilities: wanted.probabilities.then(Vec::new),
        }
    }

    pub fn moments(&self) -> &Moments {
        self.moments.as_ref().expect(WANTED)
    }

    /// `[count, width]`
    pub fn features(&self) -> &[f32] {
        self.features.as_deref().expect(WANTED)
    }

    /// `[count, classes]`
    pub fn probabilities(&self) -> &[f32] {
        self.probabilities.as_deref().expect(WANTED)
    }

    /// Adds `pixels [n, side, side, 3]`, at most [`Extractor::batch`] pictures.
    pub async fn add(&mut self, extractor: &mut Extractor, pixels: &[u8], side: usize) -> Result<()> {
        let extracted = extractor.extract(pixels, side, self.probabilities.is_some()).await?;
        self.count += extracted.features.len() / extractor.width();
        if let Some(moments) = &mut self.moments {
            moments.add(&extracted.features);
        }
        if let Some(features) = &mut self.features {
            features.extend(&extracted.features);
        }
        if let Some(probabilities) = &mut self.probabilities {
            probabilities.extend(&extracted.probabilities);
        }
        Ok(())
    }

    /// Adds the first `count` pictures; nothing comes back if the listener ends the work.
    pub async fn add_all(
        mut self,
        extractor: &mut Extractor,
        pictures: &Dataset,
        count: usize,
        what: &'static str,
        tell: Listener<'_>,
    ) -> Result<Option<Self>> {
        let step = extractor.batch();
        for start in (0..count).step_by(step) {
            let indices: Vec<u32> = (start..count.min(start + step)).map(|index| index as u32).collect();
            self.add(extractor, &pixels(pictures, &indices)?, pictures.side()).await?;
            if tell(Progress { what, done: start + indices.len(), total: count }).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(self))
    }
}
