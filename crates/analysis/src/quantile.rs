//! Are two quantiles different?

use crate::mixture::ln_share_evidence;

/// ln of the evidence that the `p`-quantiles of two independent streams differ.
///
/// If the quantile is the same x in both, the samples up to x are Bernoulli(p) trials in each, and
/// the product of their beta-binomial evidences at x is a martingale; x is not known, so the least
/// product over all x counts. Valid at every moment, for continuous distributions of any shape;
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
    let evidence = |below: usize, all: usize| {
        ln_share_evidence(below as u64, all as u64, p, alpha, samples_opt)
    };
    // Only at samples do the counts change. A sample that equals x may count as below it or not,
    // whichever speaks less against x.
    let at = |x: f64| {
        let least = |samples: &[f64]| {
            let low = samples.partition_point(|sample| *sample < x);
            let high = samples.partition_point(|sample| *sample <= x);
            evidence(low, samples.len()).min(evidence(high, samples.len()))
        };
        least(left) + least(right)
    };
    if left.is_empty() || right.is_empty() {
        return 0.0;
    }
    left.iter()
        .chain(right)
        .map(|x| at(*x))
        .fold(f64::INFINITY, f64::min)
}
