//! Chance that can be had again: every number follows from the seed, the release and what the number
//! is for, so that two strategies meet the same releases however differently they go about them.

/// A stream of chance: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014), a counter whose values are mixed.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// The stream of one release for one purpose.
    pub(super) const fn of(seed: u64, release: u64, purpose: u64) -> Chance {
        let seed = mix(seed.wrapping_add(GOLDEN));
        let release = mix(seed ^ release.wrapping_mul(GOLDEN).wrapping_add(1));
        Chance(mix(release ^ purpose.wrapping_mul(GOLDEN)))
    }

    const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Uniform in (0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (float(self.bits() >> 11) + 0.5) / float(1 << 53)
    }

    /// Uniform below `below`; 0 if that is 0. Too even by less than one in 2^64 / `below`.
    pub(super) fn below(&mut self, below: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(below);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// True in so many of a million cases.
    pub(super) fn ppm(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// Standard normal (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform()));
        radius * libm::cos(core::f64::consts::TAU * self.uniform())
    }

    /// Log-normal with this median and this 95th percentile, of any unit.
    pub(super) fn skewed(&mut self, median: u64, p95: u64) -> u64 {
        /// The 95th percentile of the standard normal.
        const P95: f64 = 1.644_853_626_951_472_2;
        let (median, p95) = (float(median.max(1)), float(p95.max(median).max(1)));
        let spread = libm::log(p95 / median) / P95;
        whole(median * libm::exp(spread * self.normal()))
    }

    /// Gamma of this shape and scale 1 (Marsaglia and Tsang, "A simple method for generating gamma
    /// variables", ACM TOMS 26, 2000).
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boosted = self.gamma(shape + 1.0);
            return boosted * libm::pow(self.uniform(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            let v = root * root * root;
            if v > 0.0 && libm::log(self.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Poisson: by inversion below 10, else PTRS (Hörmann, "The transformed rejection method for
    /// generating Poisson random variables", Insurance: Mathematics and Economics 12, 1993).
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        if mean < 10.0 {
            let (mut left, mut term, mut count) = (self.uniform(), libm::exp(-mean.max(0.0)), 0u64);
            while left > term && term > 0.0 {
                left -= term;
                count += 1;
                term *= mean / float(count);
            }
            return count;
        }
        let ln_mean = libm::log(mean);
        let b = 0.931 + 2.53 * libm::sqrt(mean);
        let a = -0.059 + 0.02483 * b;
        let ln_inv_alpha = libm::log(1.1239 + 1.1328 / (b - 3.4));
        let squeeze = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let us = 0.5 - u.abs();
            let k = libm::floor((2.0 * a / us + b) * u + mean + 0.43);
            if us >= 0.07 && v <= squeeze {
                return whole(k);
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let left = libm::log(v) + ln_inv_alpha - libm::log(a / (us * us) + b);
            if left <= k * ln_mean - mean - libm::lgamma(k + 1.0) {
                return whole(k);
            }
        }
    }

    /// Binomial: by inversion for few expected hits, else BTRS (Hörmann, "The generation of binomial
    /// random variates", J. Statist. Comput. Simul. 46, 1993).
    pub(super) fn binomial(&mut self, trials: u64, p: f64) -> u64 {
        if p > 0.5 {
            return trials - self.binomial(trials, 1.0 - p).min(trials);
        }
        let n = float(trials);
        if trials == 0 || p <= 0.0 {
            return 0;
        }
        let odds = p / (1.0 - p);
        if n * p < 10.0 {
            let mut term = libm::exp(n * libm::log1p(-p));
            let (mut left, mut count) = (self.uniform(), 0u64);
            while left > term && count < trials {
                left -= term;
                count += 1;
                term *= odds * float(trials - count + 1) / float(count);
            }
            return count;
        }
        let spread = libm::sqrt(n * p * (1.0 - p));
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let alpha = (2.83 + 5.1 / b) * spread;
        let squeeze = 0.92 - 4.2 / b;
        let m = libm::floor((n + 1.0) * p);
        let ln_ways = |k: f64| -libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        let (at_mode, ln_odds) = (ln_ways(m), libm::log(odds));
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let us = 0.5 - u.abs();
            let k = libm::floor((2.0 * a / us + b) * u + n * p + 0.5);
            if us >= 0.07 && v <= squeeze {
                return whole(k).min(trials);
            }
            if k < 0.0 || k > n {
                continue;
            }
            let left = libm::log(v * alpha / (a / (us * us) + b));
            if left <= ln_ways(k) - at_mode + (k - m) * ln_odds {
                return whole(k);
            }
        }
    }
}

/// A count as a number to reckon with; beyond 2^53 it is rounded.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 need not be exact"
)]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

/// The whole part of a number; 0 for negative ones.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates when it becomes an integer"
)]
pub(super) const fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::{Chance, float};

    /// Mean and variance of many draws.
    fn moments(mut draw: impl FnMut(&mut Chance) -> u64) -> (f64, f64) {
        const DRAWS: u64 = 40_000;
        let mut chance = Chance::of(1, 2, 3);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..DRAWS {
            let drawn = float(draw(&mut chance));
            sum += drawn;
            squares += drawn * drawn;
        }
        let mean = sum / float(DRAWS);
        (mean, squares / float(DRAWS) - mean * mean)
    }

    fn near(found: f64, wanted: f64, part: f64) {
        assert!(
            (found - wanted).abs() <= part * wanted,
            "{found}, not {wanted}"
        );
    }

    #[test]
    fn poisson_has_its_mean_and_variance() {
        for wanted in [0.3, 4.0, 12.0, 700.0, 90_000.0] {
            let (mean, variance) = moments(|chance| chance.poisson(wanted));
            near(mean, wanted, 0.02);
            near(variance, wanted, 0.04);
        }
    }

    #[test]
    fn binomial_has_its_mean_and_variance() {
        for (trials, p) in [(20, 0.1), (40, 0.5), (1_000, 0.3), (50_000, 0.9), (9, 0.95)] {
            let (mean, variance) = moments(|chance| chance.binomial(trials, p));
            near(mean, float(trials) * p, 0.02);
            near(variance, float(trials) * p * (1.0 - p), 0.04);
        }
        assert_eq!(Chance::of(1, 1, 1).binomial(7, 1.0), 7);
        assert_eq!(Chance::of(1, 1, 1).binomial(0, 0.4), 0);
    }

    #[test]
    fn gamma_and_skewed_have_their_middle() {
        let (mean, variance) = moments(|chance| super::whole(1e4 * chance.gamma(0.7)));
        near(mean, 0.7e4, 0.02);
        near(variance, 0.7e8, 0.05);
        let mut chance = Chance::of(4, 5, 6);
        let below = (0..10_000)
            .filter(|_| chance.skewed(1_000, 8_000) < 8_000)
            .count();
        assert!((9_430..=9_570).contains(&below), "{below}");
    }

    #[test]
    fn streams_are_apart() {
        let first = |release, purpose| Chance::of(9, release, purpose).below(u64::MAX);
        assert_eq!(first(3, 1), first(3, 1));
        assert_ne!(first(3, 1), first(3, 2));
        assert_ne!(first(3, 1), first(4, 1));
    }
}
