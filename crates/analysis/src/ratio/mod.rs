//! Are events more frequent with the canary, counted per request, if rates burst?

mod law;
mod state;

use core::ops::Range;

use serde::{Deserialize, Serialize};

use crate::special::{float, halvings, millionths};
use law::{BOUND, Case, MULTIPLES, RATIOS, WAYS};
use state::Numbers;

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

    /// The same block with no more events than requests.
    const fn cut(&self) -> Self {
        const fn least(left: u64, right: u64) -> u64 {
            if left < right { left } else { right }
        }
        Self {
            stable_events: least(self.stable_events, self.stable_requests),
            canary_events: least(self.canary_events, self.canary_requests),
            ..*self
        }
    }
}

/// How likely each way to burst is taken to be where evidence is sought…
const SOUGHT: [f64; WAYS] = [0.295, 0.043, 0.057, 0.089, 0.207, 0.102, 0.207];
/// …and how much weight each has where it is defended against. Tuned, as are [`EFFECTS`]: see
/// `docs/analysis.md`.
const DEFENDED: [f64; WAYS] = [0.112, 0.006, 0.027, 0.036, 0.119, 0.207, 0.324];
/// Weights of the ratios above the bound, and, mirrored, of those below: most harm that matters and
/// is not obvious lies between two and six times.
const EFFECTS: [f64; RATIOS - BOUND - 1] = [0.7, 1.5, 8.0, 14.0, 4.0, 0.8, 0.4];
/// The part of the evidence that is kept for harm that begins later: a part of it is put on each
/// block to come, falling as 1/(s(s + 1)), which sums to one.
const LATER: f64 = 0.02;
/// Likelihoods further than this below the greatest are as good as none; it keeps the
/// evidence finite, and lets what was hopeless come back if things change.
const LEAST: f64 = 1e-250;

/// Evidence about the ratio of two rates that may burst from block to block.
///
/// In a block with n₁ canary and n₀ stable requests, the canary has Poisson(n₁·ρμ·M₁) events and
/// stable Poisson(n₀·μ·M₀). The multipliers have mean 1 and are drawn anew for each block, from
/// Gamma laws of shape 1/c² (coefficient of variation c): either one for both versions, M₁ = M₀,
/// with c of 0, 0.5 or 1, or one for each, with c of 0.3, 0.6, 1 or 1.5. So the counts are negative
/// binomial, each by itself, or, with one multiplier, their sum is, and its split is binomial.
/// The common rate μ is integrated out, with the prior 1/μ, by Laplace's approximation block by
/// block. Beside all that, each block may with probability 0.01 be a shock to both versions, in which
/// any number of events is as likely as any other: it then tells only by its split. So a dependency
/// that fails for both, a hundred times worse than any burst, is not held against the canary.
///
/// The likelihood is kept for each ratio ρ of a small grid and each way to burst. The evidence that
/// ρ is above the bound is the mixture over all ρ above it and all ways, divided by a weighted sum
/// over the ways at the bound. Per way this is at most a constant (1 / its weight) times an
/// e-process, as in universal inference (Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020); that
/// the constant is not needed is a measurement, not a proof: `docs/analysis.md` has the shares of
/// false alarms. As blocks agree with each other, in their totals and in their splits, the bursty
/// explanations lose, and the test becomes nearly as quick as one for independent errors; as they
/// disagree, it waits.
///
/// A fiftieth of the evidence is kept for harm that begins later, at any block to come: a mixture over
/// the moment of change (as in Shiryaev 1963, "On optimum methods in quickest detection problems").
/// So a long good time does not hide a bad one that follows it.
///
/// Assumed: blocks are independent given the rates, and bursts are roughly Gamma with c up to 1.5.
/// The state is 200 numbers; a block costs the same whatever its counts. The counts
/// of a block with more than 2^36 events of a version are scaled down together.
///
/// ```
/// use nonevent_analysis::{Block, RateRatio};
/// let mut test = RateRatio::new(1.0);
/// for _ in 0..4 {
///     test.observe(&Block {
///         stable_requests: 500, stable_events: 5, canary_requests: 500, canary_events: 17,
///     });
/// }
/// assert!(test.ln_e_value_above() > (1.0f64 / 0.02).ln());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRatio {
    bound_ppm: u64,
    total: Block,
    /// Blocks in which both versions had requests.
    blocks: u64,
    /// The same that were learnt from: from the first event on.
    learnt: u64,
    numbers: Numbers,
}

