//! What a look is asked for and what it gives: figures for both versions, or a reason for none.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::reply::Reply;
use crate::window::{GapReason, Observation, Window};

/// The most findings that are kept of one look.
pub const FINDINGS_MAX: usize = 64;

/// One of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The version in service.
    Stable,
    /// The version under test.
    Canary,
}

impl Arm {
    pub(crate) const BOTH: [Self; 2] = [Self::Stable, Self::Canary];

    const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
        }
    }
}

/// How the versions are named in the labels of one reply for both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmNames {
    /// The label that tells the versions apart, such as `version`.
    pub label: String,
    /// Its value for the version in service.
    pub stable: String,
    /// Its value for the version under test.
    pub canary: String,
}

/// The replies that hold one figure of both versions.
#[derive(Clone, Copy, Debug)]
pub enum ArmReplies<'a> {
    /// A query for each version.
    Each {
        /// The reply for the version in service.
        stable: &'a Reply,
        /// The reply for the version under test.
        canary: &'a Reply,
    },
    /// One query for both, such as `sum by (version) (…)`. Series of other versions are left out.
    ByLabel {
        /// The reply.
        reply: &'a Reply,
        /// How the versions are told apart.
        arms: &'a ArmNames,
    },
}

/// The stretch of time that a look is about, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowTimes {
    /// Where it begins: with `increase(…[1m])`, a minute before `closed_ms`.
    pub opened_ms: u64,
    /// Where it ends: the `time` of an instant query, the `end` of a range.
    pub closed_ms: u64,
    /// When the traffic split that is judged came into force, if it did. A window that opens
    /// before is a gap.
    pub changed_ms: Option<u64>,
}

/// What is accepted of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookRules {
    /// The greatest age of a sample at the end of the window, in milliseconds; default 60 000. At
    /// least the scrape interval.
    pub age_max_ms: u64,
    /// How much later than the end a sample may be, for clocks that differ; in milliseconds,
    /// default 5 000.
    pub ahead_max_ms: u64,
    /// By how much the times over which the two versions were counted may differ, in
    /// milliseconds; default 15 000. At least the scrape interval.
    pub skew_max_ms: u64,
    /// Whether a reply with warnings is taken. Default `false`: a warning may say that a store
    /// was not reached, so that figures are too low.
    pub accept_partial: bool,
    /// What a counter means that was not there at the look before.
    pub appeared: Appeared,
}

impl Default for LookRules {
    fn default() -> Self {
        Self {
            age_max_ms: 60_000,
            ahead_max_ms: 5_000,
            skew_max_ms: 15_000,
            accept_partial: false,
            appeared: Appeared::default(),
        }
    }
}

/// What a counter means that was not there at the look before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Appeared {
    /// It was zero: the first error with a new status code, a new instance. Right as long as every
    /// target was scraped at the look before. The default.
    #[default]
    FromZero,
    /// Nothing is known about it: the look is a gap.
    Gap,
}

/// The outcome of a look, and all that was found on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Look<T> {
    /// The figures, or the reason for having none: the gravest of the findings.
    pub result: Result<T, GapReason>,
    /// Everything that stands against the figures or was put right, up to [`FINDINGS_MAX`].
    pub findings: Vec<LookFinding>,
}

/// One thing that was found while reading figures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct LookFinding {
    /// The gap that it makes; `None` for a remark.
    pub gap: Option<GapReason>,
    /// Whose figure; `None` for both.
    pub arm: Option<Arm>,
    /// Which figure: `requests`, `errors`, `latency`, `value` or `window`.
    pub figure: &'static str,
    /// The place in the reply, such as `data.result[3].value`; empty for the whole.
    pub place: String,
    /// What was found, and what to do.
    pub text: String,
}

impl fmt::Display for LookFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.figure)?;
        if let Some(arm) = self.arm {
            write!(f, " of {}", arm.name())?;
        }
        if !self.place.is_empty() {
            write!(f, " at {}", self.place)?;
        }
        write!(f, ": {}", self.text)
    }
}

impl Look<Window> {
    /// The look as the comparison takes it.
    #[must_use]
    pub fn observation(&self) -> Observation {
        match &self.result {
            Ok(window) => Observation::Window(window.clone()),
            Err(reason) => Observation::Gap { reason: *reason },
        }
    }
}
