//! Parameters that lie in one buffer after one another, so that one launch reaches many of them.
//!
//! A network's tensors become slices of such buffers at its first update, and stay so: each begins where a device lets a
//! slice begin, and at a whole work group, so that no group has two parameters.

use burn::tensor::Shape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::zspace::metadata::Metadata;

use super::{UNITS, empty_like, launched};

/// Entries of a buffer before another is begun: 32 MiB, a quarter of what any WebGPU device binds.
const MOST: usize = 8 << 20;

/// Flat tensors, as slices of one buffer.
pub struct Flat {
    pub buffer: CubeTensor,
    pub places: Vec<Place>,
}

/// Where a tensor lies, in entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub start: usize,
    pub length: usize,
}

/// How many of a network's tensors, of these lengths, share a buffer: the first so many, the next so many.
pub fn runs(lengths: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut runs: Vec<usize> = Vec::new();
    let mut entries = 0;
    for length in lengths {
        entries += length;
        match runs.last_mut() {
            Some(count) if entries <= MOST => *count += 1,
            _ => {
                entries = length;
                runs.push(1);
            }
        }
    }
    runs
}

impl Flat {
    /// `tensors` in a buffer, the one that they lie in already or another.
    pub fn of(tensors: Vec<CubeTensor>) -> Self {
        let places = places(&tensors);
        match shared(&tensors, &places) {
            Some(buffer) => Self { buffer, places },
            None => Self { buffer: gathered(tensors, &places), places },
        }
    }

    /// The same in a buffer that no one else holds.
    pub fn owned(tensors: Vec<CubeTensor>) -> Self {
        let Self { buffer, places } = Self::of(tensors);
        let buffer = if buffer.can_mut() { buffer } else { buffer.copy() };
        Self { buffer, places }
    }

    pub fn entries(&self) -> usize {
        self.places.last().map_or(0, Place::end)
    }

    pub fn into_tensors(self) -> Vec<CubeTensor> {
        self.places.iter().map(|place| place.of(&self.buffer)).collect()
    }
}

impl Place {
    pub fn end(&self) -> usize {
        self.start + self.length
    }

    /// The tensor there. Set, not added: a buffer's own offset is where its last entry ends.
    fn of(&self, buffer: &CubeTensor) -> CubeTensor {
        let bytes = |entries: usize| (entries * buffer.dtype.size()) as u64;
        let mut tensor = buffer.clone();
        tensor.handle.offset_start = Some(bytes(self.start));
        tensor.handle.offset_end = Some(buffer.handle.size() - bytes(self.end()));
        *tensor.meta = Metadata::new(Shape::new([self.length]), [1]);
        tensor
    }
}

fn places(tensors: &[CubeTensor]) -> Vec<Place> {
    let alignment = |x: &CubeTensor| x.client.properties().memory.alignment as usize / x.dtype.size();
    let step = tensors.first().map_or(1, alignment).max(UNITS as usize);
    let mut end = 0usize;
    let place = |tensor: &CubeTensor| {
        let place = Place { start: end.next_multiple_of(step), length: tensor.meta.shape().num_elements() };
        end = place.end();
        place
    };
    tensors.iter().map(place).collect()
}

/// The buffer that all of `tensors` are slices of, at these places.
fn shared(tensors: &[CubeTensor], places: &[Place]) -> Option<CubeTensor> {
    let mut whole = tensors.first()?.clone();
    (whole.handle.offset_start, whole.handle.offset_end) = (None, None);
    let entries = whole.handle.size() as usize / whole.dtype.size();
    *whole.meta = Metadata::new(Shape::new([entries]), [1]);
    let slice = |(tensor, place): (&CubeTensor, &Place)| {
        place.end() <= entries && tensor.is_contiguous() && key(tensor) == key(&place.of(&whole))
    };
    tensors.iter().zip(places).all(slice).then_some(whole)
}

/// Which bytes of which memory.
fn key(x: &CubeTensor) -> impl PartialEq + use<> {
    x.handle.clone().binding().claim_key()
}

fn gathered(tensors: Vec<CubeTensor>, places: &[Place]) -> CubeTensor {
    let entries = places.last().map_or(0, Place::end);
    let buffer = empty_like(&tensors[0], [entries]);
    for (tensor, place) in tensors.into_iter().zip(places) {
        let (count, dim) = launched([&tensor, &buffer], place.length);
        let tensor = burn_cubecl::kernel::into_contiguous(tensor);
        let to = place.of(&buffer);
        copy_entries::launch(&buffer.client, count, dim, tensor.into_tensor_arg(), to.into_tensor_arg());
    }
    buffer
}

#[cube(launch)]
fn copy_entries(from: &Tensor<f32>, to: &mut Tensor<f32>) {
    if ABSOLUTE_POS >= to.len() {
        terminate!();
    }
    to[ABSOLUTE_POS] = from[ABSOLUTE_POS];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_bounded_and_a_tensor_is_whole() {
        let lengths = |lengths: &[usize]| runs(lengths.iter().copied());
        assert!(lengths(&[]).is_empty());
        assert_eq!(lengths(&[3, 0, MOST - 3, 1]), [3, 1]);
        assert_eq!(lengths(&[2 * MOST, 1, MOST, MOST - 1]), [1, 1, 1, 1]);
    }
}
