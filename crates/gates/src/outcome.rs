//! What came out of a check, with the figure found and the inputs it was found in.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Digest;
use serde::Serialize;

/// What came out of a criterion or of one of its checks.
///
/// Only [`Pass`](Outcome::Pass) and [`Waived`](Outcome::Waived) open a gate; [`NotApplicable`](Outcome::NotApplicable) neither
/// opens nor closes it, and a gate where nothing applies stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// It is shown to be so.
    Pass,
    /// It is shown not to be so, or nothing shows that it is.
    Fail,
    /// It did not pass, and somebody who may has waived it for a while.
    Waived,
    /// It cannot be decided, because a fact is missing: a part of the tree that was not looked at,
    /// or a digest that this run does not know.
    Unknown,
    /// An input could not be read or understood, or something went wrong on our side.
    Error,
    /// The criterion's own condition says that it does not apply to this project.
    NotApplicable,
}

impl Outcome {
    /// The word used in texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Waived => "waived",
            Outcome::Unknown => "unknown",
            Outcome::Error => "error",
            Outcome::NotApplicable => "not applicable",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A piece of input that a result rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Input {
    /// What it is: a path in the tree, or the kind of evidence.
    pub name: String,
    /// The digest of its bytes; of an envelope, of its canonical JSON.
    pub digest: Digest,
}

/// The result of one check; a composed check holds those of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// What came out.
    pub outcome: Outcome,
    /// What was asked, in words.
    pub asked: String,
    /// The figure found, in words.
    pub found: String,
    /// What it was found in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// The results of the parts, in the policy's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<CheckResult>,
    /// How many of the parts must pass; 0 for a check without parts.
    #[serde(skip_serializing_if = "is_zero")]
    pub needed: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl CheckResult {
    pub(crate) fn new(outcome: Outcome, asked: String, found: impl Into<String>) -> CheckResult {
        CheckResult {
            outcome,
            asked,
            found: found.into(),
            inputs: Vec::new(),
            parts: Vec::new(),
            needed: 0,
        }
    }

    pub(crate) fn resting_on(mut self, inputs: Vec<Input>) -> CheckResult {
        self.inputs = inputs;
        self
    }
}

/// A check that is not met: the outcome, never a pass, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    pub(crate) outcome: Outcome,
    pub(crate) found: String,
}

impl Unmet {
    pub(crate) fn fail(found: impl Into<String>) -> Unmet {
        Unmet {
            outcome: Outcome::Fail,
            found: found.into(),
        }
    }

    pub(crate) fn unknown(found: impl Into<String>) -> Unmet {
        Unmet {
            outcome: Outcome::Unknown,
            found: found.into(),
        }
    }

    pub(crate) fn error(found: impl Into<String>) -> Unmet {
        Unmet {
            outcome: Outcome::Error,
            found: found.into(),
        }
    }
}
