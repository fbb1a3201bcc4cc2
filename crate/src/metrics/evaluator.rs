//! From pictures to scores: what each metric needs is gathered once and shared.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::account::{Account, Wanted};
use super::extractor::{Backbone, Extractor};
use super::metric::{Measure, Metric};
use super::reals::{self, Selection};
use super::{frechet_distance, inception_score, kernel_distance, precision_recall};
use crate::data::{Dataset, Kind, Values};
use crate::error::{Error, Result};
use crate::network::NetworkConfig;
use crate::pictures;
use crate::random::RandomState;
use crate::sampling::Sampler;

/// Seed of latents, labels and subsets: the same at every evaluation, so that a curve shows the network's progress.
const SEED: u32 = 0;

/// Real pictures without which no third neighbour is there.
const FEWEST: usize = 4;

/// The pictures that are measured.
pub enum Fakes<'a> {
    /// Made by a generator, with labels of random real pictures.
    Sampler(&'a Sampler),
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
    /// What it was taken against, data and extractor: only scores against the same compare.
    pub reference: String,
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

/// Measures generators against one data set.
pub struct Evaluator {
    views: Vec<View>,
    metrics: Vec<Metric>,
    cache: Option<PathBuf>,
}

/// An extractor, and what is taken from its features.
struct View {
    extractor: Extractor,
    metrics: Vec<Metric>,
    reals: HashMap<Selection, Rc<Account>>,
}

impl Evaluator {
    /// Precision and recall are taken from VGG16 if it is among the extractors; all else from Inception. `cache` is a
    /// directory where statistics of real pictures stay for the next time.
    ///
    /// # Errors
    /// [`Error::Setting`] for a metric without its extractor, [`Error::Output`] if the cache cannot be written.
    pub fn new(extractors: Vec<Extractor>, metrics: Vec<Metric>, cache: Option<PathBuf>) -> Result<Self> {
        let mut views: Vec<View> = Vec::new();
        for extractor in extractors {
            if let Some(other) = views.iter().find(|view| view.extractor.backbone() == extractor.backbone()) {
                let (one, other) = (extractor.path().display(), other.extractor.path().display());
                let reason = format!("{other} and {one} are both {}; give one of them", extractor.backbone());
                return Err(Error::setting("--extractor", reason));
            }
            views.push(View { extractor, metrics: Vec::new(), reals: HashMap::new() });
        }
        for metric in &metrics {
            let backbone = match metric.measure {
                Measure::PrecisionRecall
                    if views.iter().any(|view| view.extractor.backbone() == Backbone::Vgg16) =>
                {
                    Backbone::Vgg16
                }
                _ => Backbone::Inception,
            };
            let Some(view) = views.iter_mut().find(|view| view.extractor.backbone() == backbone) else {
                let reason = format!(
                    "{metric} is taken from {backbone}, which --extractor does not name; `cargo xtask data inception` \
                     makes target/data/inception/inception.safetensors"
                );
                return Err(Error::setting("--metrics", reason));
            };
            if metric.measure == Measure::InceptionScore && !view.extractor.has_classifier() {
                let reason = format!(
                    "{metric} needs the classes that a picture may be of, and {} has no classifier; import an \
                     Inception with one, or leave {metric} out",
                    view.extractor.path().display()
                );
                return Err(Error::setting("--metrics", reason));
            }
            view.metrics.push(*metric);
        }
        if let Some(idle) = views.iter().find(|view| view.metrics.is_empty()) {
            let (path, backbone) = (idle.extractor.path().display(), idle.extractor.backbone());
            let reason = format!("no metric is taken from {path}, which is {backbone}; leave it out");
            return Err(Error::setting("--extractor", reason));
        }
        if let Some(cache) = &cache {
            reals::prepare(cache)?;
        }
        Ok(Self { views, metrics, cache })
    }

    /// The metrics that have other numbers than published ones, for want of VGG16.
    pub fn unpublished(&self) -> Vec<Metric> {
        let inception = self.views.iter().filter(|view| view.extractor.backbone() == Backbone::Inception);
        let metrics = inception.flat_map(|view| &view.metrics).copied();
        metrics.filter(|metric| metric.measure == Measure::PrecisionRecall).collect()
    }

    /// Refuses what cannot be measured, before anything is computed.
    ///
    /// # Errors
    /// [`Error::Input`] and [`Error::Setting`] for pictures that are too few or of another kind.
    pub fn check(&self, fakes: &Fakes<'_>, dataset: &Dataset) -> Result<()> {
        match fakes {
            Fakes::Pictures(fakes) => {
                pictures_only(fakes)?;
                if let Some(metric) = self.metrics.iter().find(|metric| fakes.len() < metric.fakes) {
                    let reason =
                        format!("holds {} pictures, and {metric} needs {}", fakes.len(), metric.fakes);
                    return Err(Error::input(fakes.path(), reason));
                }
                self.check_reals(dataset)
            }
            Fakes::Sampler(sampler) => self.check_network(&sampler.header().network, dataset),
        }
    }

    /// The same for what a network will make.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_network(&self, network: &NetworkConfig, dataset: &Dataset) -> Result<()> {
        self.check_reals(dataset)?;
        if network.sample_shape()[0] == 1 {
            return Err(Error::setting(
                "--metrics",
                "are of pictures, and this network makes points; leave them out",
            ));
        }
        let classes = network.classes;
        if classes > 0 && dataset.classes() != classes {
            let reason = format!(
                "gives labels of {} classes (0 without labels), and the network needs {classes} to be measured",
                dataset.classes()
            );
            return Err(Error::input(dataset.path(), reason));
        }
        Ok(())
    }

    fn check_reals(&self, dataset: &Dataset) -> Result<()> {
        pictures_only(dataset)?;
        for metric in &self.metrics {
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
        let mut scores = Vec::new();
        for view in &mut self.views {
            match view.evaluate(fakes, dataset, self.cache.as_deref(), tell).await? {
                Some(found) => scores.extend(found),
                None => return Ok(None),
            }
        }
        // The first that was asked for comes first.
        scores.sort_by_key(|score: &Score| self.metrics.iter().position(|metric| *metric == score.metric));
        Ok(Some(scores))
    }
}

impl View {
    async fn evaluate(
        &mut self,
        fakes: &Fakes<'_>,
        dataset: &Dataset,
        cache: Option<&Path>,
        tell: Listener<'_>,
    ) -> Result<Option<Vec<Score>>> {
        let reference = format!("data {}, extractor {}", dataset.fingerprint(), &self.extractor.hash()[..16]);
        let mut by_fakes: BTreeMap<usize, Vec<Metric>> = BTreeMap::new();
        for metric in &self.metrics {
            by_fakes.entry(metric.fakes).or_default().push(*metric);
        }
        let mut scores = Vec::new();
        for (count, metrics) in by_fakes {
            let begun = Instant::now();
            let account = Account::new(Wanted::by(&metrics), self.extractor.width());
            let Some(fake) = self.fakes(fakes, dataset, count, account, tell).await? else { return Ok(None) };
            for metric in metrics {
                let real = match metric.most_reals() {
                    0 => None,
                    _ => match self.reals(dataset, metric, cache, tell).await? {
                        Some(account) => Some(account),
                        None => return Ok(None),
                    },
                };
                let values = score(metric, real.as_deref(), &fake, self.extractor.width())?;
                let results = metric.results().into_iter().zip(values).collect();
                let seconds = begun.elapsed().as_secs_f64();
                scores.push(Score { metric, results, seconds, reference: reference.clone() });
            }
        }
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
            Fakes::Sampler(sampler) => {
                let mut draws = Draws::new(sampler, dataset);
                let side = sampler.header().network.sample_shape()[0];
                let format = sampler.generator().format();
                let step = self.extractor.batch();
                for start in (0..count).step_by(step) {
                    let values = draws.next(step.min(count - start)).await?;
                    account.add(&mut self.extractor, &pictures::to_pixels_in(format, &values), side).await?;
                    if tell(Progress { what: "samples", done: account.count, total: count }).is_break() {
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
        cache: Option<&Path>,
        tell: Listener<'_>,
    ) -> Result<Option<Rc<Account>>> {
        let selection = Selection::new(dataset, metric);
        if let Some(known) = self.reals.get(&selection) {
            return Ok(Some(known.clone()));
        }
        let of_these = |other: &&Metric| Selection::new(dataset, **other) == selection;
        let wanted = Wanted::by(self.metrics.iter().filter(of_these));
        let files = match cache {
            Some(cache) => Some(reals::Files::new(cache, dataset, &selection, &self.extractor)?),
            None => None,
        };
        let account = match files.as_ref().and_then(|files| files.load(wanted)) {
            Some(cached) => cached,
            None => {
                let account = Account::new(wanted, self.extractor.width());
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

/// Latents and labels for a generator, and the samples made of them.
struct Draws<'a> {
    sampler: &'a Sampler,
    dataset: &'a Dataset,
    random: RandomState,
}

impl<'a> Draws<'a> {
    fn new(sampler: &'a Sampler, dataset: &'a Dataset) -> Self {
        Self { sampler, dataset, random: RandomState::new(SEED) }
    }

    async fn next(&mut self, count: usize) -> Result<Vec<f32>> {
        let network = &self.sampler.header().network;
        let mut latents = vec![0.0; count * network.latent];
        self.random.fill_randn(&mut latents);
        let mut labels = vec![0.0; count * network.classes];
        if network.classes > 0 {
            for label in labels.chunks_exact_mut(network.classes) {
                self.dataset.write_label(self.random.randint(self.dataset.len() as u32), label);
            }
        }
        self.sampler.sample(&latents, Some(&labels), count).await
    }
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

fn score(metric: Metric, real: Option<&Account>, fake: &Account, width: usize) -> Result<Vec<f64>> {
    let Some(real) = real else {
        return Ok(inception_score(fake.probabilities(), Extractor::CLASSES).into());
    };
    Ok(match metric.measure {
        Measure::Fid => vec![frechet_distance(real.moments(), fake.moments())?],
        Measure::Kid => vec![kernel_distance(real.features(), fake.features(), width, SEED)],
        Measure::PrecisionRecall => precision_recall(real.features(), fake.features(), width).into(),
        Measure::InceptionScore => unreachable!("it takes no real pictures"),
    })
}
