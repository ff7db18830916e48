//! What can happen in a run: the list that the search goes through, faults included.

use alloc::vec::Vec;

use nonevent_router::{Arm, Split};
use nonevent_strategy::{Action, ConnectionPolicy, Plan, Task, Traffic, windows::OnWindowClose};

use crate::effect::Effect;
use crate::input::{Command, Judgement, SmokeVerdict, TaskVerdict};
use crate::state::{HeldBy, Mode, Outcome, Reason, StuckAt};

use super::vain::Vain;
use super::world::{ArmWorld, Node, Outage, Side};

/// One thing that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// The effect that is out is carried out and answered.
    Answered,
    /// A reading fails.
    Unread,
    /// So does one that nobody asked for.
    LookFailed(Side),
    /// What is not known of one side is read, without being asked for.
    Looked(Side),
    /// The change is carried out, but reported as failed.
    Unacknowledged,
    /// It is acknowledged, but nothing happens; it may still.
    Ignored,
    /// It is reported as failed, and may still happen later.
    Failed,
    /// Nothing is heard of it, and it may still happen.
    Silence,
    /// One instance fewer than asked for is started.
    Fewer,
    /// What may still happen to the router happens.
    Arrived,
    /// What may still happen to an arm's number happens.
    ArrivedScale(Arm),
    /// A smoke suite ends.
    Smoked(SmokeVerdict),
    /// A task ends.
    TaskEnded(TaskVerdict),
    /// One more of the people who were asked agrees.
    Agreed,
    /// The same, with a word that is soon too old to count.
    AgreedBriefly,
    /// One of them says no.
    Denied,
    /// The change window closes.
    WindowClosed,
    /// It opens.
    WindowOpened,
    /// So many starting instances become ready.
    Ready(Arm, u16),
    /// So many draining instances are gone.
    Gone(Arm, u16),
    /// The canary's last request ends.
    Quiet,
    /// Nothing happens until the next deadline of anybody.
    Time,
    /// The analysis looks.
    Analysed(Judgement),
    /// A pass comes in for the step before, late.
    AnalysedLate,
    /// An instance ends by itself.
    Crashed(Arm),
    /// An instance fails its health check, and starts anew.
    Unready(Arm),
    /// What is starting will never be ready.
    NeverReady(Arm),
    /// A draining instance has a connection that outlasts the drain time.
    RidesOn(Arm),
    /// The router does something else.
    Drifted(Traffic),
    /// Somebody else adds an instance, or takes one away.
    Rescaled(Arm, bool),
    /// The router or the fleet can neither be changed nor read any more.
    Lost(Side),
    /// It can again.
    Back(Side),
    /// The controlling process dies and is started again.
    Restarted {
        /// Whether the change that was out was carried out.
        applied: bool,
    },
    /// A person took care of what kept the rollout from going back, and starts it again.
    Repaired,
    /// A person has what failed tried again.
    Retried,
    /// A person decides.
    Commanded(Command),
    /// Somebody says what must count for nothing.
    Vain(Vain),
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// How many faults combine.
    pub(super) faults_max: u8,
    /// Whether all but one move at once of many instances that start, or drain.
    pub(super) at_once: bool,
    /// Whether instances stand still while a change or a reading is out.
    pub(super) still: bool,
}

impl Scope {
    /// With so many faults, and as reduced as it is.
    pub(super) const fn of(faults_max: u8) -> Scope {
        Scope {
            faults_max,
            at_once: true,
            still: true,
        }
    }

    /// How many of `number` that start, or drain, move next.
    const fn moves(self, number: u16) -> u16 {
        match self.at_once {
            true => number - ArmWorld::left(number),
            false => 1,
        }
    }
}

/// What may go wrong, for people; the classes of [`Event`]s that count against the bound.
pub(super) const FAULTS: [&str; 14] = [
    "a change of the router or the fleet fails, or is never heard of, and arrives late or never",
    "a change is carried out and reported as failed",
    "a change is acknowledged and not carried out, or only later",
    "a reading of the router or the fleet fails, or is never answered",
    "fewer instances start than were asked for",
    "an instance ends by itself, or fails its health check",
    "starting instances never become ready",
    "the router forgets its split, or shows another one",
    "somebody else changes the number of instances by one",
    "the router or the fleet is lost, for any time or for good (counts as two)",
    "the controlling process dies between any two inputs, its effect carried out, or not, or later",
    "a person aborts, promotes, leaves out a manual step, has what failed tried again, agrees with a \
     word that soon expires, or pauses and never resumes",
    "the change window closes, and opens again or never",
    "a connection outlasts the drain time, where it may",
];

