//! A deployer on [`Run`] with a journal in memory, and the faults that can be put in its way.

use std::collections::VecDeque;

use nonevent_document::Timestamp;
use nonevent_rollout::{
    Command, Effect, FleetSeen, Input, Judgement, Mode, Next, Outcome, Run, SmokeVerdict,
    TaskVerdict, WindowSeen,
};
use nonevent_router::{Arm, Fence, Split};
use nonevent_strategy::{Action, Plan, Task, Traffic};

use crate::chance::Chance;
use crate::world::{Side, World};

/// What happens to the effect that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    /// It is done, or will be, and reported as failed.
    Unacknowledged,
    Failed,
    /// It is reported as done and is not, or only later.
    Ignored,
    /// Nothing is heard of it.
    Silence,
}

/// When the controlling process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Once that many lines are in the journal, before anything else is done.
    AfterRecord(usize),
    /// Once that many effects were carried out, before the answer is heard.
    AfterEffect(usize),
}

/// How long answers and looks take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Their time: instances come and go meanwhile, and one look shows what several did.
    Slow,
    /// None, as the search takes for granted: whatever happens is read before anything else does.
    AtOnce,
}

struct Out {
    effect: Effect,
    fence: Fence,
    answer_at_ms: i64,
    fate: Fate,
}

/// How the new version does, and who minds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// The analysis fails at this step, if it gets there.
    pub(crate) fails_at: Option<u16>,
    /// In how many of 100 looks the analysis says something else than that all is well.
    pub(crate) doubts_percent: u64,
    /// In how many of 100 cases a suite fails or cannot be run.
    pub(crate) suites_fail_percent: u64,
    /// In how many of 100 cases people say no, or a task fails.
    pub(crate) people_fail_percent: u64,
    /// How slow answers are.
    pub(crate) answer_most_ms: u64,
}

pub(crate) const GOOD: Scene = Scene {
    fails_at: None,
    doubts_percent: 0,
    suites_fail_percent: 0,
    people_fail_percent: 0,
    answer_most_ms: 50,
};

pub(crate) struct Deployer {
    pub(crate) run: Run,
    pub(crate) journal: Vec<u8>,
    pub(crate) lines: usize,
    /// Changes that were carried out.
    pub(crate) effects: usize,
    pub(crate) world: World,
    pub(crate) chance: Chance,
    pub(crate) death: Option<Death>,
    pub(crate) next_fate: Fate,
    /// Whether instances, traffic or readings were harmed by anybody but the deployer.
    pub(crate) harmed: bool,
    /// After how many of 100 records the journal is opened again.
    pub(crate) replay_percent: u64,
    pub(crate) pace: Pace,
    scene: Scene,
    epoch: u64,
    queue: VecDeque<Input>,
    out: Option<Out>,
    smoke_at_ms: Option<i64>,
    /// When the next of those who are asked decides, and whoever does a task is done.
    people_at_ms: Option<i64>,
    /// When the change window opens again.
    window_at_ms: Option<i64>,
    analysis_at_ms: i64,
    look_at_ms: Option<i64>,
    until_ms: i64,
    /// The last readings that were handed over.
    told_traffic: Option<Traffic>,
    told_fleet: Option<FleetSeen>,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    On,
    Died,
    Ended(Outcome),
}

fn time(now_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(now_ms)
}

impl Deployer {
    pub(crate) fn new(plan: &Plan, scene: Scene, seed: u64) -> Deployer {
        let now_ms = 1_767_600_000_000;
        let digest = plan.digest().unwrap();
        let (run, line) = Run::begin(plan.clone(), digest, 1, time(now_ms)).unwrap();
        Deployer {
            run,
            journal: line.0.into_bytes(),
            lines: 1,
            effects: 0,
            world: World::new(plan, now_ms),
            chance: Chance::new(seed),
            death: None,
            next_fate: Fate::Done,
            harmed: false,
            replay_percent: 0,
            pace: Pace::Slow,
            scene,
            epoch: 1,
            queue: VecDeque::from([Input::Clock]),
            out: None,
            smoke_at_ms: None,
            people_at_ms: None,
            window_at_ms: None,
            analysis_at_ms: now_ms,
            look_at_ms: None,
            until_ms: now_ms,
            told_traffic: None,
            told_fleet: None,
        }
    }

    pub(crate) fn order(&mut self, command: Command) {
        self.queue.push_back(Input::Command(command));
    }

