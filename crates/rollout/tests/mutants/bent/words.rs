//! Mutants that do not heed a pause or a closed window, or count words that must count for nothing.

use nonevent_rollout::{
    Agreed, Command, Effect, HeldBy, Input, Judgement, Mode, Outcome, Pending, Property, Verified,
};

use super::{Mutant, rules};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "does not hear that a person pauses",
        property: Property::ExposureOnEvidence,
        on: "no-return",
        bend: |plan, state, now_ms, input| match input {
            Input::Command(Command::Pause) => rules(plan, state, now_ms, &Input::Clock),
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "forgets that a person paused when the process died",
        property: Property::ExposureOnEvidence,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            if *input == Input::Restarted {
                let _ = state.held.take_if(|held| held.by == HeldBy::Person);
            }
            rules(plan, state, now_ms, input)
        },
    },
    Mutant {
        name: "does not wait for the window to open",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| match input {
            Input::Window(_) => rules(plan, state, now_ms, &Input::Clock),
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "does not go back as the window closes",
        property: Property::Recovers,
        on: "pauses",
        bend: |plan, state, now_ms, input| match input {
            Input::Window(_) => rules(plan, state, now_ms, &Input::Clock),
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "lets a person end the calendar's pause",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            if *input == Input::Command(Command::Resume)
                && let Some(held) = &mut state.held
                && held.by == HeldBy::Window
            {
                held.by = HeldBy::Person;
                state.shut_until_ms = None;
            }
            rules(plan, state, now_ms, input)
        },
    },
    Mutant {
        name: "counts one who agrees twice for two",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            if let (
                Input::Approval {
                    granted: true,
                    person,
                    ..
                },
                Mode::Forward { agreed, .. },
            ) = (input, &mut state.mode)
                && agreed.people & (1 << person) != 0
            {
                agreed.people |= 1 << (person + 1);
            }
            rules(plan, state, now_ms, input)
        },
    },
    Mutant {
        name: "counts an agreement to another step",
        property: Property::ExposureOnEvidence,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            let mut input = *input;
            if let (Input::Approval { step, .. }, Mode::Forward { step: at, .. }) =
                (&mut input, state.mode)
            {
                *step = at;
            }
            rules(plan, state, now_ms, &input)
        },
    },
    Mutant {
        name: "counts the agreement of one who is not asked",
        property: Property::ExposureOnEvidence,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            let mut input = *input;
            if let Input::Approval { person, .. } = &mut input {
                *person %= 2;
            }
            rules(plan, state, now_ms, &input)
        },
    },
    Mutant {
        name: "takes the task of another step for its own",
        property: Property::ExposureOnEvidence,
        on: "tasks",
        bend: |plan, state, now_ms, input| {
            let mut input = *input;
            if let (
                Input::Task { step, .. },
                Some(Pending {
                    effect: Effect::Task { step: out },
                    ..
                }),
            ) = (&mut input, state.pending)
            {
                *step = out;
            }
            rules(plan, state, now_ms, &input)
        },
    },
    Mutant {
        name: "does not hear of harm while people do things",
        property: Property::Recovers,
        on: "no-return",
        bend: |plan, state, now_ms, input| match (input, state.pending) {
            (
                Input::Analysis {
                    judgement: Judgement::Fail,
                    ..
                },
                Some(Pending {
                    effect: Effect::Task { .. },
                    ..
                }),
            ) => rules(plan, state, now_ms, &Input::Clock),
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "hears of harm in watches only",
        property: Property::Recovers,
        on: "canary",
        bend: |plan, state, now_ms, input| match (input, state.mode) {
            (
                Input::Analysis {
                    judgement: Judgement::Fail,
                    ..
                },
                Mode::Forward {
                    watch_until_ms: None,
                    ..
                },
            ) => rules(plan, state, now_ms, &Input::Clock),
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "goes forward again when a person resumes on the way back",
        property: Property::ExposureOnEvidence,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            if let (Input::Command(Command::Resume), Mode::Rollback { .. }) = (input, state.mode) {
                state.mode = Mode::Forward {
                    step: 0,
                    deadline_ms: now_ms + 1_000,
                    watch_until_ms: None,
                    judgement: None,
                    was_well: false,
                    agreed: Agreed::default(),
                };
            }
            rules(plan, state, now_ms, input)
        },
    },
    Mutant {
        name: "ends its way back when a person aborts once more",
        property: Property::OneVersion,
        on: "no-return",
        bend: |plan, state, now_ms, input| {
            if let (Input::Command(Command::Abort), Mode::Rollback { reason, .. }) =
                (input, state.mode)
            {
                let verified = Verified::NotYet;
                state.mode = Mode::Done(Outcome::RolledBack { reason, verified });
            }
            rules(plan, state, now_ms, input)
        },
    },
];
