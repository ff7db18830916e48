//! Quantiles of two latency histograms, compared at any moment.

use alloc::vec::Vec;

use crate::least_sum::FallingAndRising;
use crate::mixture::alpha_within;
use crate::pair::{Arm, LatencyPair};
use crate::quantile::ShareEvidence;
use crate::shift::Shift;
use crate::special::float;

/// Ratios are looked for at the powers of 2^(1/32), about 2.2 % apart, up to 1024.
const RATIO_STEPS: i32 = 32 * 10;
/// Differences are looked for up to this many microseconds (71 minutes).
const DIFFERENCE_MAX_US: i64 = 1 << 32;

/// Compares one quantile of the canary's latency with stable's, at every moment.
///
/// Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
/// best-arm identification", Bernoulli 28 (2022), section 5: at the canary's true quantile x the
/// requests up to x are Bernoulli(p) trials, and if stable's quantile is no lower, at least 1 − p
/// of its requests take x or more. The product of the two arms' beta-binomial evidences against
/// that is a supermartingale that begins at 1. As x is not known, the least product over all x is
/// taken: an e-value at every moment, so P(it ever reaches 1/α) ≤ α. Requests must be independent.
///
/// **Buckets and margins.** x lies in some bucket. Of the arm that should be the slower, all
/// requests of that bucket count as up to x; of the other, only the requests in buckets that,
/// moved by the margin, end at or before the bucket's beginning count as before x. Both can only
/// lessen the evidence, so the guarantee holds with any bounds and any margin; what it costs is
/// that differences within about two buckets are not seen.
///
/// A test holds settings only and is cheap to make; the data are in the [`LatencyPair`].
///
/// ```
/// use nonevent_analysis::{Arm, LatencyPair, QuantileTest, Shift};
/// let mut pair = LatencyPair::new();
/// for us in 1_000..1_400 {
///     pair.add_us(Arm::Stable, us);
///     pair.add_us(Arm::Canary, us * 2);
/// }
/// let median = QuantileTest::new(QuantileTest::P50, 0.05, 200);
/// let limit = f64::ln(1.0 / 0.05);
/// assert!(median.ln_e_value_slower(&pair, Shift::Ppm(1_500_000)) > limit);
/// assert!(median.ln_e_value_not_slower(&pair, Shift::Ppm(2_500_000)) > limit);
/// let (low, high) = median.ratio_interval(&pair, 0.05);
/// assert!(low > 1.6 && low < 2.0 && high > 2.0 && high < 2.4, "{low} {high}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct QuantileTest {
    evidence: ShareEvidence,
}

impl QuantileTest {
    /// The median, in parts per million.
    pub const P50: u32 = 500_000;
    /// p95, in parts per million.
    pub const P95: u32 = 950_000;
    /// p99, in parts per million.
    pub const P99: u32 = 990_000;

    /// For the quantile `ppm` (brought into \[1, 999 999\]), tightest near `samples_opt` requests
    /// per arm at the level `alpha_opt`.
    #[must_use]
    pub fn new(ppm: u32, alpha_opt: f64, samples_opt: u64) -> Self {
        let p = f64::from(ppm.clamp(1, 999_999)) / 1e6;
        Self {
            evidence: ShareEvidence::new(p, alpha_opt, samples_opt),
        }
    }

    /// ln of the evidence that the canary's quantile is higher than stable's moved by `margin`.
    #[must_use]
    pub fn ln_e_value_slower(&self, pair: &LatencyPair, margin: Shift) -> f64 {
        self.slower(pair, margin)
            .map_or(0.0, |evidence| evidence.ln_e_value())
    }

    /// Whether that evidence is 1/`alpha` or more; many times quicker while it is not.
    #[must_use]
    pub fn is_slower(&self, pair: &LatencyPair, margin: Shift, alpha: f64) -> bool {
        self.slower(pair, margin)
            .is_some_and(|evidence| evidence.is_shown(alpha))
    }

    /// ln of the evidence that the canary's quantile is lower than stable's moved by `margin`:
    /// that it is not slower by more.
    #[must_use]
    pub fn ln_e_value_not_slower(&self, pair: &LatencyPair, margin: Shift) -> f64 {
        self.not_slower(pair, margin)
            .map_or(0.0, |evidence| evidence.ln_e_value())
    }

    /// Whether that evidence is 1/`alpha` or more; many times quicker while it is not.
    #[must_use]
    pub fn is_not_slower(&self, pair: &LatencyPair, margin: Shift, alpha: f64) -> bool {
        self.not_slower(pair, margin)
            .is_some_and(|evidence| evidence.is_shown(alpha))
    }

