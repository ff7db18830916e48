//! The world that the search puts around the machine: a router, a fleet, and time.

use nonevent_router::Arm;
use nonevent_strategy::{Action, Plan, Task, Traffic};

use crate::effect::Effect;
use crate::input::{ArmSeen, FleetSeen, Input, RouterSeen};
use crate::machine::count;
use crate::state::{Beside, Extra, HeldBy, Mode, Outcome, Reason, State, Verified};

use super::witness::Witness;

/// The instances of one arm as they really are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ArmWorld {
    pub(super) seen: ArmSeen,
    /// When the last starting instance is ready at the latest; absent if none is starting.
    pub(super) ready_due_ms: Option<u32>,
    /// When the last draining instance is gone at the latest.
    pub(super) gone_due_ms: Option<u32>,
    /// A number that was asked for and may still come into force, until a later one does.
    pub(super) on_its_way: Option<u16>,
    /// Whether what is starting will never be ready: the fleet has refused for good.
    pub(super) never_ready: bool,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Router,
    Fleet,
}

/// Whether one side cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outage {
    None,
    On(Side),
    /// It is over, and may have cost the time that was left.
    Over,
}

/// Everything outside the machine, as it really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) traffic: Traffic,
    pub(super) arms: [ArmWorld; 2],
    /// What was asked of the router and may still come into force, until a later change does.
    pub(super) on_its_way: Option<Traffic>,
    /// When the canary's last request ends at the latest.
    pub(super) quiet_due_ms: Option<u32>,
    /// Whether a connection has outlasted the drain time.
    pub(super) rode: bool,
    /// What stands beside instances and traffic.
    pub(super) beside: Beside,
    /// Whether nothing will be heard of the effect that is out.
    pub(super) mute: bool,
    pub(super) outage: Outage,
    pub(super) faults: u8,
}

/// The machine, its world, and what an impartial witness knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) state: State,
    pub(super) world: World,
    pub(super) witness: Witness,
    /// Until when the machine waits, if nothing happens before.
    pub(super) until_ms: i64,
}

