//! From pictures to scores: what each metric needs is gathered once and shared.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::extractor::Extractor;
use super::metric::{Measure, Metric};
use super::moments::Moments;
use super::reals::{self, Selection};
use super::{frechet_distance, inception_score, kernel_distance, precision_recall};
use crate::checkpoint::Model;
use crate::data::{Dataset, Kind, Values};
use crate::error::{Error, Result};
use crate::random::RandomState;
use crate::{pictures, sampling};

/// Seed of latents, labels and subsets: the same at every evaluation, so that a curve shows the network's progress.
const SEED: u32 = 0;

/// Real pictures without which no third neighbour is there.
const FEWEST: usize = 4;

/// The pictures that are measured.
pub enum Fakes<'a> {
    /// Made by a generator, with labels of random real pictures.
    Model(&'a Model),
    /// Made before; the first of them are taken.
    Pictures(&'a Dataset),
}

/// The result of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub metric: Metric,
    /// By published name.
    pub results: Vec<(String, f64)>,
    /// From the first picture to the number; what metrics share is counted for each.
    pub seconds: f64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// For example `real pictures`.
    pub what: &'static str,
    pub done: usize,
    pub total: usize,
}

/// Who hears of progress, and may end the work.
pub type Listener<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// What is kept of pictures that went through the extractor.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub moments: Moments,
    /// `[n, width]`, where a metric compares single pictures.
    pub features: Option<Vec<f32>>,
    /// `[n, classes]`, where the score needs them.
    pub probabilities: Option<Vec<f32>>,
}

/// Measures generators against one data set.
pub struct Evaluator {
    extractor: Extractor,
    metrics: Vec<Metric>,
    cache: Option<PathBuf>,
    reals: HashMap<Selection, Rc<Account>>,
}

impl Evaluator {
    /// `cache` is a directory where statistics of real pictures stay for the next time.
    ///
    /// # Errors
    /// [`Error::Setting`] for the inception score without a classifier, [`Error::Output`] if the cache cannot be written.
    pub fn new(extractor: Extractor, metrics: Vec<Metric>, cache: Option<PathBuf>) -> Result<Self> {
        let score = metrics.iter().find(|metric| metric.measure == Measure::InceptionScore);
        if let Some(score) = score.filter(|_| !extractor.has_classifier()) {
            let reason = format!(
                "{score} needs the classes that a picture may be of, and {} has no classifier; import an Inception \
                 with one, or leave {score} out",
                extractor.path().display()
            );
            return Err(Error::setting("--metrics", reason));
        }
        if let Some(cache) = &cache {
            reals::prepare(cache)?;
        }
        Ok(Self { extractor, metrics, cache, reals: HashMap::new() })
    }

    /// Refuses what cannot be measured, before anything is computed.
    ///
    /// # Errors
    /// [`Error::Input`] and [`Error::Setting`] for pictures that are too few or of another kind.
    pub fn check(&self, fakes: &Fakes<'_>, dataset: &Dataset) -> Result<()> {
        pictures_only(dataset)?;
        match fakes {
            Fakes::Pictures(fakes) => pictures_only(fakes)?,
            Fakes::Model(model) => Draws::new(model, dataset).map(drop)?,
        }
        for metric in &self.metrics {
            if let Fakes::Pictures(fakes) = fakes
                && fakes.len() < metric.fakes
            {
                let reason = format!("holds {} pictures, and {metric} needs {}", fakes.len(), metric.fakes);
                return Err(Error::input(fakes.path(), reason));
            }
            let reals = Selection::new(dataset, *metric).count;
            if reals < FEWEST && metric.most_reals() > 0 {
                let reason = format!(
                    "holds {reals} pictures; metrics need {FEWEST} at least, and mean little with few"
                );
                return Err(Error::input(dataset.path(), reason));
            }
        }
        Ok(())
    }

    /// What scores are taken against: only those against the same compare.
    pub fn reference(&self, dataset: &Dataset) -> String {
        format!("data {}, extractor {}", dataset.fingerprint(), &self.extractor.hash()[..16])
    }

