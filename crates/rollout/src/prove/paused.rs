//! That nothing goes on while a person has paused or the change window is closed.

use nonevent_strategy::{OnFailure, windows::OnWindowClose, windows::Windows};

use crate::effect::Effect;
use crate::input::{Input, SmokeVerdict, TaskVerdict, WindowSeen};
use crate::machine::count;
use crate::state::{HeldBy, Mode};

use super::property::{Moment, Property};

impl Moment<'_> {
    /// What goes on although it was paused aloud, or does not turn where the window closed.
    pub(super) fn pause_breaks(&self) -> Option<Property> {
        if self.stays_in_a_closed_window() {
            return Some(Property::Recovers);
        }
        if !self.witness.paused && !self.witness.shut {
            return None;
        }
        (self.leaves_in_a_pause() || self.acts_in_a_pause()).then_some(Property::ExposureOnEvidence)
    }

    /// What was asked for before the pause may end within it, and no other step.
    fn leaves_in_a_pause(&self) -> bool {
        let at = |mode| match mode {
            Mode::Forward { step, .. } => Some(step),
            Mode::Rollback { .. } | Mode::Done(_) => None,
        };
        let (Some(before), Some(after)) = (at(self.before.state.mode), at(self.after.state.mode))
        else {
            return false;
        };
        let told = matches!(
            self.input,
            Input::Smoke(SmokeVerdict::Passed)
                | Input::Task {
                    verdict: TaskVerdict::Done,
                    ..
                }
        );
        after != before && !(told && after == before + 1)
    }

    /// Whether more is done than to repair what stands.
    fn acts_in_a_pause(&self) -> bool {
        let (Mode::Forward { step, .. }, Some(effect)) = (self.after.state.mode, self.turn.effect)
        else {
            return false;
        };
        let Some(planned) = self.plan.steps.get(usize::from(step)) else {
            return false;
        };
        let before = self.plan.before(usize::from(step));
        match effect {
            Effect::Task { .. } | Effect::Smoke { .. } => true,
            Effect::Shift { .. } => effect.traffic() != Some(before.traffic()),
            Effect::Scale { arm, count: wanted } => {
                let stands = before.count(arm).min(planned.target.count(arm));
                let kept = self.witness.fleet.map_or(0, |fleet| fleet.of(arm).kept);
                wanted > count(stands) || wanted < kept
            }
            Effect::Observe | Effect::Withdraw { .. } => false,
        }
    }

    /// Where the plan goes back as the window closes, it goes back, or people decide.
    fn stays_in_a_closed_window(&self) -> bool {
        let closed = matches!(self.input, Input::Window(WindowSeen::Closed { .. }));
        let policy = self.plan.windows.as_ref().map(Windows::on_window_close);
        let (Mode::Forward { step, .. }, Mode::Forward { .. }) =
            (self.before.state.mode, self.after.state.mode)
        else {
            return false;
        };
        let held = self.after.state.held.map(|held| held.by);
        let may_pause =
            self.has_no_return(step) || self.plan.rollback.on_failure == OnFailure::Pause;
        let pauses = matches!(held, Some(HeldBy::Failure(_) | HeldBy::NoReturn(_)));
        closed && policy == Some(OnWindowClose::Rollback) && !(may_pause && pauses)
    }
}
