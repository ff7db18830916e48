//! What people decided.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// A person approved a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The digest of the plan that was approved, and no other.
    pub plan: Digest,
    /// Who, as the signing key's owner calls them.
    pub by: String,
    /// In which role, such as `deploy lead`.
    pub role: String,
    /// When.
    pub at: Timestamp,
    /// What they had to say; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

/// A person signed off what the statement is about: a commit, an artifact, a plan, a document.
///
/// Only a key that the trust policy knows as this person's, in this role, may say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// In which role, such as `product-owner`.
    pub role: String,
    /// Who, as the trust policy calls them.
    pub person: String,
    /// Yes or no.
    pub decision: Decision,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A person reviewed a runbook: one page, rendered from one plan.
///
/// Only a key that the trust policy knows as this person's, in this role, may say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunbookReview {
    /// The plan that the page was rendered from.
    pub plan: Digest,
    /// SHA-256 of the page's text as it was reviewed, without what people mark on it while they
    /// follow it: ticks, the names and dates of sign-offs, records of what was done.
    pub page: Digest,
    /// In which role, such as `on-call`.
    pub role: String,
    /// Who, as the trust policy calls them.
    pub person: String,
    /// Yes or no.
    pub decision: Decision,
    /// A short print of each line of that text, as the renderer's own pages hold them: not what is
    /// signed, but what tells where a page has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A person let a criterion pass that is not met, for a while.
///
/// Only a key that the trust policy knows as this person's, in this role, may say so. What the
/// statement is about is what it is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The criterion, as `PHASE/CRITERION`.
    pub criterion: String,
    /// Why.
    pub reason: String,
    /// Who answers for what is not met.
    pub owner: String,
    /// Until when it is good.
    pub expires: Timestamp,
    /// In which role it was waived.
    pub role: String,
    /// Who waived it, as the trust policy calls them.
    pub person: String,
    /// The plan that it is good for, and no other; if none, for what the statement is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// When.
    pub at: Timestamp,
}

impl Waiver {
    /// Whether it has begun and not expired.
    #[must_use]
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        (self.at..=self.expires).contains(&now)
    }
}

/// A person had gates skipped. That stays open until another one has reviewed it.
///
/// Only a key that the trust policy knows as this person's may say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// Why it could not wait.
    pub reason: String,
    /// Who, as the trust policy calls them.
    pub person: String,
    /// The gates that were skipped, at least one, as `PHASE/entry` or `PHASE/exit`.
    pub gates: Vec<String>,
    /// The plan that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A person reviewed that gates were skipped, which closes it.
///
/// Only a key that the trust policy knows as this person's may say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassReview {
    /// The digest of the envelope that holds the [`BreakGlass`].
    pub opened: Digest,
    /// Who, as the trust policy calls them.
    pub person: String,
    /// What they found.
    pub finding: String,
    /// When.
    pub at: Timestamp,
}
