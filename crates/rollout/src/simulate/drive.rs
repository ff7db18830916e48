//! Drives the machine of one rollout: the only file of the simulator that knows its inputs and effects.

use nonevent_router::{Arm, Split};
use nonevent_strategy::{Action, Plan, SmokeTarget, Task, Ways};

use super::judge::Judge;
use super::law::Law;
use super::meter::Meter;
use super::release::Release;
use super::world::World;
use crate::effect::{Effect, Next, Notice, Turn, WaitReason};
use crate::input::{Command, Input, Judgement, RouterSeen, SmokeVerdict, TaskVerdict};
use crate::machine::handle;
use crate::state::{HeldBy, Mode, Outcome, State};

/// Inputs of one rollout at most; far beyond what any takes.
const INPUTS_MAX: u32 = 100_000;

/// How long a word of approval counts, in milliseconds: a day.
const WORD_MS: i64 = 86_400_000;

/// What became of one release.
pub(super) struct Course {
    /// Absent if it did not end within [`INPUTS_MAX`] inputs.
    pub(super) outcome: Option<Outcome>,
    /// When the new version had its first request.
    pub(super) exposed_ms: Option<i64>,
    /// When it was decided to go back, by the machine or afterwards by people.
    pub(super) decided_ms: Option<i64>,
    /// When stable, or the old version brought back, served everything.
    pub(super) restored_ms: Option<i64>,
    pub(super) ended_ms: i64,
    pub(super) meter: Meter,
}

/// What people are asked for.
#[derive(Clone, Copy)]
enum Asked {
    /// To do, or have done, the task of this step.
    Task(u16),
    /// To agree to this step.
    Agree(u16),
}

/// One rollout under way.
pub(super) struct Drive<'a> {
    world: World<'a>,
    judge: Option<Judge<'a>>,
    state: State,
    /// Until when the machine waits at the most.
    until_ms: i64,
    /// The effect that is out, and when it is answered.
    out: Option<(i64, Effect)>,
    /// The second half of an observation.
    queued: Option<Input>,
    smoke: Option<(i64, SmokeVerdict)>,
    verdict: Option<(i64, u16, Judgement)>,
    person: Option<(i64, Command)>,
    /// When the task that is out is done, and whether somebody is asked to agree.
    task: Option<(i64, Asked)>,
    /// Chosen users and copied requests: they are few, and not counted.
    ways: Ways,
    /// Whether something of the fleet is to be told.
    fleet_changed: bool,
    /// Whether it is to be told when the canary's last request ends.
    quiet_awaited: bool,
    /// The step whose watch was begun.
    watched: Option<u16>,
    decided_ms: Option<i64>,
    restored_ms: Option<i64>,
}