    /// ln of the evidence that the quantiles differ. As [`ln_quantile_difference`] with the
    /// latencies of a bucket equal.
    ///
    /// [`ln_quantile_difference`]: crate::ln_quantile_difference
    #[must_use]
    pub fn ln_e_value_different(&self, pair: &LatencyPair) -> f64 {
        let [stable, canary] = [Arm::Stable, Arm::Canary].map(|arm| {
            let sums = pair.cumulated(arm);
            SharePath::new(&self.evidence, sums)
        });
        let (Some(stable), Some(canary)) = (stable, canary) else {
            return 0.0;
        };
        // Outside both least points both rise; between them one does and the other falls.
        let (falling, rising) = if stable.bucket > canary.bucket {
            (&stable, &canary)
        } else {
            (&canary, &stable)
        };
        let (first, last) = (rising.bucket, falling.bucket);
        TwoSided { falling, rising }.least(first, last, first.midpoint(last), f64::NEG_INFINITY)
    }

    /// Bounds on an arm's quantile in microseconds, `(exclusive lower, inclusive upper)`, that
    /// hold at all moments together with probability 1 − `alpha`; `(0, u64::MAX)` if nothing is
    /// known, and the open bucket ends at `u64::MAX`. A lower bound of 0 includes 0.
    #[must_use]
    pub fn interval_us(&self, pair: &LatencyPair, arm: Arm, alpha: f64) -> (u64, u64) {
        let limit = -libm::log(alpha_within(alpha));
        let Some(path) = SharePath::new(&self.evidence, pair.cumulated(arm)) else {
            return (0, u64::MAX);
        };
        let first = first_where(0, path.bucket, |bucket| path.at(bucket) < limit);
        let end = first_where(path.bucket, path.sums.len(), |bucket| {
            path.at(bucket) >= limit
        });
        let lower = first
            .checked_sub(1)
            .map_or(0, |bucket| pair.upper_us(bucket));
        // Beyond the slowest request all are hits.
        let beyond = || {
            self.evidence
                .least_between(path.all, path.all, path.all, path.least_at)
        };
        let upper = if end >= path.sums.len() && beyond() < limit {
            u64::MAX
        } else {
            end.checked_sub(1).map_or(0, |bucket| pair.upper_us(bucket))
        };
        (lower, upper.max(lower))
    }

    /// Bounds on the canary's quantile divided by stable's that hold at all moments together
    /// with probability 1 − `alpha`: the ratios beyond which the one-sided evidences reach 2/α,
    /// on a grid 2.2 % fine from 1/1024 to 1024; beyond it 0 and infinity. About 20 looks' work.
    #[must_use]
    pub fn ratio_interval(&self, pair: &LatencyPair, alpha: f64) -> (f64, f64) {
        let ratio = |step: i64| libm::exp2(float_step(step) / 32.0);
        let shift = |step: i64| Shift::Ppm(crate::special::millionths(ratio(step), 1e-6, 1e6, 1.0));
        let (low, high) = self.shifts(pair, i64::from(RATIO_STEPS), alpha, shift);
        (low.map_or(0.0, ratio), high.map_or(f64::INFINITY, ratio))
    }

    /// As [`ratio_interval`](Self::ratio_interval), for the canary's quantile minus stable's, in
    /// microseconds; `None` where there is no bound within 71 minutes.
    #[must_use]
    pub fn difference_interval_us(
        &self,
        pair: &LatencyPair,
        alpha: f64,
    ) -> (Option<i64>, Option<i64>) {
        self.shifts(pair, DIFFERENCE_MAX_US, alpha, Shift::Us)
    }

    /// The largest step at which "slower" and the smallest at which "not slower" is
    /// shown at half of `alpha`; both evidences are monotone in the margin.
    fn shifts(
        &self,
        pair: &LatencyPair,
        steps: i64,
        alpha: f64,
        shift: impl Fn(i64) -> Shift,
    ) -> (Option<i64>, Option<i64>) {
        let half = alpha_within(alpha) / 2.0;
        let slower = |step| self.is_slower(pair, shift(step), half);
        let not_slower = |step| self.is_not_slower(pair, shift(step), half);
        let low = first_step(-steps, steps + 1, |step| !slower(step)) - 1;
        let high = first_step(-steps, steps + 1, not_slower);
        (
            (low >= -steps).then_some(low),
            (high <= steps).then_some(high),
        )
    }

    /// What is to be said of "the slower arm's quantile is above the faster's moved"; `moved`
    /// takes a latency of the slower arm to the faster's axis, rounded down. `None` before any
    /// request.
    fn above(
        &self,
        pair: &LatencyPair,
        [slower, faster]: [Arm; 2],
        moved: impl Fn(u64) -> i128,
    ) -> Option<OneSided<'_>> {
        let (slow, fast) = (pair.cumulated(slower), pair.cumulated(faster));
        Some(OneSided {
            evidence: &self.evidence,
            slow_all: *slow.last()?,
            fast_all: *fast.last()?,
            before: certainly_before(pair, &fast, moved),
            slow,
        })
    }

    fn slower(&self, pair: &LatencyPair, margin: Shift) -> Option<OneSided<'_>> {
        self.above(pair, [Arm::Canary, Arm::Stable], |us| margin.undone(us))
    }

    fn not_slower(&self, pair: &LatencyPair, margin: Shift) -> Option<OneSided<'_>> {
        self.above(pair, [Arm::Stable, Arm::Canary], |us| margin.applied(us))
    }
}

