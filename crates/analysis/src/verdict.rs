//! What a look says: an outcome, the reason in a sentence, and the figures behind it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::policy::Policy;
use crate::window::GapReason;

/// A rule by which a canary is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The canary's error rate against an absolute bound.
    ErrorRate,
    /// The canary's error rate against stable's.
    ErrorRatio,
    /// The canary's p99 latency against an absolute bound.
    P99,
    /// The canary's p99 latency against stable's.
    P99Ratio,
}

impl Metric {
    /// The name that people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ErrorRate => "error rate",
            Self::ErrorRatio => "error rate against stable",
            Self::P99 => "p99 latency",
            Self::P99Ratio => "p99 latency against stable",
        }
    }
}

/// What is missing for a `Pass`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// So many more requests to the canary in this step.
    CanaryRequests(u64),
    /// So many more requests to stable in this step.
    StableRequests(u64),
    /// Fresh figures: the last look brought none, or the canary has had no requests for long.
    FreshFigures(GapReason),
    /// This metric was not measured in this step, or its histogram ends below what is allowed, so
    /// that its rule cannot be judged.
    Measurement(Metric),
    /// More evidence that this metric is not worse by more than the margin.
    ShownNotWorse(Metric),
    /// This many more looks with figures in this step.
    Looks(u32),
    /// That a bound be known to be kept.
    Known {
        /// The bound's text.
        bound: String,
        /// Why it is not.
        why: String,
    },
    /// That the evidence against a bound (or a rule's name) be less than half way to failing, in
    /// orders of magnitude.
    LessEvidence {
        /// The bound's text.
        bound: String,
    },
}

/// The answer of one look.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Enough was seen, and there is no evidence of harm beyond the policy's bounds. The reason of a
    /// [`Comparison`](crate::Comparison) names the smallest harm that would have been found.
    Pass,
    /// The evidence says that the canary is worse than allowed. Final: it stays `Fail`.
    Fail,
    /// Neither; only an explicit policy of the caller may go on from here.
    Inconclusive {
        /// What is missing.
        needs: Vec<Need>,
    },
    /// The canary had no requests in this step.
    NoData,
    /// Both versions are over an absolute bound together, or far worse than stable was before the
    /// canary had traffic: something that both depend on is ill.
    /// The canary is neither to blame nor to be promoted. Not final.
    EnvironmentUnhealthy,
}

impl Outcome {
    /// Whether this outcome allows a promotion: `Pass` does, and `Inconclusive` if the policy says
    /// so in so many words and nothing is missing but more of the same.
    #[must_use]
    pub fn promotes(&self, policy: &Policy) -> bool {
        match self {
            Self::Pass => true,
            Self::Inconclusive { needs } => {
                let more = |need: &Need| match need {
                    Need::CanaryRequests(_)
                    | Need::StableRequests(_)
                    | Need::Measurement(_)
                    | Need::ShownNotWorse(_)
                    | Need::Looks(_) => true,
                    // What is not known may be beyond its limit already.
                    Need::FreshFigures(_) | Need::Known { .. } | Need::LessEvidence { .. } => false,
                };
                policy.promote_inconclusive && needs.iter().all(more)
            }
            Self::Fail | Self::NoData | Self::EnvironmentUnhealthy => false,
        }
    }
}

/// One rule's figures, for people and for the record.
///
/// Rates are shares of requests (0.01 is 1 %), latencies are milliseconds. What is not known is
/// `None`, never zero. All numbers are finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The rule.
    pub metric: Metric,
    /// Stable's value over the whole comparison.
    pub stable: Option<f64>,
    /// The canary's value over the whole comparison.
    pub canary: Option<f64>,
    /// What is bounded: the rate or latency itself, or the canary's in units of stable's.
    pub effect: Option<f64>,
    /// Lower end of the effect's confidence sequence.
    pub lower: Option<f64>,
    /// Upper end of the effect's confidence sequence.
    pub upper: Option<f64>,
    /// The policy's bound on the effect.
    pub bound: f64,
    /// Evidence against "within the bound" now; at least `1 / alpha` of this rule fails the
    /// canary. Cut off at 10^300.
    pub e_value: f64,
    /// The evidence at which this rule fails the canary.
    pub e_value_max: f64,
}

/// What a look says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Verdict {
    /// The answer.
    pub outcome: Outcome,
    /// Why, in one sentence with the figures.
    pub reason: String,
    /// The figures of every rule that is switched on.
    pub figures: Vec<Figure>,
}
