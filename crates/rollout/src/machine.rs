//! The machine: one input in, one turn out.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Digest;
use nonevent_router::Arm;
use nonevent_strategy::{Action, Plan, Task, Traffic};

use crate::effect::{Effect, Next, Notice, Turn, Wait, WaitReason};
use crate::input::{Command, FleetSeen, Input, SmokeVerdict, TaskVerdict};
use crate::state::{
    Agreed, Beside, Extra, HeldBy, Mode, Outcome, Pending, Phase, Reason, State, StuckAt, Verified,
};
use crate::{forward, rollback};

/// How long one change or reading of the router or the fleet may take, in milliseconds.
pub(crate) const ANSWER_MS: i64 = 5_000;
/// How long a rollout stays paused without anybody's decision, in milliseconds.
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
        crate::ability::can_carry_out(&plan).map_err(bad)?;
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

    /// Its clock stood still for `by_ms` milliseconds: what people and calendars said of a time is so
    /// much nearer.
    pub(crate) fn slept(&mut self, by_ms: i64) {
        let nearer = |at_ms: &mut i64| *at_ms = at_ms.saturating_sub(by_ms);
        if let Mode::Forward { agreed, .. } = &mut self.state.mode {
            agreed.until_ms.iter_mut().for_each(nearer);
        }
        self.state.shut_until_ms.iter_mut().for_each(nearer);
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
            traffic: None,
            unfenced: false,
            quiet: false,
            fleet: None,
            stable_ready_last: 0,
            unfenced_arms: [false; 2],
            beside: Beside::default(),
            pending: None,
            retry_at_ms: None,
            refused_by_router: false,
            refusals: 0,
            held: None,
            shut_until_ms: None,
        };
        forward::enter(plan, &mut state, now_ms, 0, Agreed::default());
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
        task: None,
        denied: false,
        promoted: matches!(input, Input::Command(Command::Promote)),
    };
    match (step.state.mode, input) {
        // A person took care of what failed: the step begins anew.
        (
            Mode::Done(Outcome::Stuck {
                at: StuckAt::NoReturn { step: at },
                ..
            }),
            Input::Restarted,
        ) => forward::enter(plan, step.state, now_ms, at, Agreed::default()),
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
        // A watch is over when it is over, whatever is to be tried again.
        let watched_ms = match state.mode {
            Mode::Forward {
                watch_until_ms: Some(until_ms),
                ..
            } if state.held.is_none() && until_ms > now_ms => until_ms,
            _ => deadline_ms,
        };
        return wait(at_ms.min(deadline_ms).min(watched_ms), WaitReason::Retry);
    }
    if let Some(held) = state.held {
        let reason = match held.by {
            HeldBy::Window => WaitReason::Window,
            HeldBy::Person | HeldBy::Failure(_) | HeldBy::NoReturn(_) => WaitReason::Person,
        };
        return wait(deadline_ms, reason);
    }
    match state.mode {
        Mode::Forward {
            step,
            watch_until_ms,
            agreed,
            ..
        } => {
            let (reason, until_ms) = forward::waits_for(plan, now_ms, step, watch_until_ms, agreed);
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
    /// The same of the task that was out.
    pub(crate) task: Option<TaskVerdict>,
    /// Whether somebody who was asked to agree said no.
    pub(crate) denied: bool,
    /// A person's word that ends one watch.
    pub(crate) promoted: bool,
}

impl Decision<'_> {
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
        if self.effect.is_some() || self.state.pending.is_some() || self.must_wait(effect) {
            return;
        }
        match effect {
            Effect::Shift { .. } => self.state.quiet = false,
            Effect::Task { step } => self.sets_beside(step),
            _ => {}
        }
        let until_ms = self.now_ms.saturating_add(answer_within_ms);
        self.state.pending = Some(Pending { effect, until_ms });
        self.state.retry_at_ms = None;
        self.effect = Some(effect);
    }

    /// What a task sets counts from the moment it is asked for.
    fn sets_beside(&mut self, step: u16) {
        let planned = self.plan.steps.get(usize::from(step));
        match planned.map(|step| &step.action) {
            Some(Action::Task(Task::Flag { .. })) => self.state.beside.set(Extra::Flags, true),
            Some(Action::Task(Task::Baseline { count: 1.., .. })) => {
                self.state.beside.set(Extra::Baseline, true);
            }
            _ => {}
        }
    }

    /// Whether `effect` has to wait after a refusal: a refusal of the fleet's is no reason for
    /// traffic to wait.
    fn must_wait(&self, effect: Effect) -> bool {
        let concerns = self.state.refused_by_router || !matches!(effect, Effect::Shift { .. });
        concerns
            && self
                .state
                .retry_at_ms
                .is_some_and(|at_ms| self.now_ms < at_ms)
    }

    /// The router and the fleet, if both are known; else they are asked.
    pub(crate) fn seen(&mut self) -> Option<(Traffic, FleetSeen)> {
        match (self.state.traffic, self.state.fleet) {
            (Some(traffic), Some(fleet)) => Some((traffic, fleet)),
            _ => {
                self.send(Effect::Observe, ANSWER_MS);
                None
            }
        }
    }

    /// Turns back, at once: no earlier refusal delays it. What is out stays out until it is
    /// answered.
    pub(crate) fn begin_rollback(&mut self, reason: Reason) {
        let within_ms = i64::try_from(self.plan.rollback.within_ms).unwrap_or(i64::MAX);
        self.state.held = None;
        self.state.shut_until_ms = None;
        self.state.retry_at_ms = None;
        self.state.refusals = 0;
        self.state.mode = Mode::Rollback {
            reason,
            phase: Phase::Restore,
            deadline_ms: self.now_ms.saturating_add(within_ms),
            verified: Verified::NotYet,
        };
        self.notices.push(Notice::RollbackBegan { reason });
        self.abandon();
    }

    /// A suite or a task that is still out no longer decides anything, and nothing waits for it.
    pub(crate) fn abandon(&mut self) {
        (self.smoke, self.task) = (None, None);
        let pending = self.state.pending;
        if pending.is_some_and(|pending| pending.effect.is_asked()) {
            self.state.pending = None;
        }
    }

    /// Whether both arms have the ready instances that `traffic` needs, by the last observation.
    pub(crate) fn carries(&self, fleet: FleetSeen, traffic: Traffic) -> bool {
        Arm::BOTH
            .into_iter()
            .all(|arm| u32::from(fleet.of(arm).ready) >= self.plan.needed_by(arm, traffic))
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