impl Event {
    /// Which of [`FAULTS`] it is, if any.
    pub(super) const fn fault(self, pending: Option<Effect>) -> Option<usize> {
        Some(match self {
            Event::Silence if matches!(pending, Some(Effect::Observe)) => 3,
            Event::Failed | Event::Silence => 0,
            Event::Unacknowledged => 1,
            Event::Ignored => 2,
            Event::Unread | Event::LookFailed(_) => 3,
            Event::Fewer => 4,
            Event::Crashed(_) | Event::Unready(_) => 5,
            Event::NeverReady(_) => 6,
            Event::Drifted(_) => 7,
            Event::Rescaled(..) => 8,
            Event::Lost(_) => 9,
            Event::Restarted { .. } => 10,
            Event::Commanded(
                Command::Abort | Command::Pause | Command::Promote | Command::Skip,
            )
            | Event::Retried
            | Event::AgreedBriefly => 11,
            Event::WindowClosed => 12,
            Event::RidesOn(_) => 13,
            Event::TaskEnded(_)
            | Event::Agreed
            | Event::Denied
            | Event::WindowOpened
            | Event::Answered
            | Event::Looked(_)
            | Event::Arrived
            | Event::ArrivedScale(_)
            | Event::Smoked(_)
            | Event::Ready(..)
            | Event::Gone(..)
            | Event::Quiet
            | Event::Time
            | Event::Analysed(_)
            | Event::AnalysedLate
            | Event::Back(_)
            | Event::Repaired
            | Event::Vain(_)
            | Event::Commanded(Command::Resume) => return None,
        })
    }

    /// How much of the bound on faults it uses up.
    pub(super) const fn weight(self) -> u8 {
        match self {
            Event::Lost(_) => 2,
            _ if self.fault(None).is_some() => 1,
            _ => 0,
        }
    }

    /// Whether it does harm: a fault, and not only a person's decision.
    pub(super) const fn harms(self) -> bool {
        let decided = matches!(
            self,
            Event::Commanded(_) | Event::Retried | Event::AgreedBriefly | Event::WindowClosed
        );
        self.weight() > 0 && !decided
    }

    /// Whether it is a word of the analysis, or of somebody who is not asked, which may be followed
    /// by any other.
    pub(super) const fn is_word(self) -> bool {
        matches!(
            self,
            Event::Analysed(_) | Event::AnalysedLate | Event::Vain(_)
        )
    }
}

/// What a router may do by itself where it does `traffic`: forgotten, a third split, everything,
/// nothing; and the same shares, with the ways beside them forgotten.
fn drifts(traffic: Traffic) -> impl Iterator<Item = Traffic> {
    let third = Split::canary(3_333).unwrap_or(Split::STABLE);
    let splits = [Split::STABLE, third, Split::CANARY, Split::Closed];
    let forgotten = (!traffic.ways.is_none()).then_some(traffic.split);
    let all = splits
        .into_iter()
        .chain(forgotten.filter(|it| !splits.contains(it)));
    all.map(Traffic::split)
        .filter(move |other| *other != traffic)
}

