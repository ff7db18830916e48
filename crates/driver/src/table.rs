//! A plan as a table.

use nonevent_strategy::{Action, Plan};

/// The plan as a table: number, step, split, stable, canary, longest time, way back.
#[must_use]
pub fn plan_table(plan: &Plan) -> Vec<PlanRow> {
    let first = plan.rollback.no_return_from.map(usize::from);
    plan.steps
        .iter()
        .enumerate()
        .map(|(place, step)| PlanRow {
            step: step.id.clone(),
            traffic: step.target.split.to_string(),
            stable: step.target.stable,
            canary: step.target.canary,
            for_ms: match step.action {
                Action::Watch { for_ms, .. } => Some(for_ms),
                _ => None,
            },
            deadline_ms: step.deadline_ms,
            back_within_ms: step.back_within_ms,
            no_return: first.is_some_and(|first| place >= first),
        })
        .collect()
}

/// One row of [`plan_table`].
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanRow {
    /// The step's name.
    pub step: String,
    /// The canary's share once it is done.
    pub traffic: String,
    /// Stable instances once it is done.
    pub stable: u32,
    /// Canary instances once it is done.
    pub canary: u32,
    /// How long it watches.
    pub for_ms: Option<u64>,
    /// After how long it has failed.
    pub deadline_ms: u64,
    /// The bound on the way back from it.
    pub back_within_ms: u64,
    /// Whether nothing goes back by itself once it has begun.
    pub no_return: bool,
}
