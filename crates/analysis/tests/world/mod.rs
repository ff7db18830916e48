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

/// A service behind a busy machine: latencies are log-normal around 2 ms, and now and then some
/// part of a window's requests stalls.
pub(crate) struct Service {
    pub(crate) error_rate: f64,
    /// Coefficient of variation of the error rate from window to window.
    pub(crate) variation: f64,
    pub(crate) slowdown: f64,
    /// Probability that a window has a stall.
    pub(crate) stalls: f64,
    /// The largest share of a window's requests that a stall hits.
    pub(crate) stalled_max: f64,
}

impl Service {
    pub(crate) const GOOD: Self = Self {
        error_rate: 0.001,
        variation: 0.0,
        slowdown: 1.0,
        stalls: 0.05,
        stalled_max: 0.2,
    };

    pub(crate) fn window(&self, world: &mut World, requests: u64) -> nonevent_analysis::ArmWindow {
        let rate = (self.error_rate * world.burst(self.variation)).min(1.0);
        let stalled = if world.uniform() < self.stalls {
            self.stalled_max * world.uniform()
        } else {
            0.0
        };
        let latencies: Vec<u64> = (0..requests)
            .map(|_| {
                let usual = 2_000.0 * self.slowdown * libm::exp(0.5 * world.normal());
                let stall = if world.uniform() < stalled {
                    40_000.0 * world.uniform()
                } else {
                    0.0
                };
                (usual + stall) as u64
            })
            .collect();
        nonevent_analysis::ArmWindow {
            requests,
            errors: world.binomial(requests, rate),
            latency: nonevent_analysis::LatencyCounts::from_samples(&bounds_us(), &latencies),
        }
    }
}

/// Bounds that grow by about 19 %, from 64 µs.
pub(crate) fn bounds_us() -> Vec<u64> {
    (0..95)
        .map(|index| libm::exp2(6.0 + f64::from(index) / 4.0) as u64)
        .collect()
}

/// A rollout of steps (canary's share in percent) with a look every half second; returns the
/// number of looks until `Fail`, or the comparison as it then stands.
pub(crate) fn rollout(
    world: &mut World,
    canary: &Service,
    stable: &Service,
    requests_per_look: u64,
    looks_per_step: usize,
) -> Result<usize, Box<nonevent_analysis::Comparison>> {
    use nonevent_analysis::{Comparison, Policy, Window};
    let mut comparison = Comparison::new(&Policy::default());
    let mut looks = 0;
    for percent in [5, 25, 50] {
        comparison.start_step();
        for _ in 0..looks_per_step {
            looks += 1;
            let requests = world.poisson(requests_per_look as f64);
            let to_canary = world.binomial(requests, f64::from(percent) / 100.0);
            let window = Window {
                length_ms: 500,
                stable: stable.window(world, requests - to_canary),
                canary: canary.window(world, to_canary),
            };
            if comparison.learn(&window.into()) {
                return Ok(looks);
            }
        }
    }
    Err(Box::new(comparison))
}
