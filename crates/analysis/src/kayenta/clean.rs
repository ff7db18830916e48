//! What is done to samples before they are compared: missing values and outliers.

use alloc::vec::Vec;

use super::config::{MetricConfig, NanStrategy, Outliers};
use super::interval::is_usable;
use crate::special::float;

/// Tukey's factor for values that are far out.
const FENCE_FACTOR: f64 = 3.0;

/// Writes the usable samples into `into`, sorted.
pub(super) fn clean(metric: &MetricConfig, samples: &[f64], into: &mut Vec<f64>) {
    into.clear();
    for sample in samples {
        if is_usable(*sample) {
            into.push(*sample);
        } else if sample.is_nan() && metric.nan == NanStrategy::Replace {
            into.push(0.0);
        }
    }
    into.sort_unstable_by(f64::total_cmp);
    if metric.outliers == Outliers::Remove {
        remove_outliers(into);
    }
}

/// Removes what lies more than three interquartile ranges outside the quartiles, but (for a reduced
/// sensitivity) nothing between the 1st and the 99th percentile: a steady metric has no
/// interquartile range, and would lose every other value.
fn remove_outliers(sorted: &mut Vec<f64>) {
    let [p1, p25, p75, p99] = [0.01, 0.25, 0.75, 0.99].map(|p| percentile(sorted, p));
    let reach = FENCE_FACTOR * (p75 - p25);
    let (low, high) = ((p25 - reach).min(p1), (p75 + reach).max(p99));
    sorted.retain(|sample| (low..=high).contains(sample));
}

/// By linear interpolation between order statistics: R's type 7 (Hyndman and Fan 1996). 0 for no
/// samples.
fn percentile(sorted: &[f64], p: f64) -> f64 {
    let position = float(sorted.len().saturating_sub(1) as u64) * p;
    let index = libm::floor(position);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below 10^4"
    )]
    let at = |index: f64| sorted.get(index as usize).copied();
    let low = at(index).unwrap_or(0.0);
    let high = at(index + 1.0).unwrap_or(low);
    low + (position - index) * (high - low)
}
