//! The world that the search puts around the machine: a router, a fleet, people, and time.

use alloc::vec::Vec;

use nonevent_router::{Arm, Split};
use nonevent_strategy::{Action, Plan};

use crate::effect::{Effect, Next, Turn};
use crate::input::{ArmSeen, Command, FleetSeen, Input, Judgement, RouterSeen, SmokeVerdict};
use crate::machine::count;
use crate::state::{Mode, Phase, State};

use super::Stepper;

/// The instances of one arm as they really are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ArmWorld {
    pub(crate) seen: ArmSeen,
    /// When the last starting instance is ready at the latest; absent if none is starting.
    ready_due_ms: Option<i64>,
    /// When the last draining instance is gone at the latest.
    gone_due_ms: Option<i64>,
    /// Whether what is starting will never be ready: the fleet has refused for good.
    pub(crate) never_ready: bool,
}

/// Everything outside the machine, as it really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) split: Split,
    pub(crate) arms: [ArmWorld; 2],
    /// A change that was not answered and may still arrive, until a later one fences it off.
    on_its_way: Option<Split>,
    /// When the canary's last request ends at the latest.
    quiet_due_ms: Option<i64>,
    pub(crate) faults: u8,
    /// The last watching step whose analysis passed.
    pub(crate) passed: Option<u16>,
}

/// The machine and its world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) state: State,
    pub(crate) world: World,
}

/// One thing that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// The effect that is out is carried out and answered.
    Answered,
    /// It is refused, and nothing happens.
    Refused,
    /// It is carried out, but the answer is lost.
    Unacknowledged,
    /// It is acknowledged, but nothing happens.
    Ignored,
    /// It gets no answer, and arrives later or never.
    Delayed,
    /// One instance fewer than asked for is started.
    Fewer,
    /// What was delayed arrives.
    Arrived,
    /// A smoke suite ends.
    Smoked(SmokeVerdict),
    /// A starting instance becomes ready.
    Ready(Arm),
    /// A draining instance is gone.
    Gone(Arm),
    /// The canary's last request ends.
    Quiet,
    /// Nothing happens until the next deadline of anybody.
    Time,
    /// The analysis looks.
    Analysed(Judgement),
    /// An instance ends by itself.
    Crashed(Arm),
    /// An instance fails its health check, and starts anew.
    Unready(Arm),
    /// What is starting will never be ready.
    NeverReady(Arm),
    /// The router does something else.
    Drifted(Split),
    /// The controlling process dies and is started again.
    Restarted {
        /// Whether the effect that was out was carried out.
        applied: bool,
    },
    /// A person decides.
    Commanded(Command),
}

impl Event {
    /// Whether it counts against the bound on faults.
    pub(crate) const fn is_fault(self) -> bool {
        matches!(
            self,
            Event::Refused
                | Event::Unacknowledged
                | Event::Ignored
                | Event::Delayed
                | Event::Fewer
                | Event::Crashed(_)
                | Event::Unready(_)
                | Event::NeverReady(_)
                | Event::Drifted(_)
                | Event::Restarted { .. }
                | Event::Commanded(Command::Abort | Command::Pause)
        )
    }
}

impl Event {
    /// Whether it is a word of the analysis, which may be followed by any other.
    pub(crate) const fn is_word(self) -> bool {
        matches!(self, Event::Analysed(_))
    }
}

/// What an event led to.
pub(crate) struct Transition {
    pub(crate) input: Option<Input>,
    pub(crate) elapsed_ms: i64,
    pub(crate) turn: Option<Turn>,
    pub(crate) node: Node,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> World {
        let replicas = count(plan.fleet.replicas);
        let seen = ArmSeen {
            present: replicas,
            kept: replicas,
            ready: replicas,
            failed: 0,
        };
        let stable = ArmWorld {
            seen,
            ready_due_ms: None,
            gone_due_ms: None,
            never_ready: false,
        };
        let canary = ArmWorld {
            seen: ArmSeen::default(),
            ..stable
        };
        World {
            split: Split::STABLE,
            arms: [stable, canary],
            on_its_way: None,
            quiet_due_ms: None,
            faults: 0,
            passed: None,
        }
    }

    pub(crate) const fn fleet(&self) -> FleetSeen {
        FleetSeen {
            stable: self.arms[0].seen,
            canary: self.arms[1].seen,
        }
    }

