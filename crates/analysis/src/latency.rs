//! A latency bound as a count of slow requests.
//!
//! "p99 at most r times stable's" is tested as counts. Let u be the upper bound of the histogram
//! bucket in which stable's p99 lay *before* this block. A stable request is slow above u, a canary
//! request above r·u (or the floor, if that is higher). If the canary keeps the bound, at most 1 %
//! of its requests are slow. So the canary is failed on two pieces of evidence together: that more
//! than 1 % of its requests are slow, and that more of them are than of stable's. The first needs
//! u to be at or above stable's p99, the second stands in where u was estimated too low, or where
//! both versions became slower since; being a guard of the first, it is held to evidence of 10, not
//! of 1/α. The bucket comes from the past only, so a product over
//! blocks remains a fair game.
//!
//! Once all traffic is on the canary there is no stable request to guard with. Blocks in which
//! stable had next to none are therefore judged by a test of their own, against what stable did
//! before and without the guard; a tenth of the rule's error probability is kept for it. That
//! stable would be as fast now as it was then is an assumption there.

use crate::mixture::ln_share_evidence;
use serde::{Deserialize, Serialize};

use crate::ratio::Block;
use crate::window::LatencyCounts;

/// p99 in parts per million.
pub(crate) const P99_PPM: u32 = 990_000;
/// The share of requests above p99.
pub(crate) const P99_TAIL: f64 = 0.01;
/// Evidence against "no more slow requests than stable" that goes with a failed p99 ratio.
pub(crate) const SLOW_GUARD: f64 = 10.0;
/// Canary requests to one of stable above which the canary is taken to serve alone.
const ALONE_RATIO: u64 = 50;
/// The part of a rule's error probability that is kept for the time in which the canary serves
/// alone. As e-values, E = (1 − w)·E₁ + w·E₂ is one if both are, so the rule keeps its level.
pub(crate) const ALONE_PART: f64 = 0.1;
/// Stable requests that must be known before its p99 is taken for known.
pub(crate) const REFERENCE_MIN: u64 = 100;

/// The latencies of one arm since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LatencySum(pub(crate) LatencyCounts);

impl LatencySum {
    /// Adds a histogram. If its bounds differ from those before, what was known is forgotten: the
    /// two cannot be added.
    pub(crate) fn add(&mut self, other: &LatencyCounts) {
        if other.counts.is_empty() {
            return;
        }
        if self.0.bounds_us != other.bounds_us {
            self.0 = other.clone();
            return;
        }
        if self.0.counts.len() < other.counts.len() {
            self.0.counts.resize(other.counts.len(), 0);
        }
        for (sum, count) in self.0.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_add(*count);
        }
    }

    /// This version's p99, and the same times a ratio and not below a floor, in microseconds; `None`
    /// if it is not known, or lies beyond the last bound of the histogram.
    pub(crate) fn limit_us(&self, ratio_percent: u32, floor_us: u32) -> Option<(u64, u64)> {
        let (_, upper) = self.0.quantile_us(P99_PPM)?;
        let limit = u128::from(upper) * u128::from(ratio_percent.max(100)) / 100;
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        (upper < u64::MAX).then(|| (upper, limit.max(u64::from(floor_us))))
    }

    /// Whether p99 may be above a limit for all that the histogram says, because that lies beyond its
    /// last bound.
    pub(crate) fn is_undecided(&self, limit_us: u64) -> bool {
        let undecided = crate::special::float(self.0.undecided(limit_us));
        undecided > P99_TAIL * crate::special::float(self.0.total())
    }

    /// Bounds on p99 in milliseconds that hold at all moments together with probability
    /// 1 − `alpha`, if requests are independent: a bound is below p99 if too small a share of the
    /// requests stayed under it. `None` where there is no such bound yet.
    pub(crate) fn p99_interval_ms(&self, alpha: f64) -> (Option<f64>, Option<f64>) {
        let total = self.0.total();
        let limit = -libm::log(alpha.clamp(1e-9, 0.5));
        let (mut seen, mut lower, mut upper) = (0u64, None, None);
        for (count, bound) in self.0.counts.iter().zip(&self.0.bounds_us) {
            seen = seen.saturating_add(*count);
            let below = crate::special::float(seen) < 0.99 * crate::special::float(total);
            if ln_share_evidence(seen, total, 1.0 - P99_TAIL, alpha, 1_000) >= limit {
                let milliseconds = crate::special::float(*bound) / 1_000.0;
                if below {
                    lower = Some(milliseconds);
                } else if upper.is_none() && *bound < u64::MAX {
                    upper = Some(milliseconds);
                }
            }
        }
        (lower, upper)
    }

    /// The middle of the p99 bucket in milliseconds, for people to read.
    pub(crate) fn p99_ms(&self) -> Option<f64> {
        let (lower, upper) = self.0.quantile_us(P99_PPM)?;
        let upper = if upper == u64::MAX { lower } else { upper };
        Some(crate::special::float(lower.midpoint(upper)) / 1_000.0)
    }
}

/// Counts the slow requests of one block, or `None` if stable's p99 is not known yet or either
/// arm's latency was not measured.
pub(crate) fn slow_block(
    past_of_stable: &LatencySum,
    stable: &LatencyCounts,
    canary: &LatencyCounts,
    ratio_percent: u32,
    floor_us: u32,
) -> Option<Block> {
    let past = &past_of_stable.0;
    let other_bounds = !stable.counts.is_empty() && stable.bounds_us != past.bounds_us;
    if past.total() < REFERENCE_MIN || other_bounds || past.bounds_us != canary.bounds_us {
        return None;
    }
    let (upper, limit) = past_of_stable.limit_us(ratio_percent, floor_us)?;
    let block = Block {
        stable_requests: stable.total(),
        stable_events: stable.slower_than(upper),
        canary_requests: canary.total(),
        canary_events: canary.slower_than(limit),
    };
    (block.canary_requests > 0).then_some(block)
}

/// Whether stable had so little of a block that it says nothing about the same moment: the canary
/// serves alone, and is compared with what stable did before.
pub(crate) fn is_alone(block: &Block) -> bool {
    block.stable_requests.saturating_mul(ALONE_RATIO) < block.canary_requests
}

/// The canary's requests that are certain to be slower than an absolute bound, of how many.
pub(crate) fn over_bound(arm: &LatencyCounts, bound_ms: u32) -> (u64, u64) {
    (arm.total(), arm.slower_than(u64::from(bound_ms) * 1_000))
}
