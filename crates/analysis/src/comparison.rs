//! The comparison: what was seen so far, and the evidence in it.

use serde::{Deserialize, Serialize};

use crate::betting::ShareAbove;
use crate::decline::Decline;
use crate::latency::{
    ALONE_PART, LatencySum, P99_PPM, P99_TAIL, SLOW_GUARD, is_alone, over_bound, slow_block,
};
use crate::mixture::{ln_share_evidence, share_interval};
use crate::policy::Policy;
use crate::ratio::{Block, RateRatio};
use crate::special::float;
use crate::verdict::{Metric, Verdict};
use crate::window::{ArmWindow, GapReason, Observation, Window};

/// Compares two versions while one watches.
///
/// Look as often as you like: the level is about the whole watch. For a canary that keeps every
/// bound of the policy, the probability that *any* look ever says `Fail` is meant to be at most
/// `alpha_ppm`. For the absolute error rate that is proved; for the ratio of error rates it was
/// measured in simulation, for independent blocks; for p99 it holds once stable's p99 is known to a
/// bucket. The state grows with nothing but the number of latency buckets, and serialises to the
/// last bit, so that a resumed rollout continues the same
/// test and not a fresh one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    pub(crate) policy: Policy,
    /// Measured, and not yet a whole block.
    pending: Window,
    /// Requests and errors since the start.
    pub(crate) total: Block,
    /// Requests in the present step.
    pub(crate) step: Block,
    pub(crate) stable_latency: LatencySum,
    pub(crate) canary_latency: LatencySum,
    pub(crate) evidence: Evidence,
    pub(crate) decline: Decline,
    /// Looks with canary requests in the present step.
    pub(crate) looks: u32,
    /// Stable's requests in the present step since the canary's last one.
    silence: u64,
    /// Canary requests in the present step that were judged against stable's p99, and all whose
    /// latency is known.
    pub(crate) timed: [u64; 2],
    /// The rule that failed the canary, for good.
    pub(crate) failed: Option<Metric>,
    /// Set while the last look brought no figures.
    pub(crate) gap: Option<GapReason>,
}

/// The running tests. A rule that is switched off keeps its test, unread.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    /// The canary's, then stable's, error rate above the absolute bound.
    pub(crate) errors_over: [ShareAbove; 2],
    /// The canary's error rate above the multiple of stable's…
    pub(crate) errors_ratio: RateRatio,
    /// …and above the rate that is never held against it.
    pub(crate) errors_floor: ShareAbove,
    /// The canary's, then stable's, share of requests slower than the absolute p99 bound.
    pub(crate) slow_over: [ShareAbove; 2],
    /// The canary's slow requests against stable's…
    pub(crate) slow_ratio: RateRatio,
    /// …and against 1 %.
    pub(crate) slow_floor: ShareAbove,
    /// The same, over the time in which the canary served alone.
    pub(crate) slow_alone: ShareAbove,
    /// The canary's error rate against the margin of non-inferiority.
    pub(crate) errors_margin: RateRatio,
    /// Canary requests, and those that may be slower than stable's p99 by more than the margin.
    pub(crate) slow_margin: (u64, u64),
}

impl Evidence {
    fn new(policy: &Policy) -> Self {
        let ppm = |ppm: u32| f64::from(ppm) / 1e6;
        let over = ShareAbove::new(ppm(policy.error_rate_max_ppm.unwrap_or(10_000)));
        let tail = ShareAbove::new(P99_TAIL);
        let ratio = f64::from(policy.error_ratio_max_percent.unwrap_or(100)) / 100.0;
        Self {
            errors_over: [over.clone(), over],
            errors_ratio: RateRatio::new(ratio),
            errors_floor: ShareAbove::new(ppm(policy.error_rate_floor_ppm)),
            slow_over: [tail.clone(), tail.clone()],
            slow_ratio: RateRatio::new(1.0),
            slow_floor: tail.clone(),
            slow_alone: tail,
            errors_margin: RateRatio::new(1.0 + f64::from(policy.margin_percent) / 100.0),
            slow_margin: (0, 0),
        }
    }