    /// Goes on until the rollout is over or the process dies.
    pub(crate) fn run_to_the_end(&mut self) -> Came {
        for _ in 0..200_000 {
            match self.go_on() {
                Came::On => {}
                came => return came,
            }
        }
        panic!("it does not end: {:?}", self.run.state());
    }

    /// One thing happens.
    pub(crate) fn go_on(&mut self) -> Came {
        if let Some(input) = self.queue.pop_front() {
            return self.tell(&input);
        }
        let times = [
            self.out.as_ref().map(|out| out.answer_at_ms),
            self.smoke_at_ms,
            self.people_at_ms,
            self.window_at_ms,
            self.look_at_ms,
            self.watching().map(|_| self.analysis_at_ms),
            self.world.next_ms(),
            Some(self.until_ms),
        ];
        let next_ms = times.into_iter().flatten().min().unwrap_or(self.until_ms);
        let now_ms = next_ms.max(self.world.now_ms);
        if self.world.next_ms().is_some_and(|at_ms| at_ms <= now_ms) {
            let look_at_ms = self.look_from(now_ms);
            self.look_at_ms.get_or_insert(look_at_ms);
        }
        self.world.pass(now_ms, &mut self.chance);
        let due = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        if due(self.out.as_ref().map(|out| out.answer_at_ms)) {
            return self.answer();
        }
        if self.pace == Pace::AtOnce && due(self.look_at_ms) {
            self.look_at_ms = None;
            self.look();
        } else if due(self.smoke_at_ms) {
            self.smoke_at_ms = None;
            let verdict = self.verdict();
            self.queue.push_back(Input::Smoke(verdict));
        } else if due(self.people_at_ms) {
            self.people_at_ms = None;
            self.people_decide();
        } else if due(self.window_at_ms) {
            self.window_at_ms = None;
            self.queue.push_back(Input::Window(WindowSeen::Open));
        } else if due(self.look_at_ms) {
            self.look_at_ms = None;
            self.look();
        } else if let Some(step) = self.watching().filter(|_| self.analysis_at_ms <= now_ms) {
            let every_ms = self.run.plan().analysis.as_ref().unwrap().every_ms;
            self.analysis_at_ms = now_ms + i64::try_from(every_ms).unwrap();
            let judgement = self.judgement(step);
            self.queue.push_back(Input::Analysis { step, judgement });
        } else if self.until_ms <= now_ms {
            self.queue.push_back(Input::Clock);
        }
        Came::On
    }

    /// Whether something may go wrong now: before whatever happened last is read, as it may, only
    /// where looks take their time.
    pub(crate) fn may_be_harmed(&self) -> bool {
        self.pace == Pace::Slow || self.queue.is_empty()
    }

    /// When what happened at `now_ms` is looked at.
    const fn look_from(&self, now_ms: i64) -> i64 {
        match self.pace {
            Pace::Slow => now_ms + 100,
            Pace::AtOnce => now_ms,
        }
    }

    /// The change window closes, and opens again some time.
    pub(crate) fn close_window(&mut self) {
        let now_ms = self.world.now_ms;
        let opens_ms = now_ms + self.chance.time(10_000_000);
        if self.chance.percent(80) {
            self.window_at_ms = Some(opens_ms);
        }
        let seen = WindowSeen::Closed { opens_ms };
        self.queue.push_back(Input::Window(seen));
    }

    /// The task that people are asked for, or asked to agree to.
    fn asked(&self) -> Option<(u16, &Task)> {
        let Mode::Forward { step, .. } = self.run.state().mode else {
            return None;
        };
        match &self.run.plan().steps[usize::from(step)].action {
            Action::Task(task) => Some((step, task)),
            _ => None,
        }
    }

    fn people_decide(&mut self) {
        let Some((step, task)) = self.asked() else {
            return;
        };
        let approval = match task {
            Task::Approve { approval } => Some(self.run.plan().approvals[approval].people.len()),
            _ => None,
        };
        let fails = self.chance.percent(self.scene.people_fail_percent);
        let pending = self.run.state().pending.map(|pending| pending.effect);
        match approval {
            Some(people) => {
                let brief = self.chance.percent(self.scene.people_fail_percent);
                let counts_ms = if brief { 1_000 } else { 86_400_000 };
                self.queue.push_back(Input::Approval {
                    step,
                    person: u8::try_from(self.chance.below(people as u64)).unwrap(),
                    granted: !fails,
                    until_ms: self.world.now_ms + counts_ms,
                });
            }
            None if pending == Some(Effect::Task { step }) => {
                let verdicts = [TaskVerdict::Failed, TaskVerdict::Unavailable];
                let verdict = match fails {
                    true => self.chance.pick(&verdicts),
                    false => TaskVerdict::Done,
                };
                // What is done may be reported as not done.
                if verdict == TaskVerdict::Done || self.chance.percent(50) {
                    let fence = self.run.fence();
                    let effect = Effect::Task { step };
                    self.world.accept(effect, fence, &mut self.chance);
                }
                self.queue.push_back(Input::Task { step, verdict });
            }
            None => {}
        }
    }

