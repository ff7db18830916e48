//! From one state to the next: an event happens to the world, the machine hears of it, or does
//! not, and decides.

use nonevent_router::Arm;
use nonevent_strategy::Plan;

use crate::effect::{Effect, Next, Turn};
use crate::input::{Command, Input, TaskVerdict, WindowSeen};
use crate::machine::HOLD_MS;
use crate::state::{Extra, Mode};

use super::Stepper;
use super::event::Event;
use super::property::{self, Property};
use super::world::{Node, Outage, Side, short, start_ms};

/// How long a word of approval counts, in milliseconds: a day.
const LONG_MS: i64 = 86_400_000;
/// The same of one that soon expires.
const BRIEF_MS: i64 = 1_000;

/// What an event led to.
pub(super) struct Transition {
    pub(super) input: Option<Input>,
    pub(super) elapsed_ms: i64,
    pub(super) turn: Option<Turn>,
    pub(super) node: Node,
    /// The first property that it breaks.
    pub(super) broken: Option<Property>,
    /// How long stable took to be back, if it is now.
    pub(super) recovered_ms: Option<u32>,
}

impl Node {
    /// What `event` leads to.
    pub(super) fn after(&self, plan: &Plan, machine: &impl Stepper, event: Event) -> Transition {
        let mut node = self.clone();
        node.world.faults += event.weight();
        let (elapsed_ms, input) = match event {
            Event::Time => node.time(),
            _ => (0, node.happen(plan, event)),
        };
        node.world.settle();
        let elapsed = short(u64::try_from(elapsed_ms).unwrap_or(0));
        node.witness.pass(plan, self, elapsed);
        let turn = input.as_ref().map(|input| {
            node.witness.hear(plan, self, input);
            machine.handle(plan, &mut node.state, elapsed_ms, input)
        });
        let mut broken = None;
        match &turn {
            Some(turn) => {
                broken = property::broken(plan, self, &node, event, input.as_ref(), turn);
                node.until_ms = match turn.next {
                    Next::Wait(wait) => wait.until_ms.saturating_sub(elapsed_ms),
                    Next::Done(_) => 0,
                };
                if let Some(effect) = turn.effect {
                    node.world.mute = false;
                    node.witness.send(effect);
                }
            }
            None => node.until_ms = node.until_ms.saturating_sub(elapsed_ms),
        }
        node.world.mute &= node.state.pending.is_some();
        node.state = node.state.earlier_by(elapsed_ms);
        let recovered_ms = node
            .witness
            .follow(plan, self, event, node.state.mode, &node.world);
        let broken = broken.or_else(|| property::late(&node));
        Transition {
            input,
            elapsed_ms,
            turn,
            node,
            broken,
            recovered_ms,
        }
    }

    /// Time runs to the next deadline of the machine or of the world.
    fn time(&mut self) -> (i64, Option<Input>) {
        let own_ms = self.until_ms.max(0);
        let due_ms = self.world.due_ms().map(i64::from);
        let elapsed_ms = due_ms.map_or(own_ms, |due_ms| due_ms.min(own_ms));
        let elapsed = short(u64::try_from(elapsed_ms).unwrap_or(0));
        let (instances, quiet) = self.world.pass(elapsed);
        let input = if instances && self.is_watched(Side::Fleet) {
            self.world.fleet_input()
        } else if quiet && self.is_watched(Side::Router) {
            self.world.router_input(true)
        } else {
            Input::Clock
        };
        (elapsed_ms, Some(input))
    }

    /// Whether a reading of that side may be handed over now: not while a change of it is out.
    pub(super) fn is_watched(&self, side: Side) -> bool {
        let changing = match side {
            Side::Router => matches!(self.pending(), Some(Effect::Shift { .. })),
            Side::Fleet => matches!(self.pending(), Some(Effect::Scale { .. })),
        };
        !changing && self.world.outage != Outage::On(side)
    }

    /// Whether the machine knows what that side looks like.
    pub(super) const fn knows(&self, side: Side) -> bool {
        match side {
            Side::Router => self.state.traffic.is_some(),
            Side::Fleet => self.state.fleet.is_some(),
        }
    }

    fn look_at(&self, side: Side) -> Option<Input> {
        self.is_watched(side).then(|| match side {
            Side::Router => self.world.router_input(false),
            Side::Fleet => self.world.fleet_input(),
        })
    }

