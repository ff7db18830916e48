//! People who are not heard.

use nonevent_rollout::{Command, HeldBy, Input, Mode, Property};
use nonevent_strategy::{Action, Task};

use super::{Exhibit, action, canary, gated, rules};

pub(super) const EXHIBITS: &[Exhibit] = &[
    Exhibit {
        name: "rollback-behind-a-gate",
        tool: "Spinnaker",
        happened: "of a pipeline that may not run twice at a time, the next run waits: the one that \
                   would have rolled back waited for the one that waited for a manual judgement",
        here: "an order to abort is not heard while people are asked to agree",
        property: Property::Recovers,
        plan: gated,
        bend: |plan, state, now_ms, input| match (*input, state.mode) {
            (Input::Command(Command::Abort), Mode::Forward { step, .. })
                if matches!(action(plan, step), Some(Action::Task(Task::Approve { .. }))) =>
            {
                rules(plan, state, now_ms, &Input::Clock)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Exhibit {
        name: "rollback-of-what-is-paused",
        tool: "kubectl rollout undo",
        happened: "a paused Deployment cannot be rolled back: it has to be resumed first, which is \
                   to go on with what was paused because it did harm",
        here: "an order to abort is not heard while a person has paused the rollout",
        property: Property::Recovers,
        plan: canary,
        bend: |plan, state, now_ms, input| match (*input, state.held) {
            (Input::Command(Command::Abort), Some(held)) if held.by == HeldBy::Person => {
                rules(plan, state, now_ms, &Input::Clock)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
    Exhibit {
        name: "rollback-outside-the-window",
        tool: "Argo CD",
        happened: "a sync window that denies syncs, and does not except manual ones, denies the one \
                   that would go back as well",
        here: "an order to abort is not heard while the change window is closed",
        property: Property::Recovers,
        plan: gated,
        bend: |plan, state, now_ms, input| match *input {
            Input::Command(Command::Abort) if state.shut_until_ms.is_some() => {
                rules(plan, state, now_ms, &Input::Clock)
            }
            _ => rules(plan, state, now_ms, input),
        },
    },
];
