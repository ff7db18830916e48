//! How the evidence of a planned step will grow: a small simulation without chance.

use alloc::vec::Vec;

use super::strata::counts;
use crate::betting::{GAINS, ln_gains, ln_wealth};
use crate::ratio::{FACTORS, Forecast, ln_evidence};
use crate::special::float;

/// A step walks in at most twice as many strides as this; a stride may be many blocks.
const STRIDES: u64 = 16;
/// At how many of them, at least, the evidence is looked at.
const LOOKS: u64 = 6;
/// Mean requests of a block above which its requests are taken for a fixed number.
const FIXED_MIN: f64 = 10.0;
/// Numbers per block: the ratio's, and for each share of [`Sums`] those of its stakes.
const SIZE: usize = FACTORS + 3 * GAINS;

/// What fails a canary: shares of requests that count (errors, or slow ones) over a bound, or over
/// a multiple of stable's share.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// ln of the evidence that a rule needs.
    pub(super) limit: f64,
    /// The highest share allowed.
    pub(super) absolute: Option<f64>,
    pub(super) relative: Option<Relative>,
}

#[derive(Clone, Debug)]
pub(super) struct Relative {
    /// The highest multiple of stable's share.
    pub(super) ratio: f64,
    /// The share that is never held against the canary.
    pub(super) floor: f64,
    /// The evidence that the ratio may be short of, in nats.
    pub(super) ratio_short: f64,
    /// The evidence needed beyond the limit, in nats.
    pub(super) beyond: f64,
}

/// Blocks of equal size.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) blocks: u64,
    /// Requests per block.
    pub(super) canary: f64,
    pub(super) stable: f64,
    /// Stable's share of requests that count.
    pub(super) stable_share: f64,
    /// Coefficient of variation of both shares from block to block.
    pub(super) variation: f64,
    /// Canary requests without which nothing fails.
    pub(super) requests_min: f64,
}

/// ln of every likelihood and capital that a rule weighs.
#[derive(Clone, Copy)]
pub(super) struct Sums([f64; SIZE]);

impl Sums {
    fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum += more;
        }
    }

    /// By how much the best rule is over what it needs, if that is more than `least`; else `least`.
    pub(super) fn margin(&self, rules: &Rules, least: f64) -> f64 {
        let (ratio, shares) = self.0.split_at(FACTORS);
        let share = |index: usize| {
            let sums = &shares[index * GAINS..(index + 1) * GAINS];
            ln_wealth(sums.try_into().expect("cut to this length"))
        };
        let mut margin = least;
        // Where stable leans over the same bound, the canary is not to blame.
        if rules.absolute.is_some() && share(1) <= 0.0 {
            margin = margin.max(share(0) - rules.limit);
        }
        if let Some(relative) = &rules.relative {
            let needed = rules.limit + relative.beyond;
            let floor = share(2) - needed;
            if floor > margin {
                let ratio = ln_evidence(ratio.try_into().expect("cut to this length"));
                margin = margin.max(floor.min(ratio + relative.ratio_short - needed));
            }
        }
        margin
    }
}

/// A step in which the canary has one share of requests that count: what equally likely blocks add.
pub(super) struct Walk<'a> {
    rules: &'a Rules,
    planned: &'a Planned,
    start: Sums,
    blocks: Vec<Sums>,
}

impl<'a> Walk<'a> {
    /// Takes `runs` blocks.
    pub(super) fn new(rules: &'a Rules, planned: &'a Planned, share: f64, runs: usize) -> Self {
        let Planned {
            canary,
            stable,
            stable_share,
            variation,
            ..
        } = *planned;
        let own = arm(canary, share, variation, runs);
        let other = arm(stable, stable_share, variation, runs);
        let mut forecast = rules
            .relative
            .as_ref()
            .filter(|_| stable > 0.0)
            .map(|relative| {
                let events = (canary * share, canary);
                Forecast::new(relative.ratio, events, (stable * stable_share, stable))
            });
        let mut start = Sums([0.0; SIZE]);
        if let Some(forecast) = &forecast {
            start.0[..FACTORS].copy_from_slice(&forecast.start);
        }
        // A lattice: each coordinate takes each value once.
        let at = |run: usize, factor: usize| run * factor % runs;
        let drawn = |arm: &Arm, hit: usize, miss: usize| {
            let hits = arm.hits[hit];
            (
                hits,
                arm.requests.unwrap_or_else(|| hits + arm.misses[miss]),
            )
        };
        let blocks = (0..runs).map(|run| {
            let own = drawn(&own, run, at(run, 27));
            let other = drawn(&other, at(run, 10), at(run, 48));
            block(rules, forecast.as_mut(), own, other)
        });
        let blocks = blocks.collect();
        Self {
            rules,
            planned,
            start,
            blocks,
        }
    }

