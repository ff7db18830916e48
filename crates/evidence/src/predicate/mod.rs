//! What can be attested. Our own types are named `urn:nonevent:predicate:<name>:v1` and deny
//! unknown fields; in-toto's test result and SLSA's verification summary follow their own rules.

mod decision;
mod plan;
mod run;
mod smoke;
mod summary;

use alloc::format;
use alloc::string::String;

use nonevent_document::{Digest, Node, Timestamp, decode_node};
use serde::{Serialize, Serializer, de::DeserializeOwned};

pub use decision::{Approval, Waiver};
pub use plan::{PlanCheck, Proof, RunbookRendered};
pub use run::{
    AnalysisResult, AnalysisVerdict, ArmFigures, Rehearsal, RehearsalOutcome, RolloutOutcome,
    RolloutResult, StepFigures,
};
pub use smoke::{SmokeFigures, SmokePhase, SmokeResult, TestResult};
pub use summary::{
    CriterionResult, CriterionStatus, GateFigures, GateVerdict, PolicyReference,
    ResourceDescriptor, VerificationResult, Verifier,
};

use crate::error::{EvidenceError, EvidenceErrorKind};

/// What a statement says about its subjects.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// A document was checked and planned. `urn:nonevent:predicate:plan-check:v1`
    PlanCheck(PlanCheck),
    /// Every run of a plan was searched. `urn:nonevent:predicate:proof:v1`
    Proof(Proof),
    /// A runbook was rendered. `urn:nonevent:predicate:runbook:v1`
    Runbook(RunbookRendered),
    /// A rollback was rehearsed. `urn:nonevent:predicate:rehearsal:v1`
    Rehearsal(Rehearsal),
    /// A smoke suite ran. `https://in-toto.io/attestation/test-result/v0.1`
    SmokeResult(SmokeResult),
    /// The canary was compared with stable. `urn:nonevent:predicate:analysis:v1`
    Analysis(AnalysisResult),
    /// A rollout ended. `urn:nonevent:predicate:rollout:v1`
    Rollout(RolloutResult),
    /// A gate was evaluated. `https://slsa.dev/verification_summary/v1`
    GateVerdict(GateVerdict),
    /// A person approved a plan. `urn:nonevent:predicate:approval:v1`
    Approval(Approval),
    /// A person waived a criterion. `urn:nonevent:predicate:waiver:v1`
    Waiver(Waiver),
    /// A type that this version does not know.
    Unknown {
        /// Its URI.
        predicate_type: String,
        /// Its content, as it is.
        predicate: serde_json::Value,
    },
}

/// The URIs of the predicate types, as trust policies name them.
pub mod predicate_type {
    /// [`Predicate::PlanCheck`](super::Predicate::PlanCheck)
    pub const PLAN_CHECK: &str = "urn:nonevent:predicate:plan-check:v1";
    /// [`Predicate::Proof`](super::Predicate::Proof)
    pub const PROOF: &str = "urn:nonevent:predicate:proof:v1";
    /// [`Predicate::Runbook`](super::Predicate::Runbook)
    pub const RUNBOOK: &str = "urn:nonevent:predicate:runbook:v1";
    /// [`Predicate::Rehearsal`](super::Predicate::Rehearsal)
    pub const REHEARSAL: &str = "urn:nonevent:predicate:rehearsal:v1";
    /// [`Predicate::SmokeResult`](super::Predicate::SmokeResult), of in-toto
    pub const SMOKE_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
    /// [`Predicate::Analysis`](super::Predicate::Analysis)
    pub const ANALYSIS: &str = "urn:nonevent:predicate:analysis:v1";
    /// [`Predicate::Rollout`](super::Predicate::Rollout)
    pub const ROLLOUT: &str = "urn:nonevent:predicate:rollout:v1";
    /// [`Predicate::GateVerdict`](super::Predicate::GateVerdict), of SLSA
    pub const GATE_VERDICT: &str = "https://slsa.dev/verification_summary/v1";
    /// [`Predicate::Approval`](super::Predicate::Approval)
    pub const APPROVAL: &str = "urn:nonevent:predicate:approval:v1";
    /// [`Predicate::Waiver`](super::Predicate::Waiver)
    pub const WAIVER: &str = "urn:nonevent:predicate:waiver:v1";

    /// All of them.
    pub const ALL: [&str; 10] = [
        PLAN_CHECK,
        PROOF,
        RUNBOOK,
        REHEARSAL,
        SMOKE_RESULT,
        ANALYSIS,
        ROLLOUT,
        GATE_VERDICT,
        APPROVAL,
        WAIVER,
    ];
}