    /// People take their time with what they are asked for.
    fn ask_people(&mut self) {
        if self.people_at_ms.is_none() && self.asked().is_some() {
            let held = self.run.state().held.is_some();
            let most_ms = if held {
                600_000
            } else {
                self.scene.answer_most_ms * 20
            };
            let took_ms = self.chance.time(most_ms);
            self.people_at_ms = Some(self.world.now_ms + took_ms);
        }
    }

    fn watching(&self) -> Option<u16> {
        let Mode::Forward { step, .. } = self.run.state().mode else {
            return None;
        };
        let action = &self.run.plan().steps[usize::from(step)].action;
        matches!(action, Action::Watch { analyse: true, .. }).then_some(step)
    }

    fn judgement(&mut self, step: u16) -> Judgement {
        if self.scene.fails_at == Some(step) {
            return Judgement::Fail;
        }
        if self.chance.percent(self.scene.doubts_percent) {
            let doubts = [
                Judgement::NoData,
                Judgement::Inconclusive,
                Judgement::EnvironmentUnhealthy,
            ];
            return self.chance.pick(&doubts);
        }
        Judgement::Pass
    }

    fn verdict(&mut self) -> SmokeVerdict {
        if !self.chance.percent(self.scene.suites_fail_percent) {
            return SmokeVerdict::Passed;
        }
        self.chance
            .pick(&[SmokeVerdict::Failed, SmokeVerdict::Unavailable])
    }

    /// Whether a reading of that side may be handed over: no change of it is out.
    fn is_still(&self, side: Side) -> bool {
        let changes = |effect: Option<Effect>| {
            matches!(
                (side, effect),
                (Side::Router, Some(Effect::Shift { .. }))
                    | (Side::Fleet, Some(Effect::Scale { .. }))
            )
        };
        let changing = changes(self.out.as_ref().map(|out| out.effect));
        // A change without an answer is out as long as the machine waits for it.
        let waiting = changes(self.run.state().pending.map(|pending| pending.effect));
        !changing && !waiting
    }

    /// Hands over what is new, before anything else is decided.
    pub(crate) fn look(&mut self) {
        let (router, fleet) = (self.world.router(), self.world.fleet());
        let state = self.run.state();
        let (known_router, known_fleet) = ((state.traffic, state.quiet), state.fleet);
        if self.is_still(Side::Fleet) {
            self.queue
                .retain(|input| !matches!(input, Input::Fleet(_) | Input::FleetFailed));
            if self.world.is_lost(Side::Fleet) {
                self.queue.push_front(Input::FleetFailed);
            } else if known_fleet != Some(fleet) {
                self.queue.push_front(Input::Fleet(fleet));
            }
        }
        if self.is_still(Side::Router) {
            self.queue
                .retain(|input| !matches!(input, Input::Router(_) | Input::RouterFailed));
            if self.world.is_lost(Side::Router) {
                self.queue.push_front(Input::RouterFailed);
            } else if known_router != (Some(router.traffic()), router.canary_quiet) {
                self.queue.push_front(Input::Router(router));
            }
        }
    }

    fn tell(&mut self, input: &Input) -> Came {
        match input {
            Input::Router(seen) => self.told_traffic = Some(seen.traffic()),
            Input::Fleet(seen) => self.told_fleet = Some(*seen),
            _ => {}
        }
        let before = self.watching();
        let update = self.run.handle(time(self.world.now_ms), input).unwrap();
        for line in &update.journal {
            self.journal.extend_from_slice(line.0.as_bytes());
            self.lines += 1;
            if self.death == Some(Death::AfterRecord(self.lines)) {
                return Came::Died;
            }
        }
        if !update.journal.is_empty() && self.chance.percent(self.replay_percent) {
            self.replay();
        }
        if let Some(effect) = update.effect {
            self.judge(effect);
            self.start(effect, update.fence);
        }
        if before != self.watching() {
            self.analysis_at_ms = self.world.now_ms;
        }
        self.ask_people();
        match update.next {
            Next::Wait(_) => {
                self.until_ms = update.clock_by.unix_ms();
                Came::On
            }
            Next::Done(outcome) => Came::Ended(outcome),
        }
    }