impl Node {
    /// Everything that can happen here, faults included as far as `scope` allows.
    pub(super) fn events(&self, plan: &Plan, scope: Scope, events: &mut Vec<Event>) {
        let left = scope.faults_max.saturating_sub(self.world.faults);
        match self.state.mode {
            Mode::Done(Outcome::Stuck {
                at: StuckAt::NoReturn { .. },
                ..
            }) => {
                if left >= 1 {
                    events.push(Event::Retried);
                }
                return;
            }
            Mode::Done(Outcome::Stuck { .. }) => return events.push(Event::Repaired),
            Mode::Done(_) => return,
            Mode::Forward { .. } | Mode::Rollback { .. } => {}
        }
        match self.pending() {
            None => {
                self.asked(plan, left, events);
                self.waiting(scope, events);
            }
            Some(Effect::Task { .. }) => {
                events.extend([
                    Event::TaskEnded(TaskVerdict::Done),
                    Event::TaskEnded(TaskVerdict::Failed),
                ]);
                self.waiting(scope, events);
            }
            Some(Effect::Smoke { .. }) => {
                events.extend([
                    Event::Smoked(SmokeVerdict::Passed),
                    Event::Smoked(SmokeVerdict::Failed),
                    Event::Smoked(SmokeVerdict::Unavailable),
                ]);
                self.waiting(scope, events);
            }
            Some(_) if self.world.mute => {
                events.push(Event::Time);
                self.arrivals(events);
            }
            Some(_) => events.push(Event::Answered),
        }
        if !scope.still && self.pending().is_some_and(|effect| !effect.is_asked()) {
            self.instances(scope, events);
        }
        self.words(plan, events);
        self.in_vain(plan, events);
        if let Outage::On(side) = self.world.outage {
            events.push(Event::Back(side));
        }
        let sides = [Side::Router, Side::Fleet].into_iter();
        let watched = sides.filter(|side| self.is_watched(*side));
        events.extend(watched.filter_map(|side| match self.knows(side) {
            true => (left >= 1).then_some(Event::LookFailed(side)),
            false => Some(Event::Looked(side)),
        }));
        if left >= 1 {
            self.misanswers(events);
            self.harms(plan, events);
            self.decisions(plan, events);
        }
        if left >= 2 && self.world.outage == Outage::None {
            events.extend([Event::Lost(Side::Router), Event::Lost(Side::Fleet)]);
        }
    }

    fn waiting(&self, scope: Scope, events: &mut Vec<Event>) {
        events.push(Event::Time);
        self.instances(scope, events);
        self.others(events);
    }

    /// Those that start, or drain, move on.
    fn instances(&self, scope: Scope, events: &mut Vec<Event>) {
        for arm in Arm::BOTH {
            let it = &self.world.arms[arm.index()];
            if it.starting() && !it.never_ready {
                let starting = it.seen.kept - it.seen.ready;
                events.push(Event::Ready(arm, scope.moves(starting)));
            }
            if it.draining() {
                let draining = it.seen.present - it.seen.kept;
                events.push(Event::Gone(arm, scope.moves(draining)));
            }
        }
    }

    /// What else is waited for.
    fn others(&self, events: &mut Vec<Event>) {
        let back = matches!(self.state.mode, Mode::Rollback { .. });
        let readable = self.world.outage != Outage::On(Side::Router);
        if back && readable && self.world.quiet_due_ms.is_some() && !self.state.quiet {
            events.push(Event::Quiet);
        }
        self.arrivals(events);
        if self.is_held_by(|by| by == HeldBy::Person) {
            events.push(Event::Commanded(Command::Resume));
        }
        if self.state.shut_until_ms.is_some() {
            events.push(Event::WindowOpened);
        }
    }

    pub(super) fn is_held_by(&self, by: impl Fn(HeldBy) -> bool) -> bool {
        self.state.held.is_some_and(|held| by(held.by))
    }

    /// What those may say who are asked to agree.
    fn asked(&self, plan: &Plan, left: u8, events: &mut Vec<Event>) {
        let (Some((_, action)), Mode::Forward { agreed, .. }) = (self.step(plan), self.state.mode)
        else {
            return;
        };
        let Action::Task(Task::Approve { approval }) = action else {
            return;
        };
        let wanted = plan.approvals.get(approval).map_or(0, |it| it.count);
        // What failed has to be taken up again first, so that words only change what is forgotten.
        let failed = self.is_held_by(|by| match by {
            HeldBy::Failure(reason) => reason != Reason::NotApproved,
            HeldBy::NoReturn(_) => true,
            HeldBy::Person | HeldBy::Window => false,
        });
        if failed {
            if agreed.count() > 0 {
                events.push(Event::Denied);
            }
        } else if agreed.count() < wanted {
            events.extend([Event::Agreed, Event::Denied]);
            if left >= 1 {
                events.push(Event::AgreedBriefly);
            }
        }
    }

    fn arrivals(&self, events: &mut Vec<Event>) {
        if self.world.on_its_way.is_some() {
            events.push(Event::Arrived);
        }
        for arm in Arm::BOTH {
            if self.world.arms[arm.index()].on_its_way.is_some() {
                events.push(Event::ArrivedScale(arm));
            }
        }
    }

