//! What of a plan the hands can carry out.

use nonevent_strategy::{Action, Plan, Task};

use crate::error::{DriverError, DriverErrorKind};

/// Refuses a plan that asks for what the embedded router and the counters at hand cannot do: better
/// no rollout than one that leaves something out.
pub(crate) fn can_carry_out(plan: &Plan) -> Result<(), DriverError> {
    let steps = plan.steps.iter().enumerate();
    let mut asked = steps.filter_map(|(index, step)| {
        let what = beyond(&step.action)?;
        Some(format!("step {} ({}) is {what}", index + 1, step.id))
    });
    let analyses = plan.analysis.iter().chain(plan.analyses.values());
    let late = analyses.into_iter().any(|analysis| analysis.late_ms > 0);
    let late = late.then(|| {
        "its analysis rests on metrics that come from elsewhere than the router".to_owned()
    });
    match asked.next().or(late) {
        Some(what) => Err(DriverError::new(
            DriverErrorKind::State,
            format!("this plan cannot be run here: {what}; it can be proved and simulated"),
        )),
        None => Ok(()),
    }
}

const fn beyond(action: &Action) -> Option<&'static str> {
    match action {
        Action::Task(Task::Route { .. }) => {
            Some("a route for chosen users, which the embedded router has not")
        }
        Action::Task(Task::Mirror { .. }) => {
            Some("a copy of requests, which the embedded router does not make")
        }
        Action::Task(Task::Baseline { .. }) => Some("a baseline set beside the canary"),
        _ => None,
    }
}
