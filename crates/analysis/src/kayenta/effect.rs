//! How large a difference is, whatever its significance.

use alloc::vec::Vec;

use super::Arms;
use super::interval::{is_usable, within_limit};
use crate::special::float;

/// A ratio is cut off here, so that it can be written as JSON.
const RATIO_MAX: f64 = 1e300;

/// The experiment's mean over the control's.
///
/// 1 if both means are zero; cut off at ±1e300 if only the control's is. Means of different signs
/// give a negative ratio, and two negative means a ratio whose direction is turned: made for metrics
/// that are not negative. `None` if an arm is empty, has more than [`SAMPLES_MAX`](super::SAMPLES_MAX)
/// samples, or one that is not finite.
///
/// ```
/// use nonevent_analysis::kayenta::{Arms, mean_ratio};
/// let arms = Arms { control: &[1.0, 3.0], experiment: &[3.0, 3.0] };
/// assert_eq!(mean_ratio(arms), Some(1.5));
/// ```
#[must_use]
pub fn mean_ratio(arms: Arms<'_>) -> Option<f64> {
    usable(arms).then(|| ratio_of_means(arms.experiment, arms.control))
}

/// The common language effect size: the probability that a sample of the experiment is above one of
/// the control, equal ones counting half. From 0 to 1; 0.5 is no effect.
///
/// U / (m·n), with U the Mann–Whitney statistic (McGraw and Wong, "A common language effect size
/// statistic", Psychological Bulletin 111, 1992; Vargha and Delaney 2000 for ties). `None` as for
/// [`mean_ratio`].
///
/// ```
/// use nonevent_analysis::kayenta::{Arms, cles};
/// let arms = Arms { control: &[1.0, 2.0], experiment: &[2.0, 3.0] };
/// assert_eq!(cles(arms), Some(0.875));
/// ```
#[must_use]
pub fn cles(arms: Arms<'_>) -> Option<f64> {
    let sorted = |samples: &[f64]| {
        let mut sorted: Vec<f64> = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    };
    usable(arms).then(|| cles_of_sorted(&sorted(arms.experiment), &sorted(arms.control)))
}

fn usable(arms: Arms<'_>) -> bool {
    [arms.control, arms.experiment].into_iter().all(|samples| {
        !samples.is_empty()
            && within_limit(samples).is_ok()
            && samples.iter().all(|sample| is_usable(*sample))
    })
}

pub(super) fn ratio_of_means(experiment: &[f64], control: &[f64]) -> f64 {
    let mean = |samples: &[f64]| samples.iter().sum::<f64>() / float(samples.len() as u64);
    let (experiment, control) = (mean(experiment), mean(control));
    if experiment == control {
        return 1.0;
    }
    // One sign of zero for the control, so that −0 does not turn the ratio around.
    (experiment / (control + 0.0)).clamp(-RATIO_MAX, RATIO_MAX)
}

pub(super) fn cles_of_sorted(experiment: &[f64], control: &[f64]) -> f64 {
    let (mut below, mut up_to, mut halves) = (0, 0, 0usize);
    for x in experiment {
        while control.get(below).is_some_and(|y| y < x) {
            below += 1;
        }
        while control.get(up_to).is_some_and(|y| y <= x) {
            up_to += 1;
        }
        halves += below + up_to;
    }
    float(halves as u64) / 2.0 / float((experiment.len() * control.len()) as u64)
}
