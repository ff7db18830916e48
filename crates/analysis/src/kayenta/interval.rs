//! The Mann–Whitney confidence interval of a location shift, exactly, by selection.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::select::Differences;
use super::{Arms, KayentaError, KayentaErrorKind};
use crate::special::{float, normal_cdf};

/// The most samples in one arm.
pub const SAMPLES_MAX: usize = 10_000;

/// The largest magnitude of a sample; what is beyond is taken for infinite. Keeps differences and
/// sums finite.
pub const SAMPLE_MAGNITUDE_MAX: f64 = 1e300;

/// By how much the experiment's samples lie above the control's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShiftInterval {
    /// The lower end of the two-sided confidence interval of experiment − control.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
    /// The shift at which the statistic is zero: the median of all pairwise differences.
    pub estimate: f64,
    /// Whether the samples are enough for this confidence. If not, `lower` and `upper` are the
    /// least and the greatest difference seen, as in R, and bound nothing.
    pub attained: bool,
}

/// Mann–Whitney intervals at one confidence, with buffers that are used again.
///
/// # What is computed
///
/// Let D be the m·n differences experiment − control. Shift the experiment down by d: the
/// Mann–Whitney statistic U(d) counts the differences above d, and
///
/// z(d) = (U(d) − mn/2 ∓ 1/2) / σ, σ² = mn/12 · (m + n + 1 − Σ(t³ − t) / ((m + n)(m + n − 1))),
///
/// with the continuity correction towards zero and t the sizes of groups of equal samples
/// (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd edition, sections 4.1 to
/// 4.3). The interval's ends are where z crosses the quantiles ±z₁₋α⸝₂; the estimate is where it
/// crosses zero, without the correction. Between two neighbouring differences no sample of one arm
/// equals one of the other, so only ties within an arm count, σ is the same everywhere, and z steps
/// down at the differences alone. The lower end is therefore the k-th least difference, with k the
/// first for which mn/2 − k − 1/2 < σ·z₁₋α⸝₂; the upper end is the k-th greatest; the estimate is
/// the median. No root is searched for.
///
/// # Where R's `wilcox.test(exact = FALSE, conf.int = TRUE)` differs
///
/// - It stops within 10⁻⁴ of the root (an absolute tolerance), which matters for samples of that
///   size, such as error rates; the exact figures here scale with the samples.
/// - With an even number of differences z is zero on a whole stretch. R returns the point of it that
///   its search met first; this returns the middle.
/// - Exactly *at* a difference, samples of both arms are equal and σ is a little smaller, so that z
///   may be over the quantile there although it is not on either side. If R's search meets such a
///   point, as it may with few distinct values, its end is the next such difference instead.
/// - If both arms are constant R stops with an error; here all three figures are the difference.
/// - Too few samples: see [`ShiftInterval::attained`].
///
/// So a decision that hangs on equality, such as a lower end of 1 and an estimate of 4 with counts
/// for samples, falls here on the side of no difference and there as the search happens to end.
///
/// ```
/// use nonevent_analysis::kayenta::{Arms, MannWhitney};
/// let mut test = MannWhitney::new(0.98);
/// let arms = Arms { control: &[0.0, 1.0, 2.0, 3.0, 4.0], experiment: &[10.0, 11.0, 12.0, 13.0, 14.0] };
/// let shift = test.interval(arms).expect("finite samples in both arms");
/// assert_eq!((shift.lower, shift.upper, shift.estimate), (6.0, 14.0, 10.0));
/// ```
#[derive(Clone, Debug)]
pub struct MannWhitney {
    quantile: f64,
    experiment: Vec<f64>,
    control: Vec<f64>,
    gathered: Vec<f64>,
}

