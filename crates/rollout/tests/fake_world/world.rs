//! A router and a fleet of named instances, in milliseconds; they know nothing of the search.

use nonevent_rollout::{ArmSeen, Effect, Extra, FleetSeen, RouterSeen};
use nonevent_router::{Arm, Fence};
use nonevent_strategy::{Action, Plan, Task, Traffic};

use crate::chance::Chance;

/// One instance.
#[derive(Clone, Debug)]
struct Instance {
    arm: Arm,
    name: u32,
    /// When it is ready; absent if never.
    ready_at_ms: Option<i64>,
    /// When it is gone, once it was asked to go.
    gone_at_ms: Option<i64>,
}

/// A change that was not answered and is still on its way.
#[derive(Clone, Debug)]
struct Delayed {
    at_ms: i64,
    effect: Effect,
    fence: Fence,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Router,
    Fleet,
}

pub(crate) struct World {
    pub(crate) now_ms: i64,
    pub(crate) traffic: Traffic,
    /// Whether a flag's stage is in force.
    pub(crate) flags: bool,
    pub(crate) plan: Plan,
    instances: Vec<Instance>,
    exited: [u16; 2],
    never_ready: [bool; 2],
    /// The last change that was accepted: of the router, and of each arm.
    router_fence: Fence,
    arm_fences: [Fence; 2],
    delayed: Vec<Delayed>,
    busy_until_ms: i64,
    names: u32,
    /// What cannot be reached, and until when.
    pub(crate) lost: Option<(Side, i64)>,
}

const START: Fence = Fence {
    epoch: 0,
    generation: 0,
};

impl World {
    pub(crate) fn new(plan: &Plan, now_ms: i64) -> World {
        let mut world = World {
            now_ms,
            traffic: Traffic::STABLE,
            flags: false,
            plan: plan.clone(),
            instances: Vec::new(),
            exited: [0; 2],
            never_ready: [false; 2],
            router_fence: START,
            arm_fences: [START; 2],
            delayed: Vec::new(),
            busy_until_ms: now_ms,
            names: 0,
            lost: None,
        };
        for _ in 0..plan.fleet.replicas {
            world.start(Arm::Stable, Some(now_ms));
        }
        world
    }

    fn start(&mut self, arm: Arm, ready_at_ms: Option<i64>) {
        self.names += 1;
        self.instances.push(Instance {
            arm,
            name: self.names,
            ready_at_ms,
            gone_at_ms: None,
        });
    }

    pub(crate) fn is_lost(&self, side: Side) -> bool {
        self.lost.is_some_and(|(lost, _)| lost == side)
    }

    fn starts_at(&self, arm: Arm, chance: &mut Chance) -> Option<i64> {
        let fleet = &self.plan.fleet;
        let took_ms = chance.time(fleet.ready_within_ms + fleet.warm_up_ms);
        (!self.never_ready[arm.index()]).then_some(self.now_ms + took_ms)
    }

