//! The order in which a run sees its data: no epochs, and a window of places that keeps shuffling.

use crate::random::RandomState;

/// StyleGAN's `InfiniteSampler`: what the official code draws for the same seed and the same number of items.
///
/// Its state is a function of length, seed and position, so a checkpoint needs only the position.
#[derive(Clone, Debug)]
pub struct InfiniteSampler {
    order: Vec<u32>,
    window: u32,
    random: RandomState,
    position: u64,
}

impl InfiniteSampler {
    /// A sampler over `0..len`.
    ///
    /// # Panics
    /// When `len` is 0; a `Dataset` is never empty.
    pub fn new(len: u32, seed: u32) -> Self {
        assert!(len > 0, "a sampler needs at least one item");
        let mut random = RandomState::new(seed);
        let mut order: Vec<u32> = (0..len).collect();
        random.shuffle(&mut order);
        let window = (f64::from(len) * 0.5).round_ties_even() as u32;
        Self { order, window, random, position: 0 }
    }

    /// The sampler as it stands after `position` draws. It replays them one by one.
    ///
    /// # Panics
    /// When `len` is 0.
    pub fn at(len: u32, seed: u32, position: u64) -> Self {
        let mut sampler = Self::new(len, seed);
        for _ in 0..position {
            sampler.next();
        }
        sampler
    }

    /// The next index; there is always one.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so an Option would mislead")]
    pub fn next(&mut self) -> u32 {
        let len = self.order.len();
        let here = (self.position % len as u64) as usize;
        let drawn = self.order[here];
        if self.window >= 2 {
            let back = self.random.randint(self.window) as usize;
            self.order.swap(here, (here + len - back) % len);
        }
        self.position += 1;
        drawn
    }

    /// The next `count` indices.
    pub fn take(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.next()).collect()
    }

    /// How many indices were drawn so far.
    pub fn position(&self) -> u64 {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the official class rewritten in numpy 2.4.6 without its rank and replica arguments.
    #[test]
    fn order_is_the_official_one() {
        assert_eq!(
            InfiniteSampler::new(10, 0).take(30),
            [2, 8, 4, 9, 1, 6, 2, 3, 0, 9, 7, 8, 1, 5, 6, 4, 3, 8, 2, 1, 9, 6, 7, 5, 8, 4, 0, 9, 6, 7]
        );
        let five = [0, 3, 2, 1, 0, 3, 2, 4, 0, 1, 2, 3, 0, 4, 1, 2, 3, 4, 0, 1];
        assert_eq!(InfiniteSampler::new(5, 7).take(20), five);
        assert_eq!(InfiniteSampler::new(3, 1).take(10), [0, 2, 1, 0, 1, 0, 1, 0, 1, 2]);
        assert_eq!(InfiniteSampler::new(1, 1).take(3), [0, 0, 0]);
        let long = InfiniteSampler::new(1000, 123).take(5000);
        assert_eq!(long[4990..], [269, 93, 123, 627, 472, 122, 529, 565, 89, 969]);
        let sum: u64 = (1..).zip(&long).map(|(place, &index)| place * u64::from(index)).sum();
        assert_eq!(sum, 6219430721);
    }

    #[test]
    fn a_position_is_enough_to_go_on() {
        let mut whole = InfiniteSampler::new(77, 5);
        whole.take(1234);
        let mut resumed = InfiniteSampler::at(77, 5, 1234);
        assert_eq!(resumed.position(), 1234);
        assert_eq!(resumed.take(500), whole.take(500));
    }
}