    /// ln of the evidence that a rule is broken, and, for an absolute rule, that stable breaks it
    /// too. `limit` is the ln of the evidence that fails the canary. Where a rule allows whichever of two bounds is higher, the lesser evidence counts.
    pub(crate) fn ln_e_value(&self, rule: Metric, limit: f64) -> (f64, Option<f64>) {
        let pair = |both: &[ShareAbove; 2]| (both[0].ln_e_value(), Some(both[1].ln_e_value()));
        match rule {
            Metric::ErrorRate => pair(&self.errors_over),
            Metric::P99 => pair(&self.slow_over),
            Metric::ErrorRatio => (
                self.errors_ratio
                    .ln_e_value_above()
                    .min(self.errors_floor.ln_e_value()),
                None,
            ),
            Metric::P99Ratio => {
                // The guard needs evidence of SLOW_GUARD only: see the module `latency`.
                let guard = self.slow_ratio.ln_e_value_above() + limit - libm::log(SLOW_GUARD);
                let together = self.slow_floor.ln_e_value().min(guard);
                let alone = self.slow_alone.ln_e_value();
                // ln of the mixture's larger part: never more than the mixture.
                let mixed =
                    (together + libm::log(1.0 - ALONE_PART)).max(alone + libm::log(ALONE_PART));
                (mixed, None)
            }
        }
    }
}

