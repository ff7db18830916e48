//! The counts test: of all events, is the canary's part larger than its part of the exposure?

use serde::{Deserialize, Serialize};

use crate::special::{float, halvings, ln_beta, ln_beta_regularized};

/// Evidence about the canary's share of events, if the events are independent of each other.
///
/// Of S + F events, S fell on the canary, which had the share θ0 of the exposure. If both versions
/// have the same rate, each event falls on the canary with probability θ0. Against the alternative
/// θ ~ Beta(a, b), the evidence after S + F events is
///
/// E = B(a + S, b + F) / B(a, b) · θ0^−S · (1 − θ0)^−F,
///
/// a likelihood ratio with a proper mixture above it, hence a martingale under θ = θ0 that begins
/// at 1, and P(sup E ≥ 1/α) ≤ α (Ville 1939; Robbins 1970, "Statistical methods related to the law
/// of the iterated logarithm", Ann. Math. Statist. 41). The one-sided form restricts the mixture
/// to θ > θ0, which multiplies E by the ratio of the two upper tails of the Beta distribution; it
/// is then a supermartingale for every θ ≤ θ0, since the likelihood ratio is monotone.
///
/// It does *not* stand bursts: if error rates vary from minute to minute with a coefficient of
/// variation of 1, it raises more than a third of false alarms at a nominal 2 %. Use
/// [`RateRatio`](crate::RateRatio) for rates that burst. It also assumes one θ0 throughout.
///
/// ```
/// use nonevent_analysis::CountsShare;
/// let mut counts = CountsShare::new(0.5);
/// counts.observe(15, 5); // the canary's events, then stable's
/// assert!(counts.ln_e_value_above() > counts.ln_e_value());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsShare {
    share: f64,
    prior: [f64; 2],
    canary_events: u64,
    stable_events: u64,
}

impl CountsShare {
    /// Against the share of exposure `share` in (0, 1) (brought into it), with the mixture
    /// Beta(1, 1).
    #[must_use]
    pub fn new(share: f64) -> Self {
        Self::with_prior(share, 1.0, 1.0)
    }

    /// Against `share`, with the mixture Beta(`a`, `b`), both brought into \[1e-3, 1e6\].
    #[must_use]
    pub fn with_prior(share: f64, a: f64, b: f64) -> Self {
        let within = |value: f64, low: f64, high: f64| {
            if value.is_nan() {
                1.0
            } else {
                value.clamp(low, high)
            }
        };
        let share = if share.is_nan() {
            0.5
        } else {
            share.clamp(1e-12, 1.0 - 1e-12)
        };
        Self {
            share,
            prior: [within(a, 1e-3, 1e6), within(b, 1e-3, 1e6)],
            canary_events: 0,
            stable_events: 0,
        }
    }

    /// Adds events of the canary and of stable.
    pub fn observe(&mut self, canary_events: u64, stable_events: u64) {
        self.canary_events = self.canary_events.saturating_add(canary_events);
        self.stable_events = self.stable_events.saturating_add(stable_events);
    }

    /// Both counts, brought together to where floats can tell them apart.
    fn events(&self) -> (f64, f64) {
        let less = halvings(self.canary_events.max(self.stable_events));
        (
            float(self.canary_events >> less),
            float(self.stable_events >> less),
        )
    }

    /// ln of the evidence that the canary's share of events is not `share`. Counts beyond 2^36 are
    /// scaled down together.
    #[must_use]
    pub fn ln_e_value(&self) -> f64 {
        let [a, b] = self.prior;
        let (canary, stable) = self.events();
        ln_beta(a + canary, b + stable)
            - ln_beta(a, b)
            - canary * libm::log(self.share)
            - stable * libm::log1p(-self.share)
    }

    /// ln of the evidence that the canary's share of events is above `share`.
    #[must_use]
    pub fn ln_e_value_above(&self) -> f64 {
        let [a, b] = self.prior;
        let (canary, stable) = self.events();
        // The upper tail of Beta(a, b) at x is the lower tail of Beta(b, a) at 1 − x.
        let tail = ln_beta_regularized(b + stable, a + canary, 1.0 - self.share);
        let all = ln_beta_regularized(b, a, 1.0 - self.share);
        // No evidence can be weaker than none that can be written down.
        (self.ln_e_value() + tail - all).max(f64::MIN / 4.0)
    }
}
