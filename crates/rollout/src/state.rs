//! Everything the machine remembers: small, and without texts.

use nonevent_strategy::Traffic;
use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::input::{FleetSeen, Judgement};

/// The machine's whole memory. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Forward, back, or done.
    pub mode: Mode,
    /// What the router said last; absent when it may have changed since.
    pub traffic: Option<Traffic>,
    /// Whether a change of the router went out whose fate is not known, so that it may still
    /// arrive. Sending another fences it off.
    pub unfenced: bool,
    /// Whether, by that reading, the canary's counter stood still.
    pub quiet: bool,
    /// What the fleet looked like last; absent when it may have changed since.
    pub fleet: Option<FleetSeen>,
    /// Ready stable instances by the last look at the fleet, as long as `fleet` is absent; else 0.
    pub stable_ready_last: u16,
    /// As `unfenced`, for changes of an arm's instances: stable, then the canary.
    pub unfenced_arms: [bool; 2],
    /// What was set beside instances and traffic, and has to be taken back on the way back.
    pub beside: Beside,
    /// The effect that is out.
    pub pending: Option<Pending>,
    /// No effect is tried again before; traffic that has to move waits only for the router.
    pub retry_at_ms: Option<i64>,
    /// Whether it was the router that refused last, or could not be read.
    pub refused_by_router: bool,
    /// Refusals in a row since a change was last carried out or another step began, each of which
    /// doubles the time to the next try, up to the fifth on the way back and the thirteenth on the way
    /// forward, after which they count as one less in turn.
    pub refusals: u8,
    /// A pause, other than those of the plan.
    pub held: Option<Held>,
    /// While the change window is closed and the plan heeds that: when it opens again.
    pub shut_until_ms: Option<i64>,
}

/// What a plan sets beside instances and traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Whether a stage of a feature flag was begun, and no kill switch thrown since.
    pub flags: bool,
    /// Whether baseline instances were asked for, and not all sent away since.
    pub baseline: bool,
}

impl Beside {
    /// What is taken back next: a flag before anything else, since it can do harm.
    #[must_use]
    pub const fn first(self) -> Option<Extra> {
        match self {
            Beside { flags: true, .. } => Some(Extra::Flags),
            Beside { baseline: true, .. } => Some(Extra::Baseline),
            _ => None,
        }
    }

    pub(crate) const fn set(&mut self, extra: Extra, stands: bool) {
        match extra {
            Extra::Flags => self.flags = stands,
            Extra::Baseline => self.baseline = stands,
        }
    }
}

/// One kind of what a plan sets beside instances and traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    /// Feature flags: taken back by their kill switches.
    Flags,
    /// Baseline instances: taken back by sending them away.
    Baseline,
}

impl core::fmt::Display for HeldBy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            HeldBy::Person => f.write_str("a person paused it"),
            HeldBy::Window => f.write_str("the change window is closed"),
            HeldBy::Failure(reason) => write!(f, "{reason}; people decide what follows"),
            HeldBy::NoReturn(reason) => write!(f, "{reason}, and there is no way back any more"),
        }
    }
}

/// An effect that has not been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// What was asked.
    pub effect: Effect,
    /// When it counts as not answered.
    pub until_ms: i64,
}

impl Pending {
    /// A task has its step's deadline, which a pause puts off, and none of its own.
    pub(crate) const NO_LIMIT_MS: i64 = i64::MAX;
}

/// A pause that is not one of the plan's: nothing goes on but repairs and the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Why.
    pub by: HeldBy,
    /// Since when.
    pub since_ms: i64,
    /// When it ends by itself: in a rollback, or after the point of no return in a person's hands.
    pub until_ms: i64,
}

/// Who or what holds a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// A person.
    Person,
    /// The change window is closed.
    Window,
    /// Something failed, and the plan has people decide what follows.
    Failure(Reason),
    /// Something failed after the point of no return: there is no way back.
    NoReturn(Reason),
}

