//! Mixture boundaries in general: for a walk S with accumulated variance V, the evidence against
//! "S is no larger than chance", and the value S reaches with probability at most α, ever.
//!
//! All are from Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric,
//! nonasymptotic confidence sequences", Ann. Statist. 49 (2021), propositions 5 to 10.

use crate::incomplete::{ln_incomplete_gamma, ln_normal_cdf, ln_tilted_beta, ln_tilted_beta_above};
use crate::mixture::{alpha_within, best_precision, variance_within};
use crate::special::ln_gamma;

/// Where a mixture is to be tightest. It is valid everywhere, whatever this says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// Variance near which the boundary is narrowest, above 0.
    pub v_opt: f64,
    /// Error probability at which it is so; brought into \[10^−12, 0.5\].
    pub alpha_opt: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Normal,
    HalfNormal,
    Beta { g: f64, h: f64, one_sided: bool },
    GammaExponential { c: f64 },
    GammaPoisson { c: f64 },
}

/// A mixture of exponential supermartingales.
///
/// ```
/// use nonevent_analysis::{Mixture, Tuning};
/// let tuning = Tuning { v_opt: 100.0, alpha_opt: 0.05 };
/// let bound = Mixture::half_normal(tuning).bound(100.0, 0.05);
/// assert!((bound - 27.66071).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixture {
    kind: Kind,
    /// ρ, or r of the beta-binomial mixture.
    precision: f64,
    /// ln of what makes the evidence 1 at the start.
    normalizer: f64,
}

/// A positive range or scale parameter within what the formulae stand.
fn positive(value: f64) -> f64 {
    if value.is_nan() {
        1.0
    } else {
        value.clamp(1e-9, 1e9)
    }
}

impl Mixture {
    /// Two-sided, for sub-Gaussian walks.
    #[must_use]
    pub fn normal(tuning: Tuning) -> Self {
        Self {
            kind: Kind::Normal,
            precision: best_precision(tuning.v_opt, alpha_within(tuning.alpha_opt)),
            normalizer: 0.0,
        }
    }

    /// One-sided, for sub-Gaussian walks.
    #[must_use]
    pub fn half_normal(tuning: Tuning) -> Self {
        Self {
            kind: Kind::HalfNormal,
            precision: one_sided_precision(tuning),
            normalizer: 0.0,
        }
    }

    /// Two-sided, for sums of variables of mean 0 within \[−g, h\] (sub-Bernoulli, variance g·h
    /// each at most).
    #[must_use]
    pub fn beta_binomial(g: f64, h: f64, tuning: Tuning) -> Self {
        let precision = best_precision(tuning.v_opt, alpha_within(tuning.alpha_opt));
        Self::beta(g, h, precision, false)
    }

    /// As [`beta_binomial`](Self::beta_binomial), against large values of S only.
    #[must_use]
    pub fn beta_binomial_one_sided(g: f64, h: f64, tuning: Tuning) -> Self {
        Self::beta(g, h, one_sided_precision(tuning), true)
    }

    fn beta(g: f64, h: f64, precision: f64, one_sided: bool) -> Self {
        let (g, h) = (positive(g), positive(h));
        let precision = (precision - g * h).max(1e-3 * g * h);
        let mut mixture = Self {
            kind: Kind::Beta { g, h, one_sided },
            precision,
            normalizer: 0.0,
        };
        mixture.normalizer = mixture.ln_evidence(0.0, 0.0);
        mixture
    }

    /// One-sided, for sub-exponential walks of scale `c`.
    #[must_use]
    pub fn gamma_exponential(c: f64, tuning: Tuning) -> Self {
        Self::gamma(Kind::GammaExponential { c: positive(c) }, tuning)
    }

    /// One-sided, for sub-Poisson walks of scale `c`.
    #[must_use]
    pub fn gamma_poisson(c: f64, tuning: Tuning) -> Self {
        Self::gamma(Kind::GammaPoisson { c: positive(c) }, tuning)
    }

    fn gamma(kind: Kind, tuning: Tuning) -> Self {
        let mut mixture = Self {
            kind,
            precision: one_sided_precision(tuning),
            normalizer: 0.0,
        };
        mixture.normalizer = mixture.ln_evidence(0.0, 0.0);
        mixture
    }

