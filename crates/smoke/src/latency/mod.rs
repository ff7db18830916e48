//! Whether a new version answers slower than an old one: a sequential test on interleaved pairs.

mod signed_rank;

use serde::{Deserialize, Serialize};

use crate::latency::signed_rank::{shift, z};

/// When a new version counts as slower, and how long it is looked at.
///
/// The test is made after 10 pairs and then each time there are about √2 times as many, up to
/// `pairs_max`. Either error is 4 % at most, over all looks together: to call slower what is not, and
/// not slower what is so by the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LatencyRule {
    /// The slowdown that must not go unnoticed, in percent, 1 to 1000: 20.
    pub margin_percent: u32,
    /// Pairs after which it is given up as undecided, 10 to 10 000: 1280.
    ///
    /// A slowdown of a fifth is then found with 95 % probability up to a coefficient of variation
    /// of about 1.
    pub pairs_max: u32,
}

impl Default for LatencyRule {
    fn default() -> LatencyRule {
        LatencyRule {
            margin_percent: 20,
            pairs_max: 1280,
        }
    }
}

/// What is known after a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyVerdict {
    /// Nothing yet: ask another pair.
    NeedsMore,
    /// The new version is not slower by the margin.
    NotSlower,
    /// It is slower.
    Slower,
    /// There were as many pairs as the rule allows, and neither is shown. That is no yes.
    Undecided,
}

/// Pairs at the first look.
const FIRST_LOOK: u32 = 10;
const PAIRS_MAX: u32 = 10_000;
/// The bound that a standard normal walk passes at any of the looks with 4 % probability at most; a
/// test holds it by simulation for the looks that 10 000 pairs have.
const Z_BOUND: f64 = 2.7;
/// The two-sided 90 % point of the normal distribution, for the interval that is shown.
const Z_INTERVAL: f64 = 1.645;

/// Interleaved latencies of two versions, and what they show so far.
///
/// Each pair is one answer of either version to the same request, shortly after each other, in an
/// order that is drawn for each pair ([`LatencyComparison::new_first`]). Without a difference
/// between the versions, the sign of `ln(new / old)` is then a fair coin whatever else disturbs:
/// load that comes and goes, caches that the first one of a pair warms, tails of any weight. What
/// is tested is Wilcoxon's signed-rank statistic (F. Wilcoxon, "Individual comparisons by ranking
/// methods", 1945), whose variance under fair signs is the sum of the squared ranks, at looks that
/// are spaced geometrically, against one bound for all of them (S. J. Pocock, "Group sequential
/// methods in the design and analysis of clinical trials", 1977):
///
/// - *not slower*: the same statistic of `ln(new / old) − ln(1 + margin)` is below minus the bound;
///   this is the test of non-inferiority, and is made first;
/// - *slower*: that of `ln(new / old)` is above the bound.
///
/// ```
/// use nonevent_smoke::{LatencyComparison, LatencyRule, LatencyVerdict};
///
/// let mut pairs = LatencyComparison::new(LatencyRule::default(), 1);
/// let mut verdict = LatencyVerdict::NeedsMore;
/// for at in 0..20 {
///     let _order = pairs.new_first();
///     verdict = pairs.observe(1_000 + at % 7, 1_500 + at % 5);
/// }
/// assert_eq!(verdict, LatencyVerdict::Slower);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyComparison {
    rule: LatencyRule,
    draw: u64,
    /// Microseconds of the old and of the new version.
    pairs: Vec<(u64, u64)>,
    next_look: u32,
    verdict: LatencyVerdict,
}

/// What the pairs show, for people. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencyFigures {
    /// How many there are.
    pub pairs: usize,
    /// The median of the old version.
    pub old_us: u64,
    /// The median of the new version.
    pub new_us: u64,
    /// How many times as long the new version takes: Hodges' and Lehmann's estimate of the shift
    /// of `ln(new / old)`; 1.2 is a fifth longer.
    pub ratio: f64,
    /// The lower end of its 90 % interval, as if it were looked at once.
    pub ratio_low: f64,
    /// The upper end.
    pub ratio_high: f64,
}

