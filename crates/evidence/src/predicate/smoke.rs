//! A smoke suite's result, as an in-toto test result.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;

/// A smoke suite ran. The fields of in-toto's test result v0.1, and one of ours beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SmokeResult {
    /// Whether it passed.
    pub result: TestResult,
    /// What was run: the suite's file and its digest. in-toto asks for at least one.
    pub configuration: Vec<ResourceDescriptor>,
    /// Where the report is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Names of the tests that passed.
    #[serde(default)]
    pub passed_tests: Vec<String>,
    /// Names of the tests that passed with a warning.
    #[serde(default)]
    pub warned_tests: Vec<String>,
    /// Names of the tests that failed.
    #[serde(default)]
    pub failed_tests: Vec<String>,
    /// What in-toto has no field for; absent in test results of other tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonevent: Option<SmokeFigures>,
}

/// in-toto's three results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TestResult {
    /// All tests passed, and there was at least one.
    Passed,
    /// Some passed only with a warning.
    Warned,
    /// At least one failed, or there was none.
    Failed,
}

/// What a smoke run knows beyond in-toto's fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmokeFigures {
    /// The digest of the plan during which it ran, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// When in the rollout it ran, if in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<SmokePhase>,
    /// The base address that was tested, without user name and password.
    pub target: String,
    /// When the first test began.
    pub started: Timestamp,
    /// When the last ended.
    pub finished: Timestamp,
    /// The release that was expected to answer, if the suite was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Which addresses answered, each once, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// The digests of the certificates (DER) that they showed, each once, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Digest>,
    /// How many attempts were made, further tries included; 0 if it is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// When in a rollout a smoke suite runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmokePhase {
    /// Against stable, before anything changes.
    Before,
    /// Against new instances directly, before they get traffic.
    Direct,
    /// Through the router, after promotion.
    After,
    /// Through the router, after a rollback.
    RolledBack,
}
