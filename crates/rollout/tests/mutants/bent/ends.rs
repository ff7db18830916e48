//! Mutants that do not come back, do not end, or end where they should not.

use nonevent_rollout::{
    Effect, FleetSeen, Input, Judgement, Mode, Next, Outcome, Pending, Phase, Property, Reason,
    SmokeVerdict, Turn, Verified,
};
use nonevent_router::Arm;

use super::{Mutant, rules, seen, unsent};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "goes on although the analysis fails",
        property: Property::Recovers,
        on: "canary",
        bend: |plan, state, now_ms, input| match *input {
            Input::Analysis {
                step,
                judgement: Judgement::Fail,
            } => {
                let judgement = Judgement::Inconclusive;
                rules(plan, state, now_ms, &Input::Analysis { step, judgement })
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "parks the canary at its weight when it is aborted",
        property: Property::Recovers,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (Some(Effect::Shift { .. }), Mode::Rollback { .. }) => unsent(state, turn),
                _ => turn,
            }
        },
    },
    Mutant {
        name: "restores the weights and leaves stable as small as it is",
        property: Property::Recovers,
        on: "rolling",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (
                    Some(Effect::Scale {
                        arm: Arm::Stable, ..
                    }),
                    Mode::Rollback { .. },
                ) => unsent(state, turn),
                _ => turn,
            }
        },
    },
    Mutant {
        name: "waits ten minutes after a refusal",
        property: Property::Recovers,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            if state.retry_at_ms.is_some() && matches!(state.mode, Mode::Rollback { .. }) {
                state.retry_at_ms = Some(now_ms + 600_000);
                return rules(plan, state, now_ms, &Input::Clock);
            }
            turn
        },
    },
    Mutant {
        name: "sets its own deadline anew whenever it looks",
        property: Property::Recovers,
        on: "rolling",
        bend: |plan, state, now_ms, input| {
            let never_ready = state.fleet.is_some_and(|fleet| fleet.stable.ready == 0);
            if let (true, Mode::Rollback { deadline_ms, .. }) = (never_ready, &mut state.mode) {
                *deadline_ms = now_ms + 600_000;
            }
            let turn = rules(plan, state, now_ms, input);
            match turn.effect {
                Some(Effect::Scale {
                    arm: Arm::Canary, ..
                }) if matches!(state.mode, Mode::Rollback { .. }) => unsent(state, turn),
                _ => turn,
            }
        },
    },
    Mutant {
        name: "leaves the traffic where it is when the fleet cannot be asked",
        property: Property::Recovers,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            state.stable_ready_last = 0;
            let turn = rules(plan, state, now_ms, input);
            state.stable_ready_last = 0;
            turn
        },
    },
    Mutant {
        name: "waits for an analysis for ever",
        property: Property::Ends,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            if let Mode::Forward {
                deadline_ms,
                watch_until_ms: Some(_),
                ..
            } = &mut state.mode
            {
                *deadline_ms = (*deadline_ms).max(now_ms + 60_000);
            }
            rules(plan, state, now_ms, input)
        },
    },
    Mutant {
        name: "waits without a deadline",
        property: Property::Ends,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let mut turn = rules(plan, state, now_ms, input);
            if let (Next::Wait(wait), None) = (&mut turn.next, state.pending) {
                wait.until_ms = i64::MAX;
            }
            turn
        },
    },
    Mutant {
        name: "asks again and again",
        property: Property::Ends,
        on: "recreate",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let watches = matches!(
                state.mode,
                Mode::Forward {
                    watch_until_ms: Some(_),
                    ..
                }
            );
            if watches && state.pending.is_none() && matches!(input, Input::Fleet(_)) {
                let effect = Effect::Observe;
                state.fleet = None;
                state.pending = Some(Pending {
                    effect,
                    until_ms: now_ms + 5_000,
                });
                return Turn {
                    effect: Some(effect),
                    ..turn
                };
            }
            turn
        },
    },
    Mutant {
        name: "never counts a suite as passed",
        property: Property::Ends,
        on: "rolling",
        bend: |plan, state, now_ms, input| match (input, state.mode) {
            (Input::Smoke(SmokeVerdict::Passed), Mode::Forward { .. }) => {
                state.pending = None;
                rules(plan, state, now_ms, &Input::Clock)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "ends while instances of the canary are left",
        property: Property::OneVersion,
        on: "blue-green",
        bend: |plan, state, now_ms, input| {
            let lowering = matches!(
                state.mode,
                Mode::Rollback {
                    phase: Phase::Lower,
                    ..
                }
            );
            let gone = |fleet: &mut FleetSeen| fleet.canary.present = 0;
            let input = if lowering { seen(gone, input) } else { *input };
            rules(plan, state, now_ms, &input)
        },
    },
    Mutant {
        name: "ends as soon as the weight reads 0",
        property: Property::OneVersion,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            if matches!(
                state.mode,
                Mode::Rollback {
                    phase: Phase::Quiesce,
                    ..
                }
            ) {
                let reason = Reason::Aborted;
                let verified = Verified::NotYet;
                let outcome = Outcome::RolledBack { reason, verified };
                state.mode = Mode::Done(outcome);
                state.pending = None;
                return Turn {
                    effect: None,
                    next: Next::Done(outcome),
                    ..turn
                };
            }
            turn
        },
    },
    Mutant {
        name: "does not wait for the canary's last requests",
        property: Property::OneVersion,
        on: "canary",
        bend: |plan, state, now_ms, input| match *input {
            Input::Router(mut seen) => {
                seen.canary_quiet = true;
                rules(plan, state, now_ms, &Input::Router(seen))
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "forgets that an earlier change of traffic may still arrive",
        property: Property::OneVersion,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            state.unfenced = false;
            turn
        },
    },
    Mutant {
        name: "forgets that instances which it asked for may still come",
        property: Property::OneVersion,
        on: "blue-green",
        bend: |plan, state, now_ms, input| {
            state.unfenced_arms = [false; 2];
            let turn = rules(plan, state, now_ms, input);
            state.unfenced_arms = [false; 2];
            turn
        },
    },
];
