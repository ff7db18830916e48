//! What a panel allows, as data that can be part of a plan.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Findings;
use serde::{Deserialize, Serialize};

use crate::bounds::{
    Bound, Clause, Dimension, Facts, Limit, Measure, MetricKind, MetricName, check,
};
use crate::policy::PolicyProblem;

/// The most metrics of one panel.
pub const METRICS_MAX: usize = 200;
/// The most rules of one panel.
pub const RULES_MAX: usize = 200;

/// How the evidence of several rules becomes one verdict. The level is stated over the whole watch,
/// however often one looks, and whatever the metrics have to do with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Each of n rules is broken at evidence of n/α: the probability that any of them is ever called
    /// broken although it is kept is at most α (family-wise).
    #[default]
    Bonferroni,
    /// Beside that, the weighted mean of all evidence fails the canary. Each of the two ways has
    /// half of α. Many small harms add up, and no single one need be shown.
    Average,
}

/// A metric that a panel is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelMetric {
    /// Its name.
    pub name: MetricName,
    /// What it is; of a well-known name, what that name says.
    pub kind: PanelKind,
}

/// What a metric of a panel is, as a plan writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelKind {
    /// A share of requests.
    Share,
    /// A quantile of latency; only under a well-known name, which says which one.
    Latency,
    /// A level, or a count.
    Level,
}

/// One bound of a panel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelRule {
    /// What is allowed.
    pub bound: Bound,
    /// How much it counts, in the score and in the mean of the evidence; from 1 to 1000.
    #[serde(default = "one")]
    pub weight: u32,
    /// Whether its breach fails the canary whatever the score.
    #[serde(default)]
    pub critical: bool,
}

const fn one() -> u32 {
    1
}

/// How a canary is judged by many metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelPolicy {
    /// The metrics, in the order of the readings of a look.
    pub metrics: Vec<PanelMetric>,
    /// The bounds.
    pub rules: Vec<PanelRule>,
    /// The probability of ever failing a canary that keeps all bounds, in millionths, over the
    /// whole watch; from 1 to 500 000, default 20 000 (2 %).
    #[serde(default = "alpha")]
    pub alpha_ppm: u32,
    /// How the rules' evidence is combined.
    #[serde(default)]
    pub combine: Combine,
    /// The part of the weights, in percent, whose rules must not be broken: a canary below it
    /// fails. From 1 to 100, default 100: every rule counts.
    #[serde(default = "hundred")]
    pub score_min_percent: u32,
    /// Looks with figures of a rule's metrics that a step must have had before `Pass`; at least 1,
    /// default 3: one look can hardly say that anything is wrong, however bad it is.
    #[serde(default = "three")]
    pub looks_min: u32,
    /// Two looks further apart interrupt what is to be sustained, in milliseconds; at least 1,
    /// default 120 000.
    #[serde(default = "two_minutes")]
    pub gap_ms_max: u64,
}

const fn alpha() -> u32 {
    20_000
}

const fn hundred() -> u32 {
    100
}

const fn three() -> u32 {
    3
}

const fn two_minutes() -> u64 {
    120_000
}

impl PanelRule {
    /// The weight, in its range.
    pub(super) fn weight_within(&self) -> u32 {
        self.weight.clamp(1, 1000)
    }
}

impl PanelPolicy {
    /// The part of α that bounds of the baseline's own figures may cost.
    pub(super) const BASELINE_PART: f64 = 0.1;

    /// A policy of bounds over well-known metrics, each a rule of its own that counts alike.
    ///
    /// # Errors
    ///
    /// The findings, if a bound cannot be read or decided. What a panel itself cannot judge is among
    /// the [problems](Self::problems).
    pub fn new(bounds: &[&str]) -> Result<Self, Findings> {
        let facts = Facts::default();
        let mut findings = Findings::new();
        let mut rules = Vec::new();
        for text in bounds {
            let checked = check(text, &facts);
            for finding in checked.findings.iter() {
                findings.push(finding.clone());
            }
            rules.extend(checked.bound.map(|bound| PanelRule {
                bound,
                weight: 1,
                critical: false,
            }));
        }
        if rules.len() < bounds.len() {
            return Err(findings);
        }
        Ok(Self::of(rules, &facts))
    }

    /// A policy of these rules with the defaults; their metrics are looked up in `facts`.
    #[must_use]
    pub fn of(rules: Vec<PanelRule>, facts: &Facts) -> Self {
        let clauses = rules.iter().flat_map(|rule| rule.bound.clauses());
        let names: BTreeSet<&MetricName> = clauses.map(Clause::metric).collect();
        let metrics = names.into_iter().map(|name| PanelMetric {
            name: name.clone(),
            kind: PanelKind::of(facts.measure(name)),
        });
        Self {
            metrics: metrics.collect(),
            rules,
            alpha_ppm: alpha(),
            combine: Combine::default(),
            score_min_percent: hundred(),
            looks_min: three(),
            gap_ms_max: two_minutes(),
        }
    }