    fn router(&self, quiet: bool) -> Input {
        Input::Router(RouterSeen {
            split: self.split,
            canary_quiet: quiet,
        })
    }

    fn shift(&mut self, plan: &Plan, split: Split) {
        self.on_its_way = None;
        if split.weight(Arm::Canary) == 0 && self.split.weight(Arm::Canary) > 0 {
            self.quiet_due_ms = Some(ms(plan.fleet.drain_ms));
        }
        self.split = split;
    }

    fn scale(&mut self, plan: &Plan, arm: Arm, wanted: u16) {
        let arm = &mut self.arms[arm.index()];
        let seen = &mut arm.seen;
        if wanted > seen.kept {
            let started = wanted - seen.kept;
            seen.kept += started;
            seen.present += started;
            arm.ready_due_ms = Some(ms(plan.fleet.ready_within_ms + plan.fleet.warm_up_ms));
        } else if wanted < seen.kept {
            seen.kept = wanted;
            // Those that are not ready go first.
            seen.ready = seen.ready.min(wanted);
            arm.gone_due_ms = Some(ms(plan.fleet.drain_ms));
        }
        seen.failed = 0;
        arm.settle();
    }

    fn pass(&mut self, elapsed_ms: i64) {
        let later = |due_ms: Option<i64>| due_ms.map(|due_ms| (due_ms - elapsed_ms).max(0));
        for arm in &mut self.arms {
            arm.ready_due_ms = later(arm.ready_due_ms);
            arm.gone_due_ms = later(arm.gone_due_ms);
        }
        self.quiet_due_ms = later(self.quiet_due_ms);
    }
}

impl ArmWorld {
    const fn starting(&self) -> bool {
        self.seen.ready < self.seen.kept
    }

    const fn draining(&self) -> bool {
        self.seen.kept < self.seen.present
    }

    /// Forgets due times that nothing is bound to.
    fn settle(&mut self) {
        if !self.starting() || self.never_ready {
            self.ready_due_ms = None;
        }
        if !self.draining() {
            self.gone_due_ms = None;
        }
    }
}

fn ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

impl Node {
    /// Everything that can happen here, faults included as long as `faults_max` allows.
    pub(crate) fn events(&self, plan: &Plan, faults_max: u8, events: &mut Vec<Event>) {
        if matches!(self.state.mode, Mode::Done(_)) {
            return;
        }
        let pending = self.state.pending.map(|pending| pending.effect);
        match pending {
            None => self.waiting(plan, events),
            Some(Effect::Observe) => events.push(Event::Answered),
            Some(Effect::Shift { .. } | Effect::Scale { .. }) => events.push(Event::Answered),
            Some(Effect::Smoke { .. }) => {
                events.push(Event::Smoked(SmokeVerdict::Passed));
                events.push(Event::Smoked(SmokeVerdict::Failed));
                events.push(Event::Smoked(SmokeVerdict::Unavailable));
            }
        }
        if self.world.faults < faults_max {
            self.faults(pending, events);
        }
    }

    fn waiting(&self, plan: &Plan, events: &mut Vec<Event>) {
        events.push(Event::Time);
        for arm in Arm::BOTH {
            let it = &self.world.arms[arm.index()];
            if it.starting() && !it.never_ready {
                events.push(Event::Ready(arm));
            }
            if it.draining() {
                events.push(Event::Gone(arm));
            }
        }
        if matches!(
            self.state.mode,
            Mode::Rollback {
                phase: Phase::Quiesce,
                ..
            }
        ) && !self.state.quiet
        {
            events.push(Event::Quiet);
        }
        if self.world.on_its_way.is_some() {
            events.push(Event::Arrived);
        }
        if self.state.held.is_some() {
            events.push(Event::Commanded(Command::Resume));
        }
        if let Mode::Forward {
            step, judgement, ..
        } = self.state.mode
            && let Some(Action::Watch { analyse: true, .. }) =
                plan.steps.get(usize::from(step)).map(|step| &step.action)
        {
            for said in [
                Judgement::Pass,
                Judgement::Fail,
                Judgement::Inconclusive,
                Judgement::NoData,
                Judgement::EnvironmentUnhealthy,
            ] {
                // The same word twice changes nothing, but that a pass after the pause counts.
                if judgement != Some(said) || said == Judgement::Pass {
                    events.push(Event::Analysed(said));
                }
            }
        }
    }