impl<'a> Drive<'a> {
    pub(super) fn new(
        law: &'a Law<'a>,
        release: &'a Release,
        plan: &'a Plan,
        key: (u64, u64),
    ) -> Drive<'a> {
        let analysis = plan.analysis.as_ref();
        Drive {
            world: World::new(law, release, plan, key),
            judge: analysis.map(|analysis| Judge::new(law, release, analysis, key)),
            state: State::new(plan, release.starts_ms),
            until_ms: release.starts_ms,
            out: None,
            queued: None,
            smoke: None,
            verdict: None,
            person: None,
            task: None,
            ways: Ways::NONE,
            fleet_changed: false,
            quiet_awaited: false,
            watched: None,
            decided_ms: None,
            restored_ms: None,
        }
    }

    /// Runs the rollout, and what comes after it.
    pub(super) fn run(mut self) -> Course {
        let (mut input, mut outcome) = (Input::Clock, None);
        for _ in 0..INPUTS_MAX {
            let turn = handle(self.world.plan, &mut self.state, self.world.now_ms, &input);
            if let Some(ended) = self.take(&turn) {
                outcome = Some(ended);
                break;
            }
            input = self.next();
        }
        let ended_ms = self.world.now_ms;
        let promoted = outcome == Some(Outcome::Promoted);
        let bad = self.world.release.fault.is_bad();
        if promoted && bad || matches!(outcome, Some(Outcome::Stuck { .. }) | None) {
            let (decided_ms, restored_ms) = self.world.repair(promoted);
            self.decided_ms.get_or_insert(decided_ms);
            self.restored_ms = Some(restored_ms);
        }
        Course {
            outcome,
            exposed_ms: self.world.exposed_ms,
            decided_ms: self.decided_ms,
            restored_ms: self.restored_ms,
            ended_ms,
            meter: self.world.meter,
        }
    }

    /// Takes what the machine says; its outcome, if it is done.
    fn take(&mut self, turn: &Turn) -> Option<Outcome> {
        let now_ms = self.world.now_ms;
        for notice in &turn.notices {
            match notice {
                Notice::RollbackBegan { .. } => self.decided_ms = Some(now_ms),
                Notice::Restored => self.restored_ms = Some(now_ms),
                _ => {}
            }
        }
        if let Some(effect) = turn.effect {
            self.start(effect);
        }
        let wait = match turn.next {
            Next::Done(outcome) => return Some(outcome),
            Next::Wait(wait) => wait,
        };
        self.until_ms = wait.until_ms;
        let reacts_ms = now_ms.saturating_add(self.world.release.reaction_ms);
        if wait.reason == WaitReason::Person && self.person.is_none() {
            // Nobody but the plan pauses here: something failed, and people have seen it.
            let by = self.state.held.map(|held| held.by);
            let failed = matches!(by, Some(HeldBy::Failure(_) | HeldBy::NoReturn(_)));
            let command = if failed {
                Command::Abort
            } else {
                Command::Resume
            };
            self.person = Some((reacts_ms, command));
        }
        if let (WaitReason::Approval { .. }, Mode::Forward { step, .. }, None) =
            (wait.reason, self.state.mode, self.task)
        {
            self.task = Some((reacts_ms, Asked::Agree(step)));
        }
        self.begin_watch();
        None
    }

    /// Looks ahead over the watch that the machine has just come to.
    fn begin_watch(&mut self) {
        let Mode::Forward {
            step,
            watch_until_ms: Some(until_ms),
            ..
        } = self.state.mode
        else {
            return;
        };
        let planned = self.world.plan.steps.get(usize::from(step));
        let analyses = matches!(
            planned.map(|step| &step.action),
            Some(Action::Watch { analyse: true, .. })
        );
        if self.watched == Some(step) || !analyses {
            return;
        }
        self.watched = Some(step);
        let (scene, changed_ms) = (self.world.scene(), self.world.changed_ms);
        if let Some(judge) = &mut self.judge {
            let (at_ms, judgement) = judge.watch(step, scene, changed_ms, until_ms);
            self.verdict = Some((at_ms, step, judgement));
        }
    }

    /// An effect goes out.
    fn start(&mut self, effect: Effect) {
        let (now_ms, fleet) = (self.world.now_ms, &self.world.law.scenario.fleet);
        match effect {
            Effect::Smoke { target, .. } => {
                let at_ms = now_ms.saturating_add_unsigned(fleet.smoke_ms);
                self.smoke = Some((at_ms, self.suite(target)));
            }
            Effect::Task { step } => {
                let planned = self.world.plan.steps.get(usize::from(step));
                let by_people = matches!(
                    planned.map(|step| &step.action),
                    Some(Action::Task(Task::Manual { .. } | Task::Migrate { .. }))
                );
                let at_ms = match by_people {
                    true => now_ms.saturating_add(self.world.release.reaction_ms),
                    false => now_ms.saturating_add_unsigned(fleet.answer_ms),
                };
                self.task = Some((at_ms, Asked::Task(step)));
            }
            Effect::Observe
            | Effect::Shift { .. }
            | Effect::Scale { .. }
            | Effect::Withdraw { .. } => {
                self.out = Some((now_ms.saturating_add_unsigned(fleet.answer_ms), effect));
            }
        }
    }

    fn suite(&mut self, target: SmokeTarget) -> SmokeVerdict {
        let unavailable = self.world.law.scenario.faults.smoke_unavailable_ppm;
        if self.world.chance.ppm(unavailable) {
            return SmokeVerdict::Unavailable;
        }
        let error_rate = self.world.error_rate(target == SmokeTarget::Router);
        match self.world.suite_passes(error_rate) {
            true => SmokeVerdict::Passed,
            false => SmokeVerdict::Failed,
        }
    }

    /// Goes to the next thing that happens, and says it.
    fn next(&mut self) -> Input {
        loop {
            if let Some(input) = self.queued.take() {
                return input;
            }
            // While a change is out, nothing read before its answer is told.
            let scaling = matches!(self.out, Some((_, Effect::Scale { .. })));
            let shifting = matches!(self.out, Some((_, Effect::Shift { .. })));
            if self.fleet_changed && !scaling {
                self.fleet_changed = false;
                return Input::Fleet(self.world.fleet.seen());
            }
            let quiet_ms = self.world.busy_until_ms;
            let times = [
                self.out.map(|out| out.0),
                self.smoke.map(|smoke| smoke.0),
                self.world.fleet.next_ms(),
                self.world.crash_ms,
                (self.quiet_awaited && !shifting).then_some(quiet_ms),
                self.verdict.map(|verdict| verdict.0),
                self.person.map(|person| person.0),
                self.task.map(|task| task.0),
            ];
            let first_ms = times.into_iter().flatten().fold(self.until_ms, i64::min);
            if let Some(decided_ms) = self.world.pass(first_ms.max(self.world.now_ms)) {
                self.person = Some((decided_ms, Command::Abort));
            }
            if let Some(input) = self.happens(times) {
                return input;
            }
        }
    }

    /// What of all this is due now, in its order.
    fn happens(&mut self, times: [Option<i64>; 8]) -> Option<Input> {
        let now_ms = self.world.now_ms;
        let due = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let [out, smoke, fleet, crash, quiet, verdict, ..] = times.map(due);
        if fleet {
            self.world.fleet.pass(now_ms);
            self.fleet_changed = true;
        }
        if crash {
            self.world.crash_ms = None;
            self.world.fleet.crash(Arm::Canary);
            self.fleet_changed = true;
        }
        if out {
            return Some(self.answer());
        }
        if smoke {
            return self.smoke.take().map(|(_, verdict)| Input::Smoke(verdict));
        }
        if quiet {
            self.quiet_awaited = false;
            return Some(Input::Router(self.router()));
        }
        if let Some((_, command)) = self.person.take_if(|(at_ms, _)| *at_ms <= now_ms) {
            return Some(Input::Command(command));
        }
        if let Some((_, asked)) = self.task.take_if(|(at_ms, _)| *at_ms <= now_ms) {
            return Some(self.people_answer(asked));
        }
        if verdict && let Some(said) = self.said() {
            return Some(said);
        }
        (self.until_ms <= now_ms).then_some(Input::Clock)
    }

    /// What people were asked for is done, or one more of them agrees.
    fn people_answer(&self, asked: Asked) -> Input {
        match asked {
            Asked::Task(step) => Input::Task {
                step,
                verdict: TaskVerdict::Done,
            },
            Asked::Agree(step) => {
                let people = match self.state.mode {
                    Mode::Forward { agreed, .. } => agreed.people,
                    Mode::Rollback { .. } | Mode::Done(_) => 0,
                };
                Input::Approval {
                    step,
                    person: u8::try_from(people.trailing_ones()).unwrap_or(u8::MAX),
                    granted: true,
                    until_ms: self.world.now_ms.saturating_add(WORD_MS),
                }
            }
        }
    }

    /// The verdict that is due, if the machine is still where it matters.
    fn said(&mut self) -> Option<Input> {
        let (_, step, judgement) = self.verdict.take()?;
        if !matches!(self.state.mode, Mode::Forward { step: at, .. } if at == step) {
            return None;
        }
        if !matches!(judgement, Judgement::Pass | Judgement::Fail) {
            let again = self.judge.as_mut().map(Judge::again);
            self.verdict = again.map(|(at_ms, judgement)| (at_ms, step, judgement));
        }
        Some(Input::Analysis { step, judgement })
    }

    const fn router(&self) -> RouterSeen {
        RouterSeen {
            split: self.world.split,
            ways: self.ways,
            canary_quiet: self.world.is_quiet(),
        }
    }

    /// What is out is done, or refused.
    fn answer(&mut self) -> Input {
        let Some((_, effect)) = self.out.take() else {
            return Input::Clock;
        };
        let refused_ppm = self.world.law.scenario.faults.refused_ppm;
        let refused = self.world.chance.ppm(refused_ppm);
        match effect {
            Effect::Observe => {
                self.queued = Some(Input::Fleet(self.world.fleet.seen()));
                match refused {
                    true => Input::RouterFailed,
                    false => Input::Router(self.router()),
                }
            }
            Effect::Shift { .. } if refused => Input::RouterFailed,
            Effect::Shift { split, ways } => {
                self.ways = ways;
                if split != self.world.split {
                    self.shift(split);
                }
                Input::Router(self.router())
            }
            Effect::Scale { .. } if refused => Input::FleetFailed,
            Effect::Scale { arm, count } => {
                self.world.scale(arm, count);
                self.fleet_changed = false;
                Input::Fleet(self.world.fleet.seen())
            }
            Effect::Withdraw { extra } => Input::Withdrawn { extra, gone: true },
            // Suites and tasks are not among what is out.
            Effect::Smoke { .. } | Effect::Task { .. } => Input::Clock,
        }
    }

    fn shift(&mut self, split: Split) {
        let (scene, changed_ms) = (self.world.scene(), self.world.changed_ms);
        if let (Some(judge), Mode::Forward { .. }) = (&mut self.judge, self.state.mode) {
            judge.catch_up(scene, changed_ms, self.world.now_ms);
        }
        self.world.shift(split);
        self.quiet_awaited = !self.world.is_exposed() && !self.world.is_quiet();
    }
}
