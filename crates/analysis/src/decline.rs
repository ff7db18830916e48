//! Have both versions become worse than stable was before?
//!
//! Rules that compare the canary with stable see nothing if both decline together, because a
//! dependency is down, say. So what stable did before the canary had traffic is kept, and each
//! version's error rate and p99 are held against it by betting.

use serde::{Deserialize, Serialize};

use crate::betting::ShareAbove;
use crate::latency::{LatencySum, P99_PPM, P99_TAIL, REFERENCE_MIN};
use crate::mixture::share_interval;
use crate::ratio::Block;
use crate::special::{float, millionths};
use crate::window::Window;

/// How many times worse than before a version must be.
const TIMES: u64 = 3;
/// The probability that stable's error rate was in truth above what it is taken for.
const REFERENCE_ALPHA: f64 = 0.001;

/// What is known of a decline of both versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decline {
    /// What stable did before, once that is known.
    before: Option<Before>,
    /// Error rates of the canary and of stable.
    errors: [ShareAbove; 2],
    /// Shares of slow requests of the canary and of stable.
    slow: [ShareAbove; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    /// The most that the error rate is likely to have been, in millionths.
    error_rate_ppm: u64,
    /// p99, rounded up to a bucket; `None` if latency was not measured.
    p99_us: Option<u64>,
}

impl Default for Decline {
    fn default() -> Self {
        let [errors, slow] = [P99_TAIL, P99_TAIL].map(ShareAbove::new);
        Self {
            before: None,
            errors: [errors.clone(), errors],
            slow: [slow.clone(), slow],
        }
    }
}

impl Decline {
    /// Takes a block. `total` and `latency` are what was seen before it; what stable did then is
    /// taken for normal at the first block in which the canary has requests.
    pub(crate) fn observe(
        &mut self,
        window: &Window,
        total: &Block,
        latency: &LatencySum,
        floors: (u32, u32),
    ) {
        let (floor_ppm, floor_us) = (u64::from(floors.0), u64::from(floors.1));
        if window.canary.requests > 0 && total.canary_requests == 0 {
            self.before = (total.stable_requests >= REFERENCE_MIN).then(|| {
                let (events, requests) = (total.stable_events, total.stable_requests);
                let (_, highest) = share_interval(events, requests, REFERENCE_ALPHA, 1_000);
                Before {
                    error_rate_ppm: millionths(highest, 1e-6, 1.0, 1.0),
                    p99_us: latency.0.quantile_us(P99_PPM).map(|(_, upper)| upper),
                }
            });
        }
        let Some(before) = self.before else { return };
        let arms = [&window.canary, &window.stable];
        let most = before.error_rate_ppm.max(floor_ppm).saturating_mul(TIMES);
        let most = float(most.min(900_000)) / 1e6;
        for (test, arm) in self.errors.iter_mut().zip(arms) {
            test.observe_against(arm.requests, arm.errors, most);
        }
        if let Some(p99_us) = before.p99_us {
            let limit_us = p99_us.max(floor_us).saturating_mul(TIMES);
            for (test, arm) in self.slow.iter_mut().zip(arms) {
                test.observe(arm.latency.total(), arm.latency.slower_than(limit_us));
            }
        }
    }

    /// What both have become worse in, if the evidence for each is at least `limit` (its ln).
    pub(crate) fn of_both(&self, limit: f64) -> Option<&'static str> {
        let both = |tests: &[ShareAbove; 2]| tests.iter().all(|test| test.ln_e_value() >= limit);
        if both(&self.errors) {
            Some("error rates")
        } else if both(&self.slow) {
            Some("p99 latencies")
        } else {
            None
        }
    }
}