    /// `event` happens; what the machine is told of it.
    fn happen(&mut self, plan: &Plan, event: Event) -> Option<Input> {
        match event {
            Event::Time => None,
            Event::Answered => self.answer(plan),
            Event::Unread
            | Event::Unacknowledged
            | Event::Ignored
            | Event::Failed
            | Event::Silence
            | Event::Fewer => self.misanswer(plan, event),
            Event::Smoked(verdict) => Some(Input::Smoke(verdict)),
            Event::TaskEnded(verdict) => self.task_ended(plan, verdict),
            Event::Agreed => self.decides(true, LONG_MS),
            Event::AgreedBriefly => self.decides(true, BRIEF_MS),
            Event::Denied => self.decides(false, LONG_MS),
            Event::WindowClosed => Some(Input::Window(WindowSeen::Closed { opens_ms: HOLD_MS })),
            Event::WindowOpened => Some(Input::Window(WindowSeen::Open)),
            Event::Retried => Some(match self.state.mode {
                Mode::Done(_) => Input::Restarted,
                _ => Input::Command(Command::Resume),
            }),
            Event::Arrived | Event::Drifted(_) | Event::Quiet => self.at_the_router(plan, event),
            Event::ArrivedScale(_)
            | Event::Ready(..)
            | Event::Gone(..)
            | Event::Crashed(_)
            | Event::Unready(_)
            | Event::NeverReady(_)
            | Event::RidesOn(_)
            | Event::Rescaled(..) => {
                self.in_the_fleet(plan, event);
                self.look_at(Side::Fleet)
            }
            Event::Analysed(judgement) => {
                let (step, _) = self.step(plan)?;
                Some(Input::Analysis { step, judgement })
            }
            Event::AnalysedLate => {
                let (step, _) = self.step(plan)?;
                let step = step.checked_sub(1)?;
                let judgement = crate::input::Judgement::Pass;
                Some(Input::Analysis { step, judgement })
            }
            Event::Lost(side) => self.lost(side),
            Event::Back(side) => {
                self.world.outage = Outage::Over;
                self.look_at(side)
            }
            Event::Looked(side) => self.look_at(side),
            Event::LookFailed(side) => Some(failed(side)),
            Event::Restarted { applied } => {
                if let Some(effect) = self.pending()
                    && !self.world.mute
                {
                    match applied {
                        true => self.world.carry_out(plan, effect),
                        false => self.world.delay(effect),
                    }
                }
                Some(Input::Restarted)
            }
            Event::Repaired => {
                self.world.outage = Outage::None;
                for arm in &mut self.world.arms {
                    arm.never_ready = false;
                    arm.ready_due_ms = Some(start_ms(plan));
                    arm.gone_due_ms = Some(short(plan.fleet.drain_ms));
                    arm.settle();
                }
                Some(Input::Restarted)
            }
            Event::Commanded(command) => Some(Input::Command(command)),
            Event::Vain(vain) => self.vain_input(plan, vain),
        }
    }

    /// What an effect on a side that is lost comes to.
    fn lost_answer(&self, effect: Effect) -> Option<Input> {
        let reads_router = self.state.traffic.is_none();
        match (self.world.outage, effect) {
            (Outage::On(Side::Router), Effect::Shift { .. }) => Some(Input::RouterFailed),
            (Outage::On(Side::Router), Effect::Observe) if reads_router => {
                Some(Input::RouterFailed)
            }
            (Outage::On(Side::Fleet), Effect::Scale { .. }) => Some(Input::FleetFailed),
            (
                Outage::On(Side::Fleet),
                Effect::Withdraw {
                    extra: extra @ Extra::Baseline,
                },
            ) => Some(Input::Withdrawn { extra, gone: false }),
            (Outage::On(Side::Fleet), Effect::Observe) if !reads_router => Some(Input::FleetFailed),
            _ => None,
        }
    }

    /// The effect is carried out, and the truth is read back.
    fn answer(&mut self, plan: &Plan) -> Option<Input> {
        let effect = self.pending()?;
        if let Some(failed) = self.lost_answer(effect) {
            return Some(failed);
        }
        self.world.carry_out(plan, effect);
        Some(match effect {
            Effect::Shift { .. } => self.world.router_input(false),
            Effect::Observe if self.state.traffic.is_none() => self.world.router_input(false),
            Effect::Scale { .. } | Effect::Observe => self.world.fleet_input(),
            Effect::Withdraw { extra } => Input::Withdrawn { extra, gone: true },
            Effect::Smoke { .. } | Effect::Task { .. } => Input::Clock,
        })
    }

    fn task_ended(&mut self, plan: &Plan, verdict: TaskVerdict) -> Option<Input> {
        let effect = self.pending()?;
        let Effect::Task { step } = effect else {
            return None;
        };
        if verdict == TaskVerdict::Done {
            self.world.carry_out(plan, effect);
        }
        Some(Input::Task { step, verdict })
    }