    /// Everything in it that cannot be meant; empty if all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<PolicyProblem> {
        let mut found = Vec::new();
        let mut problem = |wrong: bool, field, message: String| {
            if wrong {
                found.push(PolicyProblem { field, message });
            }
        };
        problem(
            self.rules.is_empty(),
            "rules",
            "there must be at least one: a panel without rules would pass anything".into(),
        );
        problem(
            self.rules.len() > RULES_MAX,
            "rules",
            format!("at most {RULES_MAX}; join some with `and`"),
        );
        problem(
            self.metrics.len() > METRICS_MAX,
            "metrics",
            format!("at most {METRICS_MAX}"),
        );
        problem(
            self.alpha_ppm == 0 || self.alpha_ppm > 500_000,
            "alpha_ppm",
            "must be from 1 to 500000 millionths; write 20000 for 2 %".into(),
        );
        problem(
            self.score_min_percent == 0 || self.score_min_percent > 100,
            "score_min_percent",
            "must be from 1 to 100".into(),
        );
        problem(
            self.looks_min == 0,
            "looks_min",
            "must be at least 1: no data is never an answer".into(),
        );
        problem(
            self.gap_ms_max == 0,
            "gap_ms_max",
            "must be at least 1 ms: nothing is sustained over a single look".into(),
        );
        let mut kinds = BTreeMap::new();
        for metric in &self.metrics {
            let twice = kinds.insert(&metric.name, metric.kind).is_some();
            problem(
                twice,
                "metrics",
                format!("`{}` stands there twice", metric.name),
            );
            let known = metric.name.well_known();
            let other = known.is_some_and(|known| PanelKind::of(Some(known)) != metric.kind)
                || (known.is_none() && metric.kind == PanelKind::Latency);
            problem(
                other,
                "metrics",
                format!(
                    "`{}` is not of this kind; a latency is named by its quantile, such as `p99`",
                    metric.name
                ),
            );
        }
        for rule in &self.rules {
            problem(
                !(1..=1000).contains(&rule.weight),
                "rules",
                format!("the weight of `{}` must be from 1 to 1000", rule.bound),
            );
            for clause in rule.bound.clauses() {
                let kind = kinds.get(clause.metric()).copied();
                let wrong = self.wrong_with(clause, kind);
                problem(wrong.is_some(), "rules", wrong.unwrap_or_default());
            }
        }
        found
    }

    /// Why a clause about a metric of this kind cannot be judged.
    fn wrong_with(&self, clause: &Clause, kind: Option<PanelKind>) -> Option<String> {
        let Some(kind) = kind else {
            return Some(format!(
                "`{clause}` is about a metric that is not among the metrics"
            ));
        };
        let (unit, of) = match kind {
            PanelKind::Share => (
                Some(Dimension::Percentage),
                "a share is compared with a percentage",
            ),
            PanelKind::Latency => (
                Some(Dimension::Time),
                "a latency is compared with a duration",
            ),
            PanelKind::Level => (None, ""),
        };
        let quantity = match clause.limit() {
            Limit::Absolute(quantity) => Some(quantity),
            Limit::Baseline { plus, .. } => plus,
        };
        let dimension = quantity.map(|quantity| quantity.unit.dimension());
        if unit.is_some() && dimension.is_some() && unit != dimension {
            return Some(format!("`{clause}`: {of}"));
        }
        if kind == PanelKind::Latency && !clause.operator().is_upper() {
            return Some(format!(
                "`{clause}`: only that a latency is too high can be judged"
            ));
        }
        let counted = self.metrics.iter().any(|it| it.kind != PanelKind::Level);
        if kind == PanelKind::Level && clause.requests_min().is_some() && !counted {
            return Some(format!(
                "`{clause}`: no metric of the panel counts requests, as a share or a latency does"
            ));
        }
        None
    }

    /// α as a probability.
    pub(super) fn alpha(&self) -> f64 {
        f64::from(self.alpha_ppm.clamp(1, 500_000)) / 1e6
    }

    fn alpha_of_one_way(&self) -> f64 {
        let part = 1.0 - Self::BASELINE_PART;
        match self.combine {
            Combine::Bonferroni => part * self.alpha(),
            Combine::Average => part * self.alpha() / 2.0,
        }
    }

    /// ln of the evidence at which a rule is broken.
    pub(super) fn ln_limit(&self) -> f64 {
        let rules = u32::try_from(self.rules.len().max(1)).unwrap_or(u32::MAX);
        libm::log(f64::from(rules) / self.alpha_of_one_way())
    }

    /// ln of the mean evidence at which the canary fails.
    pub(super) fn ln_limit_of_mean(&self) -> f64 {
        -libm::log(self.alpha_of_one_way())
    }

    /// Where the readings of a metric stand.
    pub(super) fn place(&self, name: &MetricName) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.name == *name)
    }
}

impl PanelKind {
    fn of(measure: Option<Measure>) -> Self {
        match measure.map(|measure| measure.kind) {
            Some(MetricKind::Share) => Self::Share,
            Some(MetricKind::Latency) => Self::Latency,
            Some(MetricKind::Gauge | MetricKind::Count) | None => Self::Level,
        }
    }
}
