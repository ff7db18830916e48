//! A small seeded world to draw traffic from: the same numbers on every machine.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "draws stay far below 2^53"
)]

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct World(u64);

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6a09_e667_f3bc_c909);
        world.bits();
        world
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        libm::sqrt(-2.0 * libm::log(self.uniform()))
            * libm::cos(core::f64::consts::TAU * self.uniform())
    }

    /// Marsaglia and Tsang 2000.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boosted = self.gamma(shape + 1.0);
            return boosted * libm::pow(self.uniform(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = libm::pow(1.0 + c * x, 3.0);
            if v > 0.0 && libm::log(self.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// A multiplier of mean 1 and the given coefficient of variation.
    pub(crate) fn burst(&mut self, variation: f64) -> f64 {
        if variation == 0.0 {
            return 1.0;
        }
        let shape = 1.0 / (variation * variation);
        self.gamma(shape) / shape
    }

    pub(crate) fn poisson(&mut self, mut mean: f64) -> u64 {
        let mut count = 0;
        // Halves of large means are independent.
        while mean > 30.0 {
            let gamma = self.gamma(libm::floor(mean * 0.875));
            if gamma > mean {
                return count + self.binomial(libm::floor(mean * 0.875) as u64 - 1, mean / gamma);
            }
            count += libm::floor(mean * 0.875) as u64;
            mean -= gamma;
        }
        let mut product = self.uniform();
        while product > libm::exp(-mean) {
            count += 1;
            product *= self.uniform();
        }
        count
    }

    pub(crate) fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        (0..trials).filter(|_| self.uniform() < probability).count() as u64
    }
}