impl MannWhitney {
    /// With two-sided `confidence`, brought into \[0.5, 0.999 999\]; NaN gives 0.98.
    #[must_use]
    pub fn new(confidence: f64) -> Self {
        let confidence = if confidence.is_nan() {
            0.98
        } else {
            confidence.clamp(0.5, 0.999_999)
        };
        Self {
            quantile: upper_quantile((1.0 - confidence) / 2.0),
            experiment: Vec::new(),
            control: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// The interval for experiment − control.
    ///
    /// # Errors
    ///
    /// `Empty` if an arm has no sample, `TooManySamples` beyond [`SAMPLES_MAX`], `NotFinite` if one
    /// is NaN or beyond [`SAMPLE_MAGNITUDE_MAX`].
    pub fn interval(&mut self, arms: Arms<'_>) -> Result<ShiftInterval, KayentaError> {
        load(arms.experiment, &mut self.experiment)?;
        load(arms.control, &mut self.control)?;
        Ok(interval_of_sorted(
            self.quantile,
            &self.experiment,
            &self.control,
            &mut self.gathered,
        ))
    }

    /// The same for samples that are sorted, usable, within the limit, and at least one per arm.
    pub(super) fn interval_of_sorted(
        &mut self,
        experiment: &[f64],
        control: &[f64],
    ) -> ShiftInterval {
        interval_of_sorted(self.quantile, experiment, control, &mut self.gathered)
    }
}

/// The Mann–Whitney interval of experiment − control at a two-sided `confidence`, once. For many,
/// keep a [`MannWhitney`], which uses its buffers again.
///
/// # Errors
///
/// See [`MannWhitney::interval`].
pub fn mann_whitney_interval(
    arms: Arms<'_>,
    confidence: f64,
) -> Result<ShiftInterval, KayentaError> {
    MannWhitney::new(confidence).interval(arms)
}

fn load(samples: &[f64], into: &mut Vec<f64>) -> Result<(), KayentaError> {
    if samples.is_empty() {
        return Err(KayentaErrorKind::Empty.because("an arm has no samples"));
    }
    within_limit(samples)?;
    if !samples.iter().all(|sample| is_usable(*sample)) {
        return Err(KayentaErrorKind::NotFinite.because("a sample is not finite"));
    }
    into.clear();
    into.extend_from_slice(samples);
    into.sort_unstable_by(f64::total_cmp);
    Ok(())
}

pub(super) fn is_usable(sample: f64) -> bool {
    // NaN is not.
    sample.abs() <= SAMPLE_MAGNITUDE_MAX
}

pub(super) fn within_limit(samples: &[f64]) -> Result<(), KayentaError> {
    if samples.len() > SAMPLES_MAX {
        return Err(KayentaErrorKind::TooManySamples.because("an arm has more than 10000 samples"));
    }
    Ok(())
}

fn interval_of_sorted(
    quantile: f64,
    experiment: &[f64],
    control: &[f64],
    gathered: &mut Vec<f64>,
) -> ShiftInterval {
    let sizes = [experiment.len(), control.len()].map(|size| float(size as u64));
    let all = sizes[0] + sizes[1];
    let ties = ties(experiment) + ties(control);
    let product = sizes[0] * sizes[1];
    let deviation = libm::sqrt(product / 12.0 * (all + 1.0 - ties / (all * (all - 1.0))));
    // The first k for which z is below the quantile; none of the differences has rank 0.
    let rank = libm::floor(product / 2.0 - 0.5 - quantile * deviation) + 1.0;
    let attained = rank >= 1.0;
    let pairs = experiment.len() * control.len();
    let middle = pairs.div_ceil(2);
    // At most the middle, since the quantile is not negative.
    let rank = whole(rank.max(1.0)).min(middle);
    let mut differences = Differences {
        experiment,
        control,
        gathered,
    };
    let hint = differences.middle_hint();
    let (left, hint) = differences.select(middle, hint);
    let right = if pairs.is_multiple_of(2) {
        differences.after(middle, left)
    } else {
        left
    };
    let (lower, _) = differences.select(rank, hint.below(middle - rank));
    let upper_rank = pairs + 1 - rank;
    let (upper, _) = differences.select(upper_rank, hint.above(upper_rank - middle));
    ShiftInterval {
        lower,
        upper,
        estimate: f64::midpoint(left, right),
        attained,
    }
}

/// Σ(t³ − t) over the groups of equal samples.
fn ties(sorted: &[f64]) -> f64 {
    sorted
        .chunk_by(|left, right| left == right)
        .filter(|group| group.len() > 1)
        .map(|group| {
            let size = float(group.len() as u64);
            size * (size * size - 1.0)
        })
        .sum()
}

/// The number that a standard normal variable exceeds with probability `tail`, for a tail from
/// 1e-7 to 0.5.
fn upper_quantile(tail: f64) -> f64 {
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if normal_cdf(-middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank from 1 to 10^8"
)]
fn whole(rank: f64) -> usize {
    rank as usize
}