    fn faults(&self, pending: Option<Effect>, events: &mut Vec<Event>) {
        match pending {
            Some(Effect::Observe) => events.push(Event::Refused),
            Some(Effect::Shift { .. }) => events.extend([
                Event::Refused,
                Event::Unacknowledged,
                Event::Ignored,
                Event::Delayed,
            ]),
            Some(Effect::Scale { arm, count }) => {
                events.extend([Event::Refused, Event::Unacknowledged, Event::Ignored]);
                if count > self.world.arms[arm.index()].seen.kept {
                    events.push(Event::Fewer);
                }
            }
            Some(Effect::Smoke { .. }) | None => {}
        }
        if pending.is_some_and(|effect| effect.changes()) {
            events.push(Event::Restarted { applied: true });
        }
        events.push(Event::Restarted { applied: false });
        if matches!(self.state.mode, Mode::Forward { .. }) {
            events.push(Event::Commanded(Command::Abort));
            if self.state.held.is_none() {
                events.push(Event::Commanded(Command::Pause));
            }
        }
        for arm in Arm::BOTH {
            let it = &self.world.arms[arm.index()];
            if it.seen.kept > 0 {
                events.push(Event::Crashed(arm));
            }
            if it.seen.ready > 0 {
                events.push(Event::Unready(arm));
            }
            if it.starting() && !it.never_ready {
                events.push(Event::NeverReady(arm));
            }
        }
        if !matches!(pending, Some(Effect::Shift { .. })) {
            for drifted in [Split::STABLE, Split::canary(3_333).unwrap_or(Split::STABLE)] {
                if self.world.split != drifted {
                    events.push(Event::Drifted(drifted));
                }
            }
        }
    }

    /// What `event` leads to.
    pub(crate) fn after(&self, plan: &Plan, machine: &impl Stepper, event: Event) -> Transition {
        let mut node = self.clone();
        let mut elapsed_ms = 0;
        if event.is_fault() {
            node.world.faults += 1;
        }
        let input = match event {
            Event::Time => {
                let (passed_ms, input) = node.time(plan);
                elapsed_ms = passed_ms;
                Some(input)
            }
            _ => node.happen(plan, event),
        };
        let turn = input.map(|input| {
            if let Input::Analysis {
                step,
                judgement: Judgement::Pass,
            } = input
            {
                node.world.passed = Some(step);
            }
            let turn = machine.handle(plan, &mut node.state, elapsed_ms, &input);
            // A later change of the router fences an earlier one off.
            if matches!(turn.effect, Some(Effect::Shift { .. })) {
                node.world.on_its_way = None;
            }
            turn
        });
        node.state = node.state.earlier_by(elapsed_ms);
        Transition {
            input,
            elapsed_ms,
            turn,
            node,
        }
    }

    /// Time runs to the next deadline of the machine or of the world.
    fn time(&mut self, plan: &Plan) -> (i64, Input) {
        let own_ms = self.waits_until_ms(plan).max(0);
        let dues = [
            self.world.arms[0].ready_due_ms,
            self.world.arms[1].ready_due_ms,
            self.world.arms[0].gone_due_ms,
            self.world.arms[1].gone_due_ms,
        ];
        let quiet_ms = self.world.quiet_due_ms;
        let due_ms = dues.into_iter().flatten().chain(quiet_ms).min();
        let elapsed_ms = due_ms.map_or(own_ms, |due_ms| due_ms.min(own_ms));
        self.world.pass(elapsed_ms);
        let mut seen = false;
        for arm in &mut self.world.arms {
            if arm.ready_due_ms == Some(0) {
                arm.seen.ready = arm.seen.kept;
                seen = true;
            }
            if arm.gone_due_ms == Some(0) {
                arm.seen.present = arm.seen.kept;
                seen = true;
            }
            arm.settle();
        }
        if seen {
            return (elapsed_ms, Input::Fleet(self.world.fleet()));
        }
        if self.world.quiet_due_ms == Some(0) {
            self.world.quiet_due_ms = None;
            return (elapsed_ms, self.world.router(true));
        }
        (elapsed_ms, Input::Clock)
    }

    /// When the machine wants to be told the time.
    fn waits_until_ms(&self, plan: &Plan) -> i64 {
        match crate::machine::next(plan, &self.state, 0) {
            Next::Wait(wait) => wait.until_ms,
            Next::Done(_) => 0,
        }
    }