    /// What so many average blocks add up to.
    pub(super) fn average(&self, blocks: u64) -> Sums {
        let part = float(blocks) / float(self.blocks.len() as u64);
        let mut sums = self.start;
        for block in &self.blocks {
            for (sum, more) in sums.0.iter_mut().zip(&block.0) {
                *sum += part * more;
            }
        }
        sums
    }

    /// By how much the evidence of each run was over what is needed, at best; ascending.
    pub(super) fn margins(mut self) -> Vec<f64> {
        let runs = self.blocks.len();
        let (mut left, mut width, mut turn) = (self.planned.blocks, 1u64, 0u64);
        while left >= 2 * STRIDES {
            let before = self.blocks.clone();
            for (index, sums) in self.blocks.iter_mut().enumerate() {
                sums.add(&before[shuffled(index, turn, runs)]);
            }
            turn += 1;
            left /= 2;
            width *= 2;
        }
        let stride = (left / LOOKS).max(1);
        let mut margins = alloc::vec![-self.rules.limit; runs];
        for (run, margin) in margins.iter_mut().enumerate() {
            let (mut sums, mut turn) = (self.start, turn);
            for step in 1..=left {
                turn += 1;
                sums.add(&self.blocks[shuffled(run, turn, runs)]);
                let looks = (left - step) % stride == 0;
                if looks && float(step * width) * self.planned.canary >= self.planned.requests_min {
                    *margin = sums.margin(self.rules, *margin);
                }
            }
        }
        margins.sort_by(f64::total_cmp);
        margins
    }
}

/// Counts of one version, by rank.
struct Arm {
    hits: Vec<f64>,
    misses: Vec<f64>,
    /// All requests of a block, unless they are so few that their number varies.
    requests: Option<f64>,
}

fn arm(requests: f64, share: f64, variation: f64, runs: usize) -> Arm {
    if requests < FIXED_MIN {
        return Arm {
            hits: counts(requests * share, 0.0, variation, runs),
            misses: counts(requests * (1.0 - share), 0.0, 0.0, runs),
            requests: None,
        };
    }
    let requests = libm::round(requests);
    let hits = counts(requests * share, share, variation, runs);
    Arm {
        hits: hits.into_iter().map(|hits| hits.min(requests)).collect(),
        misses: Vec::new(),
        requests: Some(requests),
    }
}

/// Which block a run takes at a turn: in each turn every block once.
fn shuffled(run: usize, turn: u64, runs: usize) -> usize {
    let mixed = turn.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let runs = runs as u64;
    let factor = 1 + (mixed >> 40) % (runs - 1);
    let shift = (mixed >> 20) % runs;
    usize::try_from((run as u64 * factor + shift) % runs).unwrap_or(0)
}

/// What one block adds.
fn block(
    rules: &Rules,
    forecast: Option<&mut Forecast>,
    own: (f64, f64),
    other: (f64, f64),
) -> Sums {
    let mut sums = Sums([0.0; SIZE]);
    let (ratio, shares) = sums.0.split_at_mut(FACTORS);
    if own.1 > 0.0 {
        let share = |(hits, all): (f64, f64)| if all > 0.0 { hits / all } else { 0.0 };
        if let Some(absolute) = rules.absolute {
            shares[..GAINS].copy_from_slice(&ln_gains(absolute, share(own)));
            if other.1 > 0.0 {
                shares[GAINS..2 * GAINS].copy_from_slice(&ln_gains(absolute, share(other)));
            }
        }
        if let Some(relative) = &rules.relative {
            shares[2 * GAINS..].copy_from_slice(&ln_gains(relative.floor, share(own)));
        }
        if let Some(forecast) = forecast.filter(|_| other.1 > 0.0) {
            ratio.copy_from_slice(&forecast.factors(own, other));
        }
    }
    sums
}
