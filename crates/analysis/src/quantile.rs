//! Are two quantiles different?

use crate::boundary::{Mixture, Tuning};
use crate::incomplete::digamma;
use crate::mixture::alpha_within;
use crate::special::float;

/// ln of the evidence that the `p`-quantiles of two independent streams differ.
///
/// If the quantile is the same x in both, the samples up to x are Bernoulli(p) trials in each, and
/// the product of their beta-binomial evidences at x is a martingale; x is not known, so the least
/// product over all x counts. Valid at every moment, for distributions of any shape, with ties;
/// samples must be independent. Howard and Ramdas, "Sequential estimation of quantiles with
/// applications to A/B testing and best-arm identification", Bernoulli 28 (2022).
///
/// `left` and `right` are sorted ascending. Tight near `samples_opt` samples per stream at level
/// `alpha`. `min(1, e^−result)` is a p-value that may be watched.
///
/// ```
/// use nonevent_analysis::ln_quantile_difference;
/// let left: Vec<f64> = (1..=1000).map(f64::from).collect();
/// let right: Vec<f64> = left.iter().map(|x| x + 100.0).collect();
/// let p = (-ln_quantile_difference(&left, &right, 0.5, 0.05, 100)).exp();
/// assert!((p - 0.0054947).abs() < 1e-6);
/// ```
#[must_use]
pub fn ln_quantile_difference(
    left: &[f64],
    right: &[f64],
    p: f64,
    alpha: f64,
    samples_opt: u64,
) -> f64 {
    if left.is_empty() || right.is_empty() {
        return 0.0;
    }
    let evidence = ShareEvidence::new(p, alpha, samples_opt);
    let arm = |samples: &[f64]| {
        let count = samples.len() as u64;
        (count, evidence.least_at(count))
    };
    let arms = [(left, arm(left)), (right, arm(right))];
    // Only at samples do the counts change.
    let at = |x: f64| -> f64 {
        arms.iter()
            .map(|(samples, (count, least_at))| {
                let low = samples.partition_point(|sample| *sample < x) as u64;
                let high = samples.partition_point(|sample| *sample <= x) as u64;
                evidence.least_between(low, high, *count, *least_at)
            })
            .sum()
    };
    left.iter()
        .chain(right)
        .map(|x| at(*x))
        .fold(f64::INFINITY, f64::min)
}

/// Evidence that a share is not p, above p, or below it, from hits among trials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShareEvidence {
    p: f64,
    either: Mixture,
    above: Mixture,
    below: Mixture,
}

impl ShareEvidence {
    pub(crate) fn new(p: f64, alpha_opt: f64, trials_opt: u64) -> Self {
        let p = if p.is_nan() {
            0.5
        } else {
            p.clamp(1e-9, 1.0 - 1e-9)
        };
        let q = 1.0 - p;
        let tuning = Tuning {
            v_opt: p * q * float(trials_opt.max(1)),
            alpha_opt: alpha_within(alpha_opt),
        };
        // A hit is +q, a miss −p.
        Self {
            p,
            either: Mixture::beta_binomial(p, q, tuning),
            above: Mixture::beta_binomial_one_sided(p, q, tuning),
            below: Mixture::beta_binomial_one_sided(q, p, tuning),
        }
    }

    pub(crate) const fn share(&self) -> f64 {
        self.p
    }

    /// ln of the evidence that the share is above p; grows with `hits`.
    pub(crate) fn above(&self, hits: u64, trials: u64) -> f64 {
        let hits = hits.min(trials);
        self.above.ln_trials(float(hits), float(trials - hits))
    }

    /// Cheap bounds on [`above`](Self::above).
    pub(crate) fn above_bounds(&self, hits: u64, trials: u64) -> (f64, f64) {
        let hits = hits.min(trials);
        self.above
            .ln_trials_bounds(float(hits), float(trials - hits))
    }

    /// Cheap bounds on [`below`](Self::below).
    pub(crate) fn below_bounds(&self, hits: u64, trials: u64) -> (f64, f64) {
        let hits = hits.min(trials);
        self.below
            .ln_trials_bounds(float(trials - hits), float(hits))
    }

    /// ln of the evidence that the share is below p; falls with `hits`.
    pub(crate) fn below(&self, hits: u64, trials: u64) -> f64 {
        let hits = hits.min(trials);
        self.below.ln_trials(float(trials - hits), float(hits))
    }

    /// ln of the evidence that the share is not p, at the number of hits between `low` and `high`
    /// that speaks least for that: when samples equal x, any number of them may count as below
    /// it, parts included (a share p of a discrete distribution is reached within an atom).
    /// `least_at` is from [`least_at`](Self::least_at).
    pub(crate) fn least_between(&self, low: u64, high: u64, trials: u64, least_at: f64) -> f64 {
        let (low, high) = (float(low.min(trials)), float(high.min(trials)));
        let hits = least_at.max(low).min(high);
        self.either.ln_trials(hits, float(trials) - hits)
    }

    /// The number of hits, not a whole one, at which the two-sided evidence is least: close to
    /// p·n + 1/2 − p, then by Newton's method, for the evidence is convex in the hits.
    pub(crate) fn least_at(&self, trials: u64) -> f64 {
        let n = float(trials);
        let mut hits = (self.p * n + 0.5 - self.p).max(0.0).min(n);
        let (up, down) = self.either.prior();
        let odds = libm::log(self.p) - libm::log1p(-self.p);
        for _ in 0..6 {
            let (a, b) = (up + hits, down + n - hits);
            let slope = digamma(a) - digamma(b) - odds;
            // ψ′(x) lies between 1/x + 1/(2x²) and 1/x + 1/x².
            let curve = 1.0 / a + 0.6 / (a * a) + 1.0 / b + 0.6 / (b * b);
            let next = (hits - slope / curve).max(0.0).min(n);
            let still = (next - hits).abs() < 1e-9 * n;
            hits = next;
            if still {
                break;
            }
        }
        hits
    }
}
