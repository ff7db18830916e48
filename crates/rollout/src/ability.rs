//! What of a plan the machine can carry out.

use alloc::format;
use alloc::string::String;

use nonevent_strategy::{
    Action, AnalysisPlan, ConnectionPolicy, OnFailure, OnInconclusive, OnNoData, Plan, PlanError,
    Task, windows::OnWindowClose,
};

/// Refuses a plan that asks for what the machine does not do: better no rollout than one that leaves
/// out an approval.
pub(crate) fn can_carry_out(plan: &Plan) -> Result<(), PlanError> {
    let refuse = |what: String| Err(PlanError::unsupported(what));
    for (index, step) in plan.steps.iter().enumerate() {
        let what = match &step.action {
            Action::Task(task) => task_words(task),
            Action::Watch {
                analysis: Some(_), ..
            } => "an analysis of its own",
            _ => continue,
        };
        return refuse(format!("step {} ({}) is {what}", index + 1, step.id));
    }
    if plan.rollback.on_failure == OnFailure::Pause {
        return refuse(String::from("`on_failure: pause`"));
    }
    if plan.fleet.connections == ConnectionPolicy::RideOut {
        return refuse(String::from("`connections: ride_out`"));
    }
    let windows = plan.windows.as_ref();
    if windows.is_some_and(|it| it.on_window_close() != OnWindowClose::Finish) {
        return refuse(String::from(
            "a change window that does not let the rollout finish",
        ));
    }
    match plan.analysis.as_ref().and_then(analysis_words) {
        Some(what) => refuse(String::from(what)),
        None => Ok(()),
    }
}

const fn task_words(task: &Task) -> &'static str {
    match task {
        Task::Approve { .. } => "an approval",
        Task::Manual { .. } => "done by a person",
        Task::Migrate { .. } => "a migration",
        Task::Route { .. } => "a route for chosen users",
        Task::Mirror { .. } => "a copy of requests",
        Task::Baseline { .. } => "a baseline set",
        Task::Flag { .. } => "a stage of a feature flag",
    }
}

fn analysis_words(analysis: &AnalysisPlan) -> Option<&'static str> {
    if analysis.late_ms > 0 {
        Some("an analysis whose metrics come from elsewhere than the router")
    } else if analysis.on_no_data == OnNoData::Pause {
        Some("`on_no_data: pause`")
    } else if analysis.on_inconclusive == OnInconclusive::Pause {
        Some("`on_inconclusive: pause`")
    } else {
        None
    }
}
