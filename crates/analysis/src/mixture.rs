//! Boundaries that a random walk crosses with probability α, at whatever moment one looks.

use crate::special::{float, halvings, ln_beta, normal_cdf};

pub(crate) fn alpha_within(alpha: f64) -> f64 {
    if alpha.is_nan() {
        0.05
    } else {
        alpha.clamp(1e-12, 0.5)
    }
}

pub(crate) fn variance_within(v: f64) -> f64 {
    if v.is_nan() { 0.0 } else { v.clamp(0.0, 1e150) }
}

/// The mixture's precision that makes the boundary narrowest near the variance `v_opt`.
pub(crate) fn best_precision(v_opt: f64, alpha: f64) -> f64 {
    let twice = 2.0 * libm::log(1.0 / alpha);
    variance_within(v_opt).max(1e-12) / (twice + libm::log1p(twice))
}

/// Two-sided normal-mixture boundary: P(∃t: |S_t| ≥ u(V_t)) ≤ α for a sub-Gaussian walk S with
/// accumulated variance V, where u(v) = √((v + ρ) · ln((v + ρ) / (ρα²))) and ρ makes u tight near
/// `v_opt`.
///
/// Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
/// sequences", Ann. Statist. 49 (2021).
///
/// ```
/// let u = nonevent_analysis::normal_mixture_bound(100.0, 0.05, 100.0);
/// assert!((u - 30.35209).abs() < 1e-5);
/// ```
#[must_use]
pub fn normal_mixture_bound(v: f64, alpha: f64, v_opt: f64) -> f64 {
    let alpha = alpha_within(alpha);
    let rho = best_precision(v_opt, alpha);
    let all = variance_within(v) + rho;
    libm::sqrt(all * libm::log(all / (rho * alpha * alpha)))
}

/// One-sided normal-mixture boundary: P(∃t: S_t ≥ u(V_t)) ≤ α. The mixture is a half-normal, so
/// u(v) solves √(4ρ/(v + ρ)) · exp(u² / (2(v + ρ))) · Φ(u / √(v + ρ)) = 1/α (same paper).
///
/// ```
/// let u = nonevent_analysis::normal_mixture_bound_one_sided(100.0, 0.05, 100.0);
/// assert!((u - 27.66071).abs() < 1e-5);
/// ```
#[must_use]
pub fn normal_mixture_bound_one_sided(v: f64, alpha: f64, v_opt: f64) -> f64 {
    let alpha = alpha_within(alpha);
    let rho = best_precision(v_opt, (2.0 * alpha).min(0.999));
    let all = variance_within(v) + rho;
    let limit = libm::log(1.0 / alpha);
    let ln_evidence = |s: f64| {
        0.5 * libm::log(4.0 * rho / all)
            + s * s / (2.0 * all)
            + libm::log(normal_cdf(s / libm::sqrt(all)))
    };
    let highest = libm::sqrt(2.0 * all * (limit + 0.5 * libm::log(all / rho) + 1.0));
    solve(0.0, highest, |s| ln_evidence(s) >= limit)
}

/// ln of the evidence that a share is not `share`, after `hits` of `trials` independent trials:
/// the beta-binomial mixture, tuned to be tight near `trials_opt` trials at level `alpha`.
///
/// The same paper as [`normal_mixture_bound`], for Bernoulli trials: a Beta mixture
/// of mean `share` whose precision fits the variance `share`(1 − `share`)·`trials_opt`. Trials
/// beyond 2^36 and their hits are scaled down to as many: floats could not tell them apart.
#[must_use]
pub fn ln_share_evidence(hits: u64, trials: u64, share: f64, alpha: f64, trials_opt: u64) -> f64 {
    let share = if share.is_nan() {
        0.5
    } else {
        share.clamp(1e-12, 1.0 - 1e-12)
    };
    let spread = share * (1.0 - share);
    let best = best_precision(float(trials_opt.max(1)) * spread, alpha_within(alpha));
    let rho = (best - spread).max(1e-3 * spread);
    let (a, b) = (rho / (1.0 - share), rho / share);
    let less = halvings(trials);
    let (hits, trials) = (hits.min(trials) >> less, trials >> less);
    let (hit, miss) = (float(hits), float(trials - hits));
    ln_beta(a + hit, b + miss) - ln_beta(a, b) - hit * libm::log(share) - miss * libm::log1p(-share)
}

/// Bounds on a share after `hits` of `trials` independent trials that hold at all moments together
/// with probability 1 − `alpha`, tight near `trials_opt` trials: the shares against which
/// [`ln_share_evidence`] stays below ln(1/α).
///
/// ```
/// let (low, high) = nonevent_analysis::share_interval(700, 1000, 0.05, 100);
/// assert!((low - 0.651629).abs() < 1e-5 && (high - 0.745949).abs() < 1e-5);
/// ```
#[must_use]
pub fn share_interval(hits: u64, trials: u64, alpha: f64, trials_opt: u64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let hits = hits.min(trials);
    let seen = float(hits) / float(trials);
    let limit = libm::log(1.0 / alpha_within(alpha));
    let inside = |share: f64| ln_share_evidence(hits, trials, share, alpha, trials_opt) < limit;
    let low = if hits == 0 {
        0.0
    } else {
        solve(0.0, seen, inside)
    };
    let high = if hits == trials {
        1.0
    } else {
        solve(seen, 1.0, |share| !inside(share))
    };
    (low, high)
}

/// The point in \[low, high\] at which `reached` turns true, by halving.
pub(crate) fn solve(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..44 {
        let middle = f64::midpoint(low, high);
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}
