//! Batches prepared ahead by a thread, so that the device does not wait for decoding.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use super::dataset::{Batch, Dataset};
use super::sampler::InfiniteSampler;
use crate::error::{Error, Result};

/// Draws indices, decodes their batches, and keeps a few ready.
#[derive(Debug)]
pub struct Prefetcher {
    /// `None` only while dropping.
    batches: Option<Receiver<(Result<Batch>, u64)>>,
    thread: Option<JoinHandle<()>>,
    consumed: u64,
}

impl Prefetcher {
    /// Starts at the sampler's position, with batches of `batch_size` items, at most `depth` of them ready
    /// (2 to 4 is enough).
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(
        dataset: Arc<Dataset>,
        mut sampler: InfiniteSampler,
        batch_size: usize,
        depth: usize,
    ) -> Result<Self> {
        let consumed = sampler.position();
        let (sender, batches) = sync_channel(depth);
        let work = move || {
            loop {
                let batch = dataset.batch(&sampler.take(batch_size));
                let last = batch.is_err();
                // Nobody listens any more once the prefetcher is dropped.
                if sender.send((batch, sampler.position())).is_err() || last {
                    return;
                }
            }
        };
        let thread = thread::Builder::new()
            .name("r3gan-data".into())
            .spawn(work)
            .map_err(|error| Error::setting("prefetch", format!("the system gives no thread ({error})")))?;
        Ok(Self { batches: Some(batches), thread: Some(thread), consumed })
    }

    /// The next batch; waits for it if it is not ready.
    ///
    /// # Errors
    /// What stopped the reading of data; after that there are no more batches.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so an Option would mislead")]
    pub fn next(&mut self) -> Result<Batch> {
        let received = self.batches.as_ref().and_then(|batches| batches.recv().ok());
        let Some((batch, position)) = received else {
            return Err(Error::setting("data", "reading stopped at an earlier error; start the run again"));
        };
        let batch = batch?;
        self.consumed = position;
        Ok(batch)
    }

    /// The sampler's position after the last batch that [`next`](Self::next) gave: a run that resumes there
    /// sees what this one would have seen.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }
}

impl Drop for Prefetcher {
    fn drop(&mut self) {
        // Closing the channel first wakes a thread that waits to send.
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there was reported when it happened.
            let _ = thread.join();
        }
    }
}