    /// The next of those who are asked agrees, or the first of them says no after all.
    fn decides(&self, granted: bool, until_ms: i64) -> Option<Input> {
        let Mode::Forward { step, agreed, .. } = self.state.mode else {
            return None;
        };
        let agrees = u8::try_from(agreed.people.trailing_ones()).ok()?;
        let person = if granted { agrees } else { 0 };
        Some(Input::Approval {
            step,
            person,
            granted,
            until_ms,
        })
    }

    fn misanswer(&mut self, plan: &Plan, event: Event) -> Option<Input> {
        let effect = self.pending()?;
        let router = match effect {
            Effect::Shift { .. } => true,
            Effect::Observe => self.state.traffic.is_none(),
            _ => false,
        };
        let verdict = TaskVerdict::Unavailable;
        let failed = match effect {
            Effect::Task { step } => Input::Task { step, verdict },
            Effect::Withdraw { extra } => Input::Withdrawn { extra, gone: false },
            _ if router => Input::RouterFailed,
            _ => Input::FleetFailed,
        };
        match event {
            Event::Unacknowledged => self.world.carry_out(plan, effect),
            Event::Failed => self.world.delay(effect),
            Event::Ignored => {
                self.world.delay(effect);
                return Some(match router {
                    true => self.world.router_input(false),
                    false => self.world.fleet_input(),
                });
            }
            Event::Silence => {
                self.world.delay(effect);
                self.world.mute = true;
                return None;
            }
            Event::Fewer => {
                if let Effect::Scale { arm, count } = effect {
                    let count = count.saturating_sub(1);
                    self.world.carry_out(plan, Effect::Scale { arm, count });
                }
                return Some(self.world.fleet_input());
            }
            _ => {}
        }
        Some(failed)
    }

    fn at_the_router(&mut self, plan: &Plan, event: Event) -> Option<Input> {
        match event {
            Event::Arrived => {
                if let Some(traffic) = self.world.on_its_way.take() {
                    self.world.shift(plan, traffic);
                }
            }
            Event::Drifted(traffic) => self.world.shift(plan, traffic),
            Event::Quiet => {
                self.world.quiet_due_ms = None;
                return Some(self.world.router_input(true));
            }
            _ => {}
        }
        self.look_at(Side::Router)
    }

    fn in_the_fleet(&mut self, plan: &Plan, event: Event) {
        let arm = match event {
            Event::ArrivedScale(arm)
            | Event::Ready(arm, _)
            | Event::Gone(arm, _)
            | Event::Crashed(arm)
            | Event::Unready(arm)
            | Event::NeverReady(arm)
            | Event::RidesOn(arm)
            | Event::Rescaled(arm, _) => arm,
            _ => return,
        };
        let it = &mut self.world.arms[arm.index()];
        match event {
            Event::ArrivedScale(_) => {
                if let Some(wanted) = it.on_its_way.take() {
                    it.grow_or_shrink(plan, wanted);
                    it.seen.failed = 0;
                }
            }
            Event::Ready(_, number) => it.seen.ready += number,
            Event::Gone(_, number) => it.seen.present -= number,
            Event::Crashed(_) => {
                // The one that carries traffic, if there is one.
                it.seen.ready = it.seen.ready.saturating_sub(1);
                it.seen.kept -= 1;
                it.seen.present -= 1;
                it.seen.failed += 1;
            }
            Event::Unready(_) => {
                it.seen.ready -= 1;
                it.ready_due_ms = Some(start_ms(plan));
            }
            Event::NeverReady(_) => it.never_ready = true,
            Event::RidesOn(_) => it.gone_due_ms = None,
            Event::Rescaled(_, up) => {
                let wanted = match up {
                    true => it.seen.kept.saturating_add(1),
                    false => it.seen.kept - 1,
                };
                it.grow_or_shrink(plan, wanted);
            }
            _ => {}
        }
        it.settle();
        self.world.rode |= matches!(event, Event::RidesOn(_));
    }

    /// One side is lost; a look shows it at once, if nothing is out there.
    fn lost(&mut self, side: Side) -> Option<Input> {
        let watched = self.is_watched(side);
        self.world.outage = Outage::On(side);
        let reading = matches!(self.pending(), Some(Effect::Observe));
        (watched && !reading).then_some(failed(side))
    }
}

/// What is said where that side cannot be read.
const fn failed(side: Side) -> Input {
    match side {
        Side::Router => Input::RouterFailed,
        Side::Fleet => Input::FleetFailed,
    }
}

/// The arm's name in a story.
pub(super) const fn instance_of(arm: Arm) -> &'static str {
    match arm {
        Arm::Stable => "a stable instance",
        Arm::Canary => "a canary instance",
    }
}
