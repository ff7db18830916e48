#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod chain;
mod envelope;
mod error;
mod key;
mod predicate;
mod statement;
mod trust;

pub use chain::{Chain, ChainError, ChainErrorKind, ChainLimits, ChainWriter, read_chain};
pub use envelope::{Envelope, PAYLOAD_TYPE, Signature, Verified};
pub use error::{EvidenceError, EvidenceErrorKind};
pub use key::{SigningKey, VerifyingKey};
pub use predicate::{
    AnalysisResult, AnalysisVerdict, Approval, ArmFigures, CriterionResult, CriterionStatus,
    GateFigures, GateVerdict, PlanCheck, PolicyReference, Predicate, Proof, Rehearsal,
    RehearsalOutcome, ResourceDescriptor, RolloutOutcome, RolloutResult, RunbookRendered,
    SmokeFigures, SmokePhase, SmokeResult, StepFigures, TestResult, VerificationResult, Verifier,
    Waiver, predicate_type,
};
pub use statement::{CLOCK_SKEW_MS, Statement, Subject};
pub use trust::{TrustPolicy, TrustedKey};
