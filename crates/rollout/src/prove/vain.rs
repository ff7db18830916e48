//! Words that must count for nothing: of another step, of somebody who was not asked, too old, said
//! twice, or too late. Whoever drives the machine keeps most of them from it; it does not rely on
//! that.

use alloc::vec::Vec;

use nonevent_strategy::{Action, Plan, Task};

use crate::effect::Effect;
use crate::input::{Command, Input, TaskVerdict};
use crate::state::{HeldBy, Mode};

use super::event::Event;
use super::world::Node;

/// How long such a word would count, in milliseconds: a day.
const LONG_MS: i64 = 86_400_000;

/// One word that must count for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Vain {
    /// Somebody agrees who has agreed.
    AgreedAgain,
    /// Somebody agrees to the next step.
    AgreedElsewhere,
    /// Somebody agrees who is not asked.
    AgreedStranger,
    /// Somebody agreed too long ago.
    AgreedTooLate,
    /// The task of another step is done.
    DoneElsewhere,
    /// A person decides on the way back, where nothing is left to decide, or would go on although
    /// the change window is closed.
    Commanded(Command),
}

impl Vain {
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Vain::AgreedAgain => "somebody agrees a second time",
            Vain::AgreedElsewhere => "somebody agrees to another step",
            Vain::AgreedStranger => "somebody agrees who is not asked",
            Vain::AgreedTooLate => "somebody agrees with a word that is too old",
            Vain::DoneElsewhere => "the task of another step is done",
            Vain::Commanded(Command::Resume) => "a person resumes what no person holds",
            Vain::Commanded(Command::Promote) => "a person promotes on the way back",
            Vain::Commanded(_) => "a person aborts on the way back",
        }
    }
}

impl Node {
    /// What could be said here in vain.
    pub(super) fn in_vain(&self, plan: &Plan, events: &mut Vec<Event>) {
        let vain = |it: &[Vain], events: &mut Vec<Event>| {
            events.extend(it.iter().copied().map(Event::Vain));
        };
        if let Mode::Rollback { .. } = self.state.mode {
            let commands = [Command::Resume, Command::Promote, Command::Abort];
            return vain(&commands.map(Vain::Commanded), events);
        }
        if self.is_held_by(|by| by == HeldBy::Window) {
            vain(&[Vain::Commanded(Command::Resume)], events);
        }
        if let Some(Effect::Task { .. }) = self.pending() {
            return vain(&[Vain::DoneElsewhere], events);
        }
        let (Mode::Forward { agreed, .. }, Some((_, Action::Task(Task::Approve { .. })))) =
            (self.state.mode, self.step(plan))
        else {
            return;
        };
        if agreed.count() > 0 {
            vain(&[Vain::AgreedAgain], events);
        }
        let all = [
            Vain::AgreedElsewhere,
            Vain::AgreedStranger,
            Vain::AgreedTooLate,
        ];
        vain(&all, events);
    }

    /// What the machine is told in vain.
    pub(super) fn vain_input(&self, plan: &Plan, vain: Vain) -> Option<Input> {
        if let Vain::Commanded(command) = vain {
            return Some(Input::Command(command));
        }
        let (step, action) = self.step(plan)?;
        let elsewhere = step.checked_sub(1).unwrap_or(step + 1);
        if vain == Vain::DoneElsewhere {
            let verdict = TaskVerdict::Done;
            return Some(Input::Task {
                step: elsewhere,
                verdict,
            });
        }
        let (Mode::Forward { agreed, .. }, Action::Task(Task::Approve { approval })) =
            (self.state.mode, action)
        else {
            return None;
        };
        let people = plan.approvals.get(approval).map_or(0, |it| it.people.len());
        let next = agreed.people.trailing_ones();
        let person = match vain {
            Vain::AgreedAgain => agreed.people.trailing_zeros(),
            Vain::AgreedStranger => u32::try_from(people).ok()?,
            _ => next,
        };
        Some(Input::Approval {
            step: if vain == Vain::AgreedElsewhere {
                elsewhere
            } else {
                step
            },
            person: u8::try_from(person).ok()?,
            granted: true,
            until_ms: if vain == Vain::AgreedTooLate {
                0
            } else {
                LONG_MS
            },
        })
    }
}
