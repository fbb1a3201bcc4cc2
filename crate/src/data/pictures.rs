//! A set of picture files of one shape: checked by their headers when opened, decoded when asked for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::dataset::Images;
use super::digest::Digest;
use super::picture::{self, Header};
use super::store::Store;
use crate::error::{Error, Result};

/// Enough for the header of nearly every picture; the others are read whole.
const HEAD_BYTES: u64 = 16 << 10;
/// Headers read before the rules are checked: a broken first file is reported at once.
const BLOCK: usize = 4096;

/// Pictures in a folder, a zip or memory.
#[derive(Debug)]
pub struct Pictures {
    store: Store,
    side: usize,
    channels: usize,
    cache: Cache,
    content: u64,
}

impl Pictures {
    /// # Errors
    /// Names the first picture, in sorted order, that is not square, not of 8 bits, not opaque, or not like
    /// the first one.
    pub fn open(store: Store, cache_bytes: usize) -> Result<Self> {
        let first = scan(&store, 0)?.0;
        let mut digest = Digest::new();
        for start in (0..store.count()).step_by(BLOCK) {
            let block = start..store.count().min(start + BLOCK);
            let headers: Vec<_> = block.clone().into_par_iter().map(|index| scan(&store, index)).collect();
            for (index, header) in block.zip(headers) {
                let (header, content) = header?;
                check(header, first, &store, index)?;
                digest.add(&content.to_le_bytes());
            }
        }
        let (side, channels) = (first.width as usize, first.channels);
        let cache = Cache::new(store.count(), cache_bytes);
        Ok(Self { store, side, channels, cache, content: digest.value() })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    fn decode(&self, index: usize) -> Result<Vec<u8>> {
        let refused = |reason: String| Error::input(self.store.picture_path(index), reason);
        let (header, pixels) = picture::decode(&self.store.picture(index)?).map_err(refused)?;
        let shape = (header.width as usize, header.height as usize, header.channels);
        if shape != (self.side, self.side, self.channels) {
            return Err(refused(
                "is no longer what it was when training began; put the old file back".into(),
            ));
        }
        Ok(pixels)
    }
}

impl Images for Pictures {
    fn count(&self) -> usize {
        self.store.count()
    }

    fn side(&self) -> usize {
        self.side
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn read(&self, index: usize, out: &mut [u8]) -> Result<()> {
        if let Some(pixels) = self.cache.get(index) {
            out.copy_from_slice(pixels);
        } else {
            let pixels = self.decode(index)?;
            out.copy_from_slice(&pixels);
            self.cache.keep(index, pixels);
        }
        Ok(())
    }

    fn digest(&self, digest: &mut Digest) -> Result<()> {
        digest.add(&self.content.to_le_bytes());
        Ok(())
    }
}

/// The header of a picture and a hash of its name, size and first bytes.
fn scan(store: &Store, index: usize) -> Result<(Header, u64)> {
    let refused = |reason: String| Error::input(store.picture_path(index), reason);
    let (head, complete) = store.picture_head(index, HEAD_BYTES)?;
    let header = match picture::header(&head) {
        Err(_) if !complete => picture::header(&store.picture(index)?),
        header => header,
    }
    .map_err(refused)?;
    if header.alpha {
        picture::decode(&store.picture(index)?).map_err(refused)?;
    }
    let mut digest = Digest::new();
    store.digest_picture(index, &mut digest);
    digest.add(&head);
    Ok((header, digest.value()))
}

fn check(header: Header, first: Header, store: &Store, index: usize) -> Result<()> {
    let Header { width, height, channels, .. } = header;
    let first_name = store.names().next().unwrap_or_default();
    let reason = if width != height {
        format!("is {width}x{height} pixels; pictures must be square, so crop it")
    } else if width != first.width {
        let side = first.width;
        format!("is {width}x{height} pixels where {first_name} is {side}x{side}; make them one size")
    } else if channels != first.channels {
        let [this, other] =
            [channels, first.channels].map(|count| if count == 1 { "grey" } else { "colour" });
        format!("is {this} where {first_name} is {other}; make them alike")
    } else {
        return Ok(());
    };
    Err(Error::input(store.picture_path(index), reason))
}

/// Keeps the first pictures that fit and never lets one go: every picture is as likely as any other to be
/// asked for next, so no exchange would hit more often, and readers never wait for one another.
#[derive(Debug)]
struct Cache {
    slots: Vec<OnceLock<Vec<u8>>>,
    room: AtomicUsize,
}

impl Cache {
    fn new(count: usize, bytes: usize) -> Self {
        Self { slots: (0..count).map(|_| OnceLock::new()).collect(), room: AtomicUsize::new(bytes) }
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        self.slots[index].get().map(Vec::as_slice)
    }

    fn keep(&self, index: usize, pixels: Vec<u8>) {
        let size = pixels.len();
        let take = |room: usize| room.checked_sub(size);
        if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            && self.slots[index].set(pixels).is_err()
        {
            // Another thread kept the same picture meanwhile.
            self.room.fetch_add(size, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let cache = Cache::new(3, 10);
        cache.keep(0, vec![1; 6]);
        cache.keep(1, vec![2; 6]);
        cache.keep(0, vec![3; 4]);
        cache.keep(2, vec![4; 4]);
        assert_eq!(cache.get(0), Some([1; 6].as_slice()));
        assert_eq!(cache.get(1), None);
        assert_eq!(cache.get(2), Some([4; 4].as_slice()));
    }
}