/// For each bucket of the slower arm, the faster arm's requests in buckets that end at or before
/// that bucket's beginning, moved to their axis.
fn certainly_before(pair: &LatencyPair, fast: &[u64], moved: impl Fn(u64) -> i128) -> Vec<u64> {
    let mut ended = 0;
    let mut before = Vec::with_capacity(fast.len());
    for bucket in 0..fast.len() {
        if let Some(previous) = bucket.checked_sub(1) {
            let begin = moved(pair.upper_us(previous));
            while ended < fast.len() && i128::from(pair.upper_us(ended)) <= begin {
                ended += 1;
            }
        }
        before.push(ended.checked_sub(1).map_or(0, |last| fast[last]));
    }
    before
}

/// An arm's two-sided evidence along the buckets.
struct SharePath<'a> {
    evidence: &'a ShareEvidence,
    sums: Vec<u64>,
    all: u64,
    least_at: f64,
    /// The bucket in which the evidence is least; it falls before and rises after.
    bucket: usize,
}

impl<'a> SharePath<'a> {
    /// `None` if no bucket was ever occupied.
    fn new(evidence: &'a ShareEvidence, sums: Vec<u64>) -> Option<Self> {
        let all = *sums.last()?;
        let least_at = evidence.least_at(all);
        let bucket = sums
            .partition_point(|sum| float(*sum) < least_at)
            .min(sums.len() - 1);
        Some(Self {
            evidence,
            sums,
            all,
            least_at,
            bucket,
        })
    }

    fn at(&self, bucket: usize) -> f64 {
        let low = bucket.checked_sub(1).map_or(0, |before| self.sums[before]);
        self.evidence
            .least_between(low, self.sums[bucket], self.all, self.least_at)
    }
}

/// Evidence that the slower arm's share up to a bucket is below p, and that the faster's share
/// before it is above.
struct OneSided<'a> {
    evidence: &'a ShareEvidence,
    slow: Vec<u64>,
    slow_all: u64,
    before: Vec<u64>,
    fast_all: u64,
}

impl OneSided<'_> {
    fn ln_e_value(&self) -> f64 {
        self.least(0, self.slow.len() - 1, self.guess(), f64::NEG_INFINITY)
    }

    fn is_shown(&self, alpha: f64) -> bool {
        let limit = -libm::log(alpha_within(alpha));
        self.reaches(0, self.slow.len() - 1, self.guess(), limit)
    }

    /// Where one arm lacks and the other exceeds by about as many deviations, the sum is about the
    /// least.
    fn guess(&self) -> usize {
        let (slow_all, fast_all) = (float(self.slow_all).max(1.0), float(self.fast_all).max(1.0));
        let p = self.evidence.share();
        let roots = (libm::sqrt(slow_all), libm::sqrt(fast_all));
        first_where(0, self.slow.len() - 1, |bucket| {
            let lack = (p * slow_all - float(self.slow[bucket])) / roots.0;
            let excess = (float(self.before[bucket]) - p * fast_all) / roots.1;
            excess >= lack
        })
    }
}

impl FallingAndRising for OneSided<'_> {
    fn falling(&self, bucket: usize) -> f64 {
        self.evidence.below(self.slow[bucket], self.slow_all)
    }

    fn rising(&self, bucket: usize) -> f64 {
        self.evidence.above(self.before[bucket], self.fast_all)
    }

    fn falling_bounds(&self, bucket: usize) -> (f64, f64) {
        self.evidence.below_bounds(self.slow[bucket], self.slow_all)
    }

    fn rising_bounds(&self, bucket: usize) -> (f64, f64) {
        self.evidence
            .above_bounds(self.before[bucket], self.fast_all)
    }
}

/// Two arms' two-sided evidences, between the buckets in which they are least.
struct TwoSided<'a> {
    falling: &'a SharePath<'a>,
    rising: &'a SharePath<'a>,
}

impl FallingAndRising for TwoSided<'_> {
    fn falling(&self, bucket: usize) -> f64 {
        self.falling.at(bucket)
    }

    fn rising(&self, bucket: usize) -> f64 {
        self.rising.at(bucket)
    }
}

/// The first number in \[low, high) at which `reached` holds, or `high`; it must stay true.
fn first_where(low: usize, high: usize, reached: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low.midpoint(high);
        if reached(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn first_step(low: i64, high: i64, reached: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        // Rounded down, also below 0.
        let middle = low + (high - low) / 2;
        if reached(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[expect(clippy::cast_precision_loss, reason = "at most a few hundred")]
const fn float_step(step: i64) -> f64 {
    step as f64
}
