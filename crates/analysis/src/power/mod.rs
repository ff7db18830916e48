//! What a design would find: the arithmetic before a rollout, and behind a `Pass`.

mod search;
mod strata;
mod walk;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::latency::{ALONE_PART, P99_TAIL, SLOW_GUARD};
use crate::policy::Policy;
use crate::ratio::Block;
use crate::special::float;
use search::{expected_blocks, smallest_found};
use walk::{Planned, Relative, Rules, whole};

/// Runs that are simulated; a prime, for the shuffles.
const RUNS: usize = 67;
/// The same for latency.
const RUNS_FEW: usize = 31;
/// The same for the sentence of a `Pass`, asked for at every look.
const RUNS_FEWEST: usize = 23;
/// The part of the runs that may miss a harm found with probability 0.8, and 0.95: a little less
/// than 0.2 and 0.05, for what the reckoning is off by.
const MISSED_80: f64 = 0.15;
const MISSED_95: f64 = 0.025;
/// Percent.
const VARIATION_MAX: u32 = 300;

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
    /// Coefficient of variation of both versions' rates from block to block, in percent: 0 for
    /// independent errors, 50 to 100 for services whose errors burst. At most 300; default 0.
    #[serde(default)]
    pub variation_percent: u32,
}

/// What a step would find. Rates are shares of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detectable {
    /// The smallest error rate of the canary that is found within the pause with probability 0.8;
    /// `None` if not even 0.999 is.
    pub error_rate_80: Option<f64>,
    /// The same with probability 0.95.
    pub error_rate_95: Option<f64>,
    /// The smallest share of slow requests of the canary that is found within the pause with
    /// probability 0.8: requests slower than every p99 rule of the policy allows, where at most 1 %
    /// may be. `None` if there is no such rule, or not even 0.999 is found. Stable's p99 is taken
    /// for known before the pause, and the canary for cold when it begins.
    #[serde(default)]
    pub slow_share_80: Option<f64>,
    /// The same with probability 0.95.
    #[serde(default)]
    pub slow_share_95: Option<f64>,
    /// Expected times to find a multiple of stable's error rate.
    pub times: Vec<DetectionTime>,
}

/// How long it takes to find a harm of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionTime {
    /// The canary's error rate in percent of stable's.
    pub ratio_percent: u32,
    /// The expected time in milliseconds; `None` if the policy allows this harm, or stable breaks the
    /// same bound.
    pub expected_ms: Option<u64>,
}

/// What a step of this design would find under this policy.
///
/// A simulation without chance: 67 equally likely blocks (negative binomial counts, by their ranks)
/// are put together to 67 runs, each block once at each turn, and the rules of
/// [`Comparison`](crate::Comparison) weigh the runs as they would the real step, with the very
/// [`RateRatio`](crate::RateRatio) that would run; the answer is the rate at which all but 15 % (for
/// 0.95, all but 2.5 %) of the runs are found. After 32 blocks two are joined, after 16 more such
/// strides four, and so on. Expected times are means of 31 runs, each until it is found.
///
/// `examples/power.rs` holds it to simulated comparisons. Of 24 designs (300 to 600 000 requests per
/// minute, 1 to 50 % of them to the canary, 5 to 60 looks) at a variation of 0, 50 and 100 %, 300
/// runs each, a promised 0.8 was 0.75 to 0.92 in 68 of the 71 cases with an answer (the others 0.72,
/// 0.74 and 1.00), and a promised 0.95 was 0.92 or more in 66 of 70 (the others 0.89 to 0.91). Where
/// stable itself fails as often as the absolute bound allows, a canary is found by it only while
/// stable leans below, and expected times may be twice the mean that is measured.
///
/// Costs 20 to 150 ms in a release build, of the order of ten thousand blocks of a running
/// [`Comparison`](crate::Comparison); [`finds`], some five.
///
/// Assumed: both versions burst each by itself and anew in each block; the pause begins without
/// evidence. Evidence from the steps before is not counted, so less is promised than is found.
///
/// ```
/// use nonevent_analysis::{Design, Policy, power};
/// let design = Design {
///     requests_per_minute: 18_000, canary_basis_points: 500, pause_ms: 5_000, look_ms: 500,
///     error_rate_ppm: 1_000, variation_percent: 0,
/// };
/// let found = power(&design, &Policy::default()).error_rate_80.expect("findable");
/// assert!((0.05..0.3).contains(&found), "{found}");
/// ```
#[must_use]
pub fn power(design: &Design, policy: &Policy) -> Detectable {
    let (errors, look_ms) = planned(design, policy);
    let rules = error_rules(policy);
    let times = [150u32, 200, 300, 500].map(|ratio_percent| {
        let rate = errors.stable_share * f64::from(ratio_percent) / 100.0;
        let blocks = expected_blocks(&rules, &errors, rate.min(0.999));
        DetectionTime {
            ratio_percent,
            expected_ms: blocks.map(|blocks| blocks.saturating_mul(look_ms)),
        }
    });
    let [error_rate_80, error_rate_95] =
        smallest_found(&rules, &errors, [MISSED_80, MISSED_95], RUNS);
    // Blocks in which the canary is still cold.
    let cold = libm::ceil(f64::from(policy.warm_up_requests) / errors.canary.max(1e-9));
    let slow = Planned {
        blocks: errors.blocks.saturating_sub(whole(cold)),
        stable_share: P99_TAIL,
        ..errors
    };
    let slow_rules = slow_rules(policy);
    let [slow_share_80, slow_share_95] =
        smallest_found(&slow_rules, &slow, [MISSED_80, MISSED_95], RUNS_FEW);
    Detectable {
        error_rate_80,
        error_rate_95,
        slow_share_80,
        slow_share_95,
        times: times.to_vec(),
    }
}

