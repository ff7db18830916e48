//! How long a plan takes, and how long the way back takes from each of its steps.

use nonevent_router::{Arm, Split};

use crate::plan::{Action, Plan, Target, Task};

/// Time allowed for one change of the router, its reading back included, in milliseconds.
pub(crate) const SHIFT_MS: u64 = 5_000;
/// Time allowed for one smoke suite, in milliseconds.
pub(crate) const SMOKE_MS: u64 = 120_000;
/// Time between two tries of a refused effect, in milliseconds.
pub(crate) const RETRY_MS: u64 = 500;

/// The time that one step takes at the most before the rollout goes back instead.
pub(crate) fn deadline_ms(plan: &Plan, before: &Target, action: &Action) -> u64 {
    match action {
        Action::Smoke { .. } => SMOKE_MS,
        Action::Shift { .. } => SHIFT_MS,
        Action::Scale { arm, count } if *count > before.count(*arm) => {
            plan.fleet.ready_within_ms + plan.fleet.warm_up_ms + SHIFT_MS
        }
        Action::Scale { .. } => plan.fleet.drain_ms + SHIFT_MS,
        Action::Watch {
            for_ms,
            analyse,
            analysis,
            ..
        } => {
            let named = plan.analysis_named(analysis.as_deref());
            let looks_ms = match named {
                // The last look comes after the pause; it may be late by a whole interval, twice,
                // and by what its metrics are late.
                Some(analysis) if *analyse => 2 * analysis.every_ms + analysis.late_ms,
                _ => 0,
            };
            for_ms + looks_ms + SHIFT_MS
        }
        Action::Task(task) => match task {
            Task::Approve { approval } => {
                let approval = plan.approvals.get(approval);
                approval.map_or(SHIFT_MS, |approval| approval.timeout_ms)
            }
            Task::Manual { within_ms, .. } | Task::Migrate { within_ms, .. } => *within_ms,
            Task::Route { .. } | Task::Mirror { .. } | Task::Flag { .. } => SHIFT_MS,
        },
    }
}

/// The expected and the longest time of the plan's forward way, in milliseconds: pauses and
/// nothing else, and every step at its deadline.
#[must_use]
pub fn plan_duration_ms(plan: &Plan) -> (u64, u64) {
    let mut expected = 0u64;
    let mut longest = 0u64;
    for (index, step) in plan.steps.iter().enumerate() {
        let before = plan.before(index);
        expected = expected.saturating_add(match &step.action {
            Action::Watch { for_ms, .. } => *for_ms,
            Action::Scale { arm, count } if *count > before.count(*arm) => plan.fleet.warm_up_ms,
            _ => 0,
        });
        longest = longest.saturating_add(step.deadline_ms);
    }
    (expected, longest)
}

/// The bound on the time from a decision to go back until stable serves everything, when `target`
/// or less stands on the way, and nothing fails on the way, in milliseconds.
///
/// It counts rounds of the rollback: each raises stable as far as capacity allows, moves the
/// traffic that this carries, and lowers the canary to make room.
#[must_use]
pub fn recovery_bound_ms(plan: &Plan, target: &Target) -> u64 {
    // Where a name is switched, users follow only once resolvers have forgotten the old answer.
    let forgotten_ms = if target.split == Split::STABLE {
        0
    } else {
        plan.target.dns_ttl_ms
    };
    reaction_bound_ms(plan, target).saturating_add(forgotten_ms)
}

fn reaction_bound_ms(plan: &Plan, target: &Target) -> u64 {
    let fleet = &plan.fleet;
    let raise_ms = fleet.ready_within_ms + fleet.warm_up_ms + SHIFT_MS;
    let lower_ms = fleet.drain_ms + SHIFT_MS;
    if target.stable >= fleet.replicas {
        // Everything stable needs is there: one reading, one change of the router.
        return if target.split.weight(Arm::Stable) == nonevent_router::FULL_WEIGHT {
            SHIFT_MS
        } else {
            2 * SHIFT_MS
        };
    }
    if plan.downtime.is_some() {
        // Close, stop the new, start the old, open.
        return SHIFT_MS + 2 * lower_ms + raise_ms + 2 * SHIFT_MS;
    }
    let (mut stable, mut canary) = (target.stable, target.canary);
    // Stable instances that were being stopped hold their places until they are gone.
    let mut total = SHIFT_MS + lower_ms;
    // Ends: each round raises stable by at least one, or nothing can move any more.
    while stable < fleet.replicas {
        let room = fleet.capacity_max.saturating_sub(stable + canary);
        let raised = stable + room.min(fleet.replicas - stable);
        let left = plan
            .needed(nonevent_router::FULL_WEIGHT - plan.carried(raised))
            .min(canary);
        if raised == stable && left == canary {
            return u64::MAX;
        }
        if raised > stable {
            total = total.saturating_add(raise_ms + SHIFT_MS);
        }
        if left < canary && raised < fleet.replicas {
            total = total.saturating_add(lower_ms);
        }
        (stable, canary) = (raised, left);
    }
    total.saturating_add(SHIFT_MS)
}