/// Which way the rollout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Through the plan's steps.
    Forward {
        /// The step it is at.
        step: u16,
        /// When that step has failed.
        deadline_ms: i64,
        /// When the watch of that step is over; absent where it does not watch.
        watch_until_ms: Option<i64>,
        /// What the analysis of that step said last.
        judgement: Option<Judgement>,
        /// Whether it has said in that step that the environment is well.
        was_well: bool,
        /// Who has agreed to that step.
        agreed: Agreed,
    },
    /// Back to stable.
    Rollback {
        /// Why.
        reason: Reason,
        /// How far.
        phase: Phase,
        /// When the phase has failed.
        deadline_ms: i64,
        /// What the smoke suite said of stable afterwards.
        verified: Verified,
    },
    /// Over.
    Done(Outcome),
}

/// Who has agreed to a step that needs approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// A bit for each of the approval's people.
    pub people: u32,
    /// When the first of these words is too old to count; absent without one.
    pub until_ms: Option<i64>,
}

impl Agreed {
    /// How many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.people.count_ones()
    }
}

/// How far a rollback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Traffic moves back as stable can carry it.
    Restore,
    /// Stable serves everything; the canary's last requests end.
    Quiesce,
    /// The smoke suite runs through the router.
    Verify,
    /// The canary's instances go.
    Lower,
    /// What was set beside them is taken back.
    Withdraw,
}

/// Why a rollout went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The analysis says that the canary is worse.
    AnalysisFailed,
    /// No analysis passed in time; the last one said this, if there was any.
    NoEvidence {
        /// The last word.
        last: Option<Judgement>,
    },
    /// A smoke suite failed.
    SmokeFailed,
    /// A smoke suite could not be run.
    SmokeUnavailable,
    /// Canary instances ended by themselves.
    CanaryCrashed,
    /// Canary instances that carried traffic are not ready any more.
    CanaryUnready,
    /// A step was not done in time.
    StepTooSlow,
    /// The router does something that nobody asked it to.
    Drift,
    /// The router or the fleet did not answer after a restart.
    NotObserved,
    /// A person said so.
    Aborted,
    /// A person paused and never resumed, or never decided.
    HeldTooLong,
    /// A task failed, or whoever does it said that it cannot be done.
    TaskFailed,
    /// An approval was not given in time.
    NotApproved,
    /// Somebody who may approve said no.
    Denied,
    /// The change window closed.
    WindowClosed,
}

impl Reason {
    /// Whether what is there can stay as it is while people decide. Where instances or the router
    /// are not what they should be, it cannot.
    #[must_use]
    pub const fn can_wait(self) -> bool {
        match self {
            Reason::AnalysisFailed
            | Reason::NoEvidence { .. }
            | Reason::SmokeFailed
            | Reason::SmokeUnavailable
            | Reason::StepTooSlow
            | Reason::TaskFailed
            | Reason::NotApproved
            | Reason::Denied
            | Reason::WindowClosed => true,
            Reason::CanaryCrashed
            | Reason::CanaryUnready
            | Reason::Drift
            | Reason::NotObserved
            | Reason::Aborted
            | Reason::HeldTooLong => false,
        }
    }
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Reason::AnalysisFailed => "the analysis says that the new version is worse",
            Reason::NoEvidence {
                last: Some(Judgement::NoData),
            } => "the analysis had no data when the step had to be decided",
            Reason::NoEvidence {
                last: Some(Judgement::EnvironmentUnhealthy),
            } => "both versions were in trouble when the step had to be decided",
            Reason::NoEvidence { last: None } => "no analysis was made in time",
            Reason::NoEvidence { last: Some(_) } => "no analysis passed in time",
            Reason::SmokeFailed => "the smoke suite failed",
            Reason::SmokeUnavailable => "the smoke suite could not be run",
            Reason::CanaryCrashed => "instances of the new version ended by themselves",
            Reason::CanaryUnready => "instances of the new version stopped being ready",
            Reason::StepTooSlow => "a step was not done in time",
            Reason::Drift => "the router did something that nobody asked it to",
            Reason::NotObserved => "the router or the fleet did not answer after a restart",
            Reason::Aborted => "a person aborted it",
            Reason::HeldTooLong => "it was paused and nobody resumed it in time",
            Reason::TaskFailed => "a task failed",
            Reason::NotApproved => "an approval was not given in time",
            Reason::Denied => "an approval was refused",
            Reason::WindowClosed => "the change window closed",
        })
    }
}

