//! Are events more frequent with the canary, counted per request, if rates burst?

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::special::{Nats, float, ln_gamma, ln_sum, millionths};

/// One block: two counts of events with their exposures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Requests to stable.
    pub stable_requests: u64,
    /// Events among them.
    pub stable_events: u64,
    /// Requests to the canary.
    pub canary_requests: u64,
    /// Events among them.
    pub canary_events: u64,
}

impl Block {
    /// Adds another stretch of time (saturating).
    pub const fn add(&mut self, other: &Self) {
        self.stable_requests = self.stable_requests.saturating_add(other.stable_requests);
        self.stable_events = self.stable_events.saturating_add(other.stable_events);
        self.canary_requests = self.canary_requests.saturating_add(other.canary_requests);
        self.canary_events = self.canary_events.saturating_add(other.canary_events);
    }
}

/// Ratios looked at: the bound times 2^(j/2), from j = −[`BELOW`] to [`ABOVE`].
const BELOW: usize = 6;
const ABOVE: usize = 10;
const RATIOS: usize = BELOW + 1 + ABOVE;
/// Coefficients of variation of the rates, from block to block, that are reckoned with.
const SPREADS: [f64; 5] = [0.0, 0.3, 0.6, 1.0, 1.5];
/// How likely each of them is taken to be where evidence is sought…
const SOUGHT: [f64; 5] = [0.4, 0.2, 0.2, 0.15, 0.05];
/// …and how much weight each has where it is defended against. With 1 for each, the guarantee
/// would be exact on the grid, and the test slower; `docs/analysis.md` has what was measured.
const DEFENDED: [f64; 5] = [0.1, 0.1, 0.2, 0.4, 0.4];
/// Evidence that the mixture is taken to give away for not knowing ratio and spread, in nats. A
/// round guess that `power` uses; what was checked against simulation is `power` as a whole.
pub(crate) const MIXTURE_COST: f64 = 1.7;
/// Weight of a ratio 2^(j/2) times the bound, or the bound divided by that, for j = 0 ..= 10: most
/// harm that matters and is not obvious lies between 1.5 and 6 times. Tuned, as are the weights
/// above and [`DOUBT`]: see `docs/analysis.md`.
const EFFECTS: [f64; ABOVE + 1] = [1.0, 1.0, 3.0, 4.0, 3.0, 2.0, 1.2, 0.8, 0.5, 0.4, 0.3];
/// How far the rate over both versions may be underestimated, in standard deviations of its mean
/// over the blocks: tuned at shares of 5 and 10 %.
const DOUBT: f64 = 0.85;
/// Events per block beyond which a block is thinned out: more tell nothing about bursty rates.
const EVENTS_MAX: u64 = 256;

/// Evidence about the ratio of two rates that may burst from block to block.
///
/// In a block with n₁ canary and n₀ stable requests, the canary has Poisson(n₁·ρμ·M₁) events and
/// stable Poisson(n₀·μ·M₀), with M₁ and M₀ independent Gamma variables of mean 1 and coefficient
/// of variation c (shape k = 1/c²), drawn anew for each block. Given the sum N of both counts, the
/// canary's count x has the probability
///
/// P(x | N; ρ, c) ∝ C(x + k − 1, x) · C(N − x + k − 1, N − x) · ψ^x,
/// ψ = (n₁ρ / n₀) · (k + n₀μ) / (k + n₁ρμ),
///
/// a negative hypergeometric law tilted by ψ, and a binomial one as c → 0. A common base rate that
/// drifts, or a burst that hits both versions at once, is conditioned away; and with it Simpson's
/// paradox, when the split changes while the base rate does. Only ψ still knows μ, for which the
/// rate over both versions so far is put in. (It is not needed if n₁ = n₀ or c = 0.)
///
/// The likelihood is kept for each ρ and c of a small grid. The evidence that ρ is above the bound
/// is the mixture over all ρ above it and all c, divided by a weighted sum over c at the bound.
/// For each c on the grid this is at most a constant (1 / its weight) times an e-process for that
/// c, as in universal inference (Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020); that the
/// constant is not needed in the cases simulated is a measurement, not a proof: `docs/analysis.md` has the false-alarm shares.
///
/// Assumed: blocks are independent, and bursts are roughly Gamma with c up to 1.5. The state is a
/// fixed number of integers; a block costs O(min(N, 256)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRatio {
    bound_ppm: u64,
    requests: u64,
    events: u64,
    blocks: u64,
    /// ln likelihood for each ratio, then for each spread.
    ln_likelihood: Vec<Nats>,
}

impl RateRatio {
    /// Against "the canary's rate is at most `bound` times stable's"; the bound is rounded to
    /// whole millionths and brought into \[1/1000, 1000\].
    #[must_use]
    pub fn new(bound: f64) -> Self {
        let bound_ppm = millionths(bound, 1e-3, 1e3, 1.0);
        let ln_likelihood = alloc::vec![Nats::default(); RATIOS * SPREADS.len()];
        Self {
            bound_ppm,
            requests: 0,
            events: 0,
            blocks: 0,
            ln_likelihood,
        }
    }

    fn ratio(&self, index: usize) -> f64 {
        float(self.bound_ppm) / 1e6 * libm::exp2((float(index as u64) - float(BELOW as u64)) / 2.0)
    }

