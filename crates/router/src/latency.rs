//! Latency as counts in fixed buckets: mergeable, subtractable, and the same on every machine.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Number of latency buckets in [`LatencyBuckets`].
pub const LATENCY_BUCKETS: usize = 96;

/// The inclusive upper bound of latency bucket `index`, in microseconds.
///
/// Buckets grow by a fourth of a power of two (about 19 %) from 64 µs; the last one is open and
/// reports `u64::MAX`.
#[must_use]
pub const fn latency_bucket_bound_us(index: usize) -> u64 {
    if index + 1 >= LATENCY_BUCKETS {
        return u64::MAX;
    }
    // 64 µs · 2^(index/4); the quarter steps 2^(1/4), 2^(2/4), 2^(3/4) in units of 1/65536.
    let quarter: u64 = match index % 4 {
        0 => 65_536,
        1 => 77_936,
        2 => 92_682,
        _ => 110_218,
    };
    ((64u64 << (index / 4)) * quarter) >> 16
}

/// The bucket that a latency of `us` microseconds falls into.
#[must_use]
pub const fn latency_bucket_of_us(us: u64) -> usize {
    let (mut low, mut high) = (0, LATENCY_BUCKETS - 1);
    while low < high {
        let middle = low.midpoint(high);
        if us <= latency_bucket_bound_us(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Counts of requests by latency: bucket `i` holds those up to [`latency_bucket_bound_us`]`(i)`.
///
/// At most [`LATENCY_BUCKETS`] entries; trailing empty buckets may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LatencyBuckets(pub Vec<u64>);

impl LatencyBuckets {
    /// Counts one latency of `us` microseconds.
    pub fn record_us(&mut self, us: u64) {
        let bucket = latency_bucket_of_us(us);
        if self.0.len() <= bucket {
            self.0.resize(bucket + 1, 0);
        }
        self.0[bucket] = self.0[bucket].saturating_add(1);
    }

    /// The count in bucket `index`; 0 where the bucket was left out.
    #[must_use]
    pub fn count(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// How many requests were counted (saturating).
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0
            .iter()
            .fold(0, |total, count| total.saturating_add(*count))
    }

    /// The latency, in microseconds, within which `per_10_000` of 10 000 requests were answered:
    /// `quantile_us(9_900)` is the p99.
    ///
    /// This is the nearest-rank quantile (the inverse of the empirical distribution function,
    /// type 1 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996), reported as
    /// the upper bound of the bucket it falls into: never too low, and too high by less than
    /// 19 % above 64 µs. `u64::MAX` when it falls into the open last bucket, `None` when nothing
    /// was counted. Shares above 10 000 are taken as 10 000.
    ///
    /// ```
    /// let mut latency = nonevent_router::LatencyBuckets::default();
    /// (0..99).for_each(|_| latency.record_us(1_000));
    /// latency.record_us(50_000);
    /// assert_eq!(latency.quantile_us(5_000), Some(1_024));
    /// assert_eq!(latency.quantile_us(9_900), Some(1_024));
    /// assert_eq!(latency.quantile_us(10_000), Some(55_109));
    /// ```
    #[must_use]
    pub fn quantile_us(&self, per_10_000: u16) -> Option<u64> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let share = u128::from(per_10_000.min(10_000));
        let rank = (u128::from(total) * share).div_ceil(10_000).max(1);
        let mut seen = 0u128;
        let bucket = self.0.iter().position(|count| {
            seen += u128::from(*count);
            seen >= rank
        })?;
        Some(latency_bucket_bound_us(bucket))
    }

    /// What was counted since `earlier`; `None` if any bucket has become smaller.
    #[must_use]
    pub fn since(&self, earlier: &LatencyBuckets) -> Option<LatencyBuckets> {
        (0..self.0.len().max(earlier.0.len()))
            .map(|index| self.count(index).checked_sub(earlier.count(index)))
            .collect::<Option<Vec<u64>>>()
            .map(LatencyBuckets)
            .map(LatencyBuckets::trimmed)
    }

    /// Both counts together (saturating).
    #[must_use]
    pub fn merged(&self, other: &LatencyBuckets) -> LatencyBuckets {
        let buckets = (0..self.0.len().max(other.0.len()))
            .map(|index| self.count(index).saturating_add(other.count(index)))
            .collect();
        LatencyBuckets(buckets).trimmed()
    }

    fn trimmed(mut self) -> LatencyBuckets {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_grow_by_less_than_a_fifth() {
        for index in 1..LATENCY_BUCKETS - 1 {
            let (low, high) = (
                latency_bucket_bound_us(index - 1),
                latency_bucket_bound_us(index),
            );
            assert!(low < high, "bucket {index}");
            assert!(
                high * 100 <= low * 120,
                "bucket {index}: {high} is over 1.2 × {low}"
            );
        }
        assert_eq!(latency_bucket_bound_us(0), 64);
        assert_eq!(latency_bucket_bound_us(LATENCY_BUCKETS - 1), u64::MAX);
        assert_eq!(latency_bucket_bound_us(usize::MAX - 1), u64::MAX);
    }

    #[test]
    fn quantile_of_nothing_is_nothing() {
        assert_eq!(LatencyBuckets::default().quantile_us(5_000), None);
        assert_eq!(
            LatencyBuckets(alloc::vec![0, 0]).quantile_us(5_000),
            None,
            "empty buckets"
        );
    }

    #[test]
    fn the_open_bucket_reports_no_bound() {
        let mut latency = LatencyBuckets::default();
        latency.record_us(u64::MAX);
        assert_eq!(latency.quantile_us(9_900), Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn bucket_and_bound_agree(us in prop_oneof![0u64..200_000, any::<u64>()]) {
            let bucket = latency_bucket_of_us(us);
            prop_assert!(us <= latency_bucket_bound_us(bucket));
            if let Some(below) = bucket.checked_sub(1) {
                prop_assert!(us > latency_bucket_bound_us(below));
            }
        }

        #[test]
        fn quantile_is_the_bucket_of_the_sorted_value(
            mut values in proptest::collection::vec(0u64..5_000_000, 1..200),
            share in 0u16..=10_000,
        ) {
            let mut latency = LatencyBuckets::default();
            values.iter().for_each(|us| latency.record_us(*us));
            values.sort_unstable();
            let rank = (values.len() * usize::from(share)).div_ceil(10_000).max(1);
            let bucket = latency_bucket_of_us(values[rank - 1]);
            prop_assert_eq!(latency.quantile_us(share), Some(latency_bucket_bound_us(bucket)));
        }

        #[test]
        fn since_undoes_merged(
            a in proptest::collection::vec(0u64..1_000, 0..LATENCY_BUCKETS),
            b in proptest::collection::vec(0u64..1_000, 0..LATENCY_BUCKETS),
        ) {
            let (a, b) = (LatencyBuckets(a), LatencyBuckets(b));
            prop_assert_eq!(a.merged(&b).since(&a), Some(b.clone().trimmed()));
            prop_assert_eq!(a.merged(&b).total(), a.total() + b.total());
        }
    }
}
