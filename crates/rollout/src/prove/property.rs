//! What must be true of every run, checked on every transition of the search.

use nonevent_router::{Arm, FULL_WEIGHT, Split};
use nonevent_strategy::{Action, ConnectionPolicy, OnFailure, Plan, Task, Traffic};
use serde::Serialize;

use crate::effect::{Effect, Next, Notice, Turn};
use crate::input::{Command, FleetSeen, Input, Judgement, SmokeVerdict, TaskVerdict};
use crate::machine::{HOLD_MS, count};
use crate::state::{HeldBy, Mode, Outcome, StuckAt};

use super::event::Event;
use super::witness::Witness;
use super::world::{Node, Outage, Side};

/// One of the things that are proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// Nothing is changed that is not known; traffic is never raised on a version without a ready
    /// instance, and is taken from one that lost them; the router is closed only within a declared
    /// downtime.
    TrafficHasCapacity,
    /// Ready capacity never falls under what the traffic needs through our own actions, what is
    /// missing of stable is asked for again, and never more than there is room for.
    MinHealthyKept,
    /// The canary's share rises only to the present step's. A step is left only once what it asks
    /// for was seen: readiness, smoke suites, the whole pause, an analysis that passes after it, or
    /// a person's word while the environment is well. Never on the way back, and never while a
    /// person has paused or the change window is closed.
    ExposureOnEvidence,
    /// What must turn the rollout back does so at once, and stable then serves everything within
    /// the plan's bound: within the step's own if nothing else goes wrong, else within
    /// `rollback.within`, unless the router or the fleet is lost. It pauses instead where the plan
    /// has people decide, and always after the point of no return, from where nothing goes back by
    /// itself.
    Recovers,
    /// Every run ends: each wait has a deadline, and no run goes in circles. The run in which
    /// nothing goes wrong ends promoted.
    Ends,
    /// A finished run is wholly on one version, with ready capacity and without forgotten
    /// connections, and nothing that is still on its way can change that.
    OneVersion,
}

impl Property {
    /// All of them.
    pub const ALL: [Property; 6] = [
        Property::TrafficHasCapacity,
        Property::MinHealthyKept,
        Property::ExposureOnEvidence,
        Property::Recovers,
        Property::Ends,
        Property::OneVersion,
    ];

    /// The property in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Property::TrafficHasCapacity => {
                "traffic is raised only on versions known to have a ready instance, and the router \
                 is closed only within a declared downtime"
            }
            Property::MinHealthyKept => {
                "ready capacity never falls under what the traffic needs through our own actions, \
                 and fits into the room there is"
            }
            Property::ExposureOnEvidence => {
                "the canary's share rises only to the present step's, and only on evidence"
            }
            Property::Recovers => {
                "stable serves everything again within the bound, unless the router or the fleet \
                 is lost, and nothing goes back after the point of no return"
            }
            Property::Ends => "every run ends, and one in which nothing goes wrong ends promoted",
            Property::OneVersion => "a finished run is wholly on one version",
        }
    }
}

impl Property {
    /// What in a plan usually has to change where it does not hold.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Property::TrafficHasCapacity | Property::MinHealthyKept => {
                "raise fleet.spare, or have fewer instances serve less traffic at a time"
            }
            Property::ExposureOnEvidence => "let each step that moves traffic follow a watch",
            Property::Recovers => {
                "raise rollback.within or fleet.spare, or shorten fleet.ready_within, \
                 fleet.warm_up or fleet.drain"
            }
            Property::Ends => {
                "let each step ask for what the steps before it leave ready, with a deadline that \
                 it can keep"
            }
            Property::OneVersion => {
                "let the last step leave all traffic and instances on the new version"
            }
        }
    }
}

/// What is judged: a turn of the machine, and what was known when it decided.
pub(super) struct Moment<'a> {
    pub(super) plan: &'a Plan,
    pub(super) before: &'a Node,
    /// The state after the turn, on the clock of the state before; the world and the witness as
    /// they were when the machine decided.
    pub(super) after: &'a Node,
    pub(super) witness: &'a Witness,
    pub(super) input: &'a Input,
    pub(super) turn: &'a Turn,
}

/// The first property that a turn breaks.
pub(super) fn broken(
    plan: &Plan,
    before: &Node,
    after: &Node,
    event: Event,
    input: Option<&Input>,
    turn: &Turn,
) -> Option<Property> {
    let moment = Moment {
        plan,
        before,
        after,
        witness: &after.witness,
        input: input?,
        turn,
    };
    moment
        .effect_breaks()
        .or_else(|| moment.course_breaks(event))
        .or_else(|| moment.pause_breaks())
        .or_else(|| moment.silence_breaks())
        .or_else(|| moment.wait_breaks())
        .or_else(|| moment.end_breaks())
}

