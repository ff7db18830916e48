//! Incomplete beta and gamma functions, digamma and zeta: what the mixtures and stitched
//! boundaries are made of. In log space where values get small.

use crate::special::{beta_fraction, ln_beta, ln_gamma, normal_cdf};

/// Rounds after which a series or continued fraction is cut off; they need about the square root
/// of the largest argument, so this is reached from arguments of about 10^8 on.
const ROUNDS_MAX: u32 = 20_000;
/// Smaller argument of the incomplete beta function above which it is taken from its expansion
/// for large arguments, which is within 10^-5 there, rather than from a fraction of many rounds.
const BETA_LARGE: f64 = 2_000.0;

/// ln(1 − e^x) for x ≤ 0, precise at both ends.
fn ln_one_minus_exp(x: f64) -> f64 {
    if x > -core::f64::consts::LN_2 {
        libm::log(-libm::expm1(x.min(0.0)))
    } else {
        libm::log1p(-libm::exp(x))
    }
}

/// ln of B(a, b) / (p^a · q^b) for p + q = 1: what a Beta mixture of Bernoulli likelihood ratios
/// against p comes to. From 10 on by Stirling's series with the large terms cancelled by hand, so
/// that it is as precise after 10^15 trials as after ten.
pub(crate) fn ln_tilted_beta(a: f64, b: f64, p: f64, q: f64) -> f64 {
    if a.min(b) < 10.0 {
        return ln_beta(a, b) - a * libm::log(p) - b * libm::log(q);
    }
    divergence(a, b, p, q) + ln_peak(a, b)
}

/// ln B(a, b) without its exponent: by Stirling's series, for a, b ≥ 10.
fn ln_peak(a: f64, b: f64) -> f64 {
    let rest = |x: f64| {
        let square = 1.0 / (x * x);
        (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / x
    };
    let n = a + b;
    let root = 0.5 * libm::log(core::f64::consts::TAU * (n / a) / b);
    root + rest(a) + rest(b) - rest(n)
}

/// (a + b) times the relative entropy of the share a / (a + b) to p.
fn divergence(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let n = a + b;
    let offset = a * q - b * p;
    (a * libm::log1p(offset / (n * p)) + b * libm::log1p(-offset / (n * q))).max(0.0)
}

/// As [`ln_tilted_beta`], with only the part of the mixture above p: times the probability that
/// a Beta(a, b) variable exceeds p. By the continued fraction (Press et al., Numerical Recipes,
/// 3rd edition, section 6.4) on the side on which it converges.
pub(crate) fn ln_tilted_beta_above(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let n = a + b;
    if a.min(b) > BETA_LARGE {
        return ln_peak(a, b) + ln_scaled_tail(a, b, p, q);
    }
    if q < (b + 1.0) / (n + 2.0) {
        return libm::log(beta_fraction(b, a, q)) - libm::log(b);
    }
    let whole = ln_tilted_beta(a, b, p, q);
    // The other tail is about e^−whole; where that is nothing to 1, the fraction is not needed.
    if whole > 60.0 {
        return whole;
    }
    whole + ln_one_minus_exp(libm::log(beta_fraction(a, b, p)) - libm::log(a) - whole)
}

/// ln of P(Beta(a, b) > p)·e^D with D the [`divergence`], for large a + b: a normal tail and its
/// first correction, uniformly in p (Temme 1982, "The uniform asymptotic expansion of a class of
/// integrals related to cumulative distribution functions", SIAM J. Math. Anal. 13).
fn ln_scaled_tail(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let n = a + b;
    let divergence = divergence(a, b, p, q);
    let offset = (a * q - b * p) / n;
    let eta = libm::copysign(libm::sqrt(2.0 * divergence / n), offset);
    let deviation = eta * libm::sqrt(n);
    let spread = libm::sqrt((a / n) * (b / n));
    let skew = if (offset / spread).abs() < 1e-5 {
        // The limit of the difference below, which loses its digits here.
        (a - b) / n / (3.0 * spread)
    } else {
        1.0 / eta - spread / offset
    };
    // ln of Φ(deviation) to the density there.
    let ratio = if deviation < MILLS_FROM {
        ln_mills(-deviation) + HALF_LN_TAU
    } else {
        ln_normal_cdf(deviation) + 0.5 * deviation * deviation + HALF_LN_TAU
    };
    let correction = skew / libm::sqrt(n) * libm::exp(-ratio);
    let tail = ratio - HALF_LN_TAU + libm::log1p(correction.max(-0.5));
    if deviation < MILLS_FROM {
        tail
    } else {
        tail + (divergence - 0.5 * deviation * deviation)
    }
}

/// ln √(2π).
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// Below this Φ(x) is taken from Mills' ratio.
const MILLS_FROM: f64 = -20.0;

/// ln Φ(x), also far out in the lower tail.
pub(crate) fn ln_normal_cdf(x: f64) -> f64 {
    if x < MILLS_FROM {
        ln_mills(-x) - 0.5 * x * x
    } else {
        libm::log(normal_cdf(x))
    }
}

/// ln(Φ(−x)·e^(x²/2)) for large x, three terms: relative error below 10^−6 from 20 on.
fn ln_mills(x: f64) -> f64 {
    let square = x * x;
    let mills = libm::log1p((-1.0 + (3.0 - 15.0 / square) / square) / square);
    mills - libm::log(x) - 0.5 * libm::log(core::f64::consts::TAU)
}

/// ln of the regularised incomplete gamma functions (P(a, x), Q(a, x)), a > 0, x ≥ 0: the series
/// below the mean, Lentz's continued fraction above (Numerical Recipes, section 6.2).
pub(crate) fn ln_incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (f64::NEG_INFINITY, 0.0);
    }
    let front = a * libm::log(x) - x - ln_gamma(a);
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for round in 1..ROUNDS_MAX {
            term *= x / (a + f64::from(round));
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        let lower = (front + libm::log(sum)).min(0.0);
        return (lower, ln_one_minus_exp(lower));
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for round in 1..ROUNDS_MAX {
        let k = f64::from(round);
        let factor = -k * (k - a);
        b += 2.0;
        d = 1.0 / (factor * d + b);
        c = b + factor / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let upper = (front + libm::log(fraction)).min(0.0);
    (ln_one_minus_exp(upper), upper)
}

/// ψ(x), the derivative of ln Γ, for x > 0 (Abramowitz and Stegun 6.3.5 and 6.3.18).
pub(crate) fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 12.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0)));
    sum + libm::log(x) - 0.5 / x - series
}

