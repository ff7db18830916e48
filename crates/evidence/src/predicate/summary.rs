//! A gate's verdict, as a SLSA verification summary (VSA v1).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// in-toto's reference to a resource. At least one of the fields is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDescriptor {
    /// A name for people and for matching.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests in hexadecimal, by algorithm (`sha256`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
}

impl ResourceDescriptor {
    /// A named resource with its SHA-256 digest.
    #[must_use]
    pub fn named(name: impl Into<String>, digest: &Digest) -> Self {
        ResourceDescriptor {
            name: Some(name.into()),
            uri: None,
            digest: sha256(digest),
        }
    }

    /// The SHA-256 digest, if it has one.
    #[must_use]
    pub fn sha256(&self) -> Option<Digest> {
        let hex = self.digest.get("sha256")?;
        alloc::format!("sha256:{hex}").parse().ok()
    }
}

/// An in-toto digest set of one SHA-256 digest.
pub(crate) fn sha256(digest: &Digest) -> BTreeMap<String, String> {
    BTreeMap::from([(String::from("sha256"), digest.hex())])
}

/// A gate was evaluated. The fields of SLSA's VSA v1, and one of ours beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateVerdict {
    /// Who verified.
    pub verifier: Verifier,
    /// When.
    pub time_verified: Timestamp,
    /// What was verified.
    pub resource_uri: String,
    /// Against which policy.
    pub policy: PolicyReference,
    /// The evidence that was taken into account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_attestations: Vec<ResourceDescriptor>,
    /// Whether it passed.
    pub verification_result: VerificationResult,
    /// The levels that were verified, such as the phase that was passed.
    #[serde(default)]
    pub verified_levels: Vec<String>,
    /// The version of SLSA's levels that `verified_levels` speaks of, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
    /// What SLSA has no field for; absent in summaries of other tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonevent: Option<GateFigures>,
}

/// Who verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier {
    /// A URI that names it.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// The policy that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReference {
    /// A URI that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests in hexadecimal, by algorithm (`sha256`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
}

impl PolicyReference {
    /// A policy by its SHA-256 digest.
    #[must_use]
    pub fn of(uri: Option<String>, digest: &Digest) -> Self {
        PolicyReference {
            uri,
            digest: sha256(digest),
        }
    }
}

/// SLSA's two results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// Every criterion is met or waived, and there was at least one.
    Passed,
    /// Anything else.
    Failed,
}

/// What a gate knows beyond SLSA's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateFigures {
    /// The phase, such as `deployment`.
    pub phase: String,
    /// Each criterion and what became of it.
    pub criteria: Vec<CriterionResult>,
}

/// One criterion of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionResult {
    /// Its name in the policy.
    pub id: String,
    /// What became of it.
    pub status: CriterionStatus,
    /// Why, in words.
    pub reason: String,
}

/// What became of a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionStatus {
    /// Met.
    Met,
    /// Not met.
    NotMet,
    /// Not met, but waived by someone who may.
    Waived,
    /// Could not be told, which counts as not met.
    NotEvaluated,
    /// Does not apply here, by the policy's own words.
    NotApplicable,
}