impl RateRatio {
    /// Against "the canary's rate is at most `bound` times stable's"; the bound is rounded to
    /// whole millionths and brought into \[1/1000, 1000\].
    #[must_use]
    pub fn new(bound: f64) -> Self {
        Self {
            bound_ppm: millionths(bound, 1e-3, 1e3, 1.0),
            total: Block::default(),
            blocks: 0,
            learnt: 0,
            numbers: Numbers::new(1.0 - LATER),
        }
    }

    fn bound(&self) -> f64 {
        float(self.bound_ppm) / 1e6
    }

    /// Blocks that both versions had requests in.
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Takes one block. A block in which one version had no requests says nothing about the ratio;
    /// blocks before the first event count as part of the one that has it. Events beyond the number
    /// of requests are cut off.
    pub fn observe(&mut self, block: &Block) {
        if block.stable_requests == 0 || block.canary_requests == 0 {
            return;
        }
        let block = block.cut();
        self.total.add(&block);
        self.blocks = self.blocks.saturating_add(1);
        if self.total.stable_events == 0 && self.total.canary_events == 0 {
            return;
        }
        let seen = if self.learnt == 0 { self.total } else { block };
        // Halved together, and what little is lost is lost in the canary's favour.
        let less = halvings(seen.stable_events.max(seen.canary_events));
        let up = |count: u64| float(count.div_ceil(1 << less));
        let down = |count: u64| float(count >> less);
        let canary = (down(seen.canary_events), up(seen.canary_requests));
        let stable = (up(seen.stable_events), up(seen.stable_requests));
        let bound = self.bound();
        let case = Case::new(bound, canary, stable);
        let table = self.numbers.rates.learn(bound, &case);
        let later = float(self.learnt);
        self.learnt = self.learnt.saturating_add(1);
        self.numbers.multiply(
            &table,
            LATER / (later * (later + 1.0)).max(1.0) * later.min(1.0),
        );
    }

    /// ln of the evidence that the ratio is above the bound.
    #[must_use]
    pub fn ln_e_value_above(&self) -> f64 {
        let mut evidence = 0.0;
        for (way, sought) in self.numbers.above.iter().zip(SOUGHT) {
            evidence += sought * weighted(way, &EFFECTS);
        }
        libm::log(evidence / total(&EFFECTS) / total(&SOUGHT)) - libm::log(self.defended(BOUND))
    }

    /// ln of the evidence that the ratio is below the bound.
    #[must_use]
    pub fn ln_e_value_below(&self) -> f64 {
        let evidence = self.sought(0..BOUND);
        libm::log(evidence) - libm::log(self.defended(BOUND))
    }

    /// Bounds on the ratio that hold at all moments together with probability 1 − `alpha`: the
    /// nearest ratios of the grid (powers of √2 from half the bound to eight times, and 64 times) that are ruled
    /// out. `None` where the grid ends before.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> (Option<f64>, Option<f64>) {
        let limit = 1.0 / alpha.clamp(1e-9, 0.5);
        let all = self.sought(0..RATIOS);
        let out = |row: &usize| all >= limit * self.defended(*row);
        let lower = (0..RATIOS).take_while(out).last();
        let upper = (0..RATIOS).rev().take_while(out).last();
        let ratio = |row: usize| MULTIPLES[row] * self.bound();
        (lower.map(ratio), upper.map(ratio))
    }

    /// The likelihood of some ratios, equally weighted, over all ways to burst.
    fn sought(&self, rows: Range<usize>) -> f64 {
        let count = float(rows.len() as u64);
        let ways = self.numbers.ways.iter().zip(SOUGHT);
        let all: f64 = ways
            .map(|(way, sought)| sought * way[rows.clone()].iter().sum::<f64>())
            .sum();
        all / count / total(&SOUGHT)
    }

    /// The likelihood of a ratio, over all ways to burst that it is defended by.
    fn defended(&self, row: usize) -> f64 {
        let ways = self.numbers.ways.iter().zip(DEFENDED);
        ways.map(|(way, defended)| defended * way[row]).sum()
    }
}

fn total(weights: &[f64]) -> f64 {
    weights.iter().sum()
}

fn weighted(values: &[f64], weights: &[f64]) -> f64 {
    let pairs = values.iter().zip(weights);
    pairs.map(|(value, weight)| value * weight).sum()
}
