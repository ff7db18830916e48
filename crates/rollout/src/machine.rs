//! The machine: one input in, one turn out.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Digest;
use nonevent_router::Arm;
use nonevent_strategy::Plan;

use crate::effect::{Effect, Next, Notice, Turn, Wait, WaitReason};
use crate::input::{Command, FleetSeen, Input, SmokeVerdict};
use crate::state::{Held, Mode, Outcome, Pending, Phase, Reason, State, Verified};
use crate::{forward, rollback};

/// How long one change or reading of the router or the fleet may take, in milliseconds.
pub(crate) const ANSWER_MS: i64 = 5_000;
/// How long a person may pause a rollout, in milliseconds.
pub(crate) const HOLD_MS: i64 = 3_600_000;

/// Runs one plan. It decides and does nothing itself: whoever owns it carries out what it says
/// and tells it what came of it.
#[derive(Clone, Debug)]
pub struct Machine {
    plan: Arc<Plan>,
    state: State,
}

impl Machine {
    /// A machine for `plan`, which must be the one that was approved.
    ///
    /// # Errors
    /// [`MachineErrorKind::NotApproved`] if the plan's digest is another one,
    /// [`MachineErrorKind::BadPlan`] if the plan contradicts itself.
    pub fn new(plan: Arc<Plan>, approved: Digest, now_ms: i64) -> Result<Machine, MachineError> {
        let bad = |error: nonevent_strategy::PlanError| MachineError {
            kind: MachineErrorKind::BadPlan,
            text: error.to_string(),
        };
        plan.validate().map_err(bad)?;
        let digest = plan.digest().map_err(bad)?;
        if digest != approved {
            return Err(MachineError {
                kind: MachineErrorKind::NotApproved,
                text: format!("{approved} was approved, this is {digest}: review this plan"),
            });
        }
        Ok(Machine {
            state: State::new(&plan, now_ms),
            plan,
        })
    }

    /// The plan it runs.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it remembers.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Tells it what happened at `now_ms` (milliseconds since the Unix epoch, never falling).
    pub fn handle(&mut self, now_ms: i64, input: &Input) -> Turn {
        handle(&self.plan, &mut self.state, now_ms, input)
    }
}

impl State {
    /// The state before the first step: nothing observed yet.
    #[must_use]
    pub fn new(plan: &Plan, now_ms: i64) -> State {
        let mut state = State {
            mode: Mode::Done(Outcome::Promoted),
            split: None,
            unfenced: false,
            quiet: false,
            fleet: None,
            pending: None,
            retry_at_ms: None,
            held: None,
        };
        forward::enter(plan, &mut state, now_ms, 0);
        state
    }
}

/// Instance counts fit: a plan has at most 10 000 of them.
pub(crate) fn count(count: u32) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The function that the driver runs, and that the proof searches: `state` after `input` at
/// `now_ms`, and what is to be done.
pub(crate) fn handle(plan: &Plan, state: &mut State, now_ms: i64, input: &Input) -> Turn {
    let mut step = Decision {
        plan,
        state,
        now_ms,
        effect: None,
        notices: Vec::new(),
        smoke: None,
        promoted: matches!(input, Input::Command(Command::Promote)),
    };
    match (step.state.mode, input) {
        // A person took care of what refused: the way back is tried again.
        (Mode::Done(Outcome::Stuck { reason, .. }), Input::Restarted) => {
            step.begin_rollback(reason);
        }
        (Mode::Done(outcome), _) => {
            return Turn {
                effect: None,
                notices: Vec::new(),
                next: Next::Done(outcome),
            };
        }
        _ => {}
    }
    step.absorb(input);
    step.decide(input);
    let Decision {
        effect, notices, ..
    } = step;
    Turn {
        effect,
        notices,
        next: next(plan, state, now_ms),
    }
}