    /// Computes all metrics; none if the listener ends the work.
    ///
    /// # Errors
    /// [`Error::Input`] and [`Error::Setting`] for pictures that are too few or of another kind, and the device's.
    pub async fn evaluate(
        &mut self,
        fakes: &Fakes<'_>,
        dataset: &Dataset,
        tell: Listener<'_>,
    ) -> Result<Option<Vec<Score>>> {
        self.check(fakes, dataset)?;
        let mut by_fakes: BTreeMap<usize, Vec<Metric>> = BTreeMap::new();
        for metric in &self.metrics {
            by_fakes.entry(metric.fakes).or_default().push(*metric);
        }
        let mut scores = Vec::new();
        for (count, metrics) in by_fakes {
            let begun = Instant::now();
            let mut account = Account::new(metrics.iter().any(|metric| compares_pictures(*metric)));
            if metrics.iter().any(|metric| metric.measure == Measure::InceptionScore) {
                account.probabilities = Some(Vec::new());
            }
            let Some(fake) = self.fakes(fakes, dataset, count, account, tell).await? else { return Ok(None) };
            for metric in metrics {
                let real = match metric.most_reals() {
                    0 => None,
                    _ => match self.reals(dataset, metric, tell).await? {
                        Some(account) => Some(account),
                        None => return Ok(None),
                    },
                };
                let values = score(metric, real.as_deref(), &fake)?;
                let results = metric.results().into_iter().zip(values).collect();
                scores.push(Score { metric, results, seconds: begun.elapsed().as_secs_f64() });
            }
        }
        // The first that was asked for comes first.
        scores.sort_by_key(|score: &Score| self.metrics.iter().position(|metric| *metric == score.metric));
        Ok(Some(scores))
    }

    async fn fakes(
        &mut self,
        fakes: &Fakes<'_>,
        dataset: &Dataset,
        count: usize,
        mut account: Account,
        tell: Listener<'_>,
    ) -> Result<Option<Account>> {
        match fakes {
            Fakes::Pictures(pictures) => {
                account.add_all(&mut self.extractor, pictures, count, "pictures", tell).await
            }
            Fakes::Model(model) => {
                let mut draws = Draws::new(model, dataset)?;
                let side = model.header.network.sample_shape()[0];
                let format = model.generator.format();
                let step = self.extractor.batch();
                for start in (0..count).step_by(step) {
                    let values = draws.next(step.min(count - start)).await?;
                    account.add(&mut self.extractor, &pictures::to_pixels_in(format, &values), side).await?;
                    let progress = Progress { what: "samples", done: account.moments.count(), total: count };
                    if tell(progress).is_break() {
                        return Ok(None);
                    }
                }
                Ok(Some(account))
            }
        }
    }

    /// Of the real pictures that a metric takes; from memory, from the cache, or from the pictures.
    async fn reals(
        &mut self,
        dataset: &Dataset,
        metric: Metric,
        tell: Listener<'_>,
    ) -> Result<Option<Rc<Account>>> {
        let selection = Selection::new(dataset, metric);
        let keep = self
            .metrics
            .iter()
            .any(|other| compares_pictures(*other) && Selection::new(dataset, *other) == selection);
        if let Some(known) = self.reals.get(&selection) {
            return Ok(Some(known.clone()));
        }
        let files = match &self.cache {
            Some(cache) => Some(reals::Files::new(cache, dataset, &selection, &self.extractor)?),
            None => None,
        };
        let account = match files.as_ref().and_then(|files| files.load(keep)) {
            Some(cached) => cached,
            None => {
                let account = Account::new(keep);
                let count = selection.count;
                let added =
                    account.add_all(&mut self.extractor, dataset, count, "real pictures", tell).await?;
                let Some(mut account) = added else { return Ok(None) };
                if let Some(files) = &files {
                    // A full disk costs the next evaluation time; it must not end a run.
                    let _ = files.store(&mut account);
                }
                account
            }
        };
        let account = Rc::new(account);
        self.reals.insert(selection, account.clone());
        Ok(Some(account))
    }
}