    /// Blocks that both versions had requests in.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Takes one block. A block in which one version had no requests, or neither an event, says
    /// nothing about the ratio. Events beyond the number of requests are cut off.
    pub fn observe(&mut self, block: &Block) {
        let (stable_requests, canary_requests) = (block.stable_requests, block.canary_requests);
        if stable_requests == 0 || canary_requests == 0 {
            return;
        }
        let stable = block.stable_events.min(stable_requests);
        let canary = block.canary_events.min(canary_requests);
        let events = stable.saturating_add(canary);
        let requests = stable_requests.saturating_add(canary_requests);
        self.requests = self.requests.saturating_add(requests);
        self.events = self.events.saturating_add(events);
        self.blocks = self.blocks.saturating_add(1);
        if events == 0 {
            return;
        }
        let thinned = if events > EVENTS_MAX {
            float(EVENTS_MAX) / float(events)
        } else {
            1.0
        };
        let case = Case {
            events: events.min(EVENTS_MAX),
            canary: round(float(canary) * thinned).min(events.min(EVENTS_MAX)),
            ln_odds: libm::log(float(canary_requests)) - libm::log(float(stable_requests)),
            expected: float(self.events) / float(self.requests) * float(requests) * thinned,
        };
        for (column, spread) in SPREADS.into_iter().enumerate() {
            let base = case.base(spread);
            let doubt = 1.0 + DOUBT * spread / libm::sqrt(float(self.blocks));
            for row in 0..RATIOS {
                let ratio = self.ratio(row);
                self.ln_likelihood[row * SPREADS.len() + column]
                    .add(case.ln_probability(base, spread, ratio, doubt));
            }
        }
    }

    fn weighted(&self, row: usize, weights: &[f64; 5]) -> f64 {
        let cells = &self.ln_likelihood[row * SPREADS.len()..(row + 1) * SPREADS.len()];
        ln_sum(
            cells
                .iter()
                .zip(weights)
                .map(|(cell, weight)| cell.get() + libm::log(*weight)),
        )
    }

    /// The mixture over the rows, each weighted by its distance from the bound.
    fn mixture(&self, rows: core::ops::Range<usize>) -> f64 {
        let weight = |row: usize| EFFECTS[row.abs_diff(BELOW)];
        let all: f64 = rows.clone().map(weight).sum();
        ln_sum(rows.map(|row| self.weighted(row, &SOUGHT) + libm::log(weight(row) / all)))
    }

    /// ln of the evidence that the ratio is above the bound.
    #[must_use]
    pub fn ln_e_value_above(&self) -> f64 {
        self.mixture(BELOW + 1..RATIOS) - self.weighted(BELOW, &DEFENDED)
    }

    /// ln of the evidence that the ratio is below the bound.
    #[must_use]
    pub fn ln_e_value_below(&self) -> f64 {
        self.mixture(0..BELOW) - self.weighted(BELOW, &DEFENDED)
    }

    /// Bounds on the ratio that hold at all moments together with probability 1 − `alpha`: the
    /// nearest ratios of the grid that are ruled out. `None` where the grid ends before.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> (Option<f64>, Option<f64>) {
        let limit = -libm::log(alpha.clamp(1e-9, 0.5));
        let all = self.mixture(0..RATIOS);
        let out = |row: &usize| all - self.weighted(*row, &DEFENDED) >= limit;
        let lower = (0..RATIOS).take_while(out).last();
        let upper = (0..RATIOS).rev().take_while(out).last();
        (
            lower.map(|row| self.ratio(row)),
            upper.map(|row| self.ratio(row)),
        )
    }
}

/// One block, seen conditionally on its number of events.
struct Case {
    events: u64,
    canary: u64,
    ln_odds: f64,
    /// Events expected in such a block, both versions together.
    expected: f64,
}

impl Case {
    /// ln of the untilted weight of the observed count, relative to that of 0.
    fn base(&self, spread: f64) -> f64 {
        let (events, canary) = (float(self.events), float(self.canary));
        let stable = events - canary;
        let choose = |shape: f64, count: f64| ln_gamma(count + shape) - ln_gamma(count + 1.0);
        if spread == 0.0 {
            return ln_gamma(events + 1.0) - ln_gamma(canary + 1.0) - ln_gamma(stable + 1.0);
        }
        let shape = 1.0 / (spread * spread);
        choose(shape, canary) + choose(shape, stable) - choose(shape, events) - ln_gamma(shape)
    }

    fn ln_probability(&self, base: f64, spread: f64, ratio: f64, doubt: f64) -> f64 {
        let mut ln_tilt = self.ln_odds + libm::log(ratio);
        if spread == 0.0 {
            // The binomial law, in closed form.
            let ln_all = float(self.events) * libm::log1p(libm::exp(ln_tilt));
            return base + float(self.canary) * ln_tilt - ln_all;
        }
        let shape = 1.0 / (spread * spread);
        let odds = libm::exp(ln_tilt);
        let expected = self.expected * doubt;
        let canary_expected = expected * odds / (1.0 + odds);
        let stable_expected = expected / (1.0 + odds);
        ln_tilt += libm::log((shape + stable_expected) / (shape + canary_expected));
        base + float(self.canary) * ln_tilt - self.ln_normaliser(shape, libm::exp(ln_tilt))
    }

    /// ln Σ of the tilted weights of 0 ..= events, relative to that of 0.
    fn ln_normaliser(&self, shape: f64, tilt: f64) -> f64 {
        const HIGH: f64 = 1e200;
        let (mut term, mut sum, mut rescaled) = (1.0, 1.0, 0.0);
        for i in 0..self.events {
            let (done, left) = (float(i), float(self.events - i));
            term *= (done + shape) * left / ((done + 1.0) * (left - 1.0 + shape)) * tilt;
            sum += term;
            if sum > HIGH {
                (term, sum, rescaled) = (term / HIGH, sum / HIGH, rescaled + 1.0);
            }
        }
        libm::log(sum) + rescaled * libm::log(HIGH)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and EVENTS_MAX"
)]
fn round(value: f64) -> u64 {
    libm::round(value.max(0.0)) as u64
}
