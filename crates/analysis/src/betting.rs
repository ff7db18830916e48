//! Betting against "the mean of these shares is at most m".

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::special::{float, ln_sum};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareAbove {
    mean_max: f64,
    ln_wealth: Vec<f64>,
}

impl ShareAbove {
    /// Against a mean of at most `mean_max`, which is brought into \[1e-9, 1 − 1e-9\].
    #[must_use]
    pub fn new(mean_max: f64) -> Self {
        let mean_max = if mean_max.is_nan() {
            0.5
        } else {
            mean_max.clamp(1e-9, 1.0 - 1e-9)
        };
        Self {
            mean_max,
            ln_wealth: alloc::vec![0.0; STAKES.len()],
        }
    }

    /// Takes one block of `trials` requests, of which `hits` count. An empty block changes nothing.
    pub fn observe(&mut self, trials: u64, hits: u64) {
        if trials == 0 {
            return;
        }
        let share = float(hits.min(trials)) / float(trials);
        for (ln_wealth, stake) in self.ln_wealth.iter_mut().zip(STAKES) {
            *ln_wealth += libm::log1p(stake / self.mean_max * (share - self.mean_max));
        }
    }

    /// ln of the evidence that the mean is above the bound.
    #[must_use]
    pub fn ln_e_value(&self) -> f64 {
        ln_sum(self.ln_wealth.iter().copied()) - libm::log(float(self.ln_wealth.len() as u64))
    }
}

/// Mean and variance of the log-evidence per block that the best stake earns on `rate`, and what
/// the mean over the stakes gives away; `None` if no stake earns.
pub(crate) fn growth(bound: f64, rate: f64, requests: f64) -> Option<(f64, f64, f64)> {
    if rate <= bound {
        return None;
    }
    let bound = bound.clamp(1e-9, 1.0 - 1e-9);
    // A block of more requests than this hardly varies more.
    let trials = libm::round(requests.clamp(1.0, 400.0));
    // Blocks of less than one request are rarer rather than smaller.
    let filled = requests.min(1.0);
    let best = STAKES
        .into_iter()
        .map(|stake| {
            let (mean, square) = moments(trials, rate, |share| {
                libm::log1p(stake / bound * (share - bound))
            });
            (
                mean * filled,
                square * filled - mean * mean * filled * filled,
            )
        })
        .max_by(|left, right| left.0.total_cmp(&right.0))?;
    (best.0 > 0.0).then(|| (best.0, best.1, libm::log(float(STAKES.len() as u64))))
}

/// Mean and mean square of `value` over a binomial share.
fn moments(trials: f64, rate: f64, value: impl Fn(f64) -> f64) -> (f64, f64) {
    let rate = rate.clamp(1e-12, 1.0 - 1e-12);
    let odds = libm::log(rate) - libm::log1p(-rate);
    let mut ln_weight = trials * libm::log1p(-rate);
    let (mut mean, mut square, mut hits) = (0.0, 0.0, 0.0);
    while hits <= trials {
        let (weight, gain) = (libm::exp(ln_weight), value(hits / trials));
        mean += weight * gain;
        square += weight * gain * gain;
        ln_weight += odds + libm::log((trials - hits).max(1e-300) / (hits + 1.0));
        hits += 1.0;
    }
    (mean, square)
}