    fn words(&self, plan: &Plan, events: &mut Vec<Event>) {
        let out = self.pending();
        match self.step(plan) {
            Some((_, Action::Watch { analyse: true, .. })) if out.is_none() => {}
            // It goes on while people are asked, and may find harm then.
            Some((_, Action::Task(_)))
                if plan.analysis.is_some() && out.is_none_or(|it| it.is_asked()) =>
            {
                return events.push(Event::Analysed(Judgement::Fail));
            }
            // And in whatever step both versions serve, whatever is out.
            Some(_) if plan.analysis.is_some() => {
                let split = self.world.traffic.split;
                if Arm::BOTH.into_iter().all(|arm| split.weight(arm) > 0) {
                    events.push(Event::Analysed(Judgement::Fail));
                }
                return;
            }
            _ => return,
        }
        for said in [
            Judgement::Pass,
            Judgement::Fail,
            Judgement::Inconclusive,
            Judgement::NoData,
            Judgement::EnvironmentUnhealthy,
        ] {
            // The same word twice changes nothing, but that a pass after the pause counts.
            if self.witness.word != Some(said) || said == Judgement::Pass {
                events.push(Event::Analysed(said));
            }
        }
        events.push(Event::AnalysedLate);
    }

    /// What can go wrong with the effect that is out.
    fn misanswers(&self, events: &mut Vec<Event>) {
        if self.world.mute {
            return;
        }
        match self.pending() {
            Some(Effect::Observe) => events.extend([Event::Unread, Event::Silence]),
            Some(effect @ (Effect::Shift { .. } | Effect::Scale { .. })) => {
                events.extend([Event::Unacknowledged, Event::Failed, Event::Silence]);
                // What stands already is not ignored.
                if !self.world.shows(effect) {
                    events.push(Event::Ignored);
                }
                if self.world.starts(effect) {
                    events.push(Event::Fewer);
                }
            }
            Some(Effect::Withdraw { .. }) => {
                events.extend([Event::Unacknowledged, Event::Failed, Event::Silence]);
            }
            Some(Effect::Task { .. }) => events.extend([Event::Unacknowledged, Event::Failed]),
            Some(Effect::Smoke { .. }) | None => {}
        }
    }

    /// What can go wrong whatever is out.
    fn harms(&self, plan: &Plan, events: &mut Vec<Event>) {
        let pending = self.pending();
        if !self.world.mute && pending.is_some_and(|effect| effect.changes()) {
            events.push(Event::Restarted { applied: true });
        }
        events.push(Event::Restarted { applied: false });
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
            let rides = plan.fleet.connections == ConnectionPolicy::RideOut;
            if rides && it.draining() && it.gone_due_ms.is_some() {
                events.push(Event::RidesOn(arm));
            }
            if it.seen.kept > 0 && !matches!(pending, Some(Effect::Scale { .. })) {
                events.extend([Event::Rescaled(arm, true), Event::Rescaled(arm, false)]);
            }
        }
        let changing = matches!(pending, Some(Effect::Shift { .. }));
        if !changing && self.world.outage != Outage::On(Side::Router) {
            events.extend(drifts(self.world.traffic).map(Event::Drifted));
        }
    }

    /// What a person can decide.
    fn decisions(&self, plan: &Plan, events: &mut Vec<Event>) {
        let Some((_, action)) = self.step(plan) else {
            return;
        };
        events.push(Event::Commanded(Command::Abort));
        if self.state.held.is_none() || self.is_held_by(|by| by == HeldBy::Window) {
            events.push(Event::Commanded(Command::Pause));
        }
        match action {
            Action::Watch { .. } => events.push(Event::Commanded(Command::Promote)),
            Action::Task(Task::Manual { .. }) => events.push(Event::Commanded(Command::Skip)),
            _ => {}
        }
        if self.is_held_by(|by| matches!(by, HeldBy::Failure(_) | HeldBy::NoReturn(_))) {
            events.push(Event::Retried);
        }
        let heeds = plan
            .windows
            .as_ref()
            .is_some_and(|it| it.on_window_close() != OnWindowClose::Finish);
        if heeds && self.state.shut_until_ms.is_none() {
            events.push(Event::WindowClosed);
        }
    }
}