impl Comparison {
    /// A comparison that has seen nothing. A policy with [problems](Policy::problems) is judged as
    /// near to what it says as can be; check it first.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            policy: policy.clone(),
            pending: Window::default(),
            total: Block::default(),
            step: Block::default(),
            stable_latency: LatencySum::default(),
            canary_latency: LatencySum::default(),
            evidence: Evidence::new(policy),
            decline: Decline::default(),
            looks: 0,
            silence: 0,
            timed: [0; 2],
            failed: None,
            gap: None,
        }
    }

    /// The policy it judges by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Begins a new step: what `Pass` demands and `NoData` count from here, the evidence goes on.
    pub fn start_step(&mut self) {
        self.step = Block::default();
        self.looks = 0;
        self.silence = 0;
        self.timed = [0; 2];
    }

    /// Whether the canary, which had requests in this step, has none any more: had its share of the
    /// traffic gone on, seven would have come (none by chance has probability e^-7, 0.1 %).
    pub(crate) fn fell_silent(&self) -> bool {
        const MISSED_MAX: u128 = 7;
        let before = self.step.stable_requests.saturating_sub(self.silence);
        let missed = u128::from(self.silence) * u128::from(self.step.canary_requests);
        missed >= MISSED_MAX * u128::from(before.max(1))
    }

    /// Takes one look and says what is now known.
    ///
    /// Windows may be of any length; a window in which the canary had no requests teaches what is
    /// normal for stable.
    pub fn observe(&mut self, observation: &Observation) -> Verdict {
        self.learn(observation);
        self.verdict()
    }

    /// Takes one look and says no more than whether the canary has failed: for simulations, and to
    /// catch up with looks already taken. The sentence of a `Pass` costs a thousand times as much.
    pub fn learn(&mut self, observation: &Observation) -> bool {
        match observation {
            Observation::Gap { reason } => self.gap = Some(*reason),
            Observation::Window(window)
                if window.stable.requests == 0 && window.canary.requests == 0 =>
            {
                self.gap = Some(GapReason::NoTraffic);
            }
            Observation::Window(window) => {
                self.gap = None;
                self.take(window);
            }
        }
        self.latch();
        self.failed.is_some()
    }

    fn take(&mut self, window: &Window) {
        let block = Block {
            stable_requests: window.stable.requests,
            stable_events: window.stable.errors.min(window.stable.requests),
            canary_requests: window.canary.requests,
            canary_events: window.canary.errors.min(window.canary.requests),
        };
        let floors = (
            self.policy.error_rate_floor_ppm,
            self.policy.latency_floor_us,
        );
        self.decline
            .observe(window, &self.total, &self.stable_latency, floors);
        self.total.add(&block);
        self.step.add(&block);
        if block.canary_requests > 0 {
            self.looks = self.looks.saturating_add(1);
            self.silence = 0;
        } else {
            self.silence = self.silence.saturating_add(block.stable_requests);
        }
        merge(&mut self.pending, window);
        if self.pending.length_ms >= u64::from(self.policy.block_ms) {
            let block = core::mem::take(&mut self.pending);
            self.judge_errors(&block);
            self.judge_latency(&block);
        }
    }

    fn judge_errors(&mut self, window: &Window) {
        let (stable, canary) = (&window.stable, &window.canary);
        let evidence = &mut self.evidence;
        let block = Block {
            stable_requests: stable.requests,
            stable_events: stable.errors,
            canary_requests: canary.requests,
            canary_events: canary.errors,
        };
        evidence.errors_ratio.observe(&block);
        if self.policy.require_non_inferiority {
            evidence.errors_margin.observe(&block);
        }
        evidence
            .errors_floor
            .observe(canary.requests, canary.errors);
        evidence.errors_over[0].observe(canary.requests, canary.errors);
        if canary.requests > 0 {
            evidence.errors_over[1].observe(stable.requests, stable.errors);
        }
    }

    fn judge_latency(&mut self, window: &Window) {
        let (stable, canary) = (&window.stable.latency, &window.canary.latency);
        if !stable.is_well_formed() || !canary.is_well_formed() {
            return;
        }
        let seen_before = self
            .total
            .canary_requests
            .saturating_sub(window.canary.requests);
        let warm = seen_before >= u64::from(self.policy.warm_up_requests);
        if warm && !canary.counts.is_empty() {
            let ratio = self.policy.p99_ratio_max_percent.unwrap_or(100);
            let floor = self.policy.latency_floor_us;
            let evidence = &mut self.evidence;
            if let Some(slow) = slow_block(&self.stable_latency, stable, canary, ratio, floor) {
                if is_alone(&slow) {
                    evidence
                        .slow_alone
                        .observe(slow.canary_requests, slow.canary_events);
                } else {
                    evidence.slow_ratio.observe(&slow);
                    evidence
                        .slow_floor
                        .observe(slow.canary_requests, slow.canary_events);
                }
                self.timed[0] = self.timed[0].saturating_add(slow.canary_requests);
                let (fast, _) = self
                    .stable_latency
                    .0
                    .quantile_us(P99_PPM)
                    .unwrap_or_default();
                let limit = fast.saturating_add(
                    fast.saturating_mul(u64::from(self.policy.margin_percent)) / 100,
                );
                let limit = limit.max(u64::from(floor));
                let (requests, slower) = &mut evidence.slow_margin;
                *requests = requests.saturating_add(canary.total());
                *slower = slower.saturating_add(canary.maybe_slower_than(limit));
            }
            if let Some(bound_ms) = self.policy.p99_max_ms {
                for (test, arm) in evidence.slow_over.iter_mut().zip([canary, stable]) {
                    let (requests, slow) = over_bound(arm, bound_ms);
                    test.observe(requests, slow);
                }
            }
            self.timed[1] = self.timed[1].saturating_add(canary.total());
            self.canary_latency.add(canary);
        }
        self.stable_latency.add(stable);
    }

    /// Makes a `Fail` final.
    fn latch(&mut self) {
        let enough = u64::from(self.policy.requests_min_to_fail);
        if self.failed.is_some() || self.total.canary_requests < enough {
            return;
        }
        let limit = -libm::log(self.policy.alpha_per_rule());
        self.failed = self.policy.rules().into_iter().find(|rule| {
            let (canary, stable) = self.evidence.ln_e_value(*rule, limit);
            // If stable leans over the same bound, neither version is to blame.
            canary >= limit && stable.is_none_or(|stable| stable <= 0.0)
        });
    }

    /// How far the evidence is on the way to failing the canary, by the rule that is farthest: ln of its
    /// evidence as a part of ln of what fails; below 0 where all speaks for the canary, and 1 or more
    /// where a rule fails it (or would, if stable were not over the same bound).
    ///
    /// ```
    /// use nonevent_analysis::{ArmWindow, Comparison, Policy, Window};
    /// let mut comparison = Comparison::new(&Policy::default());
    /// let arm = |errors| ArmWindow { requests: 500, errors, ..ArmWindow::default() };
    /// comparison.learn(&Window { length_ms: 500, stable: arm(1), canary: arm(1) }.into());
    /// assert!(comparison.way_to_failing() < 0.2);
    /// for _ in 0..4 {
    ///     comparison.learn(&Window { length_ms: 500, stable: arm(1), canary: arm(90) }.into());
    /// }
    /// assert!(comparison.way_to_failing() > 1.0);
    /// ```
    #[must_use]
    pub fn way_to_failing(&self) -> f64 {
        let limit = -libm::log(self.policy.alpha_per_rule());
        let rules = self.policy.rules().into_iter();
        let evidence = rules.map(|rule| self.evidence.ln_e_value(rule, limit).0);
        evidence.fold(f64::MIN, f64::max) / limit
    }

    /// The rule over which both versions are together.
    pub(crate) fn environment(&self) -> Option<Metric> {
        let limit = -libm::log(self.policy.alpha_per_rule());
        self.policy.rules().into_iter().find(|rule| {
            let (canary, stable) = self.evidence.ln_e_value(*rule, limit);
            canary >= limit && stable.is_some_and(|stable| stable > 0.0)
        })
    }

    /// Whether a rule's metric was shown to be no worse than stable's by more than the margin.
    pub(crate) fn shown_not_worse(&self, rule: Metric) -> bool {
        let alpha = self.policy.alpha_per_rule();
        let limit = -libm::log(alpha);
        match rule {
            Metric::ErrorRate | Metric::ErrorRatio => {
                let (events, requests) = (self.total.canary_events, self.total.canary_requests);
                let (_, highest) = share_interval(events, requests, alpha, 1_000);
                highest * 1e6 <= f64::from(self.policy.error_rate_floor_ppm)
                    || self.evidence.errors_margin.ln_e_value_below() >= limit
            }
            Metric::P99 | Metric::P99Ratio => {
                let (requests, slower) = self.evidence.slow_margin;
                float(slower) < P99_TAIL * float(requests)
                    && ln_share_evidence(slower, requests, P99_TAIL, alpha, 1_000) >= limit
            }
        }
    }

    /// The rates of the canary and of stable since the start, as shares of requests.
    pub(crate) fn error_rates(&self) -> [Option<f64>; 2] {
        let rate = |events, requests| (requests > 0).then(|| float(events) / float(requests));
        [
            rate(self.total.canary_events, self.total.canary_requests),
            rate(self.total.stable_events, self.total.stable_requests),
        ]
    }
}

fn merge(sum: &mut Window, more: &Window) {
    fn arm(sum: &mut ArmWindow, more: &ArmWindow) {
        sum.requests = sum.requests.saturating_add(more.requests);
        sum.errors = sum.errors.saturating_add(more.errors.min(more.requests));
        let mut latency = LatencySum(core::mem::take(&mut sum.latency));
        latency.add(&more.latency);
        sum.latency = latency.0;
    }
    sum.length_ms = sum.length_ms.saturating_add(more.length_ms);
    arm(&mut sum.stable, &more.stable);
    arm(&mut sum.canary, &more.canary);
}