    /// The journal so far gives the state as it is.
    pub(crate) fn replay(&self) {
        let (opened, resumed) = Run::open(&self.journal).unwrap();
        assert_eq!(opened.state(), self.run.state());
        assert_eq!(opened.fence(), self.run.fence());
        assert_eq!(resumed.records, self.lines);
    }

    fn start(&mut self, effect: Effect, fence: Fence) {
        // A reading made before this change is none that was made after it.
        self.queue.retain(|input| match effect {
            Effect::Shift { .. } => !matches!(input, Input::Router(_)),
            Effect::Scale { .. } => !matches!(input, Input::Fleet(_)),
            _ => true,
        });
        let took_ms = self.chance.time(self.scene.answer_most_ms);
        if let Effect::Smoke { .. } = effect {
            self.smoke_at_ms = Some(self.world.now_ms + took_ms);
            return;
        }
        if let Effect::Task { .. } = effect {
            return;
        }
        let took_ms = match self.pace {
            Pace::Slow => took_ms,
            Pace::AtOnce => 0,
        };
        self.out = Some(Out {
            effect,
            fence,
            answer_at_ms: self.world.now_ms + took_ms,
            fate: std::mem::replace(&mut self.next_fate, Fate::Done),
        });
    }

    /// What is out comes to its fate.
    fn answer(&mut self) -> Came {
        let Some(Out {
            effect,
            fence,
            fate,
            ..
        }) = self.out.take()
        else {
            return Came::On;
        };
        if effect == Effect::Observe {
            self.observe(fate);
            return Came::On;
        }
        if let Effect::Withdraw { extra } = effect {
            let gone = fate == Fate::Done || fate == Fate::Unacknowledged;
            if gone {
                self.world.accept(effect, fence, &mut self.chance);
            }
            if fate != Fate::Silence {
                let gone = fate == Fate::Done;
                self.queue.push_back(Input::Withdrawn { extra, gone });
            }
            return Came::On;
        }
        let router = matches!(effect, Effect::Shift { .. });
        let side = if router { Side::Router } else { Side::Fleet };
        let lost = self.world.is_lost(side);
        let failed = match router {
            true => Input::RouterFailed,
            false => Input::FleetFailed,
        };
        // What stands already is not ignored.
        let stands = match effect {
            Effect::Shift { split, ways } => self.world.traffic == Traffic { split, ways },
            Effect::Scale { arm, count } => self.world.fleet().of(arm).kept == count,
            _ => false,
        };
        let fate = match fate {
            Fate::Ignored if stands => Fate::Done,
            fate => fate,
        };
        match fate {
            _ if lost => {}
            Fate::Done | Fate::Unacknowledged => {
                self.world.accept(effect, fence, &mut self.chance);
                self.effects += 1;
                if self.death == Some(Death::AfterEffect(self.effects)) {
                    return Came::Died;
                }
            }
            Fate::Failed | Fate::Ignored | Fate::Silence => {
                self.world.delay(effect, fence, &mut self.chance);
            }
        }
        let look_at_ms = self.look_from(self.world.now_ms);
        self.look_at_ms.get_or_insert(look_at_ms);
        match fate {
            Fate::Done | Fate::Ignored if !lost => self.queue.push_back(match router {
                true => Input::Router(self.world.router()),
                false => Input::Fleet(self.world.fleet()),
            }),
            Fate::Silence => {}
            _ => self.queue.push_back(failed),
        }
        Came::On
    }

    fn observe(&mut self, fate: Fate) {
        if fate == Fate::Silence {
            return;
        }
        let router = match fate != Fate::Done || self.world.is_lost(Side::Router) {
            true => Input::RouterFailed,
            false => Input::Router(self.world.router()),
        };
        let fleet = match self.world.is_lost(Side::Fleet) {
            true => Input::FleetFailed,
            false => Input::Fleet(self.world.fleet()),
        };
        self.queue.extend([router, fleet]);
    }

    /// The process died; another one takes over what the journal and the world say.
    pub(crate) fn resume(&mut self) {
        // What was out may have left, and then it may still arrive.
        if let Some(Out { effect, fence, .. }) = self.out.take()
            && self.chance.percent(50)
        {
            self.world.delay(effect, fence, &mut self.chance);
        }
        self.smoke_at_ms = None;
        self.people_at_ms = None;
        self.queue.clear();
        self.death = None;
        self.until_ms = self.world.now_ms;
        let (run, resumed) = Run::open(&self.journal).unwrap();
        self.journal.truncate(resumed.good_len);
        self.lines = resumed.records;
        self.run = run;
        self.epoch += 1;
        let line = self
            .run
            .take_over(self.epoch, time(self.world.now_ms))
            .unwrap();
        self.journal.extend_from_slice(line.0.as_bytes());
        self.lines += 1;
        self.queue.push_back(Input::Restarted);
    }

