//! One metric: is the experiment High, Low, or neither?

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::clean::clean;
use super::config::{Config, Direction, EffectMeasure, MetricConfig};
use super::effect::{cles_of_sorted, ratio_of_means};
use super::interval::{MannWhitney, ShiftInterval, within_limit};
use super::score::{Judgement, score};
use super::{KayentaError, KayentaErrorKind};

/// A change must be shown to be larger than this part of its own estimate.
const TOLERANCE: f64 = 0.25;
/// The confidence of the two-sided interval.
const CONFIDENCE: f64 = 0.98;

/// The samples of one metric, in any order; an arm's samples need not be as many as the other's.
#[derive(Clone, Copy, Debug)]
pub struct Arms<'a> {
    /// Of the version that is known to be good.
    pub control: &'a [f64],
    /// Of the version that is judged.
    pub experiment: &'a [f64],
}

/// The samples of a metric by its name.
#[derive(Clone, Copy, Debug)]
pub struct MetricSamples<'a> {
    /// The name in the configuration.
    pub name: &'a str,
    /// What was measured.
    pub arms: Arms<'a>,
}

/// What one metric says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// No significant change in the bad direction that is large enough to matter.
    Pass,
    /// The experiment is above the control.
    High,
    /// The experiment is below the control.
    Low,
    /// An arm has no samples: left out of the score.
    NoData,
    /// The same for a metric that must have data: a failure.
    NoDataFail,
}

/// What one metric says, with the figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Compared {
    /// The answer.
    pub classification: Classification,
    /// Whether it fails the whole canary: the metric is critical, and has no data, or is High or Low
    /// by a critical effect.
    pub critical_failure: bool,
    /// The shift of the experiment against the control; `None` without data and for equal samples.
    pub shift: Option<ShiftInterval>,
    /// The effect, by the metric's measure; `None` as for `shift`.
    pub effect_size: Option<f64>,
    /// How many samples the control had after cleaning.
    pub control_samples: usize,
    /// How many samples the experiment had after cleaning.
    pub experiment_samples: usize,
}

/// A metric's answer, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct MetricResult {
    /// The metric's name.
    pub name: String,
    /// The groups it counts in.
    pub groups: Vec<String>,
    /// The answer and its figures.
    pub compared: Compared,
    /// Why, in one sentence.
    pub reason: String,
}

/// Judges metrics, with buffers that are used again.
///
/// A metric is *High* if all of this holds, and *Low* by the mirror image: an increase is bad; the
/// lower end of the 98 % Mann–Whitney interval of experiment − control is above a quarter of the
/// estimate's size; the effect is at least the allowed increase. Equal samples pass without a test.
///
/// ```
/// use nonevent_analysis::kayenta::{Arms, Config, Judge, MetricConfig, MetricSamples, Rating};
/// let config = Config {
///     metrics: vec![MetricConfig { name: "errors".into(), ..MetricConfig::default() }],
///     ..Config::default()
/// };
/// let arms = Arms { control: &[1.0, 2.0, 3.0, 4.0, 5.0], experiment: &[11.0, 12.0, 13.0, 14.0, 15.0] };
/// let judgement = Judge::new().judge(&config, &[MetricSamples { name: "errors", arms }]);
/// assert_eq!(judgement.expect("a sound configuration").rating, Rating::Fail);
/// ```
#[derive(Clone, Debug)]
pub struct Judge {
    test: MannWhitney,
    control: Vec<f64>,
    experiment: Vec<f64>,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

impl Judge {
    /// With empty buffers. They grow to the largest metric seen, at most a few hundred kilobytes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            test: MannWhitney::new(CONFIDENCE),
            control: Vec::new(),
            experiment: Vec::new(),
        }
    }

    /// What one metric says, without words: the part to call in a simulation.
    ///
    /// Allocates nothing once the buffers are large enough. The metric's problems are not looked for.
    ///
    /// # Errors
    ///
    /// `TooManySamples` beyond [`SAMPLES_MAX`](super::SAMPLES_MAX) in an arm, before cleaning.
    pub fn compare(
        &mut self,
        metric: &MetricConfig,
        arms: Arms<'_>,
    ) -> Result<Compared, KayentaError> {
        within_limit(arms.control)?;
        within_limit(arms.experiment)?;
        clean(metric, arms.control, &mut self.control);
        clean(metric, arms.experiment, &mut self.experiment);
        let (control, experiment) = (&self.control, &self.experiment);
        let without_test = |classification, critical_failure| Compared {
            classification,
            critical_failure,
            shift: None,
            effect_size: None,
            control_samples: control.len(),
            experiment_samples: experiment.len(),
        };
        if control.is_empty() || experiment.is_empty() {
            let classification = if metric.must_have_data {
                Classification::NoDataFail
            } else {
                Classification::NoData
            };
            return Ok(without_test(classification, metric.critical));
        }
        let one_value = control.first() == control.last()
            && experiment.first() == experiment.last()
            && control.first() == experiment.first();
        if one_value || control == experiment {
            return Ok(without_test(Classification::Pass, false));
        }
        let shift = self.test.interval_of_sorted(experiment, control);
        let effect = match metric.effect_size.measure {
            EffectMeasure::MeanRatio => ratio_of_means(experiment, control),
            EffectMeasure::Cles => cles_of_sorted(experiment, control),
        };
        let (classification, critical_effect) = classify(metric, &shift, effect);
        Ok(Compared {
            shift: Some(shift),
            effect_size: Some(effect),
            ..without_test(classification, metric.critical && critical_effect)
        })
    }

    /// Judges all metrics of a configuration. A metric without samples has no data.
    ///
    /// # Errors
    ///
    /// `Config` if the configuration has problems; `Samples` if there are samples for a metric that
    /// is not in it, or twice for one; `TooManySamples` as for [`compare`](Self::compare).
    pub fn judge(
        &mut self,
        config: &Config,
        samples: &[MetricSamples<'_>],
    ) -> Result<Judgement, KayentaError> {
        if let Some(problem) = config.problems().first() {
            let message = format!("{}: {}", problem.field, problem.message);
            return Err(KayentaErrorKind::Config.because(&message));
        }
        let mut by_name = BTreeMap::new();
        for metric in samples {
            if by_name.insert(metric.name, metric.arms).is_some() {
                let message = format!("samples are there twice for the metric {:?}", metric.name);
                return Err(KayentaErrorKind::Samples.because(&message));
            }
        }
        let mut results = Vec::new();
        for metric in &config.metrics {
            let arms = by_name.remove(metric.name.as_str()).unwrap_or(Arms {
                control: &[],
                experiment: &[],
            });
            let compared = self.compare(metric, arms)?;
            results.push(MetricResult {
                name: metric.name.clone(),
                groups: metric
                    .group_names()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                reason: reason(metric, &compared),
                compared,
            });
        }
        if let Some(name) = by_name.keys().next() {
            let message = format!("the metric {name:?} is not in the configuration");
            return Err(KayentaErrorKind::Samples.because(&message));
        }
        Ok(score(config, results))
    }
}

