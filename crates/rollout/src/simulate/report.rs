//! What a simulated time came to, in integers.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_strategy::StrategyKind;
use serde::{Deserialize, Serialize};

use super::release::Fault;
use super::scenario::Scenario;
use crate::state::Reason;

/// What came of it; with `scenario`, `seed` and `days` it can be had again, to the last byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The seed of everything that was drawn.
    pub seed: u64,
    /// How many days.
    pub days: u32,
    /// Releases, the same for every strategy.
    pub releases: u64,
    /// The world.
    pub scenario: Scenario,
    /// What is simplified, in sentences.
    pub method: Vec<String>,
    /// What each strategy made of it, in the order in which they were given.
    pub strategies: Vec<StrategyReport>,
}

/// What one strategy made of the releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyReport {
    /// The name it was given.
    pub name: String,
    /// Its kind.
    pub strategy: StrategyKind,
    /// The digest of its plan.
    pub plan: Digest,
    /// Time between two looks by the plan, in milliseconds; absent without an analysis.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub every_ms: Option<u64>,
    /// Looks of a sound release's watch at first; 0 for as many as the plan says.
    pub looks_per_watch: u32,
    /// Rollouts that ended with everything on the new version.
    pub promoted: u64,
    /// Rollouts that ended with everything on the old one.
    pub rolled_back: u64,
    /// Rollouts that ended with a person needed.
    pub stuck: u64,
    /// The releases that should not have reached users.
    pub bad: Bad,
    /// The others, those in which a dependency failed included.
    pub good: Good,
    /// By what was wrong, only what occurred.
    pub faults: Vec<FaultRow>,
    /// Why rollouts went back, only what occurred.
    pub reasons: Vec<ReasonRow>,
    /// What users got.
    pub users: Users,
    /// From a bad version's first request to the decision to take it back, whether the rollout's or, of a
    /// release that was missed, people's.
    pub time_to_detect: Times,
    /// From that decision until the old version serves everything.
    pub time_to_recover: Times,
    /// From a rollout's beginning to its end, of those that were promoted.
    pub lead_time: Times,
}

/// The releases that should not have reached users: caught, missed and stuck sum to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bad {
    /// All of them.
    pub releases: u64,
    /// Rolled back, for whatever reason.
    pub caught: u64,
    /// Of these, before the new version had any request.
    pub caught_before_users: u64,
    /// Of these, by people who noticed harm while the rollout was under way.
    pub caught_by_people: u64,
    /// Promoted.
    pub missed: u64,
}

/// The releases without a fault of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Good {
    /// All of them.
    pub releases: u64,
    /// Rolled back, for whatever reason.
    pub rolled_back: u64,
    /// Of these, called worse by the analysis while no dependency failed: false alarms.
    pub called_worse: u64,
}

/// The releases with one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRow {
    /// Which.
    pub fault: Fault,
    /// How many had it.
    pub releases: u64,
    /// Of these, promoted.
    pub promoted: u64,
    /// Of these, rolled back.
    pub rolled_back: u64,
    /// Requests that failed or were slowed because of it.
    pub requests_harmed: u64,
}

/// The rollouts that went back for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRow {
    /// Why.
    pub reason: Reason,
    /// Of bad releases.
    pub bad: u64,
    /// Of the others.
    pub good: u64,
}

/// What users got while rollouts were under way, and while bad versions were in service afterwards.
/// Expected numbers, rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// Requests in that time.
    pub requests: u64,
    /// Of these, those that failed because of the release's fault, were slower than stable's p99
    /// because of it, or met a closed router.
    pub requests_harmed: u64,
    /// The part of these that failed.
    pub requests_failed: u64,
    /// The part that was slowed.
    pub requests_slowed: u64,
    /// The part that met a closed router, in a downtime that the plan declares.
    pub requests_refused: u64,
    /// Visits of users, each of as many requests as the plan's exposure reckons with.
    pub users: u64,
    /// Of these, those of whom at least one request was harmed.
    pub users_harmed: u64,
}

/// Times, by nearest rank; absent if there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Half of them took no longer, in milliseconds.
    pub median_ms: Option<u64>,
    /// 95 of 100 took no longer, in milliseconds.
    pub p95_ms: Option<u64>,
}

impl Times {
    pub(super) fn of(mut times: Vec<u64>) -> Times {
        times.sort_unstable();
        let rank = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times.get(rank - 1).copied()
        };
        Times {
            count: times.len() as u64,
            median_ms: rank(50),
            p95_ms: rank(95),
        }
    }
}
