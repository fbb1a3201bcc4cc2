//! Statistics of real pictures, kept on disk under the hash of what they come from.

use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::{Account, Wanted};
use super::evaluator::pixels;
use super::extractor::Extractor;
use super::metric::Metric;
use super::moments::Moments;
use crate::checkpoint::container::{Container, Entry, Values, encode};
use crate::checkpoint::{check_writable, output_reason, write_atomic};
use crate::data::Dataset;
use crate::error::{Error, Result};

/// Pictures that are hashed at a time.
const BATCH: usize = 1024;
const SUM: &str = "sum";
const PRODUCTS: &str = "products";
const FEATURES: &str = "features";

/// The pictures of a data set that a metric takes: the first so many.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    fingerprint: String,
    side: usize,
    pub count: usize,
}

impl Selection {
    /// A full metric takes pictures as they are; the mirror images follow them in the data set.
    pub fn new(dataset: &Dataset, metric: Metric) -> Self {
        let available = if metric.full { dataset.originals() } else { dataset.len() };
        Self {
            fingerprint: dataset.fingerprint(),
            side: dataset.side(),
            count: available.min(metric.most_reals()),
        }
    }

    fn batches(&self) -> impl Iterator<Item = Range<usize>> {
        let count = self.count;
        (0..count).step_by(BATCH).map(move |start| start..count.min(start + BATCH))
    }
}

/// Learns whether the directory can be written before hours of work.
///
/// # Errors
/// [`Error::Output`].
pub fn prepare(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|e| Error::output(directory, output_reason(&e)))?;
    check_writable(&directory.join("moments"))
}

/// Files of one selection.
pub struct Files {
    count: usize,
    width: usize,
    moments: PathBuf,
    features: PathBuf,
}

impl Files {
    /// Hashes the pictures as they are decoded, so that a changed data set is never taken for the old one.
    ///
    /// # Errors
    /// Those of the data set.
    pub fn new(
        directory: &Path,
        dataset: &Dataset,
        selection: &Selection,
        extractor: &Extractor,
    ) -> Result<Self> {
        let mut hash = Sha256::new();
        // A GPU may round its products to fewer bits.
        let device = if extractor.on_cpu() { "cpu" } else { "gpu" };
        hash.update(format!("r3gan metrics 1, {}, {device}, {} pixels, ", extractor.hash(), dataset.side()));
        for batch in selection.batches() {
            let indices: Vec<u32> = batch.map(|index| index as u32).collect();
            hash.update(pixels(dataset, &indices)?);
        }
        let key: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let file = |kind| directory.join(format!("{key}-{kind}.safetensors"));
        let (count, width) = (selection.count, extractor.width());
        Ok(Self { count, width, moments: file("moments"), features: file("features") })
    }

    /// What was kept, if all that is wanted is there and whole; a damaged file is made again.
    pub fn load(&self, wanted: Wanted) -> Option<Account> {
        let Self { count, width, .. } = *self;
        let mut account = Account { count, moments: None, features: None, probabilities: None };
        if wanted.moments {
            let bytes = std::fs::read(&self.moments).ok()?;
            let file = Container::parse(&bytes, &self.moments).ok()?;
            let sum = file.doubles(SUM, &[width]).ok()?;
            let products = file.doubles(PRODUCTS, &[width, width]).ok()?;
            account.moments = Some(Moments::from_parts(count, &sum, &products));
        }
        if wanted.features {
            let bytes = std::fs::read(&self.features).ok()?;
            let file = Container::parse(&bytes, &self.features).ok()?;
            account.features = Some(file.floats(FEATURES, &[count, width]).ok()?);
        }
        Some(account)
    }

    /// # Errors
    /// [`Error::Output`].
    pub fn store(&self, account: &mut Account) -> Result<()> {
        let Self { count, width, .. } = *self;
        let entry = |name: &str, shape: Vec<usize>, values| Entry { name: name.into(), shape, values };
        if let Some(moments) = &account.moments {
            let (_, sum, products) = moments.parts();
            let entries = [
                entry(SUM, vec![width], Values::F64(sum)),
                entry(PRODUCTS, vec![width, width], Values::F64(products)),
            ];
            write_atomic(&self.moments, &encode(&entries, None::<&()>))?;
        }
        // Lent to the entry, since they may be gigabytes.
        let Some(features) = account.features.take() else { return Ok(()) };
        let lent = entry(FEATURES, vec![count, width], Values::F32(features));
        let written = write_atomic(&self.features, &encode(std::slice::from_ref(&lent), None::<&()>));
        if let Values::F32(features) = lent.values {
            account.features = Some(features);
        }
        written
    }
}
