//! How durations are spread, in a fixed amount of memory.

/// Buckets of each octave, as a power of two: a value is known to one part in 32.
const SUB_BITS: u32 = 5;
const SUBS: u64 = 1 << SUB_BITS;
/// Longer durations, of over 19 hours, are counted as this.
const US_MAX: u64 = (1 << 36) - 1;
/// Buckets that are drawn as one, so that there are four bars to an octave from 4 µs on.
const GROUP: usize = 8;

/// Counts of microseconds: below 64 each by itself, above in 32 buckets of equal width for each
/// power of two.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max_us: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, us: u64) {
        let at = bucket(us);
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket += 1;
        }
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The smallest duration that at least `per_mille` of all do not exceed (nearest rank), to one
    /// part in 32 and rounded up; 0 of none.
    pub(crate) fn quantile_us(&self, per_mille: u64) -> u64 {
        let rank = self.count.saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return (lower_us(at + 1) - 1).min(self.max_us);
            }
        }
        self.max_us
    }

    /// From, to (exclusive) and count of each bar that is not empty.
    pub(crate) fn bars(&self) -> Vec<(u64, u64, u64)> {
        let mut bars = Vec::new();
        let mut at = 0;
        while let Some(rest) = self.buckets.get(at..).filter(|rest| !rest.is_empty()) {
            // The first buckets are of one width, and an octave has few of them.
            let group = match at {
                0..8 => 1,
                8..16 => 2,
                16..32 => 4,
                _ => GROUP,
            };
            let count: u64 = rest.iter().take(group).sum();
            if count > 0 {
                bars.push((lower_us(at), lower_us(at + group), count));
            }
            at += group;
        }
        bars
    }
}

fn bucket(us: u64) -> usize {
    let us = us.min(US_MAX);
    let shift = us.max(1).ilog2().saturating_sub(SUB_BITS);
    let at = u64::from(shift) * SUBS + (us >> shift);
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// The smallest value of a bucket.
fn lower_us(at: usize) -> u64 {
    let at = at as u64;
    match (at / SUBS).checked_sub(1) {
        None => at,
        Some(shift) => (SUBS + at % SUBS) << shift.min(36),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{Histogram, US_MAX, bucket, lower_us};

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket(us in 0_u64..=US_MAX) {
            let at = bucket(us);
            let (from, to) = (lower_us(at), lower_us(at + 1));
            prop_assert!(from <= us && us < to, "{us} in {from}..{to}");
            prop_assert!(to - from == 1 || (to - from) * 32 <= from);
            let mut histogram = Histogram::default();
            histogram.add(us);
            let bars = histogram.bars();
            prop_assert!(matches!(bars[..], [(from, to, 1)] if from <= us && us < to), "{bars:?}");
        }

        #[test]
        fn a_quantile_is_the_nearest_rank_to_one_part_in_32(
            mut values in proptest::collection::vec(0_u64..10_000_000, 1..200),
            per_mille in 1_u64..=1000,
        ) {
            let mut histogram = Histogram::default();
            for us in &values {
                histogram.add(*us);
            }
            values.sort_unstable();
            let rank = (values.len() as u64 * per_mille).div_ceil(1000);
            let exact = values[usize::try_from(rank).expect("small") - 1];
            let found = histogram.quantile_us(per_mille);
            prop_assert!(exact <= found && found <= exact + exact / 32, "{exact} {found}");
        }
    }

    #[test]
    fn it_takes_any_duration_and_stays_small() {
        let mut histogram = Histogram::default();
        for us in [0, 1, u64::MAX] {
            histogram.add(us);
        }
        assert_eq!((histogram.count(), histogram.max_us()), (3, u64::MAX));
        assert!(histogram.buckets.len() <= 1056);
        let bars = histogram.bars();
        assert_eq!(bars[..2], [(0, 1, 1), (1, 2, 1)]);
        assert_eq!(bars.len(), 3);
        assert_eq!(Histogram::default().quantile_us(500), 0);
    }
}
