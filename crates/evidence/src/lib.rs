#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod bundle;
mod chain;
mod envelope;
mod error;
mod key;
mod predicate;
mod statement;
mod store;
mod trust;
mod verifying_key;

pub use bundle::Bundle;
pub use chain::{Chain, ChainError, ChainErrorKind, ChainLimits, ChainWriter, read_chain};
pub use envelope::{Envelope, PAYLOAD_TYPE, Signature, Threshold, Verified};
pub use error::{EvidenceError, EvidenceErrorKind};
pub use key::SigningKey;
pub use predicate::{
    AnalysisResult, AnalysisVerdict, Approval, ArmFigures, BreakGlass, BreakGlassReview,
    CriterionResult, CriterionStatus, Decision, FlagCheck, GateFigures, GateVerdict, PlanCheck,
    PolicyReference, Predicate, Proof, Rehearsal, RehearsalOutcome, ResourceDescriptor,
    RolloutOutcome, RolloutResult, RunbookRendered, RunbookReview, SignOff, SmokeFigures,
    SmokePhase, SmokeResult, StepFigures, TestResult, VerificationResult, Verifier, Waiver,
    predicate_type,
};
pub use statement::{CLOCK_SKEW_MS, Statement, Subject};
pub use store::{Imported, STORE_KIND, Store, StoreHead, Stored};
pub use trust::{Revoked, TrustPolicy, TrustedKey};
pub use verifying_key::{KeyAlgorithm, VerifyingKey};