    /// ln of the evidence at the sum `s` and the variance `v` (below 0 counts as 0). A sum beyond
    /// what the walk's range allows counts as the furthest possible; NaN as 0.
    #[must_use]
    pub fn ln_evidence(&self, s: f64, v: f64) -> f64 {
        let v = variance_within(v);
        let s = if s.is_nan() {
            0.0
        } else {
            s.clamp(-1e150, 1e150)
        };
        let rho = self.precision;
        let all = v + rho;
        let value = match self.kind {
            Kind::Normal => 0.5 * libm::log(rho / all) + s * s / (2.0 * all),
            Kind::HalfNormal => {
                0.5 * libm::log(4.0 * rho / all)
                    + s * s / (2.0 * all)
                    + ln_normal_cdf(s / libm::sqrt(all))
            }
            Kind::Beta { g, h, .. } => {
                // S and V as numbers of trials that gave +h and −g.
                let ups = ((v + h * s) / (h * (g + h))).max(0.0);
                let downs = ((v - g * s) / (g * (g + h))).max(0.0);
                return self.ln_trials(ups, downs);
            }
            Kind::GammaExponential { c } => {
                let square = c * c;
                let (a, x) = (all / square, (c * s + all) / square);
                if x <= 0.0 {
                    return f64::NEG_INFINITY;
                }
                ln_gamma(a) + ln_incomplete_gamma(a, x).0 - a * libm::log(x) + (c * s + v) / square
            }
            Kind::GammaPoisson { c } => {
                let square = c * c;
                let (a, x) = (s / c + all / square, all / square);
                if a <= 0.0 {
                    return f64::NEG_INFINITY;
                }
                ln_gamma(a) + ln_incomplete_gamma(a, x).1 - a * libm::log(x) + v / square
            }
        };
        value - self.normalizer
    }

    /// A beta-binomial mixture's prior, as trials that gave +h and −g; (0, 0) for the others.
    pub(crate) fn prior(&self) -> (f64, f64) {
        match self.kind {
            Kind::Beta { g, h, .. } => {
                let each = self.precision / (g + h);
                (each / h, each / g)
            }
            _ => (0.0, 0.0),
        }
    }

    /// A beta-binomial mixture's evidence after `ups` trials that gave +h and `downs` that gave
    /// −g, both at least 0; exact where a sum would lose digits.
    pub(crate) fn ln_trials(&self, ups: f64, downs: f64) -> f64 {
        match self.kind {
            Kind::Beta { g, h, one_sided } => {
                let (up, down) = self.prior();
                let (p, q) = (g / (g + h), h / (g + h));
                let (a, b) = (up + ups, down + downs);
                let mass = if one_sided {
                    ln_tilted_beta_above(a, b, p, q)
                } else {
                    ln_tilted_beta(a, b, p, q)
                };
                mass - self.normalizer
            }
            _ => 0.0,
        }
    }

    /// Cheap bounds on a one-sided [`ln_trials`](Self::ln_trials), 1 apart where both are known:
    /// of a log-concave distribution at least 1/e lies above its mean.
    pub(crate) fn ln_trials_bounds(&self, ups: f64, downs: f64) -> (f64, f64) {
        let Kind::Beta { g, h, .. } = self.kind else {
            return (f64::NEG_INFINITY, f64::INFINITY);
        };
        let (up, down) = self.prior();
        let (p, q) = (g / (g + h), h / (g + h));
        let (a, b) = (up + ups, down + downs);
        let whole = ln_tilted_beta(a, b, p, q) - self.normalizer;
        if a.min(b) < 1.0 || a * q < b * p {
            (f64::NEG_INFINITY, whole)
        } else {
            (whole - 1.0, whole)
        }
    }

    /// The value that S reaches with probability at most `alpha` (|S| for the two-sided
    /// mixtures; the upper side is meant): the solution of E(u, v) = 1/α. For the beta-binomial
    /// mixtures at most v/g, the largest value possible.
    #[must_use]
    pub fn bound(&self, v: f64, alpha: f64) -> f64 {
        let v = variance_within(v);
        let limit = -libm::log(alpha_within(alpha));
        let reached = |s: f64| self.ln_evidence(s, v) >= limit;
        let highest = match self.kind {
            Kind::Beta { g, .. } => v / g,
            _ => {
                let mut trial = (v + self.precision).max(1e-12);
                for _ in 0..60 {
                    if reached(trial) {
                        break;
                    }
                    trial *= 2.0;
                }
                trial
            }
        };
        if reached(highest) {
            crate::mixture::solve(0.0, highest, reached)
        } else {
            highest
        }
    }
}

fn one_sided_precision(tuning: Tuning) -> f64 {
    best_precision(
        tuning.v_opt,
        (2.0 * alpha_within(tuning.alpha_opt)).min(0.999),
    )
}
