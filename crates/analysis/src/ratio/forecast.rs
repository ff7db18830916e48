//! What blocks that are yet to come would add to the evidence of a ratio test.

use alloc::boxed::Box;

use super::law::{BOUND, Case, RATIOS, Rates, Row, WAYS};
use super::{DEFENDED, EFFECTS, LATER, SOUGHT, total};
use crate::special::{exp_each, ln_each};

/// The bound, and the ratios above it.
const ROWS: usize = RATIOS - BOUND;
/// How many numbers a [`Forecast`] keeps per block: one for each way to burst and each ratio.
pub(crate) const FACTORS: usize = WAYS * ROWS;

/// A ratio test whose common rates are known beforehand, so that the ln of its likelihoods are sums
/// over the blocks: all that is left to say of a block is what it adds to each.
///
/// The running test must learn the rates, which are kept here at what fits the expected block best.
/// To the first order in the difference this changes nothing, as the likelihood is stationary
/// there.
pub(crate) struct Forecast {
    bound: f64,
    rates: Box<Rates>,
    /// What integrating over the rates costs each hypothesis.
    pub(crate) start: [f64; FACTORS],
}

impl Forecast {
    /// `canary` and `stable` are the expected events and the requests of a block.
    pub(crate) fn new(bound: f64, canary: (f64, f64), stable: (f64, f64)) -> Self {
        /// Calls until the rates of an expected block far below one event are found.
        const CALLS: usize = 4;
        let case = Case::new(bound, canary, stable);
        let mut rates = Box::new(Rates::NONE);
        let mut free = [0.0; FACTORS];
        for _ in 0..CALLS {
            free = flat(&rates.learn(bound, &case));
            rates.hold(1e-9);
        }
        rates.hold(f64::INFINITY);
        let fixed = flat(&rates.learn(bound, &case));
        Self {
            bound,
            rates,
            start: core::array::from_fn(|index| free[index] - fixed[index]),
        }
    }

    /// What a block adds to ln of each likelihood.
    pub(crate) fn factors(&mut self, canary: (f64, f64), stable: (f64, f64)) -> [f64; FACTORS] {
        let case = Case::new(self.bound, canary, stable);
        flat(&self.rates.learn(self.bound, &case))
    }
}

/// The evidence that the ratio is above the bound, from the sums over all blocks.
pub(crate) fn ln_evidence(sums: &[f64; FACTORS]) -> f64 {
    let highest = sums.iter().copied().fold(f64::MIN, f64::max);
    let likelihoods = exp_each(&sums.map(|sum| sum - highest));
    let (mut sought, mut defended) = (0.0, 0.0);
    for ((way, seek), defend) in likelihoods.chunks_exact(ROWS).zip(SOUGHT).zip(DEFENDED) {
        defended += defend * way[0];
        let above: f64 = way[1..].iter().zip(EFFECTS).map(|(a, b)| a * b).sum();
        sought += seek * above;
    }
    let weight = (1.0 - LATER) / total(&EFFECTS) / total(&SOUGHT);
    libm::log((sought * weight).max(1e-300)) - libm::log(defended.max(1e-300))
}

fn flat(table: &[Row; WAYS]) -> [f64; FACTORS] {
    let mut flat = [0.0; FACTORS];
    for (part, row) in flat.chunks_exact_mut(ROWS).zip(table) {
        let ln = ln_each(&row.map(|value| value.max(1e-300)));
        part.copy_from_slice(&ln[BOUND..]);
    }
    flat
}
