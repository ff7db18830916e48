//! Whether a bound is kept, broken, or not known to be either.

use core::fmt;

use nonevent_document::format_duration_ms;
use serde::{Deserialize, Serialize};

use super::bound::{Clause, Limit, Operator};
use super::metric::Facts;

/// What was measured for one clause. What is not known is `None`, never zero.
///
/// Values are in the units of [`Quantity::value`](super::Quantity::value): shares of 1,
/// milliseconds, bytes, per second, or plain numbers. One that is not finite counts as not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Known {
    /// The time of the last figures, on the clock of `beyond_since_ms`, in milliseconds.
    pub at_ms: u64,
    /// The canary's value, for people: nothing is decided by it.
    pub canary: Option<f64>,
    /// The baseline's value, for people.
    pub baseline: Option<f64>,
    /// What the answer rests on.
    pub confidence: Option<Confidence>,
    /// The canary's requests behind these figures.
    pub requests: Option<u64>,
    /// Since when the confidence bound has been beyond the limit without interruption, if it is;
    /// see [`Sustained`](super::Sustained).
    pub beyond_since_ms: Option<u64>,
}

/// A confidence interval that holds at every moment; an end that is not known is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Of what.
    pub of: ConfidenceOf,
    /// The lower end.
    pub lower: Option<f64>,
    /// The upper end.
    pub upper: Option<f64>,
}

/// What a [`Confidence`] interval is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceOf {
    /// The canary's value. It decides no clause about the baseline, whose own value is uncertain.
    Canary,
    /// The canary's value minus the limit: positive is above it.
    Excess,
}

/// Whether something is kept: Kleene's three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Answer {
    /// Enough was seen, and the confidence bound is not beyond the limit.
    Kept,
    /// The confidence bound is beyond the limit, for as long and over as many requests as the
    /// clause demands.
    Broken,
    /// Neither may be said.
    Unknown(Why),
}

/// Why an [`Answer`] is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Nothing was measured.
    NoData,
    /// Too few requests.
    FewRequests {
        /// The canary's so far, if known.
        seen: Option<u64>,
        /// What is demanded.
        needed: u64,
    },
    /// There is no confidence bound that decides the clause.
    NoConfidence,
    /// The confidence bound is beyond the limit, but not for long enough to break it.
    NotYetSustained {
        /// So far, in milliseconds.
        held_ms: u64,
        /// What is demanded, in milliseconds.
        needed_ms: u64,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoData => f.write_str("nothing was measured"),
            Why::FewRequests {
                seen: Some(seen),
                needed,
            } => write!(f, "{seen} of {needed} requests were seen"),
            Why::FewRequests { seen: None, needed } => {
                write!(f, "{needed} requests are needed, and nobody counted them")
            }
            Why::NoConfidence => f.write_str("there is no confidence bound to decide it"),
            Why::NotYetSustained { held_ms, needed_ms } => {
                let [held, needed] = [*held_ms, *needed_ms].map(format_duration_ms);
                write!(f, "it has been beyond its limit for {held} of {needed}")
            }
        }
    }
}

impl Answer {
    /// Kept if both are: `Broken` outweighs `Unknown`, which outweighs `Kept`. Of two reasons, the
    /// first stays.
    pub const fn and(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::Broken, _) | (_, Answer::Broken) => Answer::Broken,
            (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
            (Answer::Kept, Answer::Kept) => Answer::Kept,
        }
    }

    /// Kept if one is: `Kept` outweighs `Unknown`, which outweighs `Broken`. Of two reasons, the
    /// first stays.
    pub const fn or(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::Kept, _) | (_, Answer::Kept) => Answer::Kept,
            (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => Answer::Unknown(why),
            (Answer::Broken, Answer::Broken) => Answer::Broken,
        }
    }
}

impl Clause {
    /// Whether the clause is kept.
    ///
    /// Only a confidence bound decides, never an estimate, and only over enough requests. A clause
    /// with `for` whose bound is beyond the limit for a shorter time is unknown: it neither rolls
    /// back nor promotes.
    pub fn answer(&self, facts: &Facts, known: Option<&Known>) -> Answer {
        let Some(known) = known else {
            return Answer::Unknown(Why::NoData);
        };
        let needed = self.requests_needed(facts);
        let seen = known.requests;
        if seen.unwrap_or(0) < needed {
            return Answer::Unknown(Why::FewRequests { seen, needed });
        }
        let upper = self.operator().is_upper();
        let Some(edge) = self.edge(known, upper) else {
            return Answer::Unknown(match (known.canary, known.confidence) {
                (None, None) => Why::NoData,
                _ => Why::NoConfidence,
            });
        };
        if !self.is_beyond(edge) {
            return Answer::Kept;
        }
        let needed_ms = self.sustained_ms().unwrap_or(0);
        let since = known.beyond_since_ms.unwrap_or(known.at_ms);
        let held_ms = known.at_ms.saturating_sub(since);
        if held_ms < needed_ms {
            return Answer::Unknown(Why::NotYetSustained { held_ms, needed_ms });
        }
        Answer::Broken
    }

    /// An end of the confidence interval that can be held against the limit, and what it is held
    /// against: the limit itself for the canary's value, zero for the excess.
    pub(super) fn edge(&self, known: &Known, lower: bool) -> Option<Edge> {
        let confidence = known.confidence?;
        let end = if lower {
            confidence.lower
        } else {
            confidence.upper
        };
        let value = end.filter(|value| value.is_finite())?;
        let limit = match (confidence.of, self.limit()) {
            (ConfidenceOf::Excess, _) => 0.0,
            (ConfidenceOf::Canary, Limit::Absolute(quantity)) => quantity.value(),
            (ConfidenceOf::Canary, Limit::Baseline { .. }) => return None,
        };
        Some(Edge { value, limit })
    }

    pub(super) fn is_beyond(&self, edge: Edge) -> bool {
        let Edge { value, limit } = edge;
        match self.operator() {
            Operator::AtMost => value > limit,
            Operator::Below => value >= limit,
            Operator::AtLeast => value < limit,
            Operator::Above => value <= limit,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) value: f64,
    limit: f64,
}
