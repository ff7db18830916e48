//! Mutants that send traffic where it cannot be served, or take away what serves it.

use nonevent_rollout::{Effect, FleetSeen, Input, Mode, Pending, Property, Turn};
use nonevent_router::{Arm, Split};
use nonevent_strategy::Traffic;

use super::{Mutant, instead, rules, seen, unsent};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "takes what it knew before the process died for known",
        property: Property::TrafficHasCapacity,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let (split, fleet) = (state.traffic, state.fleet);
            let turn = rules(plan, state, now_ms, input);
            if *input == Input::Restarted && split.is_some() && fleet.is_some() {
                (state.traffic, state.fleet) = (split, fleet);
                let turn = unsent(state, turn);
                let again = rules(plan, state, now_ms, &Input::Clock);
                return Turn {
                    notices: turn.notices,
                    ..again
                };
            }
            turn
        },
    },
    Mutant {
        name: "sends traffic to instances that have only been asked for",
        property: Property::TrafficHasCapacity,
        on: "recreate",
        bend: |plan, state, now_ms, input| {
            let asked = |fleet: &mut FleetSeen| {
                if fleet.stable.ready == 0 {
                    fleet.stable.ready = fleet.stable.kept;
                }
            };
            // On the way back, where no step asks for readiness.
            let back = matches!(state.mode, Mode::Rollback { .. });
            let closed = state.traffic == Some(Traffic::split(Split::Closed));
            let input = match back && closed {
                true => seen(asked, input),
                false => *input,
            };
            rules(plan, state, now_ms, &input)
        },
    },
    Mutant {
        name: "remembers the split instead of reading it back",
        property: Property::TrafficHasCapacity,
        on: "canary",
        bend: |plan, state, now_ms, input| match (input, state.mode) {
            (Input::Router(_), Mode::Forward { .. })
                if state.pending.is_none() && state.traffic.is_some() =>
            {
                rules(plan, state, now_ms, &Input::Clock)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "does not notice that the router cannot be read",
        property: Property::TrafficHasCapacity,
        on: "canary",
        bend: |plan, state, now_ms, input| match (input, state.pending) {
            (Input::RouterFailed, None) => rules(plan, state, now_ms, &Input::Clock),
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "closes the router on the way back, where nobody accepted a downtime",
        property: Property::TrafficHasCapacity,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (Some(Effect::Shift { .. }), Mode::Rollback { .. }) => {
                    let split = Split::Closed;
                    instead(state, turn, Effect::shift(Traffic::split(split)))
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "takes one stable instance more than the plan says",
        property: Property::MinHealthyKept,
        on: "rolling",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (
                    Some(Effect::Scale {
                        arm: Arm::Stable,
                        count: 1..,
                    }),
                    Mode::Forward { .. },
                ) => {
                    let (arm, count) = (Arm::Stable, 0);
                    instead(state, turn, Effect::Scale { arm, count })
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "does not ask again for stable instances that went missing",
        property: Property::MinHealthyKept,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (
                    Some(Effect::Scale {
                        arm: Arm::Stable,
                        count: 1..,
                    }),
                    Mode::Forward { .. },
                ) => unsent(state, turn),
                _ => turn,
            }
        },
    },
    Mutant {
        name: "gives stable everything at once, whatever it can carry",
        property: Property::MinHealthyKept,
        on: "rolling",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (Some(Effect::Shift { .. }), Mode::Rollback { .. }) => {
                    let split = Split::STABLE;
                    instead(state, turn, Effect::shift(Traffic::split(split)))
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "scales the canary away before stable carries its traffic",
        property: Property::MinHealthyKept,
        on: "blue-green",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (Some(Effect::Shift { .. }), Mode::Rollback { .. }) if state.fleet.is_some() => {
                    let (arm, count) = (Arm::Canary, 0);
                    instead(state, turn, Effect::Scale { arm, count })
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "asks for all stable instances although the others still hold their places",
        property: Property::MinHealthyKept,
        on: "rolling",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (
                    Some(Effect::Scale {
                        arm: Arm::Stable, ..
                    }),
                    Mode::Rollback { .. },
                ) => {
                    let (arm, count) = (Arm::Stable, 3);
                    instead(state, turn, Effect::Scale { arm, count })
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "looks for its step by the weight, and jumps to the end where it finds none",
        property: Property::TrafficHasCapacity,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let third = |split: Split| plan.steps.iter().all(|step| step.target.split != split);
            match input {
                Input::Router(seen) if third(seen.split) => {
                    let mut seen = *seen;
                    seen.split = plan.before(0).split;
                    let turn = rules(plan, state, now_ms, &Input::Router(seen));
                    let effect = Effect::shift(Traffic::split(Split::CANARY));
                    state.pending = Some(Pending {
                        effect,
                        until_ms: now_ms + 5_000,
                    });
                    Turn {
                        effect: Some(effect),
                        ..turn
                    }
                }
                _ => rules(plan, state, now_ms, input),
            }
        },
    },
];
