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

pub use decision::{
    Approval, BreakGlass, BreakGlassReview, Decision, RunbookReview, SignOff, Waiver,
};
pub use plan::{FlagCheck, PlanCheck, Proof, RunbookRendered};
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
    /// A person waived a criterion. `urn:nonevent:predicate:waiver:v2`
    Waiver(Waiver),
    /// A person signed off what the statement is about. `urn:nonevent:predicate:sign-off:v1`
    SignOff(SignOff),
    /// A person reviewed a runbook. `urn:nonevent:predicate:runbook-review:v2`
    RunbookReview(RunbookReview),
    /// A person had gates skipped. `urn:nonevent:predicate:break-glass:v1`
    BreakGlass(BreakGlass),
    /// A person reviewed that gates were skipped. `urn:nonevent:predicate:break-glass-review:v1`
    BreakGlassReview(BreakGlassReview),
    /// A file of feature flags was checked. `urn:nonevent:predicate:flag-check:v1`
    FlagCheck(FlagCheck),
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
    pub const WAIVER: &str = "urn:nonevent:predicate:waiver:v2";
    /// [`Predicate::SignOff`](super::Predicate::SignOff)
    pub const SIGN_OFF: &str = "urn:nonevent:predicate:sign-off:v1";
    /// [`Predicate::RunbookReview`](super::Predicate::RunbookReview)
    pub const RUNBOOK_REVIEW: &str = "urn:nonevent:predicate:runbook-review:v2";
    /// [`Predicate::BreakGlass`](super::Predicate::BreakGlass)
    pub const BREAK_GLASS: &str = "urn:nonevent:predicate:break-glass:v1";
    /// [`Predicate::BreakGlassReview`](super::Predicate::BreakGlassReview)
    pub const BREAK_GLASS_REVIEW: &str = "urn:nonevent:predicate:break-glass-review:v1";
    /// [`Predicate::FlagCheck`](super::Predicate::FlagCheck)
    pub const FLAG_CHECK: &str = "urn:nonevent:predicate:flag-check:v1";

    /// All of them.
    pub const ALL: [&str; 15] = [
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
        SIGN_OFF,
        RUNBOOK_REVIEW,
        BREAK_GLASS,
        BREAK_GLASS_REVIEW,
        FLAG_CHECK,
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
            Predicate::SignOff(_) => predicate_type::SIGN_OFF,
            Predicate::RunbookReview(_) => predicate_type::RUNBOOK_REVIEW,
            Predicate::BreakGlass(_) => predicate_type::BREAK_GLASS,
            Predicate::BreakGlassReview(_) => predicate_type::BREAK_GLASS_REVIEW,
            Predicate::FlagCheck(_) => predicate_type::FLAG_CHECK,
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
            Predicate::SignOff(sign_off) => Some(sign_off.at),
            Predicate::RunbookReview(review) => Some(review.at),
            Predicate::BreakGlass(broken) => Some(broken.at),
            Predicate::BreakGlassReview(review) => Some(review.at),
            Predicate::FlagCheck(check) => Some(check.at),
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
            Predicate::RunbookReview(review) => Some(review.plan),
            Predicate::BreakGlass(broken) => broken.plan,
            Predicate::Waiver(waiver) => waiver.plan,
            Predicate::GateVerdict(_)
            | Predicate::SignOff(_)
            | Predicate::BreakGlassReview(_)
            | Predicate::FlagCheck(_)
            | Predicate::Unknown { .. } => None,
        }
    }

    /// The person whose word it is. Only a key that the trust policy knows as theirs may sign it.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        match self {
            Predicate::SignOff(sign_off) => Some(&sign_off.person),
            Predicate::RunbookReview(review) => Some(&review.person),
            Predicate::Waiver(waiver) => Some(&waiver.person),
            Predicate::BreakGlass(broken) => Some(&broken.person),
            Predicate::BreakGlassReview(review) => Some(&review.person),
            _ => None,
        }
    }

    /// The role in which the [person](Predicate::person) speaks. Only a key of that role may sign it.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        match self {
            Predicate::SignOff(sign_off) => Some(&sign_off.role),
            Predicate::RunbookReview(review) => Some(&review.role),
            Predicate::Waiver(waiver) => Some(&waiver.role),
            _ => None,
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
            predicate_type::SIGN_OFF => Predicate::SignOff(of(uri, node)?),
            predicate_type::RUNBOOK_REVIEW => Predicate::RunbookReview(of(uri, node)?),
            predicate_type::BREAK_GLASS => Predicate::BreakGlass(of(uri, node)?),
            predicate_type::BREAK_GLASS_REVIEW => Predicate::BreakGlassReview(of(uri, node)?),
            predicate_type::FLAG_CHECK => Predicate::FlagCheck(of(uri, node)?),
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
            Predicate::SignOff(sign_off) => sign_off.serialize(serializer),
            Predicate::RunbookReview(review) => review.serialize(serializer),
            Predicate::BreakGlass(broken) => broken.serialize(serializer),
            Predicate::BreakGlassReview(review) => review.serialize(serializer),
            Predicate::FlagCheck(check) => check.serialize(serializer),
            Predicate::Unknown { predicate, .. } => predicate.serialize(serializer),
        }
    }
}
