//! The latencies of both versions since the start, as two histograms over the same bounds.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::window::LatencyCounts;

/// Most bounds a [`LatencyPair`] takes.
const BOUNDS_MAX: usize = 4_096;
/// On the built-in scale every latency up to this (microseconds) has a bucket of its own.
const EXACT_US: u64 = 32;
/// The built-in scale ends here (microseconds, 71 minutes); what took longer is in its open bucket.
const SCALE_END_US: u64 = 1 << 32;
/// Buckets of the built-in scale that end: 33 exact ones, and 16 for each of 27 doublings.
const SCALE_BOUNDS: usize = 33 + 27 * 16;

/// Which of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The version in service.
    Stable,
    /// The version under test.
    Canary,
}

/// Why a histogram could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyPairError {
    kind: LatencyPairErrorKind,
}

/// Kinds of [`LatencyPairError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LatencyPairErrorKind {
    /// There are no bounds, more than 4096, or they do not ascend strictly.
    Bounds,
    /// The histogram has other bounds than the pair. Nothing was added: two histograms over
    /// different bounds cannot be.
    OtherBounds,
    /// There are more counts than buckets.
    Counts,
}

impl LatencyPairError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> LatencyPairErrorKind {
        self.kind
    }
}

impl fmt::Display for LatencyPairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            LatencyPairErrorKind::Bounds => {
                "latency bounds must be 1 to 4096 numbers that ascend strictly"
            }
            LatencyPairErrorKind::OtherBounds => {
                "the histogram has other latency bounds than what was counted before"
            }
            LatencyPairErrorKind::Counts => "there are more latency counts than buckets",
        })
    }
}

impl core::error::Error for LatencyPairError {}

const fn error(kind: LatencyPairErrorKind) -> LatencyPairError {
    LatencyPairError { kind }
}

/// The latencies of stable and canary since the start: the state that [`QuantileTest`] and
/// [`StochasticOrder`] look at. One pair serves any number of them.
///
/// Raw latencies go into a built-in scale: exact up to 32 µs, then 16 buckets per doubling, so a
/// bucket is at most 1/16 of its lower bound wide, up to 2^32 µs. The state is one `u64` per
/// bucket up to the slowest request seen and version: at most 466 each (7.5 kB together), about
/// 290 (4.6 kB) if none took over 2 s. Histograms go into a pair made for their bounds.
///
/// A bucket counts as if all its requests had taken its upper bound. Equal distributions stay
/// equal under that, and quantiles go along with it, so no guarantee is lost, only resolution.
///
/// ```
/// use nonevent_analysis::{Arm, LatencyPair};
/// let mut pair = LatencyPair::new();
/// pair.add_us(Arm::Canary, 1_500);
/// assert_eq!(pair.count(Arm::Canary), 1);
/// ```
///
/// [`QuantileTest`]: crate::QuantileTest
/// [`StochasticOrder`]: crate::StochasticOrder
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub struct LatencyPair {
    /// Empty for the built-in scale.
    bounds_us: Vec<u64>,
    stable: Vec<u64>,
    canary: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "LatencyPair")]
struct Wire {
    bounds_us: Vec<u64>,
    stable: Vec<u64>,
    canary: Vec<u64>,
}

impl TryFrom<Wire> for LatencyPair {
    type Error = LatencyPairError;

    fn try_from(wire: Wire) -> Result<Self, LatencyPairError> {
        let pair = if wire.bounds_us.is_empty() {
            Self::new()
        } else {
            Self::with_bounds(wire.bounds_us)?
        };
        if wire.stable.len().max(wire.canary.len()) > pair.buckets() {
            return Err(error(LatencyPairErrorKind::Counts));
        }
        Ok(Self {
            stable: wire.stable,
            canary: wire.canary,
            ..pair
        })
    }
}

impl LatencyPair {
    /// On the built-in scale, for raw latencies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For histograms over `bounds_us`: inclusive upper bounds in microseconds.
    ///
    /// # Errors
    ///
    /// `Bounds` if there are none, more than 4096, or they do not ascend strictly.
    pub fn with_bounds(bounds_us: Vec<u64>) -> Result<Self, LatencyPairError> {
        let ascend = bounds_us.windows(2).all(|pair| pair[0] < pair[1]);
        if bounds_us.is_empty() || bounds_us.len() > BOUNDS_MAX || !ascend {
            return Err(error(LatencyPairErrorKind::Bounds));
        }
        Ok(Self {
            bounds_us,
            ..Self::default()
        })
    }