    fn happen(&mut self, plan: &Plan, event: Event) -> Option<Input> {
        let pending = self.state.pending.map(|pending| pending.effect);
        match event {
            Event::Time => None,
            Event::Answered => Some(self.answer(plan, pending)),
            Event::Refused | Event::Unacknowledged | Event::Ignored | Event::Delayed => {
                Some(self.misanswer(plan, pending, event))
            }
            Event::Fewer => {
                if let Some(Effect::Scale { arm, count }) = pending {
                    self.world.scale(plan, arm, count - 1);
                }
                Some(Input::Fleet(self.world.fleet()))
            }
            Event::Arrived => {
                if let Some(split) = self.world.on_its_way {
                    self.world.shift(plan, split);
                }
                Some(self.world.router(false))
            }
            Event::Smoked(verdict) => Some(Input::Smoke(verdict)),
            Event::Ready(arm) => {
                let arm = &mut self.world.arms[arm.index()];
                arm.seen.ready += 1;
                arm.settle();
                Some(Input::Fleet(self.world.fleet()))
            }
            Event::Gone(arm) => {
                let arm = &mut self.world.arms[arm.index()];
                arm.seen.present -= 1;
                arm.settle();
                Some(Input::Fleet(self.world.fleet()))
            }
            Event::Quiet => {
                self.world.quiet_due_ms = None;
                Some(self.world.router(true))
            }
            Event::Analysed(judgement) => match self.state.mode {
                Mode::Forward { step, .. } => Some(Input::Analysis { step, judgement }),
                _ => None,
            },
            Event::Crashed(_) | Event::Unready(_) | Event::NeverReady(_) => {
                self.harm(plan, event);
                // While the fleet is being changed, nobody looks at it.
                let changing = matches!(pending, Some(Effect::Scale { .. }));
                (!changing).then(|| Input::Fleet(self.world.fleet()))
            }
            Event::Drifted(split) => {
                self.world.shift(plan, split);
                Some(self.world.router(false))
            }
            Event::Restarted { applied } => {
                if applied {
                    let _ = self.answer(plan, pending);
                }
                Some(Input::Restarted)
            }
            Event::Commanded(command) => Some(Input::Command(command)),
        }
    }

    /// The effect is carried out; the truth is read back.
    fn answer(&mut self, plan: &Plan, pending: Option<Effect>) -> Input {
        match pending {
            Some(Effect::Shift { split }) => {
                self.world.shift(plan, split);
                self.world.router(false)
            }
            Some(Effect::Scale { arm, count }) => {
                self.world.scale(plan, arm, count);
                Input::Fleet(self.world.fleet())
            }
            Some(Effect::Observe) if self.state.split.is_none() => self.world.router(false),
            Some(Effect::Observe) => Input::Fleet(self.world.fleet()),
            Some(Effect::Smoke { .. }) | None => Input::Clock,
        }
    }

    fn misanswer(&mut self, plan: &Plan, pending: Option<Effect>, event: Event) -> Input {
        let router = match pending {
            Some(Effect::Shift { .. }) => true,
            Some(Effect::Observe) => self.state.split.is_none(),
            _ => false,
        };
        match event {
            Event::Unacknowledged => {
                let _ = self.answer(plan, pending);
            }
            Event::Delayed => {
                if let Some(Effect::Shift { split }) = pending {
                    self.world.on_its_way = Some(split);
                }
            }
            Event::Ignored => {
                return if router {
                    self.world.router(false)
                } else {
                    Input::Fleet(self.world.fleet())
                };
            }
            _ => {}
        }
        if router {
            Input::RouterFailed
        } else {
            Input::FleetFailed
        }
    }

    fn harm(&mut self, plan: &Plan, event: Event) {
        match event {
            Event::Crashed(arm) => {
                let seen = &mut self.world.arms[arm.index()].seen;
                // The one that carries traffic, if there is one.
                seen.ready = seen.ready.saturating_sub(1);
                seen.kept -= 1;
                seen.present -= 1;
                seen.failed += 1;
            }
            Event::Unready(arm) => {
                let it = &mut self.world.arms[arm.index()];
                it.seen.ready -= 1;
                it.ready_due_ms = Some(ms(plan.fleet.ready_within_ms + plan.fleet.warm_up_ms));
            }
            Event::NeverReady(arm) => self.world.arms[arm.index()].never_ready = true,
            _ => {}
        }
        self.world.arms.iter_mut().for_each(ArmWorld::settle);
    }
}