    /// The last line is cut off in the middle, as by a power failure.
    pub(crate) fn tear(&mut self) {
        let whole = self.journal.len();
        let last = self.journal[..whole - 1]
            .iter()
            .rposition(|byte| *byte == b'\n');
        if let Some(last) = last {
            let length = (whole - last - 2) as u64;
            let keep = 1 + self.chance.below(length) as usize;
            self.journal.truncate(last + 1 + keep);
        }
    }

    /// No change may contradict what was last read.
    fn judge(&self, effect: Effect) {
        let plan = self.run.plan();
        let forward = matches!(self.run.state().mode, Mode::Forward { .. });
        match effect {
            Effect::Shift { split, .. } if split.is_closed() => {
                assert!(plan.downtime.is_some());
            }
            Effect::Shift { split, ways } => {
                let now = self.told_traffic.unwrap();
                let fleet = self.told_fleet.unwrap();
                for arm in Arm::BOTH {
                    let rises = split.weight(arm) > now.split.weight(arm);
                    assert!(!rises || fleet.of(arm).ready > 0, "{split} to {fleet:?}");
                }
                let exposed = split.weight(Arm::Canary) > now.split.weight(Arm::Canary);
                assert!(!exposed || forward, "more for the canary on the way back");
                let opened = !ways.is_none() && ways != now.ways;
                assert!(
                    !opened || forward,
                    "another way to the canary on the way back"
                );
            }
            Effect::Scale { arm, count } => {
                let (traffic, fleet) = (self.told_traffic.unwrap(), self.told_fleet.unwrap());
                let seen = fleet.of(arm);
                let left = seen.ready.min(count);
                let needed = plan.needed_by(arm, traffic);
                assert!(
                    left == seen.ready || u32::from(left) >= needed,
                    "{count} {arm}"
                );
                let draining = seen.present - seen.kept;
                let all = u32::from(fleet.of(arm.other()).present + draining + count);
                let fits = all <= plan.fleet.capacity_max || count <= seen.kept;
                assert!(fits || forward, "{count} {arm} beside {fleet:?}");
                assert!(
                    forward || arm == Arm::Stable || count <= seen.kept,
                    "{count} {arm}"
                );
            }
            Effect::Task { .. } => assert!(forward),
            Effect::Observe | Effect::Smoke { .. } | Effect::Withdraw { .. } => {}
        }
    }

    /// As long as nobody else does harm, every version that gets traffic has what it needs.
    pub(crate) fn traffic_is_served(&self) {
        let (plan, fleet) = (&self.world.plan, self.world.fleet());
        for arm in Arm::BOTH {
            let needed = plan.needed_by(arm, self.world.traffic);
            let ready = u32::from(fleet.of(arm).ready);
            assert!(ready >= needed, "{arm}: {ready} of {needed}");
        }
    }

    /// What is still on its way arrives; then the end must be one.
    pub(crate) fn is_whole(&mut self, outcome: Outcome) {
        let (opened, _) = Run::open(&self.journal).unwrap();
        assert_eq!(
            opened.state().mode,
            Mode::Done(outcome),
            "the journal tells the end"
        );
        for _ in 0..1_000 {
            match self.world.next_ms() {
                Some(at_ms) => self.world.pass(at_ms, &mut self.chance),
                None => break,
            }
        }
        let (plan, fleet) = (&self.world.plan, self.world.fleet());
        let serves = |ready: u16| u32::from(ready) >= plan.fleet.min_ready;
        match outcome {
            Outcome::Promoted => {
                assert_eq!(self.world.traffic, Traffic::split(Split::CANARY));
                assert_eq!(fleet.stable.present, 0);
                assert!(serves(fleet.canary.ready), "{fleet:?}");
            }
            Outcome::RolledBack { .. } => {
                assert_eq!(self.world.traffic, Traffic::STABLE);
                assert!(!self.world.flags, "a flag is still on");
                assert!(
                    u32::from(fleet.canary.present) <= plan.rollback.keep,
                    "{fleet:?}"
                );
                assert!(serves(fleet.stable.ready), "{fleet:?}");
            }
            Outcome::Stuck { .. } => panic!("{outcome:?} is no end to be had here"),
        }
    }
}
