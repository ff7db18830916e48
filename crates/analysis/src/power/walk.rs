//! How the evidence of a planned step will grow: a small simulation without chance.

use alloc::vec::Vec;

use super::strata::counts;
use crate::betting::{GAINS, ln_gains, ln_wealth};
use crate::ratio::{Block, RateRatio};
use crate::special::float;

/// So many strides are single blocks…
const SINGLE: u64 = 32;
/// …and after each further so many, a stride becomes twice as long.
const DOUBLED: u64 = 16;
/// Mean requests of a block above which its requests are taken for a fixed number.
const FIXED_MIN: f64 = 10.0;
/// A run is not looked at any more once its evidence is so far over what is needed, in nats.
const ENOUGH: f64 = 1.0;

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

impl Rules {
    /// The greatest share that no rule minds.
    pub(super) fn allowed(&self, stable: f64) -> f64 {
        let excused = |bound: f64| if stable > bound { f64::MAX } else { bound };
        let multiple = |it: &Relative| it.ratio.map_or(0.0, |ratio| ratio * stable).max(it.floor);
        let absolute = self.absolute.map_or(f64::MAX, excused);
        self.relative
            .as_ref()
            .map_or(f64::MAX, multiple)
            .min(absolute)
    }

    /// The same without what the ratio to stable says.
    pub(super) fn bets(&self) -> Self {
        let relative = self.relative.clone();
        Self {
            relative: relative.map(|relative| Relative {
                ratio: None,
                ..relative
            }),
            ..*self
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Relative {
    /// The highest multiple of stable's share; `None` if the floor alone decides.
    pub(super) ratio: Option<f64>,
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

/// What a block, or several joined, have in them.
#[derive(Clone, Copy)]
struct Part {
    counts: Block,
    /// What they add to ln of the capitals: of the canary against the absolute bound, of stable
    /// against it, and of the canary against the floor.
    gains: [[f64; GAINS]; 3],
}

impl Part {
    fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        add(&mut self.gains, &other.gains);
    }
}

fn add(sums: &mut [[f64; GAINS]; 3], more: &[[f64; GAINS]; 3]) {
    for (sum, more) in sums.as_flattened_mut().iter_mut().zip(more.as_flattened()) {
        *sum += more;
    }
}

/// A step as it may come.
struct Run {
    gains: [[f64; GAINS]; 3],
    /// The very test that will run; joined blocks are one to it.
    ratio: Option<RateRatio>,
    /// By how much the evidence was over what is needed, at best.
    margin: f64,
    /// The blocks until it first was.
    found: Option<u64>,
}

impl Run {
    fn take(&mut self, part: &Part) {
        add(&mut self.gains, &part.gains);
        if let Some(ratio) = &mut self.ratio {
            ratio.observe(&part.counts);
        }
    }

    /// By how much the best rule is over what it needs now.
    fn over(&self, rules: &Rules) -> f64 {
        let mut over = f64::MIN;
        // Where stable leans over the same bound, the canary is not to blame.
        if rules.absolute.is_some() && ln_wealth(&self.gains[1]) <= 0.0 {
            over = ln_wealth(&self.gains[0]) - rules.limit;
        }
        if let Some(relative) = &rules.relative {
            let needed = rules.limit + relative.beyond;
            let floor = ln_wealth(&self.gains[2]) - needed;
            if floor > over {
                let ratio = self.ratio.as_ref().map_or(f64::MAX, |ratio| {
                    ratio.ln_e_value_above() + relative.ratio_short - needed
                });
                over = over.max(floor.min(ratio));
            }
        }
        over
    }
}

/// A step in which the canary has one share of requests that count, in equally likely runs.
pub(super) struct Walk<'a> {
    rules: &'a Rules,
    requests_min: f64,
    canary: f64,
    /// Equally likely strides of so many blocks.
    parts: Vec<Part>,
    width: u64,
    /// Strides and blocks so far.
    turn: u64,
    blocks: u64,
    runs: Vec<Run>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(rules: &'a Rules, planned: &Planned, share: f64, runs: usize) -> Self {
        let Planned {
            canary,
            stable,
            stable_share,
            variation,
            ..
        } = *planned;
        let own = arm(canary, share, variation, runs);
        let other = arm(stable, stable_share, variation, runs);
        // A lattice: each coordinate takes each value once.
        let at = |run: usize, factor: usize| run * factor % runs;
        let drawn = |arm: &Arm, hit: usize, miss: usize| {
            let hits = arm.hits[hit];
            let all = arm.requests.unwrap_or_else(|| hits + arm.misses[miss]);
            (hits, all)
        };
        let parts = (0..runs).map(|run| {
            let own = drawn(&own, run, at(run, 27));
            let other = drawn(&other, at(run, 10), at(run, 48));
            part(rules, own, other)
        });
        let ratio = rules.relative.as_ref().and_then(|relative| relative.ratio);
        let run = || Run {
            gains: [[0.0; GAINS]; 3],
            ratio: ratio.map(RateRatio::new),
            margin: -rules.limit,
            found: None,
        };
        Self {
            rules,
            requests_min: planned.requests_min,
            canary,
            parts: parts.collect(),
            width: 1,
            turn: 0,
            blocks: 0,
            runs: (0..runs).map(|_| run()).collect(),
        }
    }

    /// Goes on by one stride.
    fn stride(&mut self) {
        let count = self.runs.len();
        if self.turn >= SINGLE && (self.turn - SINGLE).is_multiple_of(DOUBLED) {
            let before = self.parts.clone();
            for (index, part) in self.parts.iter_mut().enumerate() {
                part.add(&before[shuffled(index, !self.turn, count)]);
            }
            self.width = self.width.saturating_mul(2);
        }
        self.turn += 1;
        self.blocks = self.blocks.saturating_add(self.width);
        let enough = float(self.blocks) * self.canary >= self.requests_min;
        for (index, run) in self.runs.iter_mut().enumerate() {
            if run.margin >= ENOUGH {
                continue;
            }
            run.take(&self.parts[shuffled(index, self.turn, count)]);
            if enough {
                let over = run.over(self.rules);
                run.margin = run.margin.max(over);
                if over >= 0.0 {
                    run.found.get_or_insert(self.blocks);
                }
            }
        }
    }

    /// By how much the evidence of each run was over what is needed, at best, within so many blocks;
    /// ascending. Blocks that fill no stride are left out.
    pub(super) fn margins(mut self, blocks: u64) -> Vec<f64> {
        while blocks - self.blocks >= self.width_next() {
            self.stride();
        }
        let mut margins: Vec<f64> = self.runs.iter().map(|run| run.margin).collect();
        margins.sort_by(f64::total_cmp);
        margins
    }

    fn width_next(&self) -> u64 {
        let doubles = self.turn >= SINGLE && (self.turn - SINGLE).is_multiple_of(DOUBLED);
        self.width.saturating_mul(if doubles { 2 } else { 1 })
    }

    /// The blocks after which each run was found, if all are within so many.
    pub(super) fn found(mut self, blocks_max: u64) -> Option<Vec<u64>> {
        while self.runs.iter().any(|run| run.found.is_none()) {
            if self.blocks >= blocks_max {
                return None;
            }
            self.stride();
        }
        self.runs.iter().map(|run| run.found).collect()
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

/// What one block has in it.
fn part(rules: &Rules, own: (f64, f64), other: (f64, f64)) -> Part {
    let mut gains = [[0.0; GAINS]; 3];
    if own.1 > 0.0 {
        let share = |(hits, all): (f64, f64)| if all > 0.0 { hits / all } else { 0.0 };
        if let Some(absolute) = rules.absolute {
            gains[0] = ln_gains(absolute, share(own));
            if other.1 > 0.0 {
                gains[1] = ln_gains(absolute, share(other));
            }
        }
        if let Some(relative) = &rules.relative {
            gains[2] = ln_gains(relative.floor, share(own));
        }
    }
    Part {
        counts: Block {
            stable_requests: whole(other.1),
            stable_events: whole(other.0),
            canary_requests: whole(own.1),
            canary_events: whole(own.0),
        },
        gains,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates when it becomes an integer, and counts are not negative"
)]
pub(super) fn whole(value: f64) -> u64 {
    value as u64
}
