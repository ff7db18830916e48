//! Everything the machine remembers: small, and without texts.

use nonevent_router::Split;
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
    pub split: Option<Split>,
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
    /// The effect that is out.
    pub pending: Option<Pending>,
    /// No effect is tried again before; traffic that has to move waits only for the router.
    pub retry_at_ms: Option<i64>,
    /// Whether it was the router that refused last, or could not be read.
    pub refused_by_router: bool,
    /// Refusals in a row since a change was last carried out or another step began, up to 4; each
    /// doubles the time to the next try.
    pub refusals: u8,
    /// A person's pause.
    pub held: Option<Held>,
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

/// A person's pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Since when.
    pub since_ms: i64,
    /// When it ends by itself, in a rollback.
    pub until_ms: i64,
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
    /// A person paused and never resumed.
    HeldTooLong,
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
            Reason::HeldTooLong => "a person paused it and did not resume in time",
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
    /// The router or the fleet refused past the bound; a person is needed.
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
}

impl core::fmt::Display for StuckAt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            StuckAt::Reading => "the router or the fleet could not be read",
            StuckAt::Traffic => "the router did not move all traffic to stable",
            StuckAt::Capacity => "stable instances did not become ready",
            StuckAt::Removal => "canary instances could not be removed (all traffic is on stable)",
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
                ..
            } => {
                *deadline_ms = shift(*deadline_ms);
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
        if let Some(pending) = &mut state.pending {
            pending.until_ms = shift(pending.until_ms);
        }
        state.retry_at_ms = state.retry_at_ms.map(shift).filter(|at_ms| *at_ms > 0);
        state.refused_by_router &= state.retry_at_ms.is_some();
        if let Some(held) = &mut state.held {
            held.since_ms = shift(held.since_ms);
            held.until_ms = shift(held.until_ms);
        }
        state
    }
}
