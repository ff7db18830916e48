//! A band around a whole distribution function that holds at every moment.

use crate::mixture::{alpha_within, solve};
use crate::special::float;

/// The leading constant the papers use; at least 1/√2, the law of the iterated logarithm's.
const LEADING: f64 = 0.85;

/// A band around the empirical distribution function of independent samples that holds at all
/// points and all moments from `count_min` samples on, with probability 1 − α:
/// A·√((ln(1 + ln(t/m)) + C) / t). C is found once, here.
///
/// Theorem 2 of Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B
/// testing and best-arm identification", Bernoulli 28 (2022).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistributionBand {
    leading: f64,
    constant: f64,
    count_min: u64,
}

impl DistributionBand {
    /// With A = 0.85. A `count_min` of 0 counts as 1.
    #[must_use]
    pub fn new(alpha: f64, count_min: u64) -> Self {
        Self::with_leading(alpha, count_min, LEADING)
    }

    /// With another A, brought into \[0.72, 10\] (below 1/√2 there is no band).
    #[must_use]
    pub fn with_leading(alpha: f64, count_min: u64, leading: f64) -> Self {
        let leading = if leading.is_nan() {
            LEADING
        } else {
            leading.clamp(0.72, 10.0)
        };
        let alpha = alpha_within(alpha);
        let constant = solve(0.01, 4_000.0, |c| least_error(leading, c) <= alpha);
        Self {
            leading,
            constant,
            count_min: count_min.max(1),
        }
    }

    /// The half-width after `count` samples, infinite before `count_min`.
    #[must_use]
    pub fn width(&self, count: u64) -> f64 {
        if count < self.count_min {
            return f64::INFINITY;
        }
        let t = float(count);
        let epochs = libm::log1p(libm::log(t / float(self.count_min)));
        self.leading * libm::sqrt((epochs + self.constant) / t)
    }
}

/// Theorem 2's bound on the probability of leaving the band, at the best epoch ratio η.
fn least_error(leading: f64, c: f64) -> f64 {
    let gamma = |eta: f64| {
        let root = leading - libm::sqrt(2.0 * (eta - 1.0) / c);
        if root > 0.0 {
            2.0 / eta * root * root
        } else {
            0.0
        }
    };
    let error = |eta: f64| {
        let gamma = gamma(eta);
        if gamma <= 1.0 {
            f64::INFINITY
        } else {
            4.0 * libm::exp(-gamma * c) * (1.0 + 1.0 / ((gamma - 1.0) * libm::log(eta)))
        }
    };
    // Finite for η between 1 and where γ² falls to 1; there is one minimum between.
    let mut high = solve(1.0, 2.0 * leading * leading, |eta| gamma(eta) <= 1.0);
    let mut low = 1.0;
    for _ in 0..60 {
        let (left, right) = (low + (high - low) * 0.382, low + (high - low) * 0.618);
        if error(left) <= error(right) {
            high = right;
        } else {
            low = left;
        }
    }
    error(f64::midpoint(low, high))
}

/// The half-width of a [`DistributionBand`] with A = 0.85 after `count` samples. Finds C anew at
/// each call; make a `DistributionBand` to look often.
///
/// ```
/// let width = nonevent_analysis::distribution_band(1000, 0.05, 100);
/// assert!((width - 0.08204769).abs() < 1e-6);
/// ```
#[must_use]
pub fn distribution_band(count: u64, alpha: f64, count_min: u64) -> f64 {
    DistributionBand::new(alpha, count_min).width(count)
}
