//! What the machine wants done, and what it waits for.

use alloc::vec::Vec;

use nonevent_router::{Arm, Split};
use nonevent_strategy::{SmokeTarget, SuiteMoment, Traffic, Ways};
use serde::{Deserialize, Serialize};

use crate::input::Judgement;
use crate::state::{Extra, HeldBy, Outcome, Reason};

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
        /// All ways on which requests reach the canary beside its share.
        #[serde(skip_serializing_if = "Ways::is_none", default)]
        ways: Ways,
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
    /// Have the task of a step done, by whoever does such tasks; answered by
    /// [`Input::Task`](crate::Input::Task). What the step says is absolute: done twice, it is done.
    Task {
        /// The step.
        step: u16,
    },
    /// Take back what was set beside instances and traffic: throw the kill switches of all flags, or
    /// send all baseline instances away. Answered by [`Input::Withdrawn`](crate::Input::Withdrawn).
    Withdraw {
        /// What.
        extra: Extra,
    },
}

impl Effect {
    /// Have the router do `traffic`.
    #[must_use]
    pub const fn shift(traffic: Traffic) -> Effect {
        let Traffic { split, ways } = traffic;
        Effect::Shift { split, ways }
    }

    /// What the router shall do, if that is what it asks for.
    #[must_use]
    pub const fn traffic(&self) -> Option<Traffic> {
        match *self {
            Effect::Shift { split, ways } => Some(Traffic { split, ways }),
            _ => None,
        }
    }

    /// Whether it changes anything outside, and must therefore be journalled before it leaves.
    #[must_use]
    pub const fn changes(&self) -> bool {
        match self {
            Effect::Shift { .. }
            | Effect::Scale { .. }
            | Effect::Task { .. }
            | Effect::Withdraw { .. } => true,
            Effect::Observe | Effect::Smoke { .. } => false,
        }
    }

    /// Whether it waits for somebody's verdict, and is given up when the rollout turns back.
    pub(crate) const fn is_asked(&self) -> bool {
        matches!(self, Effect::Smoke { .. } | Effect::Task { .. })
    }
}

impl core::fmt::Display for Effect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Effect::Observe => f.write_str("read the router and the fleet"),
            Effect::Shift {
                split: Split::Closed,
                ..
            } => f.write_str("close the router"),
            Effect::Shift { split, ways } => {
                write!(f, "send {split} of traffic to the canary")?;
                match (ways.route.is_some(), ways.mirror.is_some()) {
                    (true, true) => f.write_str(", and chosen users and copies of requests"),
                    (true, false) => f.write_str(", and chosen users"),
                    (false, true) => f.write_str(", and copies of requests"),
                    (false, false) => Ok(()),
                }
            }
            Effect::Scale { arm, count } => write!(f, "have {count} {arm} {}", instances(*count)),
            Effect::Smoke {
                target: SmokeTarget::Router,
                ..
            } => f.write_str("smoke-test through the router"),
            Effect::Smoke {
                target: SmokeTarget::Canary,
                ..
            } => f.write_str("smoke-test the canary instances"),
            Effect::Task { step } => write!(f, "have step {} done", step + 1),
            Effect::Withdraw {
                extra: Extra::Flags,
            } => f.write_str("throw the kill switches"),
            Effect::Withdraw {
                extra: Extra::Baseline,
            } => f.write_str("send the baseline instances away"),
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
    /// For people to agree.
    Approval {
        /// How many more.
        missing: u32,
    },
    /// For the change window to open.
    Window,
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
            WaitReason::Approval { missing: 1 } => f.write_str("one more person to agree"),
            WaitReason::Approval { missing } => write!(f, "{missing} more people to agree"),
            WaitReason::Window => f.write_str("the change window to open"),
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
        seen: Traffic,
    },
    /// Instances are missing and were asked for again.
    Repair {
        /// Which arm's.
        arm: Arm,
        /// How many there shall be.
        count: u16,
    },
    /// Nothing goes on until somebody decides, or the window opens.
    Held {
        /// Why.
        by: HeldBy,
    },
    /// It goes on.
    Resumed,
    /// A person ended a watch early.
    PromotedByHand,
    /// A person left out a manual step.
    Skipped {
        /// Its index in the plan.
        step: u16,
    },
    /// The analysis has nothing to look at, or both versions are in trouble: the weights stay.
    Frozen {
        /// What it said.
        judgement: Judgement,
    },
    /// Something failed after the point of no return: people are needed.
    Page {
        /// What.
        reason: Reason,
    },
    /// An effect was refused or not answered and will be tried again.
    Refused {
        /// Which.
        effect: Effect,
    },
}
