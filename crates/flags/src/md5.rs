//! The first four bytes of MD5, of which a subject's place in UFC is made.
//!
//! Salt and key are nearly always one block of MD5's, and of its digest only the first word is wanted.
//! That is computed here: without a buffer that can take more, and without the last three of 64 steps,
//! which change the other words only. Longer texts go to the `md-5` crate. As everywhere in bucketing,
//! MD5 is no protection of anything: it spreads subjects.
//!
//! Source: RFC 1321, section 3.

use md5::{Digest as _, Md5};

/// What fits into one block beside the byte and the length that end it.
const ONE_BLOCK_MAX: usize = 55;

/// RFC 1321, section 3.4: the whole part of 2^32 times |sin(i)|, i from 1.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee,
    0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be,
    0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa,
    0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed,
    0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c,
    0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05,
    0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039,
    0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1,
    0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The first four bytes of MD5 of the two texts joined, the first byte the highest.
#[inline]
pub(crate) fn first_word(salt: &str, key: &str) -> u32 {
    let (salt, key) = (salt.as_bytes(), key.as_bytes());
    match block(salt, key) {
        Some(block) => one_block(&block).swap_bytes(),
        None => longer(salt, key),
    }
}

fn longer(salt: &[u8], key: &[u8]) -> u32 {
    let mut md5 = Md5::new();
    md5.update(salt);
    md5.update(key);
    let [a, b, c, d, ..] = <[u8; 16]>::from(md5.finalize());
    u32::from_be_bytes([a, b, c, d])
}

/// The texts as the one block that they are with what ends them; `None` if they are longer.
#[inline]
fn block(salt: &[u8], key: &[u8]) -> Option<[u32; 16]> {
    let len = salt.len() + key.len();
    if len > ONE_BLOCK_MAX {
        return None;
    }
    let mut bytes = [0; 64];
    bytes.get_mut(..salt.len())?.copy_from_slice(salt);
    bytes.get_mut(salt.len()..len)?.copy_from_slice(key);
    *bytes.get_mut(len)? = 0x80;
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words[14] = u32::try_from(len * 8).ok()?;
    Some(words)
}

/// One of the 64 steps: its own sum first, and last what waits for the step before.
macro_rules! step {
    ($a:ident, $b:ident, $m:expr, $at:expr, $turn:literal, $($part:expr),+) => {
        $a = $a.wrapping_add(SINES[$at]).wrapping_add($m);
        $($a = $a.wrapping_add($part);)+
        $a = $a.rotate_left($turn).wrapping_add($b);
    };
}

/// The first word of the digest of one block.
#[inline]
fn one_block(m: &[u32; 16]) -> u32 {
    const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let [mut a, mut b, mut c, mut d] = START;
    for i in [0, 4, 8, 12] {
        step!(a, b, m[i], i, 7, d ^ (b & (c ^ d)));
        step!(d, a, m[i + 1], i + 1, 12, c ^ (a & (b ^ c)));
        step!(c, d, m[i + 2], i + 2, 17, b ^ (d & (a ^ b)));
        step!(b, c, m[i + 3], i + 3, 22, a ^ (c & (d ^ a)));
    }
    for i in [16, 20, 24, 28] {
        step!(a, b, m[(5 * i + 1) & 15], i, 5, !d & c, d & b);
        step!(d, a, m[(5 * i + 6) & 15], i + 1, 9, !c & b, c & a);
        step!(c, d, m[(5 * i + 11) & 15], i + 2, 14, !b & a, b & d);
        step!(b, c, m[(5 * i) & 15], i + 3, 20, !a & d, a & c);
    }
    for i in [32, 36, 40, 44] {
        step!(a, b, m[(3 * i + 5) & 15], i, 4, b ^ (c ^ d));
        step!(d, a, m[(3 * i + 8) & 15], i + 1, 11, a ^ (b ^ c));
        step!(c, d, m[(3 * i + 11) & 15], i + 2, 16, d ^ (a ^ b));
        step!(b, c, m[(3 * i + 14) & 15], i + 3, 23, c ^ (d ^ a));
    }
    for i in [48, 52, 56] {
        step!(a, b, m[(7 * i) & 15], i, 6, c ^ (b | !d));
        step!(d, a, m[(7 * i + 7) & 15], i + 1, 10, b ^ (a | !c));
        step!(c, d, m[(7 * i + 14) & 15], i + 2, 15, a ^ (d | !b));
        step!(b, c, m[(7 * i + 5) & 15], i + 3, 21, d ^ (c | !a));
    }
    step!(a, b, m[4], 60, 6, c ^ (b | !d));
    a.wrapping_add(START[0])
}

#[cfg(test)]
mod tests {
    use super::{first_word, longer};
    use proptest::prelude::*;

    #[test]
    fn the_first_four_bytes_are_big_endian() {
        // RFC 1321, appendix A.5: MD5 ("message digest") = f96b697d…, MD5 ("") = d41d8cd9….
        assert_eq!(first_word("message ", "digest"), 0xf96b_697d);
        assert_eq!(first_word("", ""), 0xd41d_8cd9);
    }

    proptest! {
        #[test]
        fn one_block_is_hashed_as_any_other(salt in ".{0,24}", key in ".{0,24}") {
            prop_assert_eq!(first_word(&salt, &key), longer(salt.as_bytes(), key.as_bytes()));
        }

        #[test]
        fn the_longest_block_and_the_next(len in 50_usize..70, cut in 0_usize..50) {
            let text = "x".repeat(len);
            let (salt, key) = text.split_at(cut);
            prop_assert_eq!(first_word(salt, key), longer(salt.as_bytes(), key.as_bytes()));
        }
    }
}