/// What a machine in `state` waits for at `now_ms`.
pub(crate) fn next(plan: &Plan, state: &State, now_ms: i64) -> Next {
    let wait = |until_ms: i64, reason| Next::Wait(Wait { until_ms, reason });
    let deadline_ms = match state.mode {
        Mode::Done(outcome) => return Next::Done(outcome),
        Mode::Forward { deadline_ms, .. } => state.held.map_or(deadline_ms, |held| held.until_ms),
        Mode::Rollback { deadline_ms, .. } => deadline_ms,
    };
    if let Some(pending) = state.pending {
        return wait(pending.until_ms.min(deadline_ms), WaitReason::Answer);
    }
    if let Some(at_ms) = state.retry_at_ms.filter(|at_ms| *at_ms > now_ms) {
        return wait(at_ms.min(deadline_ms), WaitReason::Retry);
    }
    if state.held.is_some() {
        return wait(deadline_ms, WaitReason::Person);
    }
    match state.mode {
        Mode::Forward {
            step,
            watch_until_ms,
            ..
        } => {
            let (reason, until_ms) = forward::waits_for(plan, now_ms, step, watch_until_ms);
            wait(until_ms.unwrap_or(deadline_ms).min(deadline_ms), reason)
        }
        Mode::Rollback { phase, .. } => wait(deadline_ms, rollback::waits_for(plan, phase)),
        Mode::Done(outcome) => Next::Done(outcome),
    }
}

/// One turn in the making.
pub(crate) struct Decision<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) state: &'a mut State,
    pub(crate) now_ms: i64,
    pub(crate) effect: Option<Effect>,
    pub(crate) notices: Vec<Notice>,
    /// The verdict of the suite that was out, until the step it belongs to has taken it.
    pub(crate) smoke: Option<SmokeVerdict>,
    /// A person's word that ends one watch.
    pub(crate) promoted: bool,
}

