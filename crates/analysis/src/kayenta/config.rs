//! What is asked of a judge: metrics, groups, weights and thresholds, in integers.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The most metrics in one configuration.
pub const METRICS_MAX: usize = 1_000;
/// The most groups that one metric may be in.
pub const GROUPS_MAX: usize = 32;
/// The longest name of a metric or a group, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

/// Metrics, and how their results become one score.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The metrics; at least one, at most [`METRICS_MAX`], each name once.
    pub metrics: Vec<MetricConfig>,
    /// The weights of groups, in percent of the score; together at most 100. Groups that are not
    /// named here share what remains equally.
    pub group_weights_percent: BTreeMap<String, u32>,
    /// From this score on the canary passes; from 0 to 100, default 95.
    pub pass_score: u32,
    /// From this score on it is marginal; at most `pass_score`, default 75.
    pub marginal_score: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            metrics: Vec::new(),
            group_weights_percent: BTreeMap::new(),
            pass_score: 95,
            marginal_score: 75,
        }
    }
}

/// How one metric is judged. `{"name": "errors"}` is a whole one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricConfig {
    /// Its name; from 1 to [`NAME_BYTES_MAX`] bytes.
    pub name: String,
    /// The groups it counts in, at most [`GROUPS_MAX`]; a metric without groups is a group by
    /// itself, named as the metric.
    pub groups: Vec<String>,
    /// Which change is bad; default either.
    pub direction: Direction,
    /// What becomes of NaN; default removed.
    pub nan: NanStrategy,
    /// What becomes of outliers; default kept.
    pub outliers: Outliers,
    /// Whether its failure, or that it has no data, fails the whole canary.
    pub critical: bool,
    /// Whether having no data is a failure of the metric.
    pub must_have_data: bool,
    /// How large a significant change must be to matter.
    pub effect_size: EffectSize,
}

/// The change of a metric that is bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The experiment above the control.
    Increase,
    /// The experiment below the control.
    Decrease,
    /// Both.
    #[default]
    Either,
}

/// What becomes of samples that are NaN. Infinite ones are always removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NanStrategy {
    /// They are left out.
    #[default]
    Remove,
    /// They become 0: for counters that are not written while they are zero.
    Replace,
}

/// What becomes of outliers, in each arm by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outliers {
    /// They stay.
    #[default]
    Keep,
    /// Out goes what is more than 3 interquartile ranges below the lower quartile *and* below the
    /// 1st percentile, and the same above with the 99th (percentiles of R's type 7).
    Remove,
}

/// The measure of an effect, and what of it is allowed.
///
/// A significant change counts from the allowed size on: a High needs an effect of at least the
/// allowed increase, a Low of at most the allowed decrease. What is `None` is neutral: 1000 for the
/// mean ratio, 500 for the CLES.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EffectSize {
    /// The measure; default the mean ratio.
    pub measure: EffectMeasure,
    /// The least effect of a High, in thousandths: 1200 is a mean that is 20 % up.
    pub allowed_increase_permille: Option<u32>,
    /// The greatest effect of a Low, in thousandths: 800 is a mean that is 20 % down.
    pub allowed_decrease_permille: Option<u32>,
    /// For a critical metric: the least effect of a High that fails the whole canary.
    pub critical_increase_permille: Option<u32>,
    /// For a critical metric: the greatest effect of a Low that fails the whole canary.
    pub critical_decrease_permille: Option<u32>,
}

/// A measure of the size of an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectMeasure {
    /// [`mean_ratio`](super::mean_ratio).
    #[default]
    MeanRatio,
    /// [`cles`](super::cles).
    Cles,
}

impl EffectMeasure {
    pub(super) const fn neutral_permille(self) -> u32 {
        match self {
            Self::MeanRatio => 1_000,
            Self::Cles => 500,
        }
    }
}

