//! How long a plan takes, and how long the way back takes from each of its steps.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use nonevent_router::{Arm, FULL_WEIGHT, Split};

use crate::plan::{Action, BaselineSet, Plan, Target, Task, Traffic};

/// Time allowed for one change of the router, its reading back included, in milliseconds.
pub(crate) const SHIFT_MS: u64 = 5_000;
/// Time allowed for one smoke suite, in milliseconds.
pub(crate) const SMOKE_MS: u64 = 120_000;
/// Time between two tries of a refused effect, in milliseconds.
pub(crate) const RETRY_MS: u64 = 500;

/// The time that one step takes at the most before the rollout goes back instead; before it, this
/// stands, and such a baseline set.
pub(crate) fn deadline_ms(
    plan: &Plan,
    before: &Target,
    baseline: BaselineSet,
    action: &Action,
) -> u64 {
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
            // Instances before the share when it grows, after it when it ends.
            Task::Baseline { count, .. } if *count > baseline.count => raise_ms(plan) + SHIFT_MS,
            Task::Baseline { count, .. } if *count < baseline.count => {
                SHIFT_MS + plan.fleet.drain_ms + SHIFT_MS
            }
            Task::Baseline { .. } => SHIFT_MS,
        },
    }
}

/// The expected and the longest time of the plan's forward way, in milliseconds: pauses and
/// nothing else, and every step at its deadline.
#[must_use]
pub fn plan_duration_ms(plan: &Plan) -> (u64, u64) {
    let mut expected = 0u64;
    let mut longest = 0u64;
    let mut baseline = BaselineSet::default();
    for (index, step) in plan.steps.iter().enumerate() {
        let before = plan.before(index);
        expected = expected.saturating_add(match &step.action {
            Action::Watch { for_ms, .. } => *for_ms,
            Action::Scale { arm, count } if *count > before.count(*arm) => plan.fleet.warm_up_ms,
            Action::Task(Task::Baseline { count, .. }) if *count > baseline.count => {
                plan.fleet.warm_up_ms
            }
            _ => 0,
        });
        baseline = baseline.after(&step.action);
        longest = longest.saturating_add(step.deadline_ms);
    }
    (expected, longest)
}

/// How long the plan may be closed on its forward way, in milliseconds: draining the old
/// instances, and starting the new.
pub(crate) fn closed_ms(plan: &Plan) -> u64 {
    let mut closed_ms = 0u64;
    for (index, step) in plan.steps.iter().enumerate() {
        let opens = matches!(&step.action, Action::Shift { split } if !split.is_closed());
        if plan.before(index).split.is_closed() && !opens {
            closed_ms = closed_ms.saturating_add(match &step.action {
                Action::Scale {
                    arm: Arm::Stable, ..
                } => plan.fleet.drain_ms,
                Action::Scale {
                    arm: Arm::Canary, ..
                } => plan.fleet.ready_within_ms + plan.fleet.warm_up_ms,
                _ => 0,
            });
        }
    }
    closed_ms
}

/// The bound on the time from a decision to go back until stable serves everything, when `target`
/// or less stands on the way, and nothing fails on the way, in milliseconds.
///
/// It counts rounds of the rollback: each raises stable as far as capacity allows, moves the
/// traffic that this carries, and lowers the canary to make room.
#[must_use]
pub fn recovery_bound_ms(plan: &Plan, target: &Target) -> u64 {
    WayBack::default().bound_ms(plan, target)
}

/// The way back from many states of one plan: what was found out for one is remembered, as ways back
/// join each other.
#[derive(Default)]
pub(crate) struct WayBack {
    /// Stable and canary instances, and the time of all rounds from there.
    rounds_ms: BTreeMap<(u32, u32), u64>,
}

impl WayBack {
    /// See [`recovery_bound_ms`]; always asked about the same plan.
    pub(crate) fn bound_ms(&mut self, plan: &Plan, target: &Target) -> u64 {
        // Where a name is switched, users follow only once resolvers have forgotten the old answer.
        let forgotten_ms = if target.split == Split::STABLE {
            0
        } else {
            plan.target.dns_ttl_ms
        };
        self.reached_ms(plan, target).saturating_add(forgotten_ms)
    }

    fn reached_ms(&mut self, plan: &Plan, target: &Target) -> u64 {
        let fleet = &plan.fleet;
        let lower_ms = fleet.drain_ms + SHIFT_MS;
        if target.stable >= fleet.replicas {
            // Everything stable needs is there: one reading, one change of the router.
            return if target.traffic() == Traffic::STABLE {
                SHIFT_MS
            } else {
                2 * SHIFT_MS
            };
        }
        // Stable instances that were being stopped hold their places until they are gone.
        let first_ms = SHIFT_MS + lower_ms;
        let rounds_ms = self.rounds_ms(plan, (target.stable, target.canary));
        rounds_ms.saturating_add(first_ms).saturating_add(SHIFT_MS)
    }

    fn rounds_ms(&mut self, plan: &Plan, from: (u32, u32)) -> u64 {
        let mut way = Vec::new();
        let mut at = from;
        // Ends: each round raises stable by at least one, or nothing can move any more.
        let mut rest_ms = loop {
            if at.0 >= plan.fleet.replicas {
                break 0;
            }
            if let Some(known_ms) = self.rounds_ms.get(&at) {
                break *known_ms;
            }
            let (next, round_ms) = round(plan, at);
            if next == at {
                // Close, stop the new, start the old, open; where closing is allowed.
                let closing_ms = 3 * SHIFT_MS + plan.fleet.drain_ms + raise_ms(plan);
                let rest_ms = plan.downtime.as_ref().map_or(u64::MAX, |_| closing_ms);
                self.rounds_ms.insert(at, rest_ms);
                break rest_ms;
            }
            way.push((at, round_ms));
            at = next;
        };
        for (at, round_ms) in way.into_iter().rev() {
            rest_ms = rest_ms.saturating_add(round_ms);
            self.rounds_ms.insert(at, rest_ms);
        }
        rest_ms
    }
}

const fn raise_ms(plan: &Plan) -> u64 {
    plan.fleet.ready_within_ms + plan.fleet.warm_up_ms + SHIFT_MS
}

/// One round of a rollback: what stands after it, and its time.
fn round(plan: &Plan, (stable, canary): (u32, u32)) -> ((u32, u32), u64) {
    let fleet = &plan.fleet;
    let room = fleet.capacity_max.saturating_sub(stable + canary);
    let raised = stable + room.min(fleet.replicas - stable);
    let left = plan.needed(FULL_WEIGHT - plan.carried(raised)).min(canary);
    let mut ms = 0;
    if raised > stable {
        ms += raise_ms(plan) + SHIFT_MS;
    }
    if left < canary && raised < fleet.replicas {
        ms += fleet.drain_ms + SHIFT_MS;
    }
    ((raised, left), ms)
}