impl Decision<'_> {
    /// Takes the input into the memory, without deciding anything.
    fn absorb(&mut self, input: &Input) {
        let pending = self.state.pending.map(|pending| pending.effect);
        match input {
            Input::Clock | Input::Analysis { .. } => {}
            Input::Restarted => {
                self.state.unfenced |= matches!(pending, Some(Effect::Shift { .. }));
                self.state.split = None;
                self.state.quiet = false;
                self.state.fleet = None;
                self.state.pending = None;
                self.state.retry_at_ms = None;
                if let Some(held) = &mut self.state.held {
                    held.until_ms = self.now_ms.saturating_add(HOLD_MS);
                }
            }
            Input::Router(seen) => {
                self.state.split = Some(seen.split);
                self.state.quiet = seen.canary_quiet;
                match pending {
                    Some(effect @ Effect::Shift { split }) => {
                        self.state.pending = None;
                        if split == seen.split {
                            self.state.unfenced = false;
                            self.state.retry_at_ms = None;
                        } else {
                            self.refused(effect);
                        }
                    }
                    Some(Effect::Observe) if self.state.fleet.is_some() => self.answered(),
                    _ => {}
                }
            }
            Input::Fleet(seen) => {
                self.state.fleet = Some(*seen);
                match pending {
                    Some(effect @ Effect::Scale { arm, count }) => {
                        self.state.pending = None;
                        if seen.of(arm).kept != count {
                            self.refused(effect);
                        }
                    }
                    Some(Effect::Observe) if self.state.split.is_some() => self.answered(),
                    _ => {}
                }
            }
            Input::RouterFailed => match pending {
                Some(effect @ (Effect::Shift { .. } | Effect::Observe)) => {
                    self.state.unfenced |= effect.changes();
                    self.state.split = None;
                    self.state.pending = None;
                    self.refused(effect);
                }
                _ => {}
            },
            Input::FleetFailed => match pending {
                Some(effect @ (Effect::Scale { .. } | Effect::Observe)) => {
                    self.state.fleet = None;
                    self.state.pending = None;
                    self.refused(effect);
                }
                _ => {}
            },
            Input::Smoke(verdict) => {
                if matches!(pending, Some(Effect::Smoke { .. })) {
                    self.state.pending = None;
                    self.smoke = Some(*verdict);
                }
            }
            Input::Command(command) => self.command(*command),
        }
        self.expire();
    }

    fn answered(&mut self) {
        self.state.pending = None;
        self.state.retry_at_ms = None;
    }

    fn refused(&mut self, effect: Effect) {
        let retry_ms = i64::try_from(self.plan.rollback.retry_ms).unwrap_or(ANSWER_MS);
        self.state.retry_at_ms = Some(self.now_ms.saturating_add(retry_ms));
        self.notices.push(Notice::Refused { effect });
    }

    /// An effect without an answer in its time may or may not have happened.
    fn expire(&mut self) {
        let Some(Pending { effect, until_ms }) = self.state.pending else {
            return;
        };
        if self.now_ms < until_ms {
            return;
        }
        self.state.pending = None;
        match effect {
            Effect::Shift { .. } => {
                self.state.split = None;
                self.state.unfenced = true;
            }
            Effect::Scale { .. } => self.state.fleet = None,
            Effect::Observe => {}
            // A smoke suite past its time is decided where it was asked for.
            Effect::Smoke { .. } => return,
        }
        self.refused(effect);
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
            Command::Abort => {
                self.state.held = None;
                self.begin_rollback(Reason::Aborted);
            }
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

    fn decide(&mut self, input: &Input) {
        // A step that is done makes room for the next in the same turn.
        if let Mode::Forward { .. } = self.state.mode {
            self.forward(input);
        }
        if let Mode::Rollback { .. } = self.state.mode {
            self.back(input);
        }
    }

    /// Sends `effect`, unless another one is out or its next try is still to come.
    pub(crate) fn send(&mut self, effect: Effect, answer_within_ms: i64) {
        if self.effect.is_some() || self.state.pending.is_some() || self.must_wait() {
            return;
        }
        if matches!(effect, Effect::Shift { .. }) {
            self.state.quiet = false;
        }
        let until_ms = self.now_ms.saturating_add(answer_within_ms);
        self.state.pending = Some(Pending { effect, until_ms });
        self.state.retry_at_ms = None;
        self.effect = Some(effect);
    }

    fn must_wait(&self) -> bool {
        self.state
            .retry_at_ms
            .is_some_and(|at_ms| self.now_ms < at_ms)
    }

    /// The router and the fleet, if both are known; else they are asked.
    pub(crate) fn seen(&mut self) -> Option<(nonevent_router::Split, FleetSeen)> {
        match (self.state.split, self.state.fleet) {
            (Some(split), Some(fleet)) => Some((split, fleet)),
            _ => {
                self.send(Effect::Observe, ANSWER_MS);
                None
            }
        }
    }

    /// Turns back. What is out stays out until it is answered.
    pub(crate) fn begin_rollback(&mut self, reason: Reason) {
        let within_ms = i64::try_from(self.plan.rollback.within_ms).unwrap_or(i64::MAX);
        self.state.held = None;
        self.state.mode = Mode::Rollback {
            reason,
            phase: Phase::Restore,
            deadline_ms: self.now_ms.saturating_add(within_ms),
            verified: Verified::NotYet,
        };
        self.notices.push(Notice::RollbackBegan { reason });
        // A suite that is still running no longer decides anything.
        if matches!(
            self.state.pending,
            Some(Pending {
                effect: Effect::Smoke { .. },
                ..
            })
        ) {
            self.state.pending = None;
        }
    }

    /// Whether both arms have the ready instances that `split` needs, by the last observation.
    pub(crate) fn carries(&self, fleet: FleetSeen, split: nonevent_router::Split) -> bool {
        Arm::BOTH
            .into_iter()
            .all(|arm| u32::from(fleet.of(arm).ready) >= self.plan.needed(split.weight(arm)))
    }
}

/// Why there is no machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineErrorKind {
    /// Another plan was approved.
    NotApproved,
    /// The plan contradicts itself.
    BadPlan,
}

/// A machine that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineError {
    kind: MachineErrorKind,
    text: String,
}

impl MachineError {
    /// Which kind of fault it is.
    #[must_use]
    pub const fn kind(&self) -> MachineErrorKind {
        self.kind
    }
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            MachineErrorKind::NotApproved => {
                write!(f, "the plan is not the approved one: {}", self.text)
            }
            MachineErrorKind::BadPlan => f.write_str(&self.text),
        }
    }
}

impl core::error::Error for MachineError {}
