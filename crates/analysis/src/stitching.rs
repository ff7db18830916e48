//! Stitched boundaries: no mixture, but a closed formula whose width shrinks like the law of the
//! iterated logarithm.

use crate::incomplete::zeta;
use crate::mixture::{alpha_within, variance_within};

/// How a stitched boundary spends its error probability over epochs of geometric length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stitching {
    /// s > 1: epoch k gets a part of about k^−s.
    pub power: f64,
    /// η > 1: each epoch is η times as long as the one before.
    pub epoch_ratio: f64,
}

impl Default for Stitching {
    /// s = 1.4, η = 2, as in the papers.
    fn default() -> Self {
        Self {
            power: 1.4,
            epoch_ratio: 2.0,
        }
    }
}

impl Stitching {
    /// (s, η, k₁, k₂), the parameters brought into their ranges.
    fn constants(self) -> (f64, f64, f64, f64) {
        let within = |value: f64, otherwise: f64| {
            if value.is_nan() {
                otherwise
            } else {
                value.clamp(1.01, 100.0)
            }
        };
        let (s, eta) = (within(self.power, 1.4), within(self.epoch_ratio, 2.0));
        let root = libm::sqrt(libm::sqrt(eta));
        let k1 = (root + 1.0 / root) / core::f64::consts::SQRT_2;
        (s, eta, k1, f64::midpoint(root * root, 1.0))
    }
}

/// The polynomial stitched boundary: P(∃t: S_t ≥ u(V_t)) ≤ α for a sub-gamma walk of scale `c`
/// (0 for a sub-Gaussian one), narrowest from the variance `v_min` on, flat before.
///
/// Equation 10 of Howard, Ramdas, McAuliffe and Sekhon, Ann. Statist. 49 (2021):
/// u(v) = √(k₁²vℓ + k₂²c²ℓ²) + k₂cℓ with ℓ = s·ln ln(ηv/m) + ln(ζ(s) / (α lnˢη)).
///
/// ```
/// use nonevent_analysis::{Stitching, polynomial_stitching_bound};
/// let u = polynomial_stitching_bound(1000.0, 0.05, 100.0, 0.0, Stitching::default());
/// assert!(u > 100.0 && u < 150.0);
/// ```
#[must_use]
pub fn polynomial_stitching_bound(
    v: f64,
    alpha: f64,
    v_min: f64,
    c: f64,
    stitching: Stitching,
) -> f64 {
    let (s, eta, k1, k2) = stitching.constants();
    let v_min = variance_within(v_min).max(1e-12);
    let v = variance_within(v).max(v_min);
    let c = if c.is_nan() { 0.0 } else { c.clamp(0.0, 1e100) };
    let ell = s * libm::log(libm::log(eta * (v / v_min))) + libm::log(zeta(s))
        - s * libm::log(libm::log(eta))
        - libm::log(alpha_within(alpha));
    let skew = k2 * c * ell;
    libm::sqrt(k1 * k1 * v * ell + skew * skew) + skew
}

/// How far the number of samples up to the `p`-quantile may rise above p·t, for all quantiles and
/// all moments together with probability 1 − `alpha`: t·(F̂(Q(p)) − p) stays below it. Narrowest
/// from `count_min` samples on. For the other side take 1 − p.
///
/// Theorem 3 of Howard and Ramdas, Bernoulli 28 (2022), "double stitching": stitched over epochs
/// of time and over a grid of quantiles whose logits are 2δ·√(m/t) apart, `delta` > 0.
///
/// ```
/// use nonevent_analysis::{Stitching, quantile_stitching_bound};
/// let at = |p| quantile_stitching_bound(p, 10_000, 0.05, 100, 0.5, Stitching::default());
/// assert!(at(0.99) < at(0.5));
/// ```
#[must_use]
pub fn quantile_stitching_bound(
    p: f64,
    count: u64,
    alpha: f64,
    count_min: u64,
    delta: f64,
    stitching: Stitching,
) -> f64 {
    let (s, eta, k1, k2) = stitching.constants();
    let p = if p.is_nan() {
        0.5
    } else {
        p.clamp(1e-12, 1.0 - 1e-12)
    };
    let delta = if delta.is_nan() {
        0.5
    } else {
        delta.clamp(1e-6, 1e6)
    };
    let m = crate::special::float(count_min.max(1));
    let t = crate::special::float(count).max(m);
    let epochs = t / m;
    let logit = libm::log(p) - libm::log1p(-p);
    // The grid's next quantile towards the middle, whose variance counts.
    let r = if p >= 0.5 {
        p
    } else {
        let next = logit + 2.0 * delta * libm::sqrt(eta / epochs);
        (1.0 / (1.0 + libm::exp(-next))).min(0.5)
    };
    let variance = r * (1.0 - r);
    let steps = libm::sqrt(epochs) * logit.abs() / (2.0 * delta) + 1.0;
    let zeta = zeta(s);
    let ell = s * (libm::log(libm::log(eta * epochs)) + libm::log(steps))
        + libm::log(2.0 * zeta * (2.0 * zeta + 1.0))
        - libm::log(alpha_within(alpha))
        - s * libm::log(libm::log(eta));
    let skew = k2 * (1.0 - 2.0 * p) / 3.0 * ell;
    delta * libm::sqrt(eta * epochs * variance)
        + libm::sqrt(k1 * k1 * variance * t * ell + skew * skew)
        + skew
}
