//! The hash behind [`Dataset::fingerprint`](super::Dataset::fingerprint).

/// FNV-1a of 64 bits: stable over versions and machines. It tells data sets apart, it does not guard them.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u64);

impl Digest {
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    // Known answer from the FNV authors' test suite (Noll).
    #[test]
    fn foobar() {
        let mut digest = super::Digest::new();
        digest.add(b"foo");
        digest.add(b"bar");
        assert_eq!(digest.value(), 0x8594_4171_f739_67e8);
    }
}