impl Predicate {
    /// The URI of its type.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        match self {
            Predicate::PlanCheck(_) => predicate_type::PLAN_CHECK,
            Predicate::Proof(_) => predicate_type::PROOF,
            Predicate::Runbook(_) => predicate_type::RUNBOOK,
            Predicate::Rehearsal(_) => predicate_type::REHEARSAL,
            Predicate::SmokeResult(_) => predicate_type::SMOKE_RESULT,
            Predicate::Analysis(_) => predicate_type::ANALYSIS,
            Predicate::Rollout(_) => predicate_type::ROLLOUT,
            Predicate::GateVerdict(_) => predicate_type::GATE_VERDICT,
            Predicate::Approval(_) => predicate_type::APPROVAL,
            Predicate::Waiver(_) => predicate_type::WAIVER,
            Predicate::Unknown { predicate_type, .. } => predicate_type,
        }
    }

    /// When what it says was established, by its maker's clock. None for unknown types, and for a
    /// foreign test result, which in-toto gives no date.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Predicate::PlanCheck(check) => Some(check.at),
            Predicate::Proof(proof) => Some(proof.at),
            Predicate::Runbook(runbook) => Some(runbook.at),
            Predicate::Rehearsal(rehearsal) => Some(rehearsal.finished),
            Predicate::SmokeResult(result) => Some(result.nonevent.as_ref()?.finished),
            Predicate::Analysis(analysis) => Some(analysis.ended),
            Predicate::Rollout(rollout) => Some(rollout.finished),
            Predicate::GateVerdict(verdict) => Some(verdict.time_verified),
            Predicate::Approval(approval) => Some(approval.at),
            Predicate::Waiver(waiver) => Some(waiver.at),
            Predicate::Unknown { .. } => None,
        }
    }

    /// The plan it is about, if it names one. It has to be among the statement's subjects.
    #[must_use]
    pub fn plan(&self) -> Option<Digest> {
        match self {
            Predicate::PlanCheck(check) => Some(check.plan),
            Predicate::Proof(proof) => Some(proof.plan),
            Predicate::Runbook(runbook) => Some(runbook.plan),
            Predicate::Rehearsal(rehearsal) => Some(rehearsal.plan),
            Predicate::SmokeResult(result) => result.nonevent.as_ref()?.plan,
            Predicate::Analysis(analysis) => Some(analysis.plan),
            Predicate::Rollout(rollout) => Some(rollout.plan),
            Predicate::Approval(approval) => Some(approval.plan),
            Predicate::Waiver(waiver) => waiver.plan,
            Predicate::GateVerdict(_) | Predicate::Unknown { .. } => None,
        }
    }

    /// The predicate of a type that stands in a node.
    pub(crate) fn decode(uri: &str, node: &Node) -> Result<Predicate, EvidenceError> {
        fn of<T: DeserializeOwned>(uri: &str, node: &Node) -> Result<T, EvidenceError> {
            decode_node(node, "predicate").map_err(|finding| {
                let what = format!("the predicate does not have the fields of {uri}");
                EvidenceError::from_finding(EvidenceErrorKind::Predicate, &what, &finding)
            })
        }
        Ok(match uri {
            predicate_type::PLAN_CHECK => Predicate::PlanCheck(of(uri, node)?),
            predicate_type::PROOF => Predicate::Proof(of(uri, node)?),
            predicate_type::RUNBOOK => Predicate::Runbook(of(uri, node)?),
            predicate_type::REHEARSAL => Predicate::Rehearsal(of(uri, node)?),
            predicate_type::SMOKE_RESULT => Predicate::SmokeResult(of(uri, node)?),
            predicate_type::ANALYSIS => Predicate::Analysis(of(uri, node)?),
            predicate_type::ROLLOUT => Predicate::Rollout(of(uri, node)?),
            predicate_type::GATE_VERDICT => Predicate::GateVerdict(of(uri, node)?),
            predicate_type::APPROVAL => Predicate::Approval(of(uri, node)?),
            predicate_type::WAIVER => Predicate::Waiver(of(uri, node)?),
            _ => Predicate::Unknown {
                predicate_type: String::from(uri),
                predicate: node.to_json(),
            },
        })
    }
}

/// The content alone, without its type.
impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Predicate::PlanCheck(check) => check.serialize(serializer),
            Predicate::Proof(proof) => proof.serialize(serializer),
            Predicate::Runbook(runbook) => runbook.serialize(serializer),
            Predicate::Rehearsal(rehearsal) => rehearsal.serialize(serializer),
            Predicate::SmokeResult(result) => result.serialize(serializer),
            Predicate::Analysis(analysis) => analysis.serialize(serializer),
            Predicate::Rollout(rollout) => rollout.serialize(serializer),
            Predicate::GateVerdict(verdict) => verdict.serialize(serializer),
            Predicate::Approval(approval) => approval.serialize(serializer),
            Predicate::Waiver(waiver) => waiver.serialize(serializer),
            Predicate::Unknown { predicate, .. } => predicate.serialize(serializer),
        }
    }
}
