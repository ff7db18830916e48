//! What a design would find: the arithmetic before a rollout, and behind a `Pass`.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::betting::growth;
use crate::policy::Policy;
use crate::ratio::{Block, MIXTURE_COST};
use crate::special::{float, normal_cdf};

/// A step of a rollout as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Requests per minute to both versions together.
    pub requests_per_minute: u64,
    /// The canary's share of them, in basis points (500 is 5 %).
    pub canary_basis_points: u16,
    /// How long the step lasts, in milliseconds.
    pub pause_ms: u64,
    /// How far apart the looks are, in milliseconds.
    pub look_ms: u64,
    /// Stable's error rate, in millionths of requests.
    pub error_rate_ppm: u32,
}

/// What a step would find, for independent errors (no bursts). Rates are shares of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detectable {
    /// The smallest error rate of the canary that is found within the pause with probability 0.8;
    /// `None` if not even 0.999 is.
    pub error_rate_80: Option<f64>,
    /// The same with probability 0.95.
    pub error_rate_95: Option<f64>,
    /// Expected times to find a multiple of stable's error rate.
    pub times: Vec<DetectionTime>,
}

/// How long it takes to find a harm of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionTime {
    /// The canary's error rate in percent of stable's.
    pub ratio_percent: u32,
    /// The expected time in milliseconds; `None` if the policy allows this harm.
    pub expected_ms: Option<u64>,
}

/// What a step of this design would find under this policy.
///
/// The log-evidence of each rule is taken for a random walk with normal steps: it is found within
/// T blocks with probability Φ((T·g − ln(1/α) − c) / (s√T)), where g and s are the mean and the
/// standard deviation of the log-evidence that a block adds, and c what the mixture gives away for
/// not knowing the harm's size. The better of the rules counts. In six designs of 400 simulated
/// runs each (the same designs that led to this form of the approximation) a promised 0.8 was 0.81
/// to 0.94 in five, a promised 0.95 was 0.95 to 1.00; in the sixth, with few blocks of hundreds of
/// errors each, they were 0.45 and 0.52. Too hopeful where rates burst, for which see the tables in
/// `docs/analysis.md`.
///
/// ```
/// use nonevent_analysis::{Design, Policy, power};
/// let design = Design {
///     requests_per_minute: 18_000, canary_basis_points: 500, pause_ms: 5_000, look_ms: 500,
///     error_rate_ppm: 1_000,
/// };
/// let found = power(&design, &Policy::default()).error_rate_80.expect("findable");
/// assert!((0.05..0.3).contains(&found), "{found}");
/// ```
#[must_use]
pub fn power(design: &Design, policy: &Policy) -> Detectable {
    let look_ms = design.look_ms.max(u64::from(policy.block_ms)).max(1);
    let requests = float(design.requests_per_minute) * float(look_ms) / 60_000.0;
    let share = f64::from(design.canary_basis_points.min(10_000)) / 10_000.0;
    let planned = Planned {
        blocks: float(design.pause_ms / look_ms),
        canary: requests * share,
        stable: requests * (1.0 - share),
        stable_rate: f64::from(design.error_rate_ppm) / 1e6,
    };
    let times = [150u32, 200, 300, 500]
        .into_iter()
        .map(|ratio_percent| DetectionTime {
            ratio_percent,
            expected_ms: planned
                .expected_blocks(
                    policy,
                    planned.stable_rate * f64::from(ratio_percent) / 100.0,
                )
                .map(|blocks| whole(blocks * float(look_ms))),
        });
    Detectable {
        error_rate_80: planned.smallest_found(policy, 0.8),
        error_rate_95: planned.smallest_found(policy, 0.95),
        times: times.collect(),
    }
}

/// The smallest error rate that would have been found in what was seen so far.
pub(crate) fn smallest_rate_found(policy: &Policy, seen: &Block, blocks: u64) -> Option<f64> {
    let blocks = float(blocks);
    let planned = Planned {
        blocks,
        canary: float(seen.canary_requests) / blocks,
        stable: float(seen.stable_requests) / blocks,
        stable_rate: float(seen.stable_events) / float(seen.stable_requests.max(1)),
    };
    planned.smallest_found(policy, 0.8)
}