/// What the smoke suite said of stable after a rollback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// It has not been run.
    NotYet,
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It could not be run.
    Unavailable,
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is on the new version.
    Promoted,
    /// Everything is on the old version.
    RolledBack {
        /// Why.
        reason: Reason,
        /// What the smoke suite said afterwards.
        verified: Verified,
    },
    /// A person is needed: the router or the fleet refused past the bound, or something failed after
    /// the point of no return.
    Stuck {
        /// Why it was going back.
        reason: Reason,
        /// What did not happen.
        at: StuckAt,
    },
}

/// What did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StuckAt {
    /// The router or the fleet could not be read.
    Reading,
    /// Traffic could not be moved to stable.
    Traffic,
    /// Stable instances did not become ready.
    Capacity,
    /// Canary instances could not be removed; traffic is all on stable.
    Removal,
    /// Flags or baseline instances could not be taken back; traffic is all on stable.
    Beside {
        /// Which.
        extra: Extra,
    },
    /// Something failed after the point of no return.
    NoReturn {
        /// In which step, by its place from 0: it begins anew once a person has taken care.
        step: u16,
    },
}

impl core::fmt::Display for StuckAt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            StuckAt::Reading => "the router or the fleet could not be read",
            StuckAt::Traffic => "the router did not move all traffic to stable",
            StuckAt::Capacity => "stable instances did not become ready",
            StuckAt::Removal => "canary instances could not be removed (all traffic is on stable)",
            StuckAt::Beside {
                extra: Extra::Flags,
            } => "a kill switch could not be thrown (all traffic is on stable)",
            StuckAt::Beside {
                extra: Extra::Baseline,
            } => "baseline instances could not be removed (all traffic is on stable)",
            StuckAt::NoReturn { .. } => "there is no way back any more, and nobody decided in time",
        })
    }
}

impl State {
    /// The same state on a clock that reads `by_ms` less. The exhaustive search keeps states at
    /// time 0, so that two which differ only in when they are reached are one.
    #[must_use]
    pub fn earlier_by(&self, by_ms: i64) -> State {
        let shift = |time_ms: i64| time_ms.saturating_sub(by_ms);
        let mut state = self.clone();
        match &mut state.mode {
            Mode::Forward {
                deadline_ms,
                watch_until_ms,
                agreed,
                ..
            } => {
                *deadline_ms = shift(*deadline_ms);
                agreed.until_ms = agreed.until_ms.map(shift);
                // A watch that is over is over: how long ago matters only to a pause, which is
                // added to it.
                let held = state.held.is_some();
                let earlier = |until_ms| match shift(until_ms) {
                    until_ms if held => until_ms,
                    until_ms => until_ms.max(0),
                };
                *watch_until_ms = watch_until_ms.map(earlier);
            }
            Mode::Rollback { deadline_ms, .. } => *deadline_ms = shift(*deadline_ms),
            Mode::Done(_) => {}
        }
        if let Some(pending) = &mut state.pending
            && pending.until_ms != Pending::NO_LIMIT_MS
        {
            pending.until_ms = shift(pending.until_ms);
        }
        state.shut_until_ms = state.shut_until_ms.map(shift);
        state.retry_at_ms = state.retry_at_ms.map(shift).filter(|at_ms| *at_ms > 0);
        state.refused_by_router &= state.retry_at_ms.is_some();
        if let Some(held) = &mut state.held {
            held.since_ms = shift(held.since_ms);
            held.until_ms = shift(held.until_ms);
        }
        state
    }
}
