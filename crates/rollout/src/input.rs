//! All that can happen to a rollout, as one closed list.

use nonevent_router::{Arm, Split};
use nonevent_strategy::{Traffic, Ways};
use serde::{Deserialize, Serialize};

use crate::state::Extra;

/// One thing that happened. The machine is handed one at a time, with the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Time passed, and nothing else is known.
    Clock,
    /// A controlling process took over: whatever was known of the router and the fleet may be old.
    Restarted,
    /// The router was read. While a change of the router is out, only a reading made after that
    /// change was answered may be handed over.
    Router(RouterSeen),
    /// The router could not be changed or read: refused, unreachable, or no answer in time.
    RouterFailed,
    /// The fleet was observed; the same rule holds as for the router.
    Fleet(FleetSeen),
    /// The fleet could not be changed or observed.
    FleetFailed,
    /// A smoke suite that the machine asked for has ended.
    Smoke(SmokeVerdict),
    /// The analysis of step `step` has looked.
    Analysis {
        /// The watching step that the samples belong to; those of another step are not counted.
        step: u16,
        /// What it says.
        judgement: Judgement,
    },
    /// What was to be done in step `step` ended.
    Task {
        /// The step whose task it was; that of another step is not counted.
        step: u16,
        /// How.
        verdict: TaskVerdict,
    },
    /// What was to be taken back was, or was not.
    Withdrawn {
        /// What.
        extra: Extra,
        /// Whether it is gone, read back.
        gone: bool,
    },
    /// One of the people who may approve step `step` decided. That the word is theirs, and about
    /// this plan and this attempt ([`Run::attempt`](crate::Run::attempt)), was verified before.
    Approval {
        /// The step; words about another are not counted.
        step: u16,
        /// Who, by the place in the approval's list of people.
        person: u8,
        /// Yes or no.
        granted: bool,
        /// When the word is too old to count, in milliseconds since the Unix epoch.
        until_ms: i64,
    },
    /// A change window opened or closed.
    Window(WindowSeen),
    /// A person decided something.
    Command(Command),
}

impl Input {
    /// The same on a clock that reads `by_ms` more.
    pub(crate) const fn later_by(self, by_ms: i64) -> Input {
        match self {
            Input::Approval {
                step,
                person,
                granted,
                until_ms,
            } => Input::Approval {
                step,
                person,
                granted,
                until_ms: until_ms.saturating_add(by_ms),
            },
            Input::Window(WindowSeen::Closed { opens_ms }) => Input::Window(WindowSeen::Closed {
                opens_ms: opens_ms.saturating_add(by_ms),
            }),
            other => other,
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskVerdict {
    /// It is done, and what it leads to was seen.
    Done,
    /// It failed, or cannot be done.
    Failed,
    /// It was not done and can be tried again: whoever does it could not be reached.
    Unavailable,
}

/// Whether changes may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowSeen {
    /// They may.
    Open,
    /// They may not.
    Closed {
        /// When the next window opens, in milliseconds since the Unix epoch.
        opens_ms: i64,
    },
}

/// What the router says it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterSeen {
    /// The split in force.
    pub split: Split,
    /// The ways in force on which requests reach the canary beside its share.
    #[serde(skip_serializing_if = "Ways::is_none", default)]
    pub ways: Ways,
    /// Whether the canary's request counter has stood still since the reading before, with no
    /// request and no upgraded connection open on it.
    pub canary_quiet: bool,
}

impl RouterSeen {
    /// All that it does with requests.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        Traffic {
            split: self.split,
            ways: self.ways,
        }
    }
}

/// The instances of both arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetSeen {
    /// The stable version's.
    pub stable: ArmSeen,
    /// The canary's.
    pub canary: ArmSeen,
}

impl FleetSeen {
    /// Those of one arm.
    #[must_use]
    pub const fn of(&self, arm: Arm) -> ArmSeen {
        match arm {
            Arm::Stable => self.stable,
            Arm::Canary => self.canary,
        }
    }

    /// Those of one arm, to be changed.
    pub(crate) const fn of_mut(&mut self, arm: Arm) -> &mut ArmSeen {
        match arm {
            Arm::Stable => &mut self.stable,
            Arm::Canary => &mut self.canary,
        }
    }
}

/// The instances of one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSeen {
    /// Instances that exist: starting, ready, unready, and those that drain before they stop.
    pub present: u16,
    /// Of these, instances that are there to stay: the number that was asked for last, read back.
    pub kept: u16,
    /// Of these, instances that are ready, warm, and there to stay.
    pub ready: u16,
    /// Instances that ended although nobody asked them to, and were not replaced yet.
    pub failed: u16,
}

/// How a smoke suite ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmokeVerdict {
    /// Every test reached the service and was asserted.
    Passed,
    /// A test failed.
    Failed,
    /// The suite could not be run.
    Unavailable,
}

/// What the comparison of the two versions says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// No harm was found that would have been found.
    Pass,
    /// The canary is worse.
    Fail,
    /// There is not enough to say.
    Inconclusive,
    /// There is nothing to look at.
    NoData,
    /// Both versions are in trouble: the canary is neither to blame nor to be promoted.
    EnvironmentUnhealthy,
}

/// What a person may decide while a rollout runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Go back to stable.
    Abort,
    /// Stay where it is, for an hour at most.
    Pause,
    /// Go on after a pause.
    Resume,
    /// End the present watch now, on the person's own word.
    Promote,
    /// Leave out the present manual step, on the person's own word.
    Skip,
}