    /// Counts one request that took `us` microseconds. O(1) on the built-in scale, otherwise
    /// O(log bounds).
    pub fn add_us(&mut self, arm: Arm, us: u64) {
        let bucket = if self.bounds_us.is_empty() {
            scale_bucket(us)
        } else {
            self.bounds_us.partition_point(|bound| *bound < us)
        };
        let counts = self.counts_mut(arm);
        if counts.len() <= bucket {
            counts.resize(bucket + 1, 0);
        }
        counts[bucket] = counts[bucket].saturating_add(1);
    }

    /// Adds the requests of one window. An empty histogram adds nothing.
    ///
    /// # Errors
    ///
    /// `OtherBounds` or `Counts`; then nothing was added.
    pub fn add(&mut self, arm: Arm, window: &LatencyCounts) -> Result<(), LatencyPairError> {
        if window.counts.is_empty() {
            return Ok(());
        }
        if window.bounds_us != self.bounds_us || self.bounds_us.is_empty() {
            return Err(error(LatencyPairErrorKind::OtherBounds));
        }
        if window.counts.len() > self.buckets() {
            return Err(error(LatencyPairErrorKind::Counts));
        }
        let counts = self.counts_mut(arm);
        if counts.len() < window.counts.len() {
            counts.resize(window.counts.len(), 0);
        }
        for (sum, count) in counts.iter_mut().zip(&window.counts) {
            *sum = sum.saturating_add(*count);
        }
        Ok(())
    }

    /// Requests counted (saturating).
    #[must_use]
    pub fn count(&self, arm: Arm) -> u64 {
        self.counts(arm)
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Buckets in all, the open one included.
    fn buckets(&self) -> usize {
        if self.bounds_us.is_empty() {
            SCALE_BOUNDS + 1
        } else {
            self.bounds_us.len() + 1
        }
    }

    /// Buckets up to the last in which either arm has a request.
    pub(crate) fn occupied(&self) -> usize {
        self.stable.len().max(self.canary.len())
    }

    /// A bucket's inclusive upper bound in microseconds; the open bucket's is `u64::MAX`.
    pub(crate) fn upper_us(&self, bucket: usize) -> u64 {
        if self.bounds_us.is_empty() {
            scale_bound(bucket)
        } else {
            self.bounds_us.get(bucket).copied().unwrap_or(u64::MAX)
        }
    }

    /// The requests up to the end of each of the occupied buckets.
    pub(crate) fn cumulated(&self, arm: Arm) -> Vec<u64> {
        let counts = self.counts(arm);
        let mut sum = 0u64;
        (0..self.occupied())
            .map(|bucket| {
                sum = sum.saturating_add(counts.get(bucket).copied().unwrap_or(0));
                sum
            })
            .collect()
    }

    fn counts(&self, arm: Arm) -> &[u64] {
        match arm {
            Arm::Stable => &self.stable,
            Arm::Canary => &self.canary,
        }
    }

    fn counts_mut(&mut self, arm: Arm) -> &mut Vec<u64> {
        match arm {
            Arm::Stable => &mut self.stable,
            Arm::Canary => &mut self.canary,
        }
    }
}

/// The bucket of the built-in scale that holds `us`.
fn scale_bucket(us: u64) -> usize {
    let us = us.min(SCALE_END_US + 1);
    if us <= EXACT_US {
        return usize::try_from(us).expect("at most 32");
    }
    let below = us - 1;
    let doubling = below.ilog2();
    let part = (below >> (doubling - 4)) & 15;
    33 + (doubling as usize - 5) * 16 + usize::try_from(part).expect("at most 15")
}

fn scale_bound(bucket: usize) -> u64 {
    if bucket >= SCALE_BOUNDS {
        return u64::MAX;
    }
    let bucket = bucket as u64;
    if bucket <= EXACT_US {
        return bucket;
    }
    let (doubling, part) = ((bucket - 33) / 16 + 5, (bucket - 33) % 16);
    (16 + part + 1) << (doubling - 4)
}

#[cfg(test)]
mod tests {
    use super::{SCALE_BOUNDS, scale_bound, scale_bucket};

    #[test]
    fn the_scale_is_without_gaps_and_as_fine_as_promised() {
        for bucket in 1..SCALE_BOUNDS {
            let (lower, upper) = (scale_bound(bucket - 1), scale_bound(bucket));
            assert!(
                lower < upper && (upper - lower) * 16 <= lower.max(16),
                "{bucket}"
            );
            assert_eq!([scale_bucket(lower + 1), scale_bucket(upper)], [bucket; 2]);
        }
        assert_eq!(scale_bound(SCALE_BOUNDS - 1), 1 << 32);
        assert_eq!(scale_bucket((1 << 32) + 1), SCALE_BOUNDS);
        assert_eq!(scale_bucket(u64::MAX), SCALE_BOUNDS);
        assert_eq!(scale_bucket(0), 0);
    }
}
