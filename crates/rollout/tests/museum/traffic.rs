//! Traffic that goes where nobody serves it, or where nobody looks.

use nonevent_rollout::{Effect, Input, Mode, Property};
use nonevent_router::{Arm, Split};
use nonevent_strategy::{Action, Traffic};

use super::{Exhibit, action, canary, rules, sends};

pub(super) const EXHIBITS: &[Exhibit] = &[
    Exhibit {
        name: "traffic-before-pods",
        tool: "Argo Rollouts",
        happened: "traffic was pointed at a ReplicaSet that had been asked for and had no pod \
                   available yet",
        here: "the weight of a step is set as soon as the fleet has taken note of its instances",
        property: Property::TrafficHasCapacity,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let (Mode::Forward { step, .. }, Some(fleet), None) =
                (state.mode, state.fleet, state.pending)
            else {
                return turn;
            };
            let grows = matches!(
                action(plan, step),
                Some(Action::Scale {
                    arm: Arm::Canary,
                    ..
                })
            );
            let mut later = plan.steps[usize::from(step)..].iter();
            let shift = later.find(|it| matches!(it.action, Action::Shift { .. }));
            match shift {
                Some(shift) if grows && fleet.canary.kept > 0 => {
                    let effect = Effect::shift(shift.target.traffic());
                    sends(state, turn, now_ms, effect)
                }
                _ => turn,
            }
        },
    },
    Exhibit {
        name: "step-by-exact-weight",
        tool: "Flagger",
        happened: "the next of the listed step weights was looked for by the exact present one; \
                   where a weight was none of them, the step was all that was missing to 100 %",
        here: "a weight that is in no step is followed by 100 %",
        property: Property::MinHealthyKept,
        plan: canary,
        bend: |plan, state, now_ms, input| match (*input, state.mode) {
            (Input::Router(mut seen), Mode::Forward { step, .. })
                if state.pending.is_none()
                    && matches!(action(plan, step), Some(Action::Watch { .. }))
                    && !seen.split.is_closed()
                    && plan.steps.iter().all(|it| it.target.split != seen.split) =>
            {
                seen.split = plan.before(usize::from(step)).split;
                let turn = rules(plan, state, now_ms, &Input::Router(seen));
                let effect = Effect::shift(Traffic::split(Split::CANARY));
                sends(state, turn, now_ms, effect)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Exhibit {
        name: "weight-lost-in-a-reload",
        tool: "HAProxy",
        happened: "weights set over the runtime socket are gone after a reload, which reads those \
                   of the configuration file; whoever set them still counted on them",
        here: "a weight that was set is remembered and not read back while a step is watched",
        property: Property::TrafficHasCapacity,
        plan: canary,
        bend: |plan, state, now_ms, input| match (*input, state.mode) {
            (Input::Router(seen), Mode::Forward { .. })
                if state.pending.is_none()
                    && state.traffic.is_some()
                    && seen.traffic() == Traffic::STABLE =>
            {
                rules(plan, state, now_ms, &Input::Clock)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Exhibit {
        name: "weight-acknowledged-and-not-in-force",
        tool: "Argo Rollouts with AWS load balancers",
        happened: "a weight counted as set once the controller behind the Ingress had accepted it, \
                   while the load balancer still did something else; the weight has been verified \
                   with the cloud since",
        here: "a change of the router is taken for carried out on the way forward once it is acknowledged",
        property: Property::ExposureOnEvidence,
        plan: canary,
        bend: |plan, state, now_ms, input| match (
            *input,
            state.pending.map(|it| it.effect),
            state.mode,
        ) {
            (
                Input::Router(mut seen),
                Some(Effect::Shift { split, ways }),
                Mode::Forward { .. },
            ) => {
                (seen.split, seen.ways) = (split, ways);
                rules(plan, state, now_ms, &Input::Router(seen))
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Exhibit {
        name: "old-process-after-a-reload",
        tool: "HAProxy",
        happened: "after a reload the old process goes on with the old configuration for as long \
                   as it has connections, WebSockets for days; hard-stop-after was added for that",
        here: "the canary counts as quiet as soon as its weight is 0",
        property: Property::OneVersion,
        plan: canary,
        bend: |plan, state, now_ms, input| match *input {
            Input::Router(mut seen) => {
                seen.canary_quiet = true;
                rules(plan, state, now_ms, &Input::Router(seen))
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
];
