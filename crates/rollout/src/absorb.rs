//! Taking an input into the memory. Nothing is decided here but what is known and what is not.

use nonevent_router::Arm;

use nonevent_strategy::{
    Action, Task,
    windows::{OnWindowClose, Windows},
};

use crate::effect::{Effect, Notice};
use crate::input::{Command, FleetSeen, Input, RouterSeen, TaskVerdict, WindowSeen};
use crate::machine::{ANSWER_MS, Decision, HOLD_MS};
use crate::state::{Agreed, Extra, HeldBy, Mode, Pending, Phase, Reason};

/// The time to the next try doubles this often at the most, on the way back: eight seconds.
const REFUSALS_BACK_MAX: u8 = 4;
/// The same on the way forward, where it waits as long again as it has waited, up to half an hour:
/// what can be read again is handed over without being asked for.
const REFUSALS_FORWARD_MAX: u8 = 12;

impl Decision<'_> {
    /// Takes the input into the memory, without deciding anything.
    pub(crate) fn absorb(&mut self, input: &Input) {
        match input {
            Input::Clock | Input::Analysis { .. } => {}
            Input::Restarted => self.restarted(),
            Input::Router(seen) => self.router(*seen),
            Input::Fleet(seen) => self.fleet(*seen),
            Input::RouterFailed => {
                self.state.traffic = None;
                if let Some(effect @ (Effect::Shift { .. } | Effect::Observe)) = self.out() {
                    self.unanswered(effect);
                }
            }
            Input::FleetFailed => {
                self.forget_fleet();
                if let Some(effect @ (Effect::Scale { .. } | Effect::Observe)) = self.out() {
                    self.unanswered(effect);
                }
            }
            Input::Smoke(verdict) => {
                if matches!(self.out(), Some(Effect::Smoke { .. })) {
                    self.state.pending = None;
                    self.smoke = Some(*verdict);
                }
            }
            Input::Task { step, verdict } => {
                if self.out() == Some(Effect::Task { step: *step }) {
                    self.task_ended(*step, *verdict);
                }
            }
            Input::Withdrawn { extra, gone } => {
                let effect = Effect::Withdraw { extra: *extra };
                match (self.out() == Some(effect), *gone) {
                    (true, true) => {
                        self.state.beside.set(*extra, false);
                        self.carried_out();
                    }
                    (true, false) => self.refused(effect),
                    (false, _) => {}
                }
            }
            Input::Approval {
                step,
                person,
                granted,
                until_ms,
            } => self.approval(*step, *person, *granted, *until_ms),
            Input::Window(seen) => self.window(*seen),
            Input::Command(command) => self.command(*command),
        }
        self.expire();
    }

    fn task_ended(&mut self, step: u16, verdict: TaskVerdict) {
        match verdict {
            TaskVerdict::Unavailable => self.refused(Effect::Task { step }),
            TaskVerdict::Done | TaskVerdict::Failed => {
                let planned = self.plan.steps.get(usize::from(step));
                let ends = Task::Baseline {
                    count: 0,
                    weight: 0,
                };
                let ends = planned.is_some_and(|it| it.action == Action::Task(ends));
                if ends && verdict == TaskVerdict::Done {
                    self.state.beside.set(Extra::Baseline, false);
                }
                self.answered();
                self.task = Some(verdict);
            }
        }
    }

    /// Somebody decided about the present step; each person counts once. What failed has to be
    /// taken up again first, unless it was only that they were late.
    fn approval(&mut self, of: u16, person: u8, granted: bool, until_ms: i64) {
        let plan = self.plan;
        let now_ms = self.now_ms;
        let late = HeldBy::Failure(Reason::NotApproved);
        let by = self.state.held.map(|held| held.by);
        let failed = matches!(by, Some(HeldBy::Failure(_) | HeldBy::NoReturn(_)));
        if granted && failed && by != Some(late) {
            return;
        }
        let Mode::Forward { step, agreed, .. } = &mut self.state.mode else {
            return;
        };
        let action = plan.steps.get(usize::from(*step)).map(|step| &step.action);
        let Some(Action::Task(Task::Approve { approval })) = action else {
            return;
        };
        let people = plan.approvals.get(approval).map_or(0, |it| it.people.len());
        if of != *step || usize::from(person) >= people || until_ms <= now_ms {
            return;
        }
        if !granted {
            *agreed = Agreed::default();
            self.denied = true;
            return;
        }
        agreed.people |= 1u32.checked_shl(u32::from(person)).unwrap_or(0);
        agreed.until_ms = Some(agreed.until_ms.map_or(until_ms, |it| it.min(until_ms)));
    }

    fn window(&mut self, seen: WindowSeen) {
        let Mode::Forward { step, .. } = self.state.mode else {
            return;
        };
        let policy = self.plan.windows.as_ref().map(Windows::on_window_close);
        match (seen, policy) {
            (WindowSeen::Open, _) => {
                self.state.shut_until_ms = None;
                if self
                    .state
                    .held
                    .is_some_and(|held| held.by == HeldBy::Window)
                {
                    self.resume();
                }
            }
            (WindowSeen::Closed { opens_ms }, Some(OnWindowClose::Pause)) => {
                self.state.shut_until_ms = Some(opens_ms);
            }
            (WindowSeen::Closed { .. }, Some(OnWindowClose::Rollback)) => {
                self.fails(step, Reason::WindowClosed);
            }
            (WindowSeen::Closed { .. }, Some(OnWindowClose::Finish) | None) => {}
        }
    }

    /// The effect that is out.
    fn out(&self) -> Option<Effect> {
        self.state.pending.map(|pending| pending.effect)
    }

    /// Whatever was known may be old, and what was out may be done, or not, or later.
    fn restarted(&mut self) {
        self.state.traffic = None;
        self.state.quiet = false;
        self.forget_fleet();
        if let Some(effect) = self.out() {
            self.unfence(effect);
        }
        self.state.pending = None;
        self.state.retry_at_ms = None;
        self.state.refusals = 0;
        if let Some(held) = &mut self.state.held {
            // The step begins anew, and so does its pause; that of a window ends no earlier.
            held.since_ms = self.now_ms;
            held.until_ms = held.until_ms.max(self.now_ms.saturating_add(HOLD_MS));
        }
    }

    fn router(&mut self, seen: RouterSeen) {
        self.state.traffic = Some(seen.traffic());
        self.state.quiet = seen.canary_quiet;
        match self.out() {
            Some(effect @ Effect::Shift { .. }) if effect.traffic() == self.state.traffic => {
                self.state.unfenced = false;
                self.carried_out();
            }
            // Acknowledged, it seems, and not done: it may still be.
            Some(effect @ Effect::Shift { .. }) => self.refused(effect),
            Some(Effect::Observe) if self.state.fleet.is_some() => self.answered(),
            _ => {}
        }
        if let Mode::Forward { step, .. } = self.state.mode
            && self.has_drifted(step)
            && self.is_set_right(step)
        {
            // What was watched in between was watched at other shares.
            let refusals = self.state.refusals;
            self.begin_anew();
            self.state.refusals = refusals;
        }
    }

    fn fleet(&mut self, seen: FleetSeen) {
        let before = self.state.fleet.replace(seen);
        self.state.stable_ready_last = 0;
        if let Mode::Rollback {
            phase: phase @ Phase::Lower,
            ..
        } = self.state.mode
            && before.is_some_and(|before| seen.canary.kept < before.canary.kept)
        {
            // Somebody else lets another one go: it has its time to drain.
            self.enter_phase(phase);
        }
        match self.out() {
            Some(Effect::Scale { arm, count }) if count == seen.of(arm).kept => {
                self.state.unfenced_arms[arm.index()] = false;
                self.carried_out();
            }
            Some(effect @ Effect::Scale { .. }) => self.refused(effect),
            Some(Effect::Observe) if self.state.traffic.is_some() => self.answered(),
            _ => {}
        }
    }

    fn forget_fleet(&mut self) {
        if let Some(fleet) = self.state.fleet.take() {
            self.state.stable_ready_last = fleet.of(Arm::Stable).ready;
        }
    }

    fn carried_out(&mut self) {
        self.state.refusals = 0;
        self.answered();
    }

    fn answered(&mut self) {
        self.state.pending = None;
        self.state.retry_at_ms = None;
    }

    /// `effect` failed in a way that leaves open whether it was done.
    fn unanswered(&mut self, effect: Effect) {
        match effect {
            Effect::Shift { .. } => self.state.traffic = None,
            Effect::Scale { .. } => self.forget_fleet(),
            _ => {}
        }
        self.refused(effect);
    }

    fn refused(&mut self, effect: Effect) {
        self.unfence(effect);
        self.state.pending = None;
        let retry_ms = i64::try_from(self.plan.rollback.retry_ms).unwrap_or(ANSWER_MS);
        let most = match self.state.mode {
            Mode::Rollback { .. } => REFUSALS_BACK_MAX,
            Mode::Forward { .. } | Mode::Done(_) => REFUSALS_FORWARD_MAX,
        };
        let wait_ms = retry_ms.saturating_mul(1 << self.state.refusals.min(most));
        // Past the most it goes to and fro, so that whatever takes turns goes on to.
        self.state.refusals = match self.state.refusals {
            refusals if refusals > most => most,
            refusals => refusals + 1,
        };
        self.state.retry_at_ms = Some(self.now_ms.saturating_add(wait_ms));
        self.state.refused_by_router = match effect {
            Effect::Shift { .. } => true,
            Effect::Observe => self.state.traffic.is_none(),
            _ => false,
        };
        self.notices.push(Notice::Refused { effect });
    }

    /// `effect` may still arrive, until another one of its kind fences it off.
    pub(crate) fn unfence(&mut self, effect: Effect) {
        match effect {
            Effect::Shift { .. } => self.state.unfenced = true,
            Effect::Scale { arm, count } => {
                self.state.unfenced_arms[arm.index()] = true;
                if arm == Arm::Stable {
                    // What was asked to go does not count as ready any more.
                    let last = &mut self.state.stable_ready_last;
                    *last = (*last).min(count);
                }
            }
            _ => {}
        }
    }

    /// An effect without an answer in its time may or may not have happened.
    fn expire(&mut self) {
        if let Mode::Forward { agreed, .. } = &mut self.state.mode
            && agreed
                .until_ms
                .is_some_and(|until_ms| self.now_ms >= until_ms)
        {
            *agreed = Agreed::default();
        }
        let Some(Pending { effect, until_ms }) = self.state.pending else {
            return;
        };
        if self.now_ms < until_ms {
            return;
        }
        if effect.is_asked() {
            // A suite past its time is decided where it was asked for.
            self.state.pending = None;
        } else {
            self.unanswered(effect);
        }
    }

    fn command(&mut self, command: Command) {
        let Mode::Forward { step, .. } = self.state.mode else {
            return;
        };
        match command {
            Command::Abort => self.fails(step, Reason::Aborted),
            Command::Pause => self.pause(),
            Command::Resume => {
                // A closed window holds on, whoever would go on.
                if self
                    .state
                    .held
                    .is_some_and(|held| held.by != HeldBy::Window)
                {
                    self.resume();
                }
            }
            Command::Skip => self.skip(step),
            // The word of a person ends a watch; whether it may is decided with the step.
            Command::Promote => {}
        }
    }

    /// A person pauses what goes on, or would go on by itself once the window opens. What waits for
    /// a decision waits already.
    fn pause(&mut self) {
        match self.state.held {
            None => self.hold(HeldBy::Person),
            Some(held) if held.by == HeldBy::Window => {
                self.hold(HeldBy::Person);
                if let Some(now) = &mut self.state.held {
                    now.since_ms = held.since_ms;
                    now.until_ms = now.until_ms.max(held.until_ms);
                }
            }
            Some(_) => {}
        }
    }

    fn skip(&mut self, step: u16) {
        let action = self.plan.steps.get(usize::from(step)).map(|it| &it.action);
        if self.state.held.is_none() && matches!(action, Some(Action::Task(Task::Manual { .. }))) {
            self.abandon();
            self.task = Some(TaskVerdict::Done);
            self.notices.push(Notice::Skipped { step });
        }
    }
}
