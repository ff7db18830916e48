//! What happened while a plan ran, for practice or in earnest.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// A rollback was rehearsed. Matched on `shape`: a rehearsal is good for every plan of its shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// The digest of the plan that was run.
    pub plan: Digest,
    /// Its shape.
    pub shape: Digest,
    /// Where, such as `staging`.
    pub environment: String,
    /// When the fault was put in.
    pub started: Timestamp,
    /// When it was over, one way or the other.
    pub finished: Timestamp,
    /// Milliseconds from the fault to its detection; none if that was not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect_ms: Option<u64>,
    /// Milliseconds from detection to the decision to roll back; none if not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_ms: Option<u64>,
    /// Milliseconds from the decision until stable had all traffic; none if not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_ms: Option<u64>,
    /// Milliseconds from there until stable was verified; none if not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_ms: Option<u64>,
    /// How it ended.
    pub outcome: RehearsalOutcome,
    /// The step before which it turned back, without having moved traffic: something stands there
    /// that is not to be rehearsed. None if traffic was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_of: Option<String>,
}

impl Rehearsal {
    /// Milliseconds from the fault to stable verified, if it came that far.
    #[must_use]
    pub fn recovery_ms(&self) -> Option<u64> {
        let until_decided = self.detect_ms?.checked_add(self.decide_ms?)?;
        until_decided
            .checked_add(self.complete_ms?)?
            .checked_add(self.verify_ms?)
    }
}

/// How a rehearsal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalOutcome {
    /// Stable served everything again, and that was verified.
    Recovered,
    /// It did not come to that.
    Failed,
}

/// What one version answered over a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmFigures {
    /// Requests.
    pub requests: u64,
    /// Of these, the ones that failed.
    pub errors: u64,
    /// The 99th percentile of the latency in milliseconds, rounded up; none without requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u64>,
}

/// The canary was compared with stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisResult {
    /// The plan's digest.
    pub plan: Digest,
    /// The index of the plan's step, from 0.
    pub step: u64,
    /// The digest of the analysis policy.
    pub policy: Digest,
    /// When the first sample was taken.
    pub started: Timestamp,
    /// When the verdict fell.
    pub ended: Timestamp,
    /// How often the figures were looked at.
    pub looks: u64,
    /// The verdict.
    pub verdict: AnalysisVerdict,
    /// Why, in words.
    pub reason: String,
    /// What stable answered in that time.
    pub stable: ArmFigures,
    /// What the canary answered in that time.
    pub canary: ArmFigures,
}

/// What an analysis says. Only `Passed` ever promotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisVerdict {
    /// The canary is not worse than allowed.
    Passed,
    /// The canary is worse.
    Failed,
    /// There is too little to tell.
    Inconclusive,
    /// There is nothing at all.
    NoData,
    /// Stable is bad as well: the comparison means nothing.
    EnvironmentUnhealthy,
}

/// A rollout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutResult {
    /// The plan's digest.
    pub plan: Digest,
    /// How it ended.
    pub outcome: RolloutOutcome,
    /// Why, in words.
    pub reason: String,
    /// The version that served before.
    pub from_version: String,
    /// The version that was rolled out.
    pub to_version: String,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Figures per step, in the order in which the steps ran.
    pub steps: Vec<StepFigures>,
    /// Requests over all.
    pub requests: u64,
    /// Of these, answered with an error or too late.
    pub harmed: u64,
    /// Of these, never answered.
    pub lost: u64,
    /// Milliseconds from the first harm to its detection, if it rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect_ms: Option<u64>,
    /// Milliseconds from detection until stable served everything, if it rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover_ms: Option<u64>,
    /// The digest at the head of the journal: it stands for every record.
    pub journal: Digest,
    /// How many records the journal has.
    pub journal_records: u64,
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutOutcome {
    /// The new version serves everything.
    Promoted,
    /// The old version serves everything again.
    RolledBack,
    /// Neither; a person is needed.
    Stuck,
}

/// What happened during one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFigures {
    /// What the step is, in the plan's words.
    pub name: String,
    /// The canary's share of the traffic out of 10 000.
    pub canary_weight: u16,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What stable answered.
    pub stable: ArmFigures,
    /// What the canary answered.
    pub canary: ArmFigures,
}