/// Whether a step of this design finds this error rate of the canary with probability 0.8: what
/// [`power`] says with its smallest rate, for a twentieth of the work.
///
/// ```
/// use nonevent_analysis::{Design, Policy, finds};
/// let design = Design {
///     requests_per_minute: 18_000, canary_basis_points: 500, pause_ms: 5_000, look_ms: 500,
///     error_rate_ppm: 1_000, variation_percent: 0,
/// };
/// assert!(finds(&design, &Policy::default(), 0.3));
/// assert!(!finds(&design, &Policy::default(), 0.02));
/// ```
#[must_use]
pub fn finds(design: &Design, policy: &Policy, error_rate: f64) -> bool {
    let (errors, _) = planned(design, policy);
    let share = error_rate.clamp(0.0, 1.0 - 1e-6);
    !share.is_nan() && search::finds(&error_rules(policy), &errors, MISSED_80, share, RUNS)
}

/// The blocks of a design, and their length in milliseconds.
fn planned(design: &Design, policy: &Policy) -> (Planned, u64) {
    let look_ms = design.look_ms.max(u64::from(policy.block_ms)).max(1);
    let requests = float(design.requests_per_minute) * float(look_ms) / 60_000.0;
    let share = f64::from(design.canary_basis_points.min(10_000)) / 10_000.0;
    let planned = Planned {
        blocks: design.pause_ms / look_ms,
        canary: requests * share,
        stable: requests * (1.0 - share),
        stable_share: f64::from(design.error_rate_ppm.min(1_000_000)) / 1e6,
        variation: f64::from(design.variation_percent.min(VARIATION_MAX)) / 100.0,
        requests_min: f64::from(policy.requests_min_to_fail),
    };
    (planned, look_ms)
}

/// The smallest error rate that would have been found in what was seen so far.
pub(crate) fn smallest_rate_found(policy: &Policy, seen: &Block, blocks: u64) -> Option<f64> {
    let each = float(blocks.max(1));
    let planned = Planned {
        blocks,
        canary: float(seen.canary_requests) / each,
        stable: float(seen.stable_requests) / each,
        stable_share: float(seen.stable_events) / float(seen.stable_requests.max(1)),
        variation: 0.0,
        requests_min: f64::from(policy.requests_min_to_fail),
    };
    let [found] = smallest_found(&error_rules(policy), &planned, [MISSED_80], RUNS_FEWEST);
    found
}

fn error_rules(policy: &Policy) -> Rules {
    Rules {
        limit: -libm::log(policy.alpha_per_rule()),
        absolute: policy.error_rate_max_ppm.map(|ppm| f64::from(ppm) / 1e6),
        relative: policy.error_ratio_max_percent.map(|percent| Relative {
            ratio: Some(f64::from(percent) / 100.0),
            floor: f64::from(policy.error_rate_floor_ppm) / 1e6,
            ratio_short: 0.0,
            beyond: 0.0,
        }),
    }
}

/// Slow requests as `Comparison` judges them; see the module `latency`.
fn slow_rules(policy: &Policy) -> Rules {
    let limit = -libm::log(policy.alpha_per_rule());
    Rules {
        limit,
        absolute: policy.p99_max_ms.map(|_| P99_TAIL),
        relative: policy.p99_ratio_max_percent.map(|_| Relative {
            ratio: Some(1.0),
            floor: P99_TAIL,
            ratio_short: limit - libm::log(SLOW_GUARD),
            beyond: -libm::log(1.0 - ALONE_PART),
        }),
    }
}