/// The classification, and whether the effect reaches the critical size.
fn classify(metric: &MetricConfig, shift: &ShiftInterval, effect: f64) -> (Classification, bool) {
    let size = &metric.effect_size;
    let limit = |permille: Option<u32>| {
        f64::from(permille.unwrap_or(size.measure.neutral_permille())) / 1_000.0
    };
    let bound = TOLERANCE * shift.estimate.abs();
    if metric.direction != Direction::Decrease
        && shift.attained
        && shift.lower > bound
        && effect >= limit(size.allowed_increase_permille)
    {
        let critical = effect >= limit(size.critical_increase_permille);
        (Classification::High, critical)
    } else if metric.direction != Direction::Increase
        && shift.attained
        && shift.upper < -bound
        && effect <= limit(size.allowed_decrease_permille)
    {
        let critical = effect <= limit(size.critical_decrease_permille);
        (Classification::Low, critical)
    } else {
        (Classification::Pass, false)
    }
}

fn reason(metric: &MetricConfig, compared: &Compared) -> String {
    let what = match (compared.shift, compared.effect_size) {
        (Some(shift), Some(effect)) => {
            let measure = match metric.effect_size.measure {
                EffectMeasure::MeanRatio => "mean ratio",
                EffectMeasure::Cles => "CLES",
            };
            let enough = if shift.attained {
                ""
            } else {
                "; too few samples for this confidence"
            };
            format!(
                "experiment - control is {} (98 % from {} to {}), {measure} {}{enough}",
                digits(shift.estimate),
                digits(shift.lower),
                digits(shift.upper),
                digits(effect)
            )
        }
        _ if compared.control_samples == 0 && compared.experiment_samples == 0 => {
            "neither arm has samples".to_string()
        }
        _ if compared.control_samples == 0 => "the control has no samples".to_string(),
        _ if compared.experiment_samples == 0 => "the experiment has no samples".to_string(),
        _ => "both arms have the same samples".to_string(),
    };
    let name = &metric.name;
    let critical = if compared.critical_failure {
        ", and the metric is critical"
    } else {
        ""
    };
    let verdict = match compared.classification {
        Classification::Pass => "passes",
        Classification::High => "is High",
        Classification::Low => "is Low",
        Classification::NoData => "has no data",
        Classification::NoDataFail => "fails for want of data",
    };
    format!("{name} {verdict}: {what}{critical}")
}

/// A figure to four significant digits.
fn digits(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_string()
    } else if !(1e-4..1e6).contains(&size) {
        format!("{value:.3e}")
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 7"
        )]
        let places = (3.0 - libm::floor(libm::log10(size))).max(0.0) as usize;
        format!("{value:.places$}")
    }
}
