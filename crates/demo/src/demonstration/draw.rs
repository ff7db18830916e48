//! Numbers that look random and are the same in every run with the same seed.

/// The `n`th number of the sequence named by `seed` (the finalizer of SplitMix64: Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
pub(crate) const fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(GOLDEN));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Whether the `n`th event is one of `per_mille` in a thousand.
///
/// Multiples of the golden ratio fill the unit interval evenly (a Weyl sequence), so the share
/// holds over a few dozen events and not only in the long run.
pub(crate) const fn is_chosen(seed: u64, n: u64, per_mille: u64) -> bool {
    let fraction = mix(seed, 0).wrapping_add(n.wrapping_mul(GOLDEN)) >> 32;
    fraction < (per_mille << 32) / 1000
}

/// 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_holds_in_every_window() {
        for seed in 0..50 {
            for start in [0_u64, 7, 1000] {
                let chosen = (start..start + 100)
                    .filter(|n| is_chosen(seed, *n, 300))
                    .count();
                assert!((27..=33).contains(&chosen), "seed {seed}: {chosen} of 100");
            }
        }
        assert!((0..1000).all(|n| !is_chosen(3, n, 0)));
        assert!((0..1000).all(|n| is_chosen(3, n, 1000)));
    }

    #[test]
    fn draws_differ_by_seed_and_by_position() {
        let mut seen: Vec<u64> = (0..20)
            .flat_map(|seed| (0..20).map(move |n| mix(seed * 977, n)))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 400);
    }
}
