//! Mutants that expose more than the evidence allows.

use nonevent_rollout::{
    Command, Effect, Input, Judgement, Mode, Next, Outcome, Phase, Property, SmokeVerdict, Turn,
};
use nonevent_router::Split;
use nonevent_strategy::Traffic;

use super::{Mutant, rules};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "counts an analysis without data as passed",
        property: Property::ExposureOnEvidence,
        on: "canary",
        bend: |plan, state, now_ms, input| match *input {
            Input::Analysis {
                step,
                judgement: Judgement::NoData,
            } => {
                let judgement = Judgement::Pass;
                rules(plan, state, now_ms, &Input::Analysis { step, judgement })
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "lets a pass of any step end the pause",
        property: Property::ExposureOnEvidence,
        on: "canary",
        bend: |plan, state, now_ms, input| match (*input, state.mode) {
            (Input::Analysis { judgement, .. }, Mode::Forward { step, .. }) => {
                rules(plan, state, now_ms, &Input::Analysis { step, judgement })
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Mutant {
        name: "lets a pass from before the end of the pause stand",
        property: Property::ExposureOnEvidence,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (*input, state.mode) {
                (
                    Input::Clock,
                    Mode::Forward {
                        step,
                        judgement: Some(judgement @ Judgement::Pass),
                        ..
                    },
                ) => rules(plan, state, now_ms, &Input::Analysis { step, judgement }),
                _ => turn,
            }
        },
    },
    Mutant {
        name: "does not begin the pause anew after the process died",
        property: Property::ExposureOnEvidence,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            if let (Input::Restarted, Mode::Forward { watch_until_ms, .. }) =
                (input, &mut state.mode)
            {
                *watch_until_ms = Some(now_ms);
            }
            turn
        },
    },
    Mutant {
        name: "promotes by hand while both versions are in trouble",
        property: Property::ExposureOnEvidence,
        on: "canary",
        bend: |plan, state, now_ms, input| {
            if let (Input::Command(Command::Promote), Mode::Forward { judgement, .. }) =
                (input, &mut state.mode)
            {
                *judgement = None;
            }
            rules(plan, state, now_ms, input)
        },
    },
    Mutant {
        name: "goes on without the smoke suite",
        property: Property::ExposureOnEvidence,
        on: "blue-green",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match (turn.effect, state.mode) {
                (Some(Effect::Smoke { .. }), Mode::Forward { .. }) => {
                    rules(plan, state, now_ms, &Input::Smoke(SmokeVerdict::Passed))
                }
                _ => turn,
            }
        },
    },
    Mutant {
        name: "turns a rollback into a promotion",
        property: Property::ExposureOnEvidence,
        on: "blue-green",
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            let whole = state.traffic == Some(Traffic::split(Split::CANARY));
            if whole
                && matches!(
                    state.mode,
                    Mode::Rollback {
                        phase: Phase::Restore,
                        ..
                    }
                )
            {
                state.mode = Mode::Done(Outcome::Promoted);
                state.pending = None;
                let next = Next::Done(Outcome::Promoted);
                return Turn {
                    effect: None,
                    next,
                    ..turn
                };
            }
            turn
        },
    },
];
