//! The limit of a clause as a number, at what is known of the baseline.

use crate::bounds::{Clause, Limit, MetricName, Quantity};
use crate::latency::{LatencySum, REFERENCE_MIN};
use crate::mixture::share_interval;
use crate::ratio::Block;
use crate::special::{float, millionths};
use crate::window::LatencyCounts;

use super::reading::ShareReading;

/// The requests that speak against a clause: those that count, or those that do not.
pub(super) fn against(upper: bool, requests: u64, hits: u64) -> u64 {
    if upper {
        hits
    } else {
        requests - hits.min(requests)
    }
}

/// The limit of a clause at a value of the baseline.
pub(super) fn line(clause: &Clause, baseline: f64) -> f64 {
    match clause.limit() {
        Limit::Absolute(quantity) => quantity.value(),
        Limit::Baseline { factor, plus } => {
            let plus = plus.map_or(0.0, Quantity::value);
            factor.to_f64() * baseline + plus
        }
    }
}

/// The largest share of requests that may speak against a clause about the baseline, by a bound on
/// the baseline's share so far; `None` before there is one.
pub(super) fn most_allowed(clause: &Clause, seen: &ShareReading, alpha: f64) -> Option<f64> {
    let (requests, hits) = seen.stable;
    if requests == 0 {
        return None;
    }
    let (lower, upper) = share_interval(hits, requests, alpha, 1_000);
    let most = if clause.operator().is_upper() {
        line(clause, upper)
    } else {
        1.0 - line(clause, lower)
    };
    (most < 1.0).then_some(most.max(1e-6))
}

/// How many times as many requests as of the baseline's must speak against the canary at the same
/// moment wherever a clause about the baseline's share is broken, whatever that share is.
pub(super) fn guard_of(clause: &Clause) -> f64 {
    let plus = line(clause, 0.0);
    let factor = line(clause, 1.0) - plus;
    if clause.operator().is_upper() {
        factor.min(1.0)
    } else if factor <= 1.0 && plus == 0.0 {
        1.0
    } else {
        // A canary that must be better than the baseline breaks the clause by being its equal.
        0.0
    }
}

/// The share of requests beyond the quantile that a name such as `p99.9` stands for.
pub(super) fn tail(name: &MetricName) -> Option<f64> {
    let percent: f64 = name.as_str().strip_prefix('p')?.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(1.0 - percent / 100.0)
}

/// The limit of a clause about latency in whole microseconds, rounded up: what took longer than
/// this took longer than the limit.
pub(super) fn limit_us(clause: &Clause, baseline_us: u64) -> u64 {
    let (factor, plus) = match clause.limit() {
        Limit::Absolute(quantity) => (0, quantity.size()),
        Limit::Baseline { factor, plus } => (factor.millionths(), plus.map_or(0, Quantity::size)),
    };
    let millionths = u128::from(factor) * u128::from(baseline_us);
    u64::try_from(millionths.saturating_add(plus).div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Whether a canary's and a baseline's histogram can be read. One without counts says nothing.
pub(super) fn is_readable(stable: &LatencyCounts, canary: &LatencyCounts) -> bool {
    let same = stable.counts.is_empty() || stable.bounds_us == canary.bounds_us;
    stable.is_well_formed() && canary.is_well_formed() && (same || canary.counts.is_empty())
}

/// The baseline's quantile so far, and what the clause allows at it, in microseconds. `None` while
/// it is not known: beyond the last bound of a histogram, anything is possible.
pub(super) fn slow_limit_us(clause: &Clause, past: &LatencySum) -> Option<(u64, u64)> {
    let tail = tail(clause.metric())?;
    let requests = float(past.0.total());
    // Fewer requests have no such quantile.
    if requests < float(REFERENCE_MIN).max(libm::floor(1.0 / tail)) {
        return None;
    }
    let ppm = 1_000_000 - millionths(tail, 1e-6, 1.0, 1.0).min(999_999);
    let (_, reference) = past.0.quantile_us(u32::try_from(ppm).ok()?)?;
    (reference < u64::MAX).then(|| (reference, limit_us(clause, reference)))
}

/// The slow requests of a look: the baseline's beyond its quantile so far, the canary's beyond the
/// clause's limit at that quantile. See the module `latency`.
pub(super) fn slower(
    (reference, limit): (u64, u64),
    past: &LatencySum,
    stable: &LatencyCounts,
    canary: &LatencyCounts,
) -> Option<Block> {
    let same = past.0.bounds_us == canary.bounds_us;
    (same && canary.total() > 0).then(|| Block {
        stable_requests: stable.total(),
        stable_events: stable.slower_than(reference),
        canary_requests: canary.total(),
        canary_events: canary.slower_than(limit),
    })
}
