//! What of a plan the machine can carry out.

use alloc::format;

use nonevent_strategy::{Plan, PlanError};

/// People who may give one approval: each is one bit of what the machine remembers.
const PEOPLE_MAX: usize = 32;

/// Refuses a plan that asks for what the machine does not do.
pub(crate) fn can_carry_out(plan: &Plan) -> Result<(), PlanError> {
    let mut approvals = plan.approvals.iter();
    match approvals.find(|(_, approval)| approval.people.len() > PEOPLE_MAX) {
        Some((name, approval)) => Err(PlanError::unsupported(format!(
            "the approval {name:?} names {} people; at most {PEOPLE_MAX} can be counted",
            approval.people.len()
        ))),
        None => Ok(()),
    }
}
