//! Mutants of what people and others have a hand in: approvals, tasks, flags, chosen users, pauses.

use nonevent_rollout::{
    Agreed, Effect, Held, HeldBy, Input, Mode, Next, Notice, Phase, Property, Reason, TaskVerdict,
    Turn, Verified, Wait, WaitReason,
};
use nonevent_strategy::{OnDrift, Traffic};

use super::{Mutant, instead, rules, unsent};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "counts the word of one for the words of all",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| match (*input, &mut state.mode) {
            (Input::Approval { granted: true, .. }, Mode::Forward { agreed, .. }) => {
                agreed.people |= 0b11;
                rules(plan, state, now_ms, input)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "counts words that are too old",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            if let Mode::Forward { agreed, .. } = &mut state.mode {
                agreed.until_ms = None;
            }
            turn
        },
    },
    Mutant {
        name: "keeps the words of others when one says no after all",
        property: Property::ExposureOnEvidence,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            if let (Input::Approval { granted: false, .. }, Mode::Forward { agreed, .. }) =
                (input, &mut state.mode)
            {
                *agreed = Agreed {
                    people: 1,
                    until_ms: None,
                };
            }
            turn
        },
    },
    Mutant {
        name: "takes a failed task for a done one",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| match *input {
            Input::Task { step, .. } => {
                let verdict = TaskVerdict::Done;
                rules(plan, state, now_ms, &Input::Task { step, verdict })
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "has people do things while it is paused",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let held = state.held.take_if(|held| held.by == HeldBy::Person);
            let turn = rules(plan, state, now_ms, input);
            state.held = state.held.or(held);
            turn
        },
    },
    Mutant {
        name: "goes back after the point of no return",
        property: Property::Recovers,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            if let Some(Held {
                by: HeldBy::NoReturn(reason),
                ..
            }) = state.held
            {
                state.held = None;
                state.mode = back(reason, now_ms);
            }
            turn
        },
    },
    Mutant {
        name: "goes on after a failure past the point of no return",
        property: Property::Recovers,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let no_return = |held: &mut Held| matches!(held.by, HeldBy::NoReturn(_));
            let _ = state.held.take_if(no_return);
            turn
        },
    },
    Mutant {
        name: "leaves the flags on when it goes back",
        property: Property::Recovers,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match turn.effect {
                Some(Effect::Withdraw { .. }) => {
                    state.beside.flags = false;
                    unsent(state, turn)
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "leaves chosen users where they are when it goes back",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let ways = state.traffic.map(|traffic| traffic.ways);
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode, ways) {
                (Some(Effect::Shift { split, .. }), Mode::Rollback { .. }, Some(ways)) => {
                    instead(state, turn, Effect::shift(Traffic { split, ways }))
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "sends chosen users to a canary that has no instance",
        property: Property::TrafficHasCapacity,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let target = plan
                .steps
                .iter()
                .find(|step| step.target.ways.route.is_some());
            match (turn.effect, target) {
                (Some(Effect::Scale { .. }), Some(step)) if turn_is_forward(state.mode) => {
                    instead(state, turn, Effect::shift(step.target.traffic()))
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "counts what was watched before the router was set right",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let before = state.mode;
            let turn = rules(plan, state, now_ms, input);
            let right = turn
                .notices
                .iter()
                .any(|notice| matches!(notice, Notice::Drift { .. }));
            if right && matches!(state.mode, Mode::Forward { .. }) {
                state.mode = before;
            }
            turn
        },
    },
    Mutant {
        name: "sets right a router that sends the canary more than it had",
        property: Property::TrafficHasCapacity,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let mut bold = plan.clone();
            bold.rollback.on_drift = OnDrift::Repair;
            let (before, now) = (state.mode, state.traffic);
            let turn = rules(&bold, state, now_ms, input);
            if matches!(before, Mode::Forward { .. }) && state.traffic != now {
                // It waits for its next turn, as if nothing had happened.
                state.mode = before;
                state.pending = None;
                return Turn {
                    effect: None,
                    next: Next::Wait(Wait {
                        until_ms: now_ms + 1_000,
                        reason: WaitReason::Watch,
                    }),
                    ..turn
                };
            }
            turn
        },
    },
    Mutant {
        name: "waits for people for ever",
        property: Property::Ends,
        on: "pauses",
        bend: |plan, state, now_ms, input| {
            let mut turn = rules(plan, state, now_ms, input);
            if let Some(held) = &mut state.held {
                held.until_ms = i64::MAX;
            }
            if let (Some(_), Next::Wait(wait)) = (state.held, &mut turn.next) {
                wait.until_ms = i64::MAX;
            }
            turn
        },
    },
    Mutant {
        name: "forgets that flags were opened",
        property: Property::Recovers,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let before = state.mode;
            let turn = rules(plan, state, now_ms, input);
            if let (Mode::Forward { .. }, Mode::Rollback { .. }) = (before, state.mode) {
                state.beside.flags = false;
                state.retry_at_ms = Some(now_ms + 1);
            }
            turn
        },
    },
];

const fn turn_is_forward(mode: Mode) -> bool {
    matches!(mode, Mode::Forward { .. })
}

const fn back(reason: Reason, now_ms: i64) -> Mode {
    Mode::Rollback {
        reason,
        phase: Phase::Restore,
        deadline_ms: now_ms + 300_000,
        verified: Verified::NotYet,
    }
}