/// Whether a way back takes longer than it may.
pub(super) fn late(node: &Node) -> Option<Property> {
    let late = |recovery: super::witness::Recovery| recovery.elapsed_ms > recovery.bound_ms;
    node.witness
        .recovery
        .is_some_and(late)
        .then_some(Property::Recovers)
}

impl Moment<'_> {
    /// Whether the machine goes where it must not, or does not go where it must.
    fn course_breaks(&self, event: Event) -> Option<Property> {
        let (before, after) = (self.before.state.mode, self.after.state.mode);
        match (before, after) {
            (Mode::Forward { step, .. }, Mode::Forward { step: next, .. }) => self
                .left_breaks(step, next)
                .or_else(|| self.goes_on(step).then_some(Property::Recovers)),
            (Mode::Forward { step, .. }, Mode::Done(Outcome::Promoted)) => {
                self.left_breaks(step, count(self.plan.steps.len() as u32))
            }
            // A rollback never turns into a promotion.
            (Mode::Rollback { .. }, Mode::Forward { .. })
            | (Mode::Rollback { .. }, Mode::Done(Outcome::Promoted)) => {
                Some(Property::ExposureOnEvidence)
            }
            (Mode::Forward { step, .. }, Mode::Rollback { .. }) => {
                self.turned_too_late(step).then_some(Property::Recovers)
            }
            (Mode::Forward { .. } | Mode::Rollback { .. }, _) => None,
            (
                Mode::Done(Outcome::Stuck {
                    at: StuckAt::NoReturn { step },
                    ..
                }),
                Mode::Forward { step: next, .. },
            ) => (next != step).then_some(Property::ExposureOnEvidence),
            (
                Mode::Done(Outcome::Stuck {
                    at: StuckAt::NoReturn { .. },
                    ..
                }),
                Mode::Rollback { .. },
            ) => Some(Property::Recovers),
            (Mode::Done(Outcome::Stuck { .. }), Mode::Rollback { .. }) => None,
            (Mode::Done(_), _) if event == Event::Repaired => Some(Property::Recovers),
            (Mode::Done(_), _) => Some(Property::OneVersion),
        }
    }

    /// Whether the rollout turned back from a step that has no way back: `step`, or one that was
    /// reached in the same turn.
    fn turned_too_late(&self, step: u16) -> bool {
        let began = self.turn.notices.iter().filter_map(|notice| match notice {
            Notice::StepBegan { step } => Some(*step),
            _ => None,
        });
        let first = self.plan.rollback.no_return_from;
        first.is_some_and(|first| began.chain([step]).any(|at| at >= first))
    }

    /// Whether the steps from `step` to `next` were left without what they ask for.
    fn left_breaks(&self, step: u16, next: u16) -> Option<Property> {
        let satisfied = (step..next).all(|at| self.step_is_satisfied(at, at == step));
        (next < step || !satisfied).then_some(Property::ExposureOnEvidence)
    }

    fn step_is_satisfied(&self, at: u16, present: bool) -> bool {
        let Some(planned) = self.plan.steps.get(usize::from(at)) else {
            return false;
        };
        match &planned.action {
            Action::Smoke { .. } => {
                let asked = matches!(self.before.pending(), Some(Effect::Smoke { .. }));
                present && asked && *self.input == Input::Smoke(SmokeVerdict::Passed)
            }
            Action::Scale { arm, count: wanted } => {
                let Some(seen) = self.witness.fleet.map(|fleet| fleet.of(*arm)) else {
                    return false;
                };
                let wanted = count(*wanted);
                let grows = u32::from(wanted) > self.plan.before(usize::from(at)).count(*arm);
                seen.kept == wanted
                    && if grows {
                        seen.ready >= wanted
                    } else {
                        seen.present <= wanted
                    }
            }
            Action::Shift { .. } => self.witness.traffic == Some(planned.target.traffic()),
            Action::Watch {
                for_ms, analyse, ..
            } => {
                let unhealthy = self.witness.word == Some(Judgement::EnvironmentUnhealthy);
                let by_hand = *self.input == Input::Command(Command::Promote) && !unhealthy;
                let judgement = Judgement::Pass;
                let passed = *self.input
                    == Input::Analysis {
                        step: at,
                        judgement,
                    };
                let watched_ms = if present { self.witness.watched_ms } else { 0 };
                let watched = watched_ms >= super::world::short(*for_ms);
                (present && by_hand) || (watched && (passed || !analyse))
            }
            Action::Task(task) => match task {
                Task::Route { .. } | Task::Mirror { .. } => {
                    self.witness.traffic == Some(planned.target.traffic())
                }
                Task::Approve { approval } => {
                    let wanted = self.plan.approvals.get(approval).map(|it| it.count);
                    present && wanted.is_some_and(|wanted| self.witness.agreed.count() >= wanted)
                }
                Task::Manual { .. } => present && (self.task_is_done(at) || self.is_skipped()),
                Task::Migrate { .. } | Task::Flag { .. } | Task::Baseline { .. } => {
                    present && self.task_is_done(at)
                }
            },
        }
    }

    fn task_is_done(&self, step: u16) -> bool {
        let verdict = TaskVerdict::Done;
        self.before.pending() == Some(Effect::Task { step })
            && *self.input == Input::Task { step, verdict }
    }

    fn is_skipped(&self) -> bool {
        self.before.state.held.is_none() && *self.input == Input::Command(Command::Skip)
    }

    /// Whether the machine goes on with `step` where it must turn back.
    fn goes_on(&self, step: u16) -> bool {
        let suite = matches!(self.before.pending(), Some(Effect::Smoke { .. }));
        let evidence = match self.input {
            Input::Analysis {
                step: of,
                judgement,
            } => *of == step && *judgement == Judgement::Fail,
            Input::Smoke(verdict) => suite && *verdict != SmokeVerdict::Passed,
            Input::Task { step: of, verdict } => {
                let asked = self.before.pending() == Some(Effect::Task { step: *of });
                asked && *verdict == TaskVerdict::Failed
            }
            Input::Approval { granted, .. } => !*granted,
            _ => false,
        };
        let crashed = self
            .witness
            .fleet
            .is_some_and(|fleet| fleet.canary.failed > 0);
        let told = crashed || *self.input == Input::Command(Command::Abort);
        let pauses = matches!(
            self.after.state.held.map(|held| held.by),
            Some(HeldBy::Failure(_) | HeldBy::NoReturn(_))
        );
        if self.has_no_return(step) {
            return (evidence || told) && !pauses;
        }
        let may_pause = self.plan.rollback.on_failure == OnFailure::Pause;
        told || (evidence && !(pauses && may_pause))
    }

    pub(super) fn has_no_return(&self, step: u16) -> bool {
        let first = self.plan.rollback.no_return_from;
        first.is_some_and(|first| step >= first)
    }

    /// Where an observation shows a breach that nobody asked for, and nothing is on the way, the
    /// next effect must be its repair.
    fn silence_breaks(&self) -> Option<Property> {
        let state = &self.after.state;
        let busy = state.pending.is_some() || state.retry_at_ms.is_some();
        let (Some(traffic), Some(fleet), false) = (self.witness.traffic, self.witness.fleet, busy)
        else {
            return None;
        };
        let split = traffic.split;
        match state.mode {
            Mode::Done(_) => None,
            Mode::Forward { step, .. } => self.forward_silence_breaks(step, traffic, fleet),
            Mode::Rollback { .. } => {
                let flags = self.after.world.beside.flags;
                let ways = !traffic.ways.is_none() && fleet.stable.ready > 0;
                let stable = self.plan.carried(u32::from(fleet.stable.ready));
                let more = split.weight(Arm::Stable) < stable && !split.is_closed();
                let closed = split.is_closed()
                    && match self.plan.downtime {
                        Some(_) => stable == FULL_WEIGHT,
                        None => fleet.stable.ready > 0,
                    };
                (more || closed || ways || flags).then_some(Property::Recovers)
            }
        }
    }

    fn forward_silence_breaks(
        &self,
        step: u16,
        traffic: Traffic,
        fleet: FleetSeen,
    ) -> Option<Property> {
        let planned = self.plan.steps.get(usize::from(step))?;
        let before = self.plan.before(usize::from(step));
        let ready = u32::from(fleet.canary.ready);
        let drifted = ![before.traffic(), planned.target.traffic()].contains(&traffic);
        if self.has_no_return(step) {
            // Nothing goes back: what is not as it should be is set right, if it can be.
            let can = ready >= self.plan.needed_by(Arm::Canary, before.traffic());
            let wanted = count(before.canary.min(planned.target.canary));
            let wanted = wanted.min(self.room(Arm::Canary, fleet));
            if (drifted && can) || fleet.canary.kept < wanted {
                return Some(Property::TrafficHasCapacity);
            }
        } else if drifted || ready < self.plan.needed_by(Arm::Canary, traffic) {
            return Some(Property::TrafficHasCapacity);
        }
        let wanted = count(before.stable.min(planned.target.stable));
        let possible = wanted.min(self.room(Arm::Stable, fleet));
        (fleet.stable.kept < possible).then_some(Property::MinHealthyKept)
    }

    /// Whether a wait has no end to speak of.
    fn wait_breaks(&self) -> Option<Property> {
        let Next::Wait(wait) = self.turn.next else {
            let over = matches!(self.after.state.mode, Mode::Done(_));
            return (!over).then_some(Property::Ends);
        };
        let fleet = &self.plan.fleet;
        let steps = self.plan.steps.iter().map(|step| step.deadline_ms);
        let longest_ms = steps
            .chain([
                self.plan.rollback.within_ms,
                fleet.drain_ms,
                fleet.ready_within_ms,
            ])
            .max()
            .and_then(|ms| i64::try_from(ms).ok())
            .unwrap_or(i64::MAX);
        // A person's pauses are added to the deadline of a step; there are at most four.
        let most_ms = longest_ms.saturating_add(5 * HOLD_MS);
        (wait.until_ms > self.before.until_ms.max(0).saturating_add(most_ms))
            .then_some(Property::Ends)
    }

    fn end_breaks(&self) -> Option<Property> {
        let Mode::Done(outcome) = self.after.state.mode else {
            return None;
        };
        if self.turn.next != Next::Done(outcome) || self.turn.effect.is_some() {
            return Some(Property::Ends);
        }
        let whole = match outcome {
            Outcome::Promoted => self.is_promoted(),
            Outcome::RolledBack { .. } => self.is_rolled_back(),
            Outcome::Stuck { at, .. } => {
                return (!self.may_be_stuck(at)).then_some(Property::Recovers);
            }
        };
        let pending = self.after.state.pending.is_some();
        (!whole || pending).then_some(Property::OneVersion)
    }

    fn is_promoted(&self) -> bool {
        let (plan, world) = (self.plan, &self.after.world);
        let [stable, canary] = &world.arms;
        let carries = |number: u16| u32::from(number) >= plan.fleet.min_ready;
        let all = Traffic::split(Split::CANARY);
        world.traffic == all
            && world.on_its_way.is_none_or(|traffic| traffic == all)
            && !world.beside.baseline
            && stable.seen.present == 0
            && stable.on_its_way.is_none_or(|number| number == 0)
            && carries(canary.seen.ready)
            && canary.on_its_way.is_none_or(carries)
    }

    fn is_rolled_back(&self) -> bool {
        let (plan, world) = (self.plan, &self.after.world);
        let [stable, canary] = &world.arms;
        let keep = count(plan.rollback.keep);
        let let_go = plan.fleet.connections == ConnectionPolicy::CloseAtOnce;
        let quiet = world.quiet_due_ms.is_none() || let_go || canary.seen.present == 0;
        let whole = |number: u16| u32::from(number) >= plan.fleet.replicas;
        world.restored(plan)
            && world.on_its_way.is_none_or(|it| it == Traffic::STABLE)
            && world.beside.first().is_none()
            && stable.on_its_way.is_none_or(whole)
            && canary.seen.present <= keep
            && canary.on_its_way.is_none_or(|number| number <= keep)
            && quiet
    }

    /// Stuck is an answer only where the router or the fleet refused past the bound; and where it
    /// is only the fleet that cannot be asked, traffic has gone back as far as it was known to go.
    fn may_be_stuck(&self, at: StuckAt) -> bool {
        let world = &self.after.world;
        let known = u32::from(self.witness.stable_ready) >= self.plan.fleet.min_ready;
        match (world.outage, at) {
            (_, StuckAt::NoReturn { step }) => {
                let by = self.before.state.held.map(|held| held.by);
                self.has_no_return(step) && matches!(by, Some(HeldBy::NoReturn(_)))
            }
            (Outage::On(Side::Fleet), StuckAt::Reading) if known => {
                world.traffic == Traffic::STABLE
            }
            _ if world.rode => true,
            (Outage::None, StuckAt::Capacity) => world.arms[0].never_ready,
            (Outage::None, _) => false,
            (Outage::On(_) | Outage::Over, _) => true,
        }
    }
}