    /// The next time at which something happens by itself.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        let instances = self.instances.iter().flat_map(|it| {
            [it.ready_at_ms, it.gone_at_ms]
                .into_iter()
                .flatten()
                .filter(|at_ms| *at_ms > self.now_ms)
        });
        let delayed = self.delayed.iter().map(|delayed| delayed.at_ms);
        let busy = Some(self.busy_until_ms).filter(|at_ms| *at_ms > self.now_ms);
        let lost = self.lost.map(|(_, until_ms)| until_ms);
        instances.chain(delayed).chain(busy).chain(lost).min()
    }

    /// Time runs to `now_ms`, which is at most [`World::next_ms`].
    pub(crate) fn pass(&mut self, now_ms: i64, chance: &mut Chance) {
        self.now_ms = now_ms;
        let gone = |it: &Instance| it.gone_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        self.instances.retain(|it| !gone(it));
        while let Some(at) = self.delayed.iter().position(|it| it.at_ms <= now_ms) {
            let Delayed { effect, fence, .. } = self.delayed.swap_remove(at);
            self.accept(effect, fence, chance);
        }
        if self.lost.is_some_and(|(_, until_ms)| until_ms <= now_ms) {
            self.lost = None;
        }
    }

    /// Carries a change out, unless a later one fenced it off.
    pub(crate) fn accept(&mut self, effect: Effect, fence: Fence, chance: &mut Chance) {
        let last = match effect {
            Effect::Shift { .. } => &mut self.router_fence,
            Effect::Scale { arm, .. } => &mut self.arm_fences[arm.index()],
            Effect::Task { step } => {
                let action = &self.plan.steps[usize::from(step)].action;
                self.flags |= matches!(action, Action::Task(Task::Flag { .. }));
                return;
            }
            Effect::Withdraw { extra } => {
                self.flags &= extra != Extra::Flags;
                return;
            }
            Effect::Observe | Effect::Smoke { .. } => return,
        };
        if fence < *last {
            return;
        }
        *last = fence;
        match effect {
            Effect::Shift { split, ways } => self.show(Traffic { split, ways }, chance),
            Effect::Scale { arm, count } => self.scale(arm, count, chance),
            _ => {}
        }
    }

    /// A change is accepted at once, or later, and nobody is told.
    pub(crate) fn delay(&mut self, effect: Effect, fence: Fence, chance: &mut Chance) {
        let at_ms = self.now_ms + chance.time(20_000);
        self.delayed.push(Delayed {
            at_ms,
            effect,
            fence,
        });
    }

    /// The router divides traffic so, whoever wants it.
    pub(crate) fn show(&mut self, traffic: Traffic, chance: &mut Chance) {
        if !traffic.reaches_canary() && self.traffic.reaches_canary() {
            self.busy_until_ms = self.now_ms + chance.time(self.plan.fleet.drain_ms);
        }
        self.traffic = traffic;
    }

    pub(crate) fn scale(&mut self, arm: Arm, wanted: u16, chance: &mut Chance) {
        self.exited[arm.index()] = 0;
        let kept = self.seen(arm).kept;
        for _ in kept..wanted {
            let ready_at_ms = self.starts_at(arm, chance);
            self.start(arm, ready_at_ms);
        }
        for _ in wanted..kept {
            self.let_one_go(arm, chance);
        }
    }

    /// Those that are not ready go first, then the youngest.
    fn let_one_go(&mut self, arm: Arm, chance: &mut Chance) {
        let now_ms = self.now_ms;
        let gone_at_ms = now_ms + chance.time(self.plan.fleet.drain_ms);
        let staying = |it: &&mut Instance| it.arm == arm && it.gone_at_ms.is_none();
        let first = self.instances.iter_mut().filter(staying).min_by_key(|it| {
            let ready = it.ready_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
            (ready, std::cmp::Reverse(it.name))
        });
        if let Some(instance) = first {
            instance.gone_at_ms = Some(gone_at_ms);
        }
    }

    /// An instance ends by itself: a ready one, if there is one.
    pub(crate) fn crash(&mut self, arm: Arm) {
        let now_ms = self.now_ms;
        let ready = |it: &Instance| it.ready_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let staying = |it: &Instance| it.arm == arm && it.gone_at_ms.is_none();
        let at = self
            .instances
            .iter()
            .position(|it| staying(it) && ready(it));
        let at = at.or_else(|| self.instances.iter().position(staying));
        if let Some(at) = at {
            self.instances.remove(at);
            self.exited[arm.index()] += 1;
        }
    }

    /// A ready instance fails its health check and needs its time again.
    pub(crate) fn fall_ill(&mut self, arm: Arm, chance: &mut Chance) {
        let ready_at_ms = self.starts_at(arm, chance);
        let now_ms = self.now_ms;
        let ready = self.instances.iter_mut().find(|it| {
            it.arm == arm
                && it.gone_at_ms.is_none()
                && it.ready_at_ms.is_some_and(|at_ms| at_ms <= now_ms)
        });
        if let Some(instance) = ready {
            instance.ready_at_ms = ready_at_ms;
        }
    }

    /// What is starting, and all that starts from now on, is never ready.
    pub(crate) fn never_ready(&mut self, arm: Arm) {
        self.never_ready[arm.index()] = true;
        let now_ms = self.now_ms;
        for it in self.instances.iter_mut().filter(|it| it.arm == arm) {
            it.ready_at_ms = it.ready_at_ms.filter(|at_ms| *at_ms <= now_ms);
        }
    }

    fn seen(&self, arm: Arm) -> ArmSeen {
        let mut seen = ArmSeen {
            failed: self.exited[arm.index()],
            ..ArmSeen::default()
        };
        for it in self.instances.iter().filter(|it| it.arm == arm) {
            seen.present += 1;
            if it.gone_at_ms.is_none() {
                let ready = it.ready_at_ms.is_some_and(|at_ms| at_ms <= self.now_ms);
                seen.kept += 1;
                seen.ready += u16::from(ready);
            }
        }
        seen
    }

    pub(crate) fn fleet(&self) -> FleetSeen {
        FleetSeen {
            stable: self.seen(Arm::Stable),
            canary: self.seen(Arm::Canary),
        }
    }

    pub(crate) fn router(&self) -> RouterSeen {
        let idle = !self.traffic.reaches_canary();
        RouterSeen {
            split: self.traffic.split,
            ways: self.traffic.ways,
            canary_quiet: idle && self.now_ms >= self.busy_until_ms,
        }
    }
}
