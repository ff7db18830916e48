//! What follows when a step is late, and where nothing goes back any more.

use alloc::format;

use nonevent_strategy::{
    Action, AfterNoReturn, OnFailure, OnInconclusive, OnNoData, Plan, Step, Task,
};

use super::words;
use crate::text::{Text, text};

/// How long people have to decide, in words; the machine's own bound on a pause.
const DECIDED_WITHIN: &str = "an hour";

/// Whether nothing goes back by itself once the step at `index` has begun.
pub(super) fn has_no_return(plan: &Plan, index: usize) -> bool {
    let first = plan.rollback.no_return_from.map(usize::from);
    first.is_some_and(|first| index >= first)
}

/// What follows if the step at `index` is not done by its deadline.
pub(super) fn late(plan: &Plan, index: usize, step: &Step) -> Text {
    if has_no_return(plan, index) {
        return text!(
            "if it is not done by then, the rollout pauses, and people decide within ",
            DECIDED_WITHIN,
            "; after that the rollout ends, and they take over."
        );
    }
    let pauses = match &step.action {
        _ if plan.rollback.on_failure == OnFailure::Pause => "the rollout pauses",
        Action::Task(Task::Approve { approval }) => {
            let approval = plan.approvals.get(approval);
            match approval.map(|it| it.on_timeout) {
                Some(OnFailure::Pause) => "the rollout pauses",
                Some(OnFailure::Rollback) | None => return goes_back(),
            }
        }
        Action::Watch {
            analyse: true,
            analysis,
            ..
        } => {
            let Some(analysis) = plan.analysis_named(analysis.as_deref()) else {
                return goes_back();
            };
            match (analysis.on_no_data, analysis.on_inconclusive) {
                (OnNoData::Pause, OnInconclusive::Pause) => "the rollout pauses",
                (OnNoData::Pause, _) => {
                    "the rollout goes back if the analysis is inconclusive; without data it pauses"
                }
                (_, OnInconclusive::Pause) => {
                    "the rollout goes back if there is no data; if the analysis is inconclusive it \
                     pauses"
                }
                _ => return goes_back(),
            }
        }
        _ => return goes_back(),
    };
    text!(
        "if it is not done by then, ",
        pauses,
        ", and people decide within ",
        DECIDED_WITHIN,
        "; after that it goes back."
    )
}

fn goes_back() -> Text {
    text!("if it is not done by then, the rollout goes back.")
}

/// What stands in the place of a way back where there is none.
pub(super) fn no_way_back(plan: &Plan, index: usize) -> Text {
    let first = plan.rollback.no_return_from.map(usize::from) == Some(index);
    let none = if first {
        "none: this is the point of no return"
    } else {
        "none"
    };
    text!(
        none,
        ". What fails pauses the rollout",
        kill_switches(plan),
        ", and people decide: it is tried again, or the rollout ends and they take over."
    )
}

fn kill_switches(plan: &Plan) -> &'static str {
    let kills = plan.rollback.after_no_return == AfterNoReturn::KillSwitch;
    match kills && !plan.flags.is_empty() {
        true => ", the kill switches of opened flags are thrown",
        false => "",
    }
}

/// From where on nothing goes back by itself, why, and who accepted it.
pub(super) fn point_of_no_return(plan: &Plan) -> Option<Text> {
    let first = usize::from(plan.rollback.no_return_from?);
    let step = plan.steps.get(first)?;
    let mut text = text!(format!("From step {} (", first.saturating_add(1)))
        .and_text(&words::title(plan, first, step))
        .and(") on nothing goes back by itself");
    if let Some(accepted) = &plan.rollback.no_way_back {
        text = text
            .and(": ")
            .and(&accepted.reason)
            .and("; accepted by ")
            .and(words::name(&accepted.accepted_by));
    }
    Some(
        text.and(". What fails after that pauses the rollout")
            .and(kill_switches(plan))
            .and(format!(
                ", and people decide within {DECIDED_WITHIN}; after that the rollout ends, and they take over."
            )),
    )
}
