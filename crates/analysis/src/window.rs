//! What one look at the two versions brings: counts, or the reason why there are none.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Requests by latency, as a histogram over fixed bounds.
///
/// Bucket `i` counts the requests that took more than `bounds_us[i - 1]` and at most
/// `bounds_us[i]` microseconds. A count beyond the last bound (`counts` one longer than
/// `bounds_us`), or under a bound of `u64::MAX`, is the open bucket. Trailing empty buckets may be
/// left out. All empty means that latency was not measured in this window (for instance because
/// the canary was still warming up): the window then speaks about errors only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyCounts {
    /// Inclusive upper bounds in microseconds, strictly ascending.
    pub bounds_us: Vec<u64>,
    /// Requests per bucket.
    pub counts: Vec<u64>,
}

impl LatencyCounts {
    /// Sorts raw latencies (microseconds) into buckets.
    ///
    /// ```
    /// use nonevent_analysis::LatencyCounts;
    /// let counts = LatencyCounts::from_samples(&[100, 200, 400], &[90, 100, 250, 5_000]);
    /// assert_eq!(counts.counts, [2, 0, 1, 1]);
    /// assert_eq!(counts.total(), 4);
    /// ```
    #[must_use]
    pub fn from_samples(bounds_us: &[u64], samples_us: &[u64]) -> Self {
        let mut counts = alloc::vec![0; bounds_us.len() + 1];
        for sample in samples_us {
            let bucket = bounds_us.partition_point(|bound| bound < sample);
            counts[bucket] += 1;
        }
        Self {
            bounds_us: bounds_us.to_vec(),
            counts,
        }
    }

    /// All requests in the histogram (saturating).
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The bucket that holds the quantile `ppm` (990 000 is p99) as `(exclusive lower, inclusive
    /// upper)` bound in microseconds; `None` if nothing was counted. The upper bound of the open
    /// bucket is `u64::MAX`.
    #[must_use]
    pub fn quantile_us(&self, ppm: u32) -> Option<(u64, u64)> {
        let total = u128::from(self.total());
        if total == 0 {
            return None;
        }
        // The smallest bucket whose cumulated count reaches `ppm` of the total.
        let wanted = (total * u128::from(ppm.min(1_000_000)))
            .div_ceil(1_000_000)
            .max(1);
        let mut seen = 0u128;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= wanted {
                let lower = match index {
                    0 => 0,
                    _ => self.bounds_us.get(index - 1).copied().unwrap_or(u64::MAX),
                };
                return Some((
                    lower,
                    self.bounds_us.get(index).copied().unwrap_or(u64::MAX),
                ));
            }
        }
        None
    }

    /// Requests that are certain to have taken more than `limit_us`: those in buckets that begin
    /// at `limit_us` or above. A bucket that straddles the limit is not counted.
    #[must_use]
    pub fn slower_than(&self, limit_us: u64) -> u64 {
        let mut slow = 0u64;
        for (index, count) in self.counts.iter().enumerate() {
            let lower = match index {
                0 => 0,
                _ => self.bounds_us.get(index - 1).copied().unwrap_or(u64::MAX),
            };
            if lower >= limit_us && (index > 0 || limit_us == 0) {
                slow = slow.saturating_add(*count);
            }
        }
        slow
    }

    /// Requests that may have taken more than `limit_us`: those in buckets that end above it.
    #[must_use]
    pub fn maybe_slower_than(&self, limit_us: u64) -> u64 {
        let from = self.bounds_us.partition_point(|bound| *bound <= limit_us);
        self.counts
            .iter()
            .skip(from)
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Requests of which nothing can be known but that they took longer than the last bound, which is
    /// below `limit_us`.
    pub(crate) fn undecided(&self, limit_us: u64) -> u64 {
        let known = self.bounds_us.partition_point(|bound| *bound < u64::MAX);
        let last = known.checked_sub(1).map_or(0, |last| self.bounds_us[last]);
        if last >= limit_us {
            return 0;
        }
        let open = self.counts.iter().skip(known);
        open.fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether the bounds ascend and no count lies beyond the open bucket.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.bounds_us.windows(2).all(|pair| pair[0] < pair[1])
            && self.counts.len() <= self.bounds_us.len() + 1
    }
}

/// What one version did during one window. Differences of counters, not the counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmWindow {
    /// Requests sent to this version that ended in the window.
    pub requests: u64,
    /// Of these, the failed ones.
    pub errors: u64,
    /// Their latencies. The total may differ from `requests` (some never got an answer).
    pub latency: LatencyCounts,
}

/// Both versions over the same stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Length in milliseconds, the same for both arms.
    pub length_ms: u64,
    /// The version in service, or a baseline of the canary's own size and age.
    pub stable: ArmWindow,
    /// The version under test.
    pub canary: ArmWindow,
}

/// Why a look brought no figures. None of these is a zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The source answered, and a version that is to be judged had no traffic.
    NoTraffic,
    /// The counters went back: the source restarted, so the difference means nothing.
    CounterReset,
    /// The source answered with figures of an earlier time.
    Stale,
    /// The source did not answer.
    Unreachable,
    /// The window began before the traffic split that it should judge was in force.
    OpenedBeforeChange,
    /// Some instances of the canary were still warming up, and the window is not to be judged.
    WarmingUp,
    /// The source answered and has no figure for a version: an empty vector, a `null`. Not a zero.
    MissingSeries,
    /// A series stopped before the window did: what happened after its last sample is unknown.
    SeriesEnded,
    /// Several figures where one was expected, so that none of them can be taken.
    Ambiguous,
    /// A ratio with nothing below the line (`NaN`).
    RatioOverNothing,
    /// The two versions were not measured over the same stretch of time.
    UnequalWindows,
    /// The source said itself that its answer is not complete.
    PartialData,
    /// The source answered with something that cannot be read as figures.
    Unreadable,
    /// The source answered with figures of a later time than was asked for.
    FutureDated,
}

impl GapReason {
    /// The reason as a clause that follows "because".
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Self::NoTraffic => "there was no traffic",
            Self::CounterReset => "the counters were reset",
            Self::Stale => "the source repeated old figures",
            Self::Unreachable => "the source of the figures did not answer",
            Self::OpenedBeforeChange => "the window began before the split was in force",
            Self::WarmingUp => "the canary was warming up",
            Self::MissingSeries => "the source has no figure for a version",
            Self::SeriesEnded => "a series ended before the window did",
            Self::Ambiguous => "the source gave several figures where one was expected",
            Self::RatioOverNothing => "a ratio was taken over nothing",
            Self::UnequalWindows => "the versions were not measured over the same time",
            Self::PartialData => "the source gave a part of the data only",
            Self::Unreadable => "the answer of the source could not be read",
            Self::FutureDated => "the source gave figures of a later time",
        }
    }
}

/// One look: figures, or the typed lack of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// Both versions were measured.
    Window(Window),
    /// Nothing can be said about this stretch of time.
    Gap {
        /// Why.
        reason: GapReason,
    },
}

impl From<Window> for Observation {
    fn from(window: Window) -> Self {
        Self::Window(window)
    }
}