/// Blocks of equal size.
struct Planned {
    blocks: f64,
    canary: f64,
    stable: f64,
    stable_rate: f64,
}

impl Planned {
    /// Mean and variance of the log-evidence that one block adds, and the evidence given away, for
    /// each rule that can find this rate.
    fn walks(&self, policy: &Policy, rate: f64) -> Vec<(f64, f64, f64)> {
        let mut walks = Vec::new();
        if self.canary <= 0.0 {
            return walks;
        }
        if let Some(bound) = policy.error_rate_max_ppm {
            walks.extend(growth(f64::from(bound) / 1e6, rate, self.canary));
        }
        if let Some(percent) = policy.error_ratio_max_percent {
            let floor = growth(
                f64::from(policy.error_rate_floor_ppm) / 1e6,
                rate,
                self.canary,
            );
            let ratio = self.ratio_walk(f64::from(percent) / 100.0, rate);
            // Both must be found: the slower one decides.
            if let (Some(floor), Some(ratio)) = (floor, ratio) {
                walks.push(if floor.0 < ratio.0 { floor } else { ratio });
            }
        }
        walks
    }

    fn ratio_walk(&self, bound: f64, rate: f64) -> Option<(f64, f64, f64)> {
        if self.stable <= 0.0 || rate <= bound * self.stable_rate {
            return None;
        }
        let (canary, stable) = (self.canary * rate, self.stable * self.stable_rate);
        let part = canary / (canary + stable);
        let allowed = self.canary * bound / (self.canary * bound + self.stable);
        let hit = libm::log(part / allowed);
        let miss = if stable > 0.0 {
            libm::log((1.0 - part) / (1.0 - allowed))
        } else {
            0.0
        };
        let mean = canary * hit + stable * miss;
        // What the block would add if bursts were ruled out. They are not: a difference z standard
        // deviations wide, z²/2 = mean, may also be a burst of that size, which leaves
        // ln(1 + z²) / 2 of it (by the normal approximation of both laws).
        let left = 1.0 + 2.0 * mean;
        let variance = (canary * hit * hit + stable * miss * miss) / (left * left);
        Some((0.5 * libm::log(left), variance, MIXTURE_COST))
    }

    fn probability_found(&self, policy: &Policy, rate: f64) -> f64 {
        let limit = -libm::log(policy.alpha_per_rule());
        let found = |(mean, variance, cost): (f64, f64, f64)| {
            let deviation = libm::sqrt(self.blocks * variance).max(1e-9);
            normal_cdf((self.blocks * mean - limit - cost) / deviation)
        };
        self.walks(policy, rate)
            .into_iter()
            .map(found)
            .fold(0.0, f64::max)
    }

    fn smallest_found(&self, policy: &Policy, wanted: f64) -> Option<f64> {
        const HIGHEST: f64 = 0.999;
        let found = |rate: f64| self.probability_found(policy, rate) >= wanted;
        if self.blocks < 1.0 || !found(HIGHEST) {
            return None;
        }
        // To four digits, on a logarithmic scale.
        let (mut low, mut high) = (libm::log(self.stable_rate.max(1e-7)), libm::log(HIGHEST));
        for _ in 0..18 {
            let middle = f64::midpoint(low, high);
            if found(libm::exp(middle)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(libm::exp(high))
    }

    fn expected_blocks(&self, policy: &Policy, rate: f64) -> Option<f64> {
        let limit = -libm::log(policy.alpha_per_rule());
        self.walks(policy, rate.min(0.999))
            .into_iter()
            .map(|(mean, _, cost)| libm::ceil((limit + cost) / mean))
            .min_by(f64::total_cmp)
            .filter(|blocks| blocks.is_finite() && *blocks < 1e12)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates when it becomes an integer, and times are not negative"
)]
fn whole(value: f64) -> u64 {
    value as u64
}
