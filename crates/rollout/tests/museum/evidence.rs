//! Evidence that is none.

use nonevent_rollout::{Command, Input, Judgement, Mode, Notice, Property};
use nonevent_strategy::Action;

use super::{Exhibit, action, canary, rules, unsent};

pub(super) const EXHIBITS: &[Exhibit] = &[
    Exhibit {
        name: "analysis-ended-before-it-measured",
        tool: "Argo Rollouts",
        happened: "an analysis that was terminated before its first measurement had no failed one, \
                   and was reported successful",
        here: "a watch in which no analysis said anything ends as if one had passed",
        property: Property::ExposureOnEvidence,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            let turn = rules(plan, state, now_ms, input);
            match state.mode {
                Mode::Forward {
                    step,
                    watch_until_ms: Some(until_ms),
                    judgement: None,
                    ..
                } if now_ms >= until_ms && state.held.is_none() => {
                    let judgement = Judgement::Pass;
                    rules(plan, state, now_ms, &Input::Analysis { step, judgement })
                }
                _ => turn,
            }
        },
    },
    Exhibit {
        name: "analysis-of-nothing-but-errors",
        tool: "Argo Rollouts",
        happened: "measurements that ended in errors, fewer than the limit in a row, were no \
                   failures: an analysis that had nothing else was reported successful",
        here: "where there is nothing to look at when the watch ends, the analysis has passed",
        property: Property::ExposureOnEvidence,
        plan: canary,
        bend: |plan, state, now_ms, input| match (*input, state.mode) {
            (
                Input::Analysis {
                    step,
                    judgement: Judgement::NoData,
                },
                Mode::Forward {
                    watch_until_ms: Some(until_ms),
                    ..
                },
            ) if now_ms >= until_ms => {
                let judgement = Judgement::Pass;
                rules(plan, state, now_ms, &Input::Analysis { step, judgement })
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Exhibit {
        name: "full-promotion",
        tool: "Argo Rollouts",
        happened: "a full promotion passes over all steps that are left, with their pauses and \
                   analyses; meant for emergencies, it is one flag away from the promotion of one \
                   step",
        here: "a person's word for the present watch ends the later ones as well",
        property: Property::ExposureOnEvidence,
        plan: canary,
        bend: |plan, state, now_ms, input| {
            let mut turn = rules(plan, state, now_ms, input);
            let (Input::Command(Command::Promote), Mode::Forward { step, .. }) =
                (input, &mut state.mode)
            else {
                return turn;
            };
            let left = (*step..).take_while(|at| action(plan, *at).is_some());
            let shifts = |at: &u16| matches!(action(plan, *at), Some(Action::Shift { .. }));
            *step = left.filter(shifts).last().unwrap_or(*step);
            turn.notices = vec![Notice::StepBegan { step: *step }];
            unsent(state, turn)
        },
    },
];
