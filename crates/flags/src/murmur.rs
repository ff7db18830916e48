//! MurmurHash3 x86 32-bit, streaming and without allocation.
//!
//! Every dialect that splits traffic by murmur feeds its pieces (flag key, separator, targeting
//! key) straight into [`Murmur3`], so no joined string is ever built.
//!
//! Source: Austin Appleby's public-domain reference `MurmurHash3_x86_32`.

use core::fmt;

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// A MurmurHash3 (x86, 32 bits) that is fed in pieces.
///
/// ```
/// use nonevent_flags::Murmur3;
///
/// let mut hash = Murmur3::new(0);
/// hash.write(b"hel");
/// hash.write(b"lo");
/// assert_eq!(hash.finish(), 0x248b_fa47); // the same as of "hello" in one piece
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Murmur3 {
    state: u32,
    /// Bytes that make no block yet, the first lowest.
    tail: u32,
    tail_len: u32,
    length: u32,
}

impl Murmur3 {
    /// An empty hash with this seed. flagd uses 0, Unleash 0 and, for variants, 86028157.
    #[must_use]
    pub const fn new(seed: u32) -> Self {
        Self {
            state: seed,
            tail: 0,
            tail_len: 0,
            length: 0,
        }
    }

    /// The hash of `bytes` in one piece.
    #[must_use]
    pub fn of(seed: u32, bytes: &[u8]) -> u32 {
        let mut hash = Self::new(seed);
        hash.write(bytes);
        hash.finish()
    }

    /// Feeds more bytes. How the input is cut into pieces does not change the result.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        // The reference takes a 32-bit length; longer input wraps, as there.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the length is defined modulo 2^32"
        )]
        let added = bytes.len() as u32;
        self.length = self.length.wrapping_add(added);
        // What is left from before goes below each word, and what is above goes to the next.
        let shift = 8 * self.tail_len;
        let mut word = u64::from(self.tail);
        let (blocks, after) = bytes.as_chunks::<4>();
        for block in blocks {
            word |= u64::from(u32::from_le_bytes(*block)) << shift;
            self.block(low(word));
            word >>= 32;
        }
        let last = match *after {
            [] => 0,
            [a] => u32::from(a),
            [a, b] => u32::from(a) | u32::from(b) << 8,
            [a, b, c, ..] => u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16,
        };
        word |= u64::from(last) << shift;
        // At most three and three.
        let mut left = self.tail_len + (added & 3);
        if left >= 4 {
            self.block(low(word));
            word >>= 32;
            left -= 4;
        }
        (self.tail, self.tail_len) = (low(word), left);
    }

    /// The hash of all that was written so far. Writing may go on afterwards.
    #[must_use]
    #[inline]
    pub fn finish(&self) -> u32 {
        let mut state = self.state;
        // Of no bytes this is 0, which changes nothing.
        state ^= scramble(self.tail);
        state ^= self.length;
        state ^= state >> 16;
        state = state.wrapping_mul(0x85eb_ca6b);
        state ^= state >> 13;
        state = state.wrapping_mul(0xc2b2_ae35);
        state ^ (state >> 16)
    }

    #[inline]
    fn block(&mut self, block: u32) {
        self.state ^= scramble(block);
        self.state = self
            .state
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what is wanted"
)]
const fn low(word: u64) -> u32 {
    word as u32
}

const fn scramble(block: u32) -> u32 {
    block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

impl fmt::Write for Murmur3 {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Murmur3;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn published_vectors() {
        // Vectors of the reference implementation as published by several ports.
        for (seed, text, expected) in [
            (0, "", 0),
            (1, "", 0x514e_28b7),
            (0xffff_ffff, "", 0x81f1_6f39),
            (0, "test", 0xba6b_d213),
            (0x9747_b28c, "test", 0x704b_81dc),
            (0, "Hello, world!", 0xc036_3e43),
            (0x9747_b28c, "Hello, world!", 0x2488_4cba),
            (0x9747_b28c, "aaaa", 0x5a97_808a),
            (0x9747_b28c, "aaa", 0x283e_0130),
            (0x9747_b28c, "aa", 0x5d21_1726),
            (0x9747_b28c, "a", 0x7fa0_9ea6),
            (0x9747_b28c, "abcd", 0xf047_8627),
            (
                0,
                "The quick brown fox jumps over the lazy dog",
                0x2e4f_f723,
            ),
            (0x9747_b28c, "ππππππππ", 0xd580_63c1),
        ] {
            assert_eq!(
                Murmur3::of(seed, text.as_bytes()),
                expected,
                "{text:?} seed {seed:#x}"
            );
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes: Vec<u8>, cuts in proptest::collection::vec(0usize..64, 0..6), seed: u32) {
            let mut hash = Murmur3::new(seed);
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (head, after) = rest.split_at(cut.min(rest.len()));
                hash.write(head);
                rest = after;
            }
            hash.write(rest);
            prop_assert_eq!(hash.finish(), Murmur3::of(seed, &bytes));
        }
    }
}
