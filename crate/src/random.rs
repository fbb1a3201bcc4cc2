//! numpy's legacy `RandomState`, bit for bit: a seed here draws what the same seed draws in the official code.

use serde::{Deserialize, Serialize};

const WORDS: usize = 624;
const SHIFT: usize = 397;

/// MT19937 with numpy's legacy distributions (`numpy.random.RandomState`).
///
/// The integers and uniforms are exact everywhere; the normals are exact where `f64::ln` is the C library's
/// `log` (native builds) and within one unit in the last place elsewhere (wasm).
#[derive(Clone, Debug, PartialEq)]
pub struct RandomState {
    key: [u32; WORDS],
    position: usize,
    cached: Option<f64>,
}

/// The whole state of a [`RandomState`], to be saved in a checkpoint: `RandomState.get_state()` in numpy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomSnapshot {
    /// The 624 words of the generator.
    pub key: Vec<u32>,
    /// The next word to hand out, 624 when all are used.
    pub position: u32,
    /// The bits of the second normal of a pair, when only the first was handed out.
    pub cached: Option<u64>,
}

impl RandomState {
    /// `RandomState(seed)`: `init_genrand` of Matsumoto and Nishimura's MT19937.
    pub fn new(seed: u32) -> Self {
        let mut key = [seed; WORDS];
        for i in 1..WORDS {
            let last = key[i - 1];
            key[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { key, position: WORDS, cached: None }
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.position == WORDS {
            self.renew();
        }
        let mut word = self.key[self.position];
        self.position += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn renew(&mut self) {
        for i in 0..WORDS {
            let joined = (self.key[i] & 0x8000_0000) | (self.key[(i + 1) % WORDS] & 0x7fff_ffff);
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[i] = self.key[(i + SHIFT) % WORDS] ^ (joined >> 1) ^ twist;
        }
        self.position = 0;
    }

    /// A uniform number in `[0, 1)` of 53 random bits.
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// A standard normal number: Marsaglia's polar method, which makes two and keeps one for the next call.
    pub fn randn(&mut self) -> f64 {
        if let Some(second) = self.cached.take() {
            return second;
        }
        loop {
            let first = 2.0 * self.random() - 1.0;
            let second = 2.0 * self.random() - 1.0;
            let square = first * first + second * second;
            if square < 1.0 && square != 0.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.cached = Some(scale * first);
                return scale * second;
            }
        }
    }

    /// Fills a buffer with [`randn`](Self::randn), each rounded to `f32`.
    pub fn fill_randn(&mut self, values: &mut [f32]) {
        values.fill_with(|| self.randn() as f32);
    }

    /// `count` numbers of [`randn`](Self::randn).
    pub fn randn_vec(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.randn()).collect()
    }

    /// `randint(high)`: an integer in `[0, high)`. A `high` of 0 or 1 gives 0 and draws nothing.
    pub fn randint(&mut self, high: u32) -> u32 {
        self.at_most(high.saturating_sub(1))
    }

    /// `shuffle`: Fisher and Yates, from the last place to the first. At most 2³² values.
    pub fn shuffle(&mut self, values: &mut [u32]) {
        for i in (1..values.len()).rev() {
            let j = self.at_most(i as u32) as usize;
            values.swap(i, j);
        }
    }

    /// An integer in `[0, highest]`: words cut to the bits of `highest`, and drawn again while they are too large.
    fn at_most(&mut self, highest: u32) -> u32 {
        let Some(mask) = u32::MAX.checked_shr(highest.leading_zeros()) else {
            return 0;
        };
        loop {
            let word = self.next_u32() & mask;
            if word <= highest {
                return word;
            }
        }
    }

    /// The state as it is now.
    pub fn state(&self) -> RandomSnapshot {
        RandomSnapshot {
            key: self.key.to_vec(),
            position: self.position as u32,
            cached: self.cached.map(f64::to_bits),
        }
    }

    /// A generator that goes on exactly where [`state`](Self::state) was taken.
    ///
    /// # Errors
    /// One sentence, when the snapshot is not one that [`state`](Self::state) can give.
    pub fn from_snapshot(snapshot: &RandomSnapshot) -> Result<Self, String> {
        let key: [u32; WORDS] = snapshot.key.as_slice().try_into().map_err(|_| {
            format!("the random state has {} words where it needs {WORDS}", snapshot.key.len())
        })?;
        // These bits are the generator: were they all zero, every word would be, and `randn` would never return.
        if key[0] & 0x8000_0000 == 0 && key[1..].iter().all(|&word| word == 0) {
            return Err("the random state is all zeros, which no seed leads to".into());
        }
        let position = snapshot.position as usize;
        if position > WORDS {
            return Err(format!("the random state stands at word {position} of {WORDS}"));
        }
        let cached = snapshot.cached.map(f64::from_bits);
        if cached.is_some_and(|value| !value.is_finite()) {
            return Err("the random state keeps a normal number that is not finite".into());
        }
        Ok(Self { key, position, cached })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From shared/fixtures/seeds.json, which numpy 2.2.6 wrote.
    #[test]
    fn words_uniforms_and_normals_are_numpys() {
        let words = |seed| {
            let mut random = RandomState::new(seed);
            [random.next_u32(), random.next_u32(), random.next_u32()]
        };
        assert_eq!(words(0), [2357136044, 2546248239, 3071714933]);
        assert_eq!(words(2147483647), [1689602031, 3831148394, 2820341149]);
        assert_eq!(RandomState::new(1).random(), 0.417022004702574);
        assert_eq!(RandomState::new(42).random(), 0.3745401188473625);
        let normals = |seed| RandomState::new(seed).randn_vec(3);
        assert_eq!(normals(0), [1.764052345967664, 0.4001572083672233, 0.9787379841057392]);
        assert_eq!(normals(7), [1.690525703800356, -0.4659373705408328, 0.0328201636785844]);
        assert_eq!(normals(2147483647), [1.628680950870893, -1.1083224214197442, 1.3931666912751481]);
    }

    // From numpy 2.4.6: r = RandomState(3); r.shuffle(arange(10)); r.randint(n) ...; r.random_sample().
    #[test]
    fn shuffle_and_randint_are_numpys() {
        let mut random = RandomState::new(3);
        let mut order: Vec<u32> = (0..10).collect();
        random.shuffle(&mut order);
        assert_eq!(order, [5, 4, 1, 2, 9, 6, 7, 0, 3, 8]);
        let drawn = [1, 2, 5, 7, 100, 1000, 2147483647, 5].map(|high| random.randint(high));
        assert_eq!(drawn, [0, 0, 0, 4, 44, 605, 1962083751, 0]);
        assert_eq!((random.random(), random.position), (f64::from_bits(0x3fcb_9807_0474_af14), 27));
        assert_eq!(random.randint(0), 0);
    }

    #[test]
    fn a_snapshot_goes_on_exactly_and_a_broken_one_is_refused() {
        let mut random = RandomState::new(9);
        random.randn_vec(1001);
        let saved = random.state();
        assert!(saved.cached.is_some());
        let mut resumed = RandomState::from_snapshot(&saved).unwrap();
        assert_eq!(resumed.randn_vec(1500), random.randn_vec(1500));

        let refused = |change: fn(&mut RandomSnapshot)| {
            let mut broken = saved.clone();
            change(&mut broken);
            RandomState::from_snapshot(&broken).unwrap_err()
        };
        assert!(refused(|state| state.key.truncate(623)).contains("623 words"));
        assert!(refused(|state| state.key.fill(0)).contains("zeros"));
        assert!(refused(|state| state.position = 625).contains("625"));
        assert!(refused(|state| state.cached = Some(f64::NAN.to_bits())).contains("finite"));
    }
}
