//! What the trainer sees: a numbered set of pictures or points, handed out in batches.

use std::fmt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::digest::Digest;
use super::labels::Labels;
use super::picture::MAX_SIDE;
use super::points::PointCloud;
use crate::error::{Error, Result};

/// Square 8-bit pictures of one size, in any file format.
pub trait Images: fmt::Debug + Send + Sync {
    fn count(&self) -> usize;
    fn side(&self) -> usize;
    /// 1 or 3.
    fn channels(&self) -> usize;
    /// Fills `out`, `[side, side, channels]`, with picture `index < count`.
    fn read(&self, index: usize, out: &mut [u8]) -> Result<()>;
    /// Adds a cheap account of the content to a fingerprint.
    fn digest(&self, digest: &mut Digest) -> Result<()>;
}

/// What a data set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Square pictures; `channels` is 1 or 3 as in the files, a batch always has 3.
    Images { side: usize, channels: usize },
    /// Points in the plane.
    Points,
}

/// A set of pictures or points that [`open`](super::open()) made. It is never empty.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    content: Content,
    labels: Labels,
    count: usize,
    /// The side of the pictures in a batch: their own, or more with padding.
    side: usize,
    mirror: bool,
    content_digest: u64,
}

#[derive(Debug)]
enum Content {
    Images(Box<dyn Images>),
    Points(Vec<f32>),
}

/// Items to train on, in the order they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// N, the number of items.
    pub count: usize,
    /// Pixels a side; 1 for points.
    pub side: usize,
    /// 3 for pictures, 2 for points.
    pub channels: usize,
    pub values: Values,
    /// `[N, classes]`, one-hot or vectors; empty without labels.
    pub labels: Vec<f32>,
}

/// The data of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// `[N, side, side, 3]`, 0..=255. A grey picture has three equal channels.
    Pixels(Vec<u8>),
    /// `[N, 2]`, about -1..1.
    Points(Vec<f32>),
}

impl Dataset {
    pub(super) fn images(path: &Path, images: impl Images + 'static, labels: Labels) -> Result<Self> {
        let mut digest = Digest::new();
        images.digest(&mut digest)?;
        let (count, side) = (images.count(), images.side());
        Self::new(path, Content::Images(Box::new(images)), labels, (count, side), digest)
    }

    /// The points of a cloud; with labels, the mode of each is its class. [`open`](super::open()) gives the same
    /// for the cloud's name.
    ///
    /// # Errors
    /// None for the clouds there are.
    pub fn points(cloud: PointCloud, with_labels: bool) -> Result<Self> {
        let points = cloud.points();
        let labels = if with_labels { Labels::classes(cloud.labels()) } else { Labels::None };
        let mut digest = Digest::new();
        digest.add(cloud.name().as_bytes());
        let count = points.len() / 2;
        Self::new(Path::new(cloud.name()), Content::Points(points), labels, (count, 1), digest)
    }

    fn new(
        path: &Path,
        content: Content,
        labels: Labels,
        (count, side): (usize, usize),
        mut digest: Digest,
    ) -> Result<Self> {
        // Indices are u32, and a mirror doubles them.
        if count > (u32::MAX / 2) as usize {
            return Err(Error::input(path, format!("holds {count} items; at most 2^31 - 1 can be numbered")));
        }
        labels.digest(&mut digest);
        let content_digest = digest.value();
        Ok(Self { path: path.into(), content, labels, count, side, mirror: false, content_digest })
    }

    /// Doubles the set: the second half is the first, flipped from left to right.
    ///
    /// # Errors
    /// When the set holds points.
    pub fn with_mirror(mut self) -> Result<Self> {
        if matches!(self.content, Content::Points(_)) {
            return Err(Error::setting("mirror", "points have no mirror image; leave it off"));
        }
        self.mirror = true;
        Ok(self)
    }

    /// Puts every picture in the middle of a black square of `side` pixels, as MNIST's 28 become 32.
    ///
    /// # Errors
    /// When the set holds points, the pictures are larger, or the frame would be uneven.
    pub fn padded_to(mut self, side: usize) -> Result<Self> {
        let Kind::Images { side: own, .. } = self.kind() else {
            return Err(Error::setting("resolution", "points have no pixels to pad; leave it off"));
        };
        if side < own || (side - own) % 2 == 1 || side > MAX_SIDE as usize {
            let reason =
                format!("pictures of {own}x{own} cannot be padded evenly to {side}x{side}; resize them");
            return Err(Error::input(&self.path, reason));
        }
        self.side = side;
        Ok(self)
    }

