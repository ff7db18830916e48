//! From metrics to one score.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::judge::{Classification, MetricResult};
use crate::special::float;

/// What the score says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// At least the pass score.
    Pass,
    /// At least the marginal score.
    Marginal,
    /// Below both, a failed critical metric, or no data at all.
    Fail,
}

/// The score of one group of metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupScore {
    /// The group's name.
    pub name: String,
    /// Passed metrics in percent of those with data, from 0 to 100; `None` if none has data (and
    /// none had to).
    pub score: Option<f64>,
    /// The group's part of the score, in percent; 0 without a score.
    pub weight_percent: f64,
    /// How many of its metrics passed.
    pub passed: usize,
    /// How many of its metrics count: all but those with no data.
    pub counted: usize,
}

/// The answer of a judge.
///
/// A group's score is 100 · passed / (all − no data), where a metric that had to have data and has
/// none counts as failed. Groups without a weight share equally what the weights leave of 100.
/// Groups without data leave the score, and the weights of the others are scaled up to 100; if the
/// others weigh nothing there is no score. A critical failure makes the score 0 and the rating
/// `Fail`. If no group has data, Kayenta's score is 0 with a label of its own (Nodata), which passes
/// no pipeline; here it is 0 and `Fail`, whatever the thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Judgement {
    /// The answer.
    pub rating: Rating,
    /// From 0 to 100.
    pub score: f64,
    /// Why, in one sentence.
    pub reason: String,
    /// The groups by name.
    pub groups: Vec<GroupScore>,
    /// The metrics in the order of the configuration.
    pub metrics: Vec<MetricResult>,
}

pub(super) fn score(config: &Config, metrics: Vec<MetricResult>) -> Judgement {
    let groups = groups(config, &metrics);
    // At most 100 by rounding, too.
    let total = groups
        .iter()
        .map(|group| group.weight_percent / 100.0 * group.score.unwrap_or(0.0))
        .sum::<f64>()
        .min(100.0);
    let critical: Vec<&str> = metrics
        .iter()
        .filter(|metric| metric.compared.critical_failure)
        .map(|metric| metric.name.as_str())
        .collect();
    let (pass, marginal) = (config.pass_score, config.marginal_score);
    let (rating, score, reason) = if !critical.is_empty() {
        let names = critical.join(", ");
        (
            Rating::Fail,
            0.0,
            format!("critical metrics failed: {names}"),
        )
    } else if groups.iter().all(|group| group.weight_percent <= 0.0) {
        let reason = "no metric with a weight has data".to_string();
        (Rating::Fail, 0.0, reason)
    } else {
        // A score that is only rounding away from a threshold has reached it.
        let reaches = |threshold: u32| total + 1e-9 >= f64::from(threshold);
        let (rating, place) = if reaches(pass) {
            (Rating::Pass, format!("reaches {pass} to pass"))
        } else if reaches(marginal) {
            let place = format!("reaches {marginal} but not {pass} to pass");
            (Rating::Marginal, place)
        } else {
            (Rating::Fail, format!("is below {marginal}"))
        };
        (
            rating,
            total,
            format!("the score {total:.1} {place}{}", failed(&metrics)),
        )
    };
    Judgement {
        rating,
        score,
        reason,
        groups,
        metrics,
    }
}

/// The metrics that did not pass, for the reason.
fn failed(metrics: &[MetricResult]) -> String {
    let name = |metric: &MetricResult| match metric.compared.classification {
        Classification::Pass | Classification::NoData => None,
        Classification::High => Some(format!("{} (High)", metric.name)),
        Classification::Low => Some(format!("{} (Low)", metric.name)),
        Classification::NoDataFail => Some(format!("{} (no data)", metric.name)),
    };
    let names: Vec<String> = metrics.iter().filter_map(name).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; failed: {}", names.join(", "))
    }
}

fn groups(config: &Config, metrics: &[MetricResult]) -> Vec<GroupScore> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for metric in metrics {
        for group in &metric.groups {
            let (passed, counted) = counts.entry(group.as_str()).or_default();
            let classification = metric.compared.classification;
            *passed += usize::from(classification == Classification::Pass);
            *counted += usize::from(classification != Classification::NoData);
        }
    }
    let weights = &config.group_weights_percent;
    let named: u32 = weights.values().sum();
    let unnamed = counts
        .keys()
        .filter(|name| !weights.contains_key(**name))
        .count();
    let share = f64::from(100 - named.min(100)) / float(unnamed.max(1) as u64);
    let weight = |name: &str| {
        weights
            .get(name)
            .map_or(share, |percent| f64::from(*percent))
    };
    let with_data: f64 = counts
        .iter()
        .filter(|(_, (_, counted))| *counted > 0)
        .map(|(name, _)| weight(name))
        .sum();
    counts
        .iter()
        .map(|(name, (passed, counted))| {
            let has_data = *counted > 0;
            let score = 100.0 * float(*passed as u64) / float((*counted).max(1) as u64);
            GroupScore {
                name: (*name).to_string(),
                score: has_data.then_some(score),
                weight_percent: if has_data && with_data > 0.0 {
                    100.0 * weight(name) / with_data
                } else {
                    0.0
                },
                passed: *passed,
                counted: *counted,
            }
        })
        .collect()
}
