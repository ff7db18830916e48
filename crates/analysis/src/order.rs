//! Two whole latency distributions, compared at any moment.

use crate::band::DistributionBand;
use crate::mixture::alpha_within;
use crate::pair::{Arm, LatencyPair};
use crate::shift::Shift;
use crate::special::float;

/// Whether the canary is slower than stable *anywhere*: bounds on the largest share by which its
/// requests exceed some latency more often than stable's moved by a margin do,
/// sup over x of F_stable(x) − F_canary(x moved).
///
/// From the bands of [`DistributionBand`] around both empirical distribution functions, each at
/// half the error probability, so the bounds hold at all moments together with probability 1 − α.
/// Requests must be independent. It finds a small difference later than a [`QuantileTest`] at the
/// place where it is, and finds it wherever it is.
///
/// **Buckets.** The lower bound moves an x to the end of the bucket in which it lands, the upper
/// bound to that bucket's beginning: both remain bounds. Without a margin the upper bound is never
/// below the share of the fullest bucket; a margin wider than the buckets avoids that.
///
/// ```
/// use nonevent_analysis::{Arm, LatencyPair, Shift, StochasticOrder};
/// let mut pair = LatencyPair::new();
/// for us in 1_000..3_000 {
///     pair.add_us(Arm::Stable, us);
///     pair.add_us(Arm::Canary, if us < 2_000 { us } else { us + 5_000 });
/// }
/// let order = StochasticOrder::new(0.05, 100);
/// let excess = order.excess(&pair, Shift::NONE);
/// assert!(excess.low > 0.3 && excess.at_us >= 2_900, "{excess:?}");
/// assert!(order.excess(&pair, Shift::Ppm(4_000_000)).high < 0.15);
/// ```
///
/// [`QuantileTest`]: crate::QuantileTest
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticOrder {
    band: DistributionBand,
}

/// Bounds on the share of requests by which the canary is slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// At least so much, in \[0, 1\]. Above 0 it is shown that the canary is slower by more than
    /// the margin somewhere.
    pub low: f64,
    /// At most so much, in \[0, 1\]. If it is below a tolerance, the canary is shown to be no
    /// slower than the margin anywhere, up to that share of requests.
    pub high: f64,
    /// The latency of stable's, in microseconds, at which the two differ most; 0 before any
    /// request.
    pub at_us: u64,
}

impl StochasticOrder {
    /// At the error probability `alpha`, from `count_min` requests per arm on; before, nothing is
    /// known. Finds the band's constant, which takes a few hundred microseconds; keep it.
    #[must_use]
    pub fn new(alpha: f64, count_min: u64) -> Self {
        Self {
            band: DistributionBand::new(alpha_within(alpha) / 2.0, count_min),
        }
    }

    /// The excess at this moment.
    #[must_use]
    pub fn excess(&self, pair: &LatencyPair, margin: Shift) -> Excess {
        let unknown = Excess {
            low: 0.0,
            high: 1.0,
            at_us: 0,
        };
        let (stable, canary) = (pair.cumulated(Arm::Stable), pair.cumulated(Arm::Canary));
        let (Some(stable_all), Some(canary_all)) = (stable.last().copied(), canary.last().copied())
        else {
            return unknown;
        };
        if stable_all == 0 || canary_all == 0 {
            return unknown;
        }
        let share = |sum: u64, all: u64| float(sum) / float(all);
        // Buckets of the canary that end before, or at, some latency.
        let (mut reaching, mut ended) = (0, 0);
        let (mut most, mut most_at, mut most_possible) = (0.0, 0, 0.0f64);
        let mut begin = -1;
        for (bucket, sum) in stable.iter().enumerate() {
            let upper = pair.upper_us(bucket);
            let end = margin.applied(upper);
            let of_stable = share(*sum, stable_all);
            while reaching < canary.len() && i128::from(pair.upper_us(reaching)) <= end {
                reaching += 1;
            }
            // The canary's bucket in which `end` lies counts as if all of it were faster.
            let faster = canary.get(reaching).copied().unwrap_or(canary_all);
            let exact = reaching > 0 && i128::from(pair.upper_us(reaching - 1)) == end;
            let faster = if exact { canary[reaching - 1] } else { faster };
            let least = of_stable - share(faster, canary_all);
            if least > most {
                (most, most_at) = (least, upper);
            }
            while ended < canary.len() && i128::from(pair.upper_us(ended)) <= begin {
                ended += 1;
            }
            let slow = ended.checked_sub(1).map_or(0, |last| canary[last]);
            most_possible = most_possible.max(of_stable - share(slow, canary_all));
            begin = end;
        }
        let width = self.band.width(stable_all) + self.band.width(canary_all);
        Excess {
            low: (most - width).max(0.0),
            high: (most_possible + width).min(1.0),
            at_us: most_at,
        }
    }
}
