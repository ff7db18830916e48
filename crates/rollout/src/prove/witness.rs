//! What an impartial witness of a run knows: only what was said aloud, and how long ago.
//!
//! The properties are judged by this and by the world, never by what the machine believes, so that
//! a machine that forgets, or remembers what is no longer true, is found out. With the rules that
//! the driver runs nearly all of it follows from the machine's state, so it adds few states.

use nonevent_router::Arm;
use nonevent_strategy::windows::{OnWindowClose, Windows};
use nonevent_strategy::{Action, Plan, Task, Traffic};

use crate::effect::Effect;
use crate::input::{Command, FleetSeen, Input, Judgement, WindowSeen};
use crate::state::{Agreed, Mode};

use super::event::Event;
use super::world::{Node, Outage, World, short};

/// A way back to stable that is not at its end yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recovery {
    /// For how long.
    pub(super) elapsed_ms: u32,
    /// How long it may take.
    pub(super) bound_ms: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Witness {
    /// The last reading of the router, if nothing was asked of it or failed since.
    pub(super) traffic: Option<Traffic>,
    /// The last reading of the fleet, likewise.
    pub(super) fleet: Option<FleetSeen>,
    /// Ready stable instances in the last reading of the fleet, however old, without those that
    /// were asked to go since.
    pub(super) stable_ready: u16,
    /// For how long the present step has been watched, as far as it asks for it.
    pub(super) watched_ms: u32,
    /// What the analysis of the present step said last.
    pub(super) word: Option<Judgement>,
    /// Who has agreed to the present step.
    pub(super) agreed: Agreed,
    /// Whether a person has paused, and nobody resumed since.
    pub(super) paused: bool,
    /// Whether the change window was said to be closed, where the plan waits for it.
    pub(super) shut: bool,
    /// Whether anything went wrong so far, other than that a person decided something.
    pub(super) harmed: bool,
    /// Since stable was to serve everything and did not.
    pub(super) recovery: Option<Recovery>,
}

impl Witness {
    /// Time passes before anything is said.
    pub(super) fn pass(&mut self, plan: &Plan, before: &Node, elapsed_ms: u32) {
        if let Some((_, Action::Watch { for_ms, .. })) = before.step(plan)
            && before.state.held.is_none()
        {
            self.watched_ms = self
                .watched_ms
                .saturating_add(elapsed_ms)
                .min(short(*for_ms));
        }
        if let Some(until_ms) = &mut self.agreed.until_ms {
            *until_ms -= i64::from(elapsed_ms);
            if *until_ms <= 0 {
                self.agreed = Agreed::default();
            }
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.elapsed_ms = recovery.elapsed_ms.saturating_add(elapsed_ms);
        }
    }

    /// The machine is told `input`.
    pub(super) fn hear(&mut self, plan: &Plan, before: &Node, input: &Input) {
        match input {
            Input::Router(seen) => {
                self.traffic = Some(seen.traffic());
                if before.has_drifted_to(plan, seen.traffic()) {
                    // What was watched at other shares does not count.
                    self.watched_ms = 0;
                }
            }
            Input::Fleet(seen) => {
                self.fleet = Some(*seen);
                self.stable_ready = seen.of(Arm::Stable).ready;
            }
            Input::RouterFailed => self.traffic = None,
            Input::FleetFailed => self.fleet = None,
            Input::Restarted => {
                (self.traffic, self.fleet) = (None, None);
                (self.watched_ms, self.word) = (0, None);
            }
            Input::Analysis { step, judgement }
                if before.step(plan).is_some_and(|(at, _)| at == *step) =>
            {
                self.word = Some(*judgement);
            }
            Input::Approval {
                step,
                person,
                granted,
                until_ms,
            } if *until_ms > 0 && before.is_asked(plan, *step, *person) => {
                if *granted {
                    let before_ms = self.agreed.until_ms.unwrap_or(i64::MAX);
                    self.agreed.people |= 1 << person;
                    self.agreed.until_ms = Some(before_ms.min(*until_ms));
                } else {
                    self.agreed = Agreed::default();
                }
            }
            Input::Command(Command::Pause) => self.paused = before.step(plan).is_some(),
            Input::Command(Command::Resume) => self.paused = false,
            Input::Window(seen) => {
                let policy = plan.windows.as_ref().map(Windows::on_window_close);
                self.shut = *seen != WindowSeen::Open && policy == Some(OnWindowClose::Pause);
            }
            _ => {}
        }
    }

    /// The machine sends `effect`: what it changes is no longer known.
    pub(super) fn send(&mut self, effect: Effect) {
        match effect {
            Effect::Shift { .. } => self.traffic = None,
            Effect::Scale { arm, count } => {
                self.fleet = None;
                if arm == Arm::Stable {
                    self.stable_ready = self.stable_ready.min(count);
                }
            }
            _ => {}
        }
    }

    /// The machine went from `before` to `mode`. Returns how long stable took to be back, if it
    /// is now.
    pub(super) fn follow(
        &mut self,
        plan: &Plan,
        before: &Node,
        event: Event,
        mode: Mode,
        world: &World,
    ) -> Option<u32> {
        let step = |mode| match mode {
            Mode::Forward { step, .. } => Some(step),
            Mode::Rollback { .. } | Mode::Done(_) => None,
        };
        if step(mode) != step(before.state.mode) {
            (self.watched_ms, self.word) = (0, None);
            self.agreed = Agreed::default();
        }
        if step(mode).is_none() {
            (self.paused, self.shut) = (false, false);
        }
        self.harmed |= event.harms();
        self.follow_recovery(plan, before, event, mode, world)
    }

    fn follow_recovery(
        &mut self,
        plan: &Plan,
        before: &Node,
        event: Event,
        mode: Mode,
        world: &World,
    ) -> Option<u32> {
        let kept_from_it = world.arms[0].never_ready || world.rode;
        let lost = world.outage != Outage::None || kept_from_it;
        if !matches!(mode, Mode::Rollback { .. }) || lost {
            self.recovery = None;
            return None;
        }
        let within_ms = short(plan.rollback.within_ms);
        let restarted = matches!(event, Event::Restarted { .. } | Event::Repaired);
        let mut recovery = match (self.recovery, before.state.mode) {
            (Some(recovery), _) if !restarted => recovery,
            (_, Mode::Forward { step, .. }) if !self.harmed => {
                let planned = plan.steps.get(usize::from(step));
                Recovery {
                    elapsed_ms: 0,
                    bound_ms: planned.map_or(within_ms, |step| short(step.back_within_ms)),
                }
            }
            _ => Recovery {
                elapsed_ms: 0,
                bound_ms: within_ms,
            },
        };
        if event.harms() {
            recovery.bound_ms = within_ms;
        }
        if world.restored(plan) {
            self.recovery = None;
            return Some(recovery.elapsed_ms);
        }
        self.recovery = Some(recovery);
        None
    }
}

impl Node {
    /// Whether `person` is one of those who are asked to agree to `step`, now.
    fn is_asked(&self, plan: &Plan, step: u16, person: u8) -> bool {
        match self.step(plan) {
            Some((at, Action::Task(Task::Approve { approval }))) if at == step => {
                let people = plan.approvals.get(approval).map(|it| &it.people);
                people.is_some_and(|people| usize::from(person) < people.len())
            }
            _ => false,
        }
    }
}
