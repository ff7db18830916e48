//! What is known of a plan before it runs.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// A deployment document was checked, and this plan made from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCheck {
    /// The plan's digest.
    pub plan: Digest,
    /// The digest of the plan without versions, artifacts, environment name and counts.
    pub shape: Digest,
    /// How many findings are errors. With any, there is no plan to speak of.
    pub errors: u64,
    /// How many are warnings.
    pub warnings: u64,
    /// Name and version of what checked, such as `nonevent 0.1.0`.
    pub checker: String,
    /// When it was checked.
    pub at: Timestamp,
}

/// The runs of a plan were searched for one that breaks a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The plan's digest.
    pub plan: Digest,
    /// The plan's shape.
    pub shape: Digest,
    /// Whether the search came to its end. If not, `holds` means nothing was found so far.
    pub decided: bool,
    /// Whether no run breaks a promise.
    pub holds: bool,
    /// How many states were visited.
    pub states: u64,
    /// How many transitions were taken.
    pub transitions: u64,
    /// The longest any run took from its fault to stable alone, in milliseconds, if bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_recovery_ms: Option<u64>,
    /// The faults that were let happen.
    pub faults: Vec<String>,
    /// What was taken for granted.
    pub assumptions: Vec<String>,
    /// When the search ended.
    pub at: Timestamp,
}

impl Proof {
    /// Whether the search came to its end and found nothing.
    #[must_use]
    pub fn proves(&self) -> bool {
        self.decided && self.holds
    }
}

/// A runbook was rendered from a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunbookRendered {
    /// The plan's digest.
    pub plan: Digest,
    /// The digest of the page's text, without what people mark on it while they follow it, so that
    /// it is the page that they [review](super::RunbookReview).
    pub page: Digest,
    /// When it was rendered.
    pub at: Timestamp,
}

/// A file of feature flags was checked. The statement is about the file, or what it is part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagCheck {
    /// SHA-256 of the file's bytes.
    pub file: Digest,
    /// Whose format it is in, such as `flagd`.
    pub dialect: String,
    /// How many flags it declares.
    pub flags: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Which program checked it, with its version.
    pub checker: String,
    /// When.
    pub at: Timestamp,
}