impl Account {
    fn new(keep: bool) -> Self {
        let features = keep.then(Vec::new);
        Self { moments: Moments::new(Extractor::WIDTH), features, probabilities: None }
    }

    /// Those that were asked for when the account was opened.
    fn features(&self) -> &[f32] {
        self.features.as_deref().unwrap_or_default()
    }

    /// Adds at most [`Extractor::batch`] pictures.
    async fn add(&mut self, extractor: &mut Extractor, pixels: &[u8], side: usize) -> Result<()> {
        let extracted = extractor.extract(pixels, side, self.probabilities.is_some()).await?;
        self.moments.add(&extracted.features);
        if let Some(features) = &mut self.features {
            features.extend(&extracted.features);
        }
        if let Some(probabilities) = &mut self.probabilities {
            probabilities.extend(&extracted.probabilities);
        }
        Ok(())
    }

    /// Adds the first `count` pictures; nothing comes back if the listener ends the work.
    async fn add_all(
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

/// Latents and labels for a generator, and the samples made of them.
struct Draws<'a> {
    model: &'a Model,
    dataset: &'a Dataset,
    random: RandomState,
}

impl<'a> Draws<'a> {
    fn new(model: &'a Model, dataset: &'a Dataset) -> Result<Self> {
        let classes = model.header.network.classes;
        if model.header.network.sample_shape()[0] == 1 {
            return Err(Error::setting(
                "--metrics",
                "are of pictures, and this network makes points; leave them out",
            ));
        }
        if classes > 0 && dataset.classes() != classes {
            let reason = format!(
                "gives labels of {} classes (0 without labels), and the network needs {classes} to be measured",
                dataset.classes()
            );
            return Err(Error::input(dataset.path(), reason));
        }
        Ok(Self { model, dataset, random: RandomState::new(SEED) })
    }

    async fn next(&mut self, count: usize) -> Result<Vec<f32>> {
        let network = &self.model.header.network;
        let mut latents = vec![0.0; count * network.latent];
        self.random.fill_randn(&mut latents);
        let mut labels = vec![0.0; count * network.classes];
        if network.classes > 0 {
            for label in labels.chunks_exact_mut(network.classes) {
                self.dataset.write_label(self.random.randint(self.dataset.len() as u32), label);
            }
        }
        sampling::sample(self.model, &latents, Some(&labels), count).await
    }
}

fn compares_pictures(metric: Metric) -> bool {
    matches!(metric.measure, Measure::Kid | Measure::PrecisionRecall)
}

fn pictures_only(dataset: &Dataset) -> Result<()> {
    match dataset.kind() {
        Kind::Images { .. } => Ok(()),
        Kind::Points => Err(Error::input(dataset.path(), "holds points; metrics are of pictures")),
    }
}

pub(super) fn pixels(dataset: &Dataset, indices: &[u32]) -> Result<Vec<u8>> {
    match dataset.batch(indices)?.values {
        Values::Pixels(pixels) => Ok(pixels),
        Values::Points(_) => pictures_only(dataset).map(|()| Vec::new()),
    }
}

fn score(metric: Metric, real: Option<&Account>, fake: &Account) -> Result<Vec<f64>> {
    let Some(real) = real else {
        let probabilities = fake.probabilities.as_deref().unwrap_or_default();
        return Ok(inception_score(probabilities, Extractor::CLASSES).into());
    };
    let (reals, fakes) = (real.features(), fake.features());
    Ok(match metric.measure {
        Measure::Fid => vec![frechet_distance(&real.moments, &fake.moments)?],
        Measure::Kid => vec![kernel_distance(reals, fakes, Extractor::WIDTH, SEED)],
        Measure::PrecisionRecall => precision_recall(reals, fakes, Extractor::WIDTH).into(),
        Measure::InceptionScore => unreachable!("it takes no real pictures"),
    })
}

/// Where statistics of real pictures are kept unless another place is named.
pub fn default_cache() -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Path::is_absolute(&base).then(|| base.join("r3gan/metrics"))
}