impl World {
    pub(super) fn new(plan: &Plan) -> World {
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
            on_its_way: None,
            never_ready: false,
        };
        let canary = ArmWorld {
            seen: ArmSeen::default(),
            ..stable
        };
        World {
            traffic: Traffic::STABLE,
            arms: [stable, canary],
            on_its_way: None,
            quiet_due_ms: None,
            rode: false,
            beside: Beside::default(),
            mute: false,
            outage: Outage::None,
            faults: 0,
        }
    }

    pub(super) const fn fleet(&self) -> FleetSeen {
        FleetSeen {
            stable: self.arms[0].seen,
            canary: self.arms[1].seen,
        }
    }

    pub(super) const fn fleet_input(&self) -> Input {
        Input::Fleet(self.fleet())
    }

    pub(super) const fn router_input(&self, quiet: bool) -> Input {
        Input::Router(RouterSeen {
            split: self.traffic.split,
            ways: self.traffic.ways,
            canary_quiet: quiet,
        })
    }

    /// Whether stable really serves everything again: traffic, ready instances, and all of them
    /// asked for.
    pub(super) fn restored(&self, plan: &Plan) -> bool {
        let stable = self.arms[0].seen;
        self.traffic == Traffic::STABLE
            && u32::from(stable.ready) >= plan.fleet.min_ready
            && u32::from(stable.kept) >= plan.fleet.replicas
    }

    pub(super) fn shift(&mut self, plan: &Plan, traffic: Traffic) {
        if !traffic.reaches_canary() && self.traffic.reaches_canary() {
            self.quiet_due_ms = Some(short(plan.fleet.drain_ms));
        }
        if traffic.reaches_canary() {
            self.quiet_due_ms = None;
        }
        self.traffic = traffic;
    }

    pub(super) fn scale(&mut self, plan: &Plan, arm: Arm, wanted: u16) {
        let arm = &mut self.arms[arm.index()];
        arm.grow_or_shrink(plan, wanted);
        arm.seen.failed = 0;
        arm.settle();
    }

    /// What is out is carried out as it was asked for, and fences off what was asked before.
    pub(super) fn carry_out(&mut self, plan: &Plan, effect: Effect) {
        match effect {
            Effect::Shift { split, ways } => {
                self.on_its_way = None;
                self.shift(plan, Traffic { split, ways });
            }
            Effect::Scale { arm, count } => {
                self.arms[arm.index()].on_its_way = None;
                self.scale(plan, arm, count);
            }
            Effect::Task { step } => {
                let planned = plan.steps.get(usize::from(step));
                match planned.map(|step| &step.action) {
                    Some(Action::Task(Task::Flag { .. })) => self.beside.set(Extra::Flags, true),
                    Some(Action::Task(Task::Baseline { count, .. })) => {
                        self.beside.set(Extra::Baseline, *count > 0);
                    }
                    _ => {}
                }
            }
            Effect::Withdraw { extra } => self.beside.set(extra, false),
            Effect::Observe | Effect::Smoke { .. } => {}
        }
    }

    /// Whether a reading shows what `effect` asks for.
    pub(super) fn shows(&self, effect: Effect) -> bool {
        match effect {
            Effect::Shift { split, ways } => self.traffic == Traffic { split, ways },
            Effect::Scale { arm, count } => self.arms[arm.index()].seen.kept == count,
            _ => true,
        }
    }

    /// Whether `effect` asks for more instances.
    pub(super) fn starts(&self, effect: Effect) -> bool {
        match effect {
            Effect::Scale { arm, count } => count > self.arms[arm.index()].seen.kept,
            _ => false,
        }
    }

    /// What is out may still be carried out. Where an earlier change is on its way, that one is
    /// what may arrive: the later one would only mend it.
    pub(super) fn delay(&mut self, effect: Effect) {
        match effect {
            Effect::Shift { split, ways } => {
                self.on_its_way.get_or_insert(Traffic { split, ways });
            }
            Effect::Scale { arm, count } => {
                self.arms[arm.index()].on_its_way.get_or_insert(count);
            }
            // A suite or a task that is given up is over; what takes back is done or is not.
            _ => {}
        }
    }

    /// Without an instance there is no request that could end.
    pub(super) fn settle(&mut self) {
        if self.arms[Arm::Canary.index()].seen.present == 0 {
            self.quiet_due_ms = None;
        }
    }

    /// The next time at which something happens by itself.
    pub(super) fn due_ms(&self) -> Option<u32> {
        let [stable, canary] = &self.arms;
        [
            stable.ready_due_ms,
            stable.gone_due_ms,
            canary.ready_due_ms,
            canary.gone_due_ms,
            self.quiet_due_ms,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Time passes; whether instances became ready or went, and whether the canary fell quiet.
    pub(super) fn pass(&mut self, elapsed_ms: u32) -> (bool, bool) {
        let pass = |due_ms: &mut Option<u32>| match due_ms {
            Some(left_ms) if *left_ms > elapsed_ms => {
                *left_ms -= elapsed_ms;
                false
            }
            Some(_) => {
                *due_ms = None;
                true
            }
            None => false,
        };
        let mut seen = false;
        for arm in &mut self.arms {
            if pass(&mut arm.ready_due_ms) {
                arm.seen.ready = arm.seen.kept;
                seen = true;
            }
            if pass(&mut arm.gone_due_ms) {
                arm.seen.present = arm.seen.kept;
                seen = true;
            }
            arm.settle();
        }
        (seen, pass(&mut self.quiet_due_ms))
    }
}

impl ArmWorld {
    pub(super) const fn starting(&self) -> bool {
        self.seen.ready < self.seen.kept
    }

    /// How many that start, or drain, are left once the next of them are ready, or gone: one at a
    /// time of a few, all but one of many.
    pub(super) const fn left(number: u16) -> u16 {
        match number {
            0..=4 => number.saturating_sub(1),
            _ => 1,
        }
    }

    pub(super) const fn draining(&self) -> bool {
        self.seen.kept < self.seen.present
    }

    pub(super) fn grow_or_shrink(&mut self, plan: &Plan, wanted: u16) {
        let seen = &mut self.seen;
        if wanted > seen.kept {
            let started = wanted - seen.kept;
            seen.kept += started;
            seen.present += started;
            self.ready_due_ms = Some(start_ms(plan));
        } else if wanted < seen.kept {
            seen.kept = wanted;
            // Those that are not ready go first.
            seen.ready = seen.ready.min(wanted);
            self.gone_due_ms = Some(short(plan.fleet.drain_ms));
        }
    }

    /// Forgets due times that nothing is bound to.
    pub(super) fn settle(&mut self) {
        if !self.starting() || self.never_ready {
            self.ready_due_ms = None;
        }
        if !self.draining() {
            self.gone_due_ms = None;
        }
    }
}

/// How long an instance takes to be ready and warm at the most.
pub(super) fn start_ms(plan: &Plan) -> u32 {
    short(
        plan.fleet
            .ready_within_ms
            .saturating_add(plan.fleet.warm_up_ms),
    )
}

/// Spans of the world are kept short of 50 days.
pub(super) fn short(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}

impl Node {
    /// The effect that is out.
    pub(super) fn pending(&self) -> Option<Effect> {
        self.state.pending.map(|pending| pending.effect)
    }

    /// The step that the machine is at, and its action, if it goes forward.
    pub(super) fn step<'a>(&self, plan: &'a Plan) -> Option<(u16, &'a Action)> {
        let Mode::Forward { step, .. } = self.state.mode else {
            return None;
        };
        let planned = plan.steps.get(usize::from(step))?;
        Some((step, &planned.action))
    }

    /// Whether `traffic` is neither what the plan has here nor what its present step leads to.
    pub(super) fn has_drifted_to(&self, plan: &Plan, traffic: Traffic) -> bool {
        let Mode::Forward { step, .. } = self.state.mode else {
            return false;
        };
        let before = plan.before(usize::from(step)).traffic();
        let target = plan.steps.get(usize::from(step));
        traffic != before && target.is_some_and(|step| step.target.traffic() != traffic)
    }

    /// Whether the present step has been watched for as long as it asks for.
    pub(super) fn has_watched(&self, plan: &Plan) -> bool {
        match self.step(plan) {
            Some((_, Action::Watch { for_ms, .. })) => self.witness.watched_ms >= short(*for_ms),
            _ => false,
        }
    }

    /// Why the rollout went back, and what a suite said afterwards, is carried along and decides
    /// nothing: states that differ only there are one.
    pub(super) fn forget_why(&mut self) {
        match &mut self.state.mode {
            Mode::Rollback {
                reason, verified, ..
            }
            | Mode::Done(Outcome::RolledBack { reason, verified }) => {
                (*reason, *verified) = (Reason::Aborted, Verified::NotYet);
            }
            Mode::Done(Outcome::Stuck { reason, .. }) => *reason = Reason::Aborted,
            Mode::Forward { .. } | Mode::Done(Outcome::Promoted) => {}
        }
        if let Some(held) = &mut self.state.held
            && let HeldBy::Failure(reason) | HeldBy::NoReturn(reason) = &mut held.by
            && *reason != Reason::NotApproved
        {
            *reason = Reason::Aborted;
        }
    }
}
