//! Instances that are taken away, or never come, while traffic needs them.

use nonevent_rollout::{Effect, Mode, Notice, Property};
use nonevent_router::{Arm, FULL_WEIGHT};
use nonevent_strategy::Action;

use super::{Exhibit, action, canary, gated, rolling, rules, sends, unsent};

pub(super) const EXHIBITS: &[Exhibit] = &[
    Exhibit {
        name: "parked-at-two-pods",
        tool: "Argo Rollouts",
        happened: "with dynamic stable scaling and a minimum of two pods for each ReplicaSet, an \
                   aborted canary kept its two pods as long as it had traffic, and their share of \
                   traffic as long as it had pods: for ever",
        here: "on the way back the canary's weight does not fall under the share of its last two instances",
        property: Property::Recovers,
        plan: rolling,
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let carried = state.traffic.map(|it| it.split.weight(Arm::Canary));
            let (Some(Effect::Shift { .. }), Mode::Rollback { .. }, Some(fleet)) =
                (turn.effect, state.mode, state.fleet)
            else {
                return turn;
            };
            let share = u32::from(FULL_WEIGHT) * 2 / plan.fleet.replicas;
            let two = fleet.canary.kept == 2 && fleet.canary.ready == 2;
            match carried.map(u32::from) == Some(share) && two {
                true => unsent(state, turn),
                false => turn,
            }
        },
    },
    Exhibit {
        name: "stuck-after-a-change-of-replicas",
        tool: "Argo Rollouts",
        happened: "a rollout whose replicas were changed between two steps, by an autoscaler, \
                   waited for a number that it had worked out before, and did not go on",
        here: "a step that adds instances waits for its number, asks for it once, and begins its \
               time anew as long as there are more",
        property: Property::Ends,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let (
                Mode::Forward {
                    step, deadline_ms, ..
                },
                Some(fleet),
            ) = (&mut state.mode, state.fleet)
            else {
                return turn;
            };
            let Some(Action::Scale { arm, count }) = action(plan, *step) else {
                return turn;
            };
            let grows = *count > plan.before(usize::from(*step)).count(*arm);
            if !grows || u32::from(fleet.of(*arm).kept) <= *count {
                return turn;
            }
            *deadline_ms = now_ms + 600_000;
            match turn.effect {
                Some(Effect::Scale { arm: of, .. }) if of == *arm => unsent(state, turn),
                _ => turn,
            }
        },
    },
    Exhibit {
        name: "deadline-that-is-only-reported",
        tool: "Kubernetes Deployment",
        happened: "a rollout that makes no progress within progressDeadlineSeconds is said to be \
                   stalled in a condition, and stays as it is",
        here: "a step that waits for instances has no deadline",
        property: Property::Ends,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            if let Mode::Forward {
                step, deadline_ms, ..
            } = &mut state.mode
                && let Some(Action::Scale { .. }) = action(plan, *step)
            {
                *deadline_ms = now_ms + 600_000;
            }
            rules(plan, state, now_ms, input)
        },
    },
    Exhibit {
        name: "stable-scaled-down-on-the-way-back",
        tool: "Argo Rollouts",
        happened: "a rollback restored the weights and scaled the stable ReplicaSet down, as if it \
                   were the old one that nobody needs any more",
        here: "once the weights are back, the stable instances are sent away",
        property: Property::MinHealthyKept,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            let moved = matches!(
                state.pending.map(|it| it.effect),
                Some(Effect::Shift { .. })
            );
            let turn = rules(plan, state, now_ms, input);
            if moved && turn.notices.contains(&Notice::Restored) {
                let (arm, count) = (Arm::Stable, 0);
                return sends(state, turn, now_ms, Effect::Scale { arm, count });
            }
            turn
        },
    },
    Exhibit {
        name: "primary-restarts-under-load",
        tool: "Flagger",
        happened: "to promote, the primary is given the new version and restarts while it serves \
                   what the canary does not; what was left of it was overloaded, and the traffic \
                   that came back at once as well, until its weight could be stepped",
        here: "before the last weight is set, stable instances are restarted, all but one at a time",
        property: Property::MinHealthyKept,
        plan: gated,
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (Some(Effect::Shift { split, .. }), Mode::Forward { .. })
                    if split.weight(Arm::Canary) == FULL_WEIGHT =>
                {
                    let (arm, count) = (Arm::Stable, 1);
                    sends(state, turn, now_ms, Effect::Scale { arm, count })
                }
                _ => turn,
            }
        },
    },
    Exhibit {
        name: "subset-removed-before-its-route",
        tool: "Istio",
        happened: "a subset was removed, or its pods, before the routes to it were: 503 until the \
                   proxies had heard of both; routes are to be withdrawn first",
        here: "on the way back the canary's instances are sent away before its traffic",
        property: Property::MinHealthyKept,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode, state.fleet) {
                (Some(Effect::Shift { .. }), Mode::Rollback { .. }, Some(fleet))
                    if fleet.canary.ready > 0 =>
                {
                    let (arm, count) = (Arm::Canary, 0);
                    sends(state, turn, now_ms, Effect::Scale { arm, count })
                }
                _ => turn,
            }
        },
    },
];