    /// Number of items, at least 1; a mirror counts twice.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.count << u32::from(self.mirror)
    }

    /// Number of items without their mirror images, which come after them.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn originals(&self) -> usize {
        self.count
    }

    /// Where it lies, to name it in errors.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the label of an item into `out`, `[classes]`.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn write_label(&self, index: u32, out: &mut [f32]) {
        self.labels.write(index as usize % self.count, out);
    }

    /// What it holds; `side` includes the padding.
    pub fn kind(&self) -> Kind {
        match &self.content {
            Content::Images(images) => Kind::Images { side: self.side, channels: images.channels() },
            Content::Points(_) => Kind::Points,
        }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The class of an item; of a vector, the first entry that is not 0.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn class_of(&self, index: u32) -> usize {
        let mut label = vec![0.0; self.classes()];
        self.write_label(index, &mut label);
        label.iter().position(|part| *part != 0.0).unwrap_or_default()
    }

    /// The items of each label, the labels in the official order; all of them together without labels.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn by_label(&self) -> Vec<Vec<u32>> {
        let compare =
            |a: &u32, b: &u32| self.labels.compare(*a as usize % self.count, *b as usize % self.count);
        let mut items: Vec<u32> = (0..self.len() as u32).collect();
        items.sort_by(compare);
        items.chunk_by(|a, b| compare(a, b).is_eq()).map(<[u32]>::to_vec).collect()
    }

    /// Pixels a side of the pictures in a batch; 1 for points.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Length of a label, 0 without labels.
    pub fn classes(&self) -> usize {
        self.labels.width()
    }

    /// 16 hexadecimal digits from the shape of the set, its names and sizes, and some of its content: the same
    /// for the same data wherever it lies, and different for data that a run must not resume on.
    pub fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        let channels = match &self.content {
            Content::Images(images) => images.channels(),
            Content::Points(_) => 2,
        };
        for size in [self.len(), self.side, channels, self.classes()] {
            digest.add(&(size as u64).to_le_bytes());
        }
        digest.add(&self.content_digest.to_le_bytes());
        format!("{:016x}", digest.value())
    }

    /// Decodes the items with these numbers, in parallel.
    ///
    /// # Errors
    /// When a number is not below [`len`](Self::len), or a file can no longer be read.
    pub fn batch(&self, indices: &[u32]) -> Result<Batch> {
        let len = self.len();
        if let Some(index) = indices.iter().find(|&&index| index as usize >= len) {
            return Err(Error::setting(
                "indices",
                format!("item {index} is beyond the {len} of the data set"),
            ));
        }
        let classes = self.classes();
        let mut labels = vec![0.0; indices.len() * classes];
        if classes > 0 {
            for (out, &index) in labels.chunks_exact_mut(classes).zip(indices) {
                self.labels.write(index as usize % self.count, out);
            }
        }
        let (channels, values) = match &self.content {
            Content::Images(images) => (3, Values::Pixels(self.pixels(images.as_ref(), indices)?)),
            Content::Points(points) => {
                let point = |&index: &u32| [points[2 * index as usize], points[2 * index as usize + 1]];
                (2, Values::Points(indices.iter().flat_map(point).collect()))
            }
        };
        Ok(Batch { count: indices.len(), side: self.side, channels, values, labels })
    }

    fn pixels(&self, images: &dyn Images, indices: &[u32]) -> Result<Vec<u8>> {
        let item = self.side * self.side * 3;
        let mut pixels = vec![0; indices.len() * item];
        pixels.par_chunks_exact_mut(item).zip(indices).try_for_each_init(
            || vec![0; images.side() * images.side() * images.channels()],
            |picture, (out, &index)| {
                images.read(index as usize % self.count, picture)?;
                place(picture, images.channels(), out, self.side, index as usize >= self.count);
                Ok(())
            },
        )?;
        Ok(pixels)
    }
}

/// Writes a picture of 1 or 3 channels into the middle of black `out`, `[side, side, 3]`.
fn place(picture: &[u8], channels: usize, out: &mut [u8], side: usize, flip: bool) {
    let own = (picture.len() / channels).isqrt();
    let frame = (side - own) / 2;
    for (y, row) in picture.chunks_exact(own * channels).enumerate() {
        let start = ((y + frame) * side + frame) * 3;
        let target = out[start..start + own * 3].as_chunks_mut::<3>().0;
        for (x, pixel) in row.chunks_exact(channels).enumerate() {
            let x = if flip { own - 1 - x } else { x };
            target[x] = [pixel[0], pixel[channels / 2], pixel[channels - 1]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_is_framed_flipped_and_tripled() {
        let mut out = [0; 4 * 4 * 3];
        place(&[1, 2, 3, 4], 1, &mut out, 4, true);
        let grey: Vec<u8> = out.iter().step_by(3).copied().collect();
        assert_eq!(grey, [0, 0, 0, 0, 0, 2, 1, 0, 0, 4, 3, 0, 0, 0, 0, 0]);
        assert!(out.as_chunks::<3>().0.iter().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
        let mut out = [0; 12];
        let colour: [u8; 12] = std::array::from_fn(|i| i as u8);
        place(&colour, 3, &mut out, 2, false);
        assert_eq!(out, colour);
        place(&colour, 3, &mut out, 2, true);
        assert_eq!(out, [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
    }
}