impl LatencyComparison {
    /// Nothing is known yet. `seed` decides the order within the pairs. A rule out of its bounds is
    /// brought into them.
    #[must_use]
    pub fn new(rule: LatencyRule, seed: u64) -> LatencyComparison {
        let rule = LatencyRule {
            margin_percent: rule.margin_percent.clamp(1, 1_000),
            pairs_max: rule.pairs_max.clamp(FIRST_LOOK, PAIRS_MAX),
        };
        LatencyComparison {
            rule,
            draw: seed,
            pairs: Vec::new(),
            next_look: FIRST_LOOK,
            verdict: LatencyVerdict::NeedsMore,
        }
    }

    /// Whether the new version is asked first in the next pair.
    #[must_use]
    pub fn new_first(&mut self) -> bool {
        // splitmix64 (G. L. Steele and others, "Fast splittable pseudorandom number generators",
        // 2014).
        self.draw = self.draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.draw;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) & 1 == 1
    }

    /// Takes in a pair, in microseconds; 0 counts as 1. After a decision nothing changes it.
    pub fn observe(&mut self, old_us: u64, new_us: u64) -> LatencyVerdict {
        if self.verdict != LatencyVerdict::NeedsMore {
            return self.verdict;
        }
        self.pairs.push((old_us.max(1), new_us.max(1)));
        let count = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX);
        let is_last = count >= self.rule.pairs_max;
        if count < self.next_look && !is_last {
            return self.verdict;
        }
        while self.next_look <= count {
            self.next_look = later(self.next_look);
        }
        let margin = (1.0 + f64::from(self.rule.margin_percent) / 100.0).ln();
        let mut logs = self.logs();
        if z(logs.iter().map(|log| log - margin)) < -Z_BOUND {
            self.verdict = LatencyVerdict::NotSlower;
        } else if z(logs.drain(..)) > Z_BOUND {
            self.verdict = LatencyVerdict::Slower;
        } else if is_last {
            self.verdict = LatencyVerdict::Undecided;
        }
        self.verdict
    }

    /// What the pairs show so far.
    #[must_use]
    pub fn figures(&self) -> LatencyFigures {
        let old = median(self.pairs.iter().map(|(old, _)| *old).collect());
        let new = median(self.pairs.iter().map(|(_, new)| *new).collect());
        let (middle, low, high) = shift(&self.logs(), Z_INTERVAL);
        LatencyFigures {
            pairs: self.pairs.len(),
            old_us: old,
            new_us: new,
            ratio: middle.exp(),
            ratio_low: low.exp(),
            ratio_high: high.exp(),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a latency of 2^53 microseconds is 285 years"
    )]
    fn logs(&self) -> Vec<f64> {
        let log = |(old, new): &(u64, u64)| (*new as f64).ln() - (*old as f64).ln();
        self.pairs.iter().map(log).collect()
    }
}

/// The look after one at `pairs`: about √2 times as many.
fn later(pairs: u32) -> u32 {
    pairs + (pairs * 41).div_ceil(100).max(1)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{FIRST_LOOK, PAIRS_MAX, Z_BOUND, later};

    /// splitmix64, to a normal number by the sum of twelve uniform ones.
    fn normal(state: &mut u64) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            #[expect(clippy::cast_precision_loss, reason = "53 bits")]
            let uniform = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
            sum += uniform;
        }
        sum
    }

    #[test]
    fn chance_passes_the_bound_seldom() {
        let (mut passed, runs, mut state) = (0, 20_000, 1);
        for _ in 0..runs {
            let (mut walk, mut at, mut before) = (0.0, FIRST_LOOK, 0);
            while at <= PAIRS_MAX {
                walk += f64::from(at - before).sqrt() * normal(&mut state);
                if walk / f64::from(at).sqrt() > Z_BOUND {
                    passed += 1;
                    break;
                }
                (before, at) = (at, later(at));
            }
        }
        let share = 100.0 * f64::from(passed) / f64::from(runs);
        assert!((1.5..=4.0).contains(&share), "{share} %");
    }
}
