//! How long requests took, in bounded space.

use std::fmt;

/// Each power of two is cut into this many buckets, so a quantile is at most 1/32 too high.
const STEPS: u64 = 32;
/// From 0 to 2^32 µs, which is over an hour.
const BUCKETS: usize = 28 * STEPS as usize;

/// A histogram of µs in steps of about 3 %.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Latencies {
    counts: Box<[u64]>,
    total: u64,
    max_us: u64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies {
            counts: vec![0; BUCKETS].into_boxed_slice(),
            total: 0,
            max_us: 0,
        }
    }
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Latencies({} up to {} µs)", self.total, self.max_us)
    }
}

impl Latencies {
    pub(crate) fn add(&mut self, us: u64) {
        self.counts[bucket_of(us)] += 1;
        self.total += 1;
        self.max_us = self.max_us.max(us);
    }

    /// The time that `per_mille` in a thousand did not exceed, in µs, rounded up by at most
    /// 1/32; nothing if nothing was added.
    pub(crate) fn quantile_us(&self, per_mille: u64) -> Option<u64> {
        let rank = (self.total * per_mille.min(1000)).div_ceil(1000).max(1);
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(highest_of(bucket).min(self.max_us))
    }
}

/// The bucket of a time; times past the last bucket go into it.
fn bucket_of(us: u64) -> usize {
    let us = us.min((1 << 32) - 1);
    if us < STEPS {
        return usize::try_from(us).unwrap_or(0);
    }
    let shift = us.ilog2() - STEPS.ilog2();
    let index = u64::from(shift) * STEPS + (us >> shift);
    usize::try_from(index).unwrap_or(BUCKETS - 1)
}

/// The longest time that belongs to a bucket, in µs.
const fn highest_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    ((bucket % STEPS + STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        for bucket in 0..BUCKETS {
            let highest = highest_of(bucket);
            assert_eq!(bucket_of(highest), bucket);
            assert_eq!(bucket_of(highest + 1), (bucket + 1).min(BUCKETS - 1));
        }
        assert_eq!(Latencies::default().quantile_us(500), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_the_exact_ones_or_a_little_above(
            mut times in prop::collection::vec(0_u64..200_000, 1..300),
            per_mille in 1_u64..=1000,
        ) {
            let mut latencies = Latencies::default();
            for us in &times {
                latencies.add(*us);
            }
            times.sort_unstable();
            let rank = (times.len() as u64 * per_mille).div_ceil(1000) as usize;
            let exact = times[rank - 1];
            let told = latencies.quantile_us(per_mille).unwrap();
            prop_assert!(told >= exact && told <= exact + exact / STEPS, "{told} for {exact}");
        }
    }
}
