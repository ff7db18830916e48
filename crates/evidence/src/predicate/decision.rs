//! What people decided.

use alloc::string::String;

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

/// A person took it upon themselves to do without a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The plan it is good for; none: whatever the statement's subjects are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// The criterion's name in the policy.
    pub criterion: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
}