impl MetricConfig {
    /// The groups it counts in, each once.
    pub(super) fn group_names(&self) -> BTreeSet<&str> {
        if self.groups.is_empty() {
            BTreeSet::from([self.name.as_str()])
        } else {
            self.groups.iter().map(String::as_str).collect()
        }
    }

    fn problems(&self, at: &str, found: &mut Vec<ConfigProblem>) {
        let mut problem = |wrong: bool, field: &str, message: &str| {
            if wrong {
                found.push(ConfigProblem {
                    field: format!("{at}.{field}"),
                    message: message.to_string(),
                });
            }
        };
        let unfit = |name: &str| name.is_empty() || name.len() > NAME_BYTES_MAX;
        problem(unfit(&self.name), "name", "must have 1 to 256 bytes");
        problem(
            self.groups.iter().any(|group| unfit(group)),
            "groups",
            "each must have 1 to 256 bytes",
        );
        problem(
            self.groups.len() > GROUPS_MAX,
            "groups",
            "must be at most 32",
        );
        let effect = &self.effect_size;
        let neutral = effect.measure.neutral_permille();
        for (field, limit) in [
            (
                "effect_size.allowed_increase_permille",
                effect.allowed_increase_permille,
            ),
            (
                "effect_size.critical_increase_permille",
                effect.critical_increase_permille,
            ),
        ] {
            problem(
                limit.is_some_and(|limit| limit < neutral),
                field,
                "must be at least the neutral effect: 1000 for mean_ratio, 500 for cles",
            );
        }
        for (field, limit) in [
            (
                "effect_size.allowed_decrease_permille",
                effect.allowed_decrease_permille,
            ),
            (
                "effect_size.critical_decrease_permille",
                effect.critical_decrease_permille,
            ),
        ] {
            problem(
                limit.is_some_and(|limit| limit > neutral),
                field,
                "must be at most the neutral effect: 1000 for mean_ratio, 500 for cles",
            );
        }
    }
}

/// Something in a [`Config`] that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where, such as `metrics[2].name`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Config {
    /// Everything in it that cannot be meant; empty if all is well.
    ///
    /// ```
    /// use nonevent_analysis::kayenta::Config;
    /// // A judge without metrics would have nothing to say.
    /// assert_eq!(Config::default().problems()[0].field, "metrics");
    /// ```
    #[must_use]
    pub fn problems(&self) -> Vec<ConfigProblem> {
        let mut found = Vec::new();
        for (index, metric) in self.metrics.iter().take(METRICS_MAX).enumerate() {
            metric.problems(&format!("metrics[{index}]"), &mut found);
        }
        let mut problem = |wrong: bool, field: &str, message: &str| {
            if wrong {
                found.push(ConfigProblem {
                    field: field.to_string(),
                    message: message.to_string(),
                });
            }
        };
        problem(
            self.metrics.is_empty() || self.metrics.len() > METRICS_MAX,
            "metrics",
            "must be from 1 to 1000: zero metrics are an error, not a pass",
        );
        let names: BTreeSet<&str> = self.metrics.iter().map(|m| m.name.as_str()).collect();
        problem(
            names.len() < self.metrics.len(),
            "metrics",
            "each name must be there once",
        );
        let weights = self.group_weights_percent.values();
        let total = weights.fold(0u32, |total, weight| total.saturating_add(*weight));
        problem(
            total > 100,
            "group_weights_percent",
            "must be at most 100 together",
        );
        let groups: BTreeSet<&str> = self
            .metrics
            .iter()
            .flat_map(MetricConfig::group_names)
            .collect();
        problem(
            self.group_weights_percent
                .keys()
                .any(|group| !groups.contains(group.as_str())),
            "group_weights_percent",
            "names a group that no metric is in",
        );
        problem(self.pass_score > 100, "pass_score", "must be at most 100");
        problem(
            self.marginal_score > self.pass_score,
            "marginal_score",
            "must be at most pass_score",
        );
        found
    }
}
