//! The runbook of a plan, with what the workflow knows of it.

use nonevent_document::Timestamp;
use nonevent_rollout::Proof;
use nonevent_runbook::{Facts, ProofSummary, Runbook};
use nonevent_strategy::Plan;

use crate::error::{DriverError, DriverErrorKind};

/// The runbook of `plan`, made at `now`.
///
/// # Errors
/// The plan has no canonical form, so it cannot be named by its digest.
pub(crate) fn runbook(
    plan: &Plan,
    now: Timestamp,
    proof: &Proof,
    target: String,
) -> Result<Runbook, DriverError> {
    let facts = Facts {
        proof: Some(ProofSummary {
            states: proof.states,
            transitions: proof.transitions,
            faults: u32::from(proof.faults),
            worst_recovery_ms: proof.worst_recovery_ms,
        }),
        target: Some(target),
        ..Facts::at(now)
    };
    Runbook::of(plan, &facts)
        .map_err(|error| DriverError::new(DriverErrorKind::State, error.to_string()))
}