/// Riemann's ζ(s) for s > 1, by Euler and Maclaurin from the tenth term on.
pub(crate) fn zeta(s: f64) -> f64 {
    const TERMS: f64 = 10.0;
    let power = |n: f64| libm::exp(-s * libm::log(n));
    let head: f64 = (1..10).map(|n| power(f64::from(n))).sum();
    let last = power(TERMS);
    let mut rising = s;
    let mut correction = rising / (12.0 * TERMS);
    for (order, divisor) in [(1.0, -720e3), (3.0, 30_240e5), (5.0, -1_209_600e7)] {
        rising *= (s + order) * (s + order + 1.0);
        correction += rising / divisor;
    }
    head + last * (TERMS / (s - 1.0) + 0.5 + correction)
}

#[cfg(test)]
mod tests {
    use super::{digamma, ln_incomplete_gamma, ln_tilted_beta, ln_tilted_beta_above, zeta};

    #[test]
    fn closed_forms_hold() {
        let near = |value: f64, exact: f64| {
            assert!((value - exact).abs() < 1e-11, "{value} is not {exact}");
        };
        near(zeta(2.0), core::f64::consts::PI.powi(2) / 6.0);
        near(digamma(1.0), -0.577_215_664_901_532_9);
        // P(1, x) = 1 − e^−x, on both sides of the mean.
        for x in [0.3, 1.5, 5.0, 40.0] {
            near(ln_incomplete_gamma(1.0, x).0.exp(), 1.0 - f64::exp(-x));
            near(ln_incomplete_gamma(1.0, x).1, -x);
        }
        // P(Beta(1, b) > x) = (1 − x)^b; B(1, b) = 1 / b.
        for (x, b) in [(0.01f64, 7.0f64), (0.3, 7.0), (0.9, 7.0), (0.001, 2.0)] {
            let tail = (1.0 - x).powf(b) / b / (x * (1.0 - x).powf(b));
            near(ln_tilted_beta_above(1.0, b, x, 1.0 - x), tail.ln());
        }
        // Stirling's series joins the plain formula.
        near(
            ln_tilted_beta(10.0, 30.0, 0.2, 0.8),
            crate::special::ln_beta(10.0, 30.0) - 10.0 * f64::ln(0.2) - 30.0 * f64::ln(0.8),
        );
    }

    #[test]
    fn the_expansion_joins_the_fraction() {
        for offset in [-30.0, -3.0, -1.0, -0.01, 0.0, 0.01, 1.0, 3.0, 8.0] {
            for share in [0.5, 0.01] {
                let near = |smaller: f64| {
                    let n = smaller / share;
                    let p = share - offset * f64::sqrt(share * (1.0 - share) / n);
                    ln_tilted_beta_above(smaller, n - smaller, p, 1.0 - p)
                };
                // The function itself moves by less than the tolerance over this distance.
                let (below, above) = (near(1_999.999_9), near(2_000.000_1));
                assert!(
                    (below - above).abs() < 5e-6,
                    "{offset} of {share}: {below} and {above}"
                );
            }
        }
    }
}
