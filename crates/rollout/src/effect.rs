//! What the machine wants done, and what it waits for.

use alloc::vec::Vec;

use nonevent_router::{Arm, Split};
use nonevent_strategy::{SmokeTarget, SuiteMoment};
use serde::{Deserialize, Serialize};

use crate::state::{Outcome, Reason};

/// Something to be done outside. Absolute and idempotent: doing it twice changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Read the router and the fleet; answered by [`Input::Router`](crate::Input::Router) and
    /// [`Input::Fleet`](crate::Input::Fleet), or their failures.
    Observe,
    /// Divide traffic so, then read the router back.
    Shift {
        /// The whole split.
        split: Split,
    },
    /// Have exactly `count` instances of `arm`, then observe the fleet. It is answered as soon as
    /// the fleet has taken note; starting and draining go on after that.
    Scale {
        /// Which arm.
        arm: Arm,
        /// How many.
        count: u16,
    },
    /// Run a smoke suite.
    Smoke {
        /// At whom.
        target: SmokeTarget,
        /// Which.
        suite: SuiteMoment,
    },
}

impl Effect {
    /// Whether it changes anything outside, and must therefore be journalled before it leaves.
    #[must_use]
    pub const fn changes(&self) -> bool {
        matches!(self, Effect::Shift { .. } | Effect::Scale { .. })
    }
}

impl core::fmt::Display for Effect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Effect::Observe => f.write_str("read the router and the fleet"),
            Effect::Shift {
                split: Split::Closed,
            } => f.write_str("close the router"),
            Effect::Shift { split } => write!(f, "send {split} of traffic to the canary"),
            Effect::Scale { arm, count } => write!(f, "have {count} {arm} {}", instances(*count)),
            Effect::Smoke {
                target: SmokeTarget::Router,
                ..
            } => f.write_str("smoke-test through the router"),
            Effect::Smoke {
                target: SmokeTarget::Canary,
                ..
            } => f.write_str("smoke-test the canary instances"),
        }
    }
}

const fn instances(count: u16) -> &'static str {
    if count == 1 { "instance" } else { "instances" }
}

/// What the machine answers to one input.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What to do now; at most one thing is out at a time.
    pub effect: Option<Effect>,
    /// What people should hear.
    pub notices: Vec<Notice>,
    /// What comes then.
    pub next: Next,
}

/// Whether there is anything left to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Hand over the next input when it comes, and [`Input::Clock`](crate::Input::Clock) at
    /// `until_ms` at the latest.
    Wait(Wait),
    /// The rollout is over.
    Done(Outcome),
}

/// What is awaited, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wait {
    /// Milliseconds since the Unix epoch.
    pub until_ms: i64,
    /// Why.
    pub reason: WaitReason,
}

/// Why the machine waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// For the answer to the effect that is out.
    Answer,
    /// For instances to become ready.
    Ready {
        /// Which arm's.
        arm: Arm,
        /// How many.
        count: u16,
    },
    /// For instances to be gone.
    Gone {
        /// Which arm's.
        arm: Arm,
        /// How many may be left.
        count: u16,
    },
    /// For enough ready instances to move traffic.
    Capacity,
    /// For time to pass while both versions are watched.
    Watch,
    /// For an analysis that passes.
    Evidence,
    /// For the canary's requests and connections to end.
    Drain,
    /// For the next try of something that was refused.
    Retry,
    /// For a person to resume.
    Person,
}

impl core::fmt::Display for WaitReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            WaitReason::Answer => f.write_str("an answer"),
            WaitReason::Ready { arm, count } => {
                write!(f, "{count} ready {arm} {}", instances(*count))
            }
            WaitReason::Gone { arm, count } => {
                write!(f, "at most {count} {arm} {} left", instances(*count))
            }
            WaitReason::Capacity => f.write_str("enough ready instances"),
            WaitReason::Watch => f.write_str("the pause to end"),
            WaitReason::Evidence => f.write_str("an analysis that passes"),
            WaitReason::Drain => f.write_str("the canary's last requests"),
            WaitReason::Retry => f.write_str("the next try"),
            WaitReason::Person => f.write_str("a person to resume"),
        }
    }
}

/// News for people; deciding nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// A step began.
    StepBegan {
        /// Its index in the plan.
        step: u16,
    },
    /// A step is done.
    StepDone {
        /// Its index in the plan.
        step: u16,
    },
    /// The rollout goes back.
    RollbackBegan {
        /// Why.
        reason: Reason,
    },
    /// Stable serves everything again.
    Restored,
    /// The router does something that nobody asked it to.
    Drift {
        /// What it does.
        seen: Split,
    },
    /// Stable instances are missing and were asked for again.
    Repair {
        /// How many there shall be.
        count: u16,
    },
    /// A person paused the rollout.
    Held,
    /// A person resumed it.
    Resumed,
    /// A person ended a watch early.
    PromotedByHand,
    /// An effect was refused or not answered and will be tried again.
    Refused {
        /// Which.
        effect: Effect,
    },
}
