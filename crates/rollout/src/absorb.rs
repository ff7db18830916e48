//! Taking an input into the memory. Nothing is decided here but what is known and what is not.

use nonevent_router::Arm;

use crate::effect::{Effect, Notice};
use crate::input::{Command, FleetSeen, Input, RouterSeen};
use crate::machine::{ANSWER_MS, Decision, HOLD_MS};
use crate::state::{Held, Mode, Pending, Reason};

/// The time to the next try doubles this often at the most.
const REFUSALS_MAX: u8 = 4;

impl Decision<'_> {
    /// Takes the input into the memory, without deciding anything.
    pub(crate) fn absorb(&mut self, input: &Input) {
        match input {
            Input::Clock | Input::Analysis { .. } => {}
            Input::Restarted => self.restarted(),
            Input::Router(seen) => self.router(*seen),
            Input::Fleet(seen) => self.fleet(*seen),
            Input::RouterFailed => {
                self.state.split = None;
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
            Input::Command(command) => self.command(*command),
        }
        self.expire();
    }

    /// The effect that is out.
    fn out(&self) -> Option<Effect> {
        self.state.pending.map(|pending| pending.effect)
    }

    /// Whatever was known may be old, and what was out may be done, or not, or later.
    fn restarted(&mut self) {
        self.state.split = None;
        self.state.quiet = false;
        self.forget_fleet();
        if let Some(effect) = self.out() {
            self.unfence(effect);
        }
        self.state.pending = None;
        self.state.retry_at_ms = None;
        self.state.refusals = 0;
        if let Some(held) = &mut self.state.held {
            // The step begins anew, and so does its pause.
            held.since_ms = self.now_ms;
            held.until_ms = self.now_ms.saturating_add(HOLD_MS);
        }
    }

    fn router(&mut self, seen: RouterSeen) {
        self.state.split = Some(seen.split);
        self.state.quiet = seen.canary_quiet;
        match self.out() {
            Some(Effect::Shift { split }) if split == seen.split => {
                self.state.unfenced = false;
                self.carried_out();
            }
            // Acknowledged, it seems, and not done: it may still be.
            Some(effect @ Effect::Shift { .. }) => self.refused(effect),
            Some(Effect::Observe) if self.state.fleet.is_some() => self.answered(),
            _ => {}
        }
    }

    fn fleet(&mut self, seen: FleetSeen) {
        self.state.fleet = Some(seen);
        self.state.stable_ready_last = 0;
        match self.out() {
            Some(Effect::Scale { arm, count }) if count == seen.of(arm).kept => {
                self.state.unfenced_arms[arm.index()] = false;
                self.carried_out();
            }
            Some(effect @ Effect::Scale { .. }) => self.refused(effect),
            Some(Effect::Observe) if self.state.split.is_some() => self.answered(),
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
            Effect::Shift { .. } => self.state.split = None,
            Effect::Scale { .. } => self.forget_fleet(),
            Effect::Observe | Effect::Smoke { .. } => {}
        }
        self.refused(effect);
    }

    fn refused(&mut self, effect: Effect) {
        self.unfence(effect);
        self.state.pending = None;
        let retry_ms = i64::try_from(self.plan.rollback.retry_ms).unwrap_or(ANSWER_MS);
        let wait_ms = retry_ms.saturating_mul(1 << self.state.refusals);
        self.state.refusals = (self.state.refusals + 1).min(REFUSALS_MAX);
        self.state.retry_at_ms = Some(self.now_ms.saturating_add(wait_ms));
        self.state.refused_by_router = match effect {
            Effect::Shift { .. } => true,
            Effect::Observe => self.state.split.is_none(),
            Effect::Scale { .. } | Effect::Smoke { .. } => false,
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
            Effect::Observe | Effect::Smoke { .. } => {}
        }
    }

    /// An effect without an answer in its time may or may not have happened.
    fn expire(&mut self) {
        let Some(Pending { effect, until_ms }) = self.state.pending else {
            return;
        };
        if self.now_ms < until_ms {
            return;
        }
        if matches!(effect, Effect::Smoke { .. }) {
            // A suite past its time is decided where it was asked for.
            self.state.pending = None;
        } else {
            self.unanswered(effect);
        }
    }

    fn command(&mut self, command: Command) {
        let Mode::Forward {
            deadline_ms,
            watch_until_ms,
            ..
        } = &mut self.state.mode
        else {
            return;
        };
        match command {
            Command::Abort => self.begin_rollback(Reason::Aborted),
            Command::Pause if self.state.held.is_none() => {
                let until_ms = self.now_ms.saturating_add(HOLD_MS);
                self.state.held = Some(Held {
                    since_ms: self.now_ms,
                    until_ms,
                });
                self.notices.push(Notice::Held);
            }
            Command::Resume => {
                if let Some(held) = self.state.held.take() {
                    // The time on hold is added: a pause is lengthened, never shortened.
                    let held_ms = self.now_ms.saturating_sub(held.since_ms).max(0);
                    *deadline_ms = deadline_ms.saturating_add(held_ms);
                    if let Some(until_ms) = watch_until_ms {
                        *until_ms = until_ms.saturating_add(held_ms);
                    }
                    self.notices.push(Notice::Resumed);
                }
            }
            // The word of a person ends a watch; whether it may is decided with the step.
            Command::Promote | Command::Pause => {}
        }
    }
}
