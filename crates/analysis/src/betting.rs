//! Betting against "the mean of these shares is at most m".

use serde::{Deserialize, Serialize};

use crate::special::{Nats, exp_each, float, ln_each, millionths};

/// Stakes, as shares of the largest stake that cannot ruin the bettor.
const STAKES: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7];

/// Evidence that a share (of requests that failed, say) is above `m` on average, block by block.
///
/// In each block a share f in \[0, 1\] is seen, and a capital of 1 is multiplied by
/// 1 + s/m · (f − m), for each stake s in (0, 1); the evidence is the mean over the stakes. If
/// E\[f | past\] ≤ m in every block, this is a non-negative supermartingale that begins at 1, so by
/// Ville's inequality P(it ever reaches 1/α) ≤ α. Nothing else is assumed: requests within a block
/// may fail together, and the failure rate may burst from block to block.
///
/// Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
/// J. R. Statist. Soc. B 86 (2024).
///
/// ```
/// use nonevent_analysis::ShareAbove;
/// let mut above = ShareAbove::new(0.01);
/// above.observe(50, 1); // one error in 50 requests means nothing
/// assert!(above.ln_e_value() < 1.0);
/// for _ in 0..3 {
///     above.observe(10, 3);
/// }
/// assert!(above.ln_e_value() > (1.0f64 / 0.02).ln());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareAbove {
    mean_max_ppm: u64,
    ln_wealth: [Nats; STAKES.len()],
}

impl ShareAbove {
    /// Against a mean of at most `mean_max`, rounded to whole millionths from 1 to 999 999.
    #[must_use]
    pub fn new(mean_max: f64) -> Self {
        let mean_max_ppm = millionths(mean_max, 1e-6, 1.0 - 1e-6, 0.5);
        Self {
            mean_max_ppm,
            ln_wealth: [Nats::default(); STAKES.len()],
        }
    }

    /// Takes one block of `trials` requests, of which `hits` count. An empty block changes nothing.
    pub fn observe(&mut self, trials: u64, hits: u64) {
        self.observe_against(trials, hits, float(self.mean_max_ppm) / 1e6);
    }

    /// The same against another bound, in (0, 1), that is known before the block.
    pub(crate) fn observe_against(&mut self, trials: u64, hits: u64, mean_max: f64) {
        if trials == 0 {
            return;
        }
        let share = float(hits.min(trials)) / float(trials);
        let growth = ln_each(&STAKES.map(|stake| 1.0 + stake / mean_max * (share - mean_max)));
        for (ln_wealth, growth) in self.ln_wealth.iter_mut().zip(growth) {
            ln_wealth.add(growth);
        }
    }

    /// ln of the evidence that the mean is above the bound.
    #[must_use]
    pub fn ln_e_value(&self) -> f64 {
        // A state that was tampered with may hold fewer.
        let mut wealth = [f64::MIN; STAKES.len()];
        for (wealth, own) in wealth.iter_mut().zip(&self.ln_wealth) {
            *wealth = own.get();
        }
        let highest = wealth.iter().copied().fold(f64::MIN, f64::max);
        let all: f64 = exp_each(&wealth.map(|wealth| wealth - highest))
            .iter()
            .sum();
        highest + libm::log(all / float(STAKES.len() as u64))
    }
}

/// How many numbers [`ln_gains`] gives.
pub(crate) const GAINS: usize = STAKES.len();

/// What a block with this share adds to ln of the capital, for each stake.
pub(crate) fn ln_gains(mean_max: f64, share: f64) -> [f64; GAINS] {
    let mean_max = mean_max.clamp(1e-6, 1.0 - 1e-6);
    STAKES.map(|stake| libm::log1p(stake / mean_max * (share - mean_max)))
}

/// ln of the evidence, from the sums of the [gains](ln_gains) over all blocks.
pub(crate) fn ln_wealth(sums: &[f64; GAINS]) -> f64 {
    let highest = sums.iter().copied().fold(f64::MIN, f64::max);
    let wealth: f64 = exp_each(&sums.map(|sum| sum - highest)).iter().sum();
    highest + libm::log(wealth / float(GAINS as u64))
}
