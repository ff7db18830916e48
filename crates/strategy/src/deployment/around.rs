//! What surrounds the change itself: analysis, suites, people, migrations, flags, the way back.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_document::Percent;
use serde::{Deserialize, Serialize};

use super::OnFailure;

/// What is compared, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisSettings {
    /// Time between two looks.
    pub every_ms: u64,
    /// Samples within this time after a traffic change are not judged.
    pub warm_up_ms: u64,
    /// What counts as worse.
    pub policy: Policy,
    /// The metrics it rests on, by name, with how late they are; empty: the router's own counters,
    /// which are at hand at once.
    pub metrics: BTreeMap<String, MetricSettings>,
    /// How far back a query of a metric looks.
    pub window_ms: u64,
    /// What happens if no figures come.
    pub on_no_data: OnNoData,
    /// What happens if the figures say neither that the new version is worse nor that it is not.
    pub on_inconclusive: OnInconclusive,
}

impl AnalysisSettings {
    /// A look so often, and everything else as a document that says no more.
    #[must_use]
    pub fn every_ms(every_ms: u64) -> Self {
        AnalysisSettings {
            every_ms,
            warm_up_ms: 0,
            policy: Policy::default(),
            metrics: BTreeMap::new(),
            window_ms: 0,
            on_no_data: OnNoData::Rollback,
            on_inconclusive: OnInconclusive::Rollback,
        }
    }

    /// How late the figures of a moment may be: the latest metric's lag and scrape interval.
    #[must_use]
    pub fn late_ms(&self) -> u64 {
        let late = |it: &MetricSettings| it.lag_ms.saturating_add(it.scrape_ms);
        self.metrics.values().map(late).max().unwrap_or(0)
    }
}

/// How a metric comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSettings {
    /// Time from an event until the metric's source can tell of it.
    pub lag_ms: u64,
    /// Time between two samples.
    pub scrape_ms: u64,
    /// Where it comes from, by reference; absent: the router's counters.
    pub source: Option<String>,
}

/// What happens if no figures come.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnNoData {
    /// The step waits, and the rollout goes back when its time is over.
    #[default]
    Rollback,
    /// The step waits, and people are told when its time is over.
    Pause,
}

/// What happens if the figures decide nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnInconclusive {
    /// The step waits, and the rollout goes back when its time is over.
    #[default]
    Rollback,
    /// The step waits, and people are told when its time is over.
    Pause,
    /// The rollout goes on, as long as nothing is half shown to be worse.
    Promote,
}

/// Which smoke suites are run; a file's path, or absent for the default (one `GET /` answers 200).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmokeSettings {
    /// Before anything changes, through the router.
    pub before: Option<String>,
    /// On the new instances directly, before they get traffic.
    pub canary: Option<String>,
    /// After all traffic has moved, and after a rollback, through the router.
    pub after: Option<String>,
}

/// What a rollback promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackSettings {
    /// From the decision until stable serves everything again.
    pub within_ms: u64,
    /// New instances kept, without traffic, for investigation.
    pub keep: u32,
    /// What makes the rollout go back; empty: what the analysis and the fleet's health say.
    pub triggers: Vec<Trigger>,
    /// Who accepted that there is no clean way back, where there is none.
    pub no_way_back: Option<Accepted>,
    /// What is done if something fails after the point of no return.
    pub after_no_return: AfterNoReturn,
    /// What is done if the router does something that nobody asked it to.
    pub on_drift: OnDrift,
}

/// A risk that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Accepted {
    /// Who.
    pub accepted_by: String,
    /// Why.
    pub reason: String,
}

/// A reason to go back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The error rate is over its bound.
    ErrorRate,
    /// The p99 latency is over its bound.
    P99,
    /// The availability is under its bound.
    Availability,
    /// An instance restarts again and again.
    CrashLoop,
    /// A health check fails.
    HealthCheck,
    /// A smoke suite fails.
    Smoke,
    /// A metric of the analysis, by name, is over its bound.
    Metric(String),
    /// A person says so.
    Person,
}

/// What is done if something fails after the point of no return: never an automatic rollback.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AfterNoReturn {
    /// Nothing moves any more.
    #[default]
    Pause,
    /// The flags' kill switches are thrown.
    KillSwitch,
    /// People are told.
    Page,
}

/// What is done if the router does something that nobody asked it to, and the new version gets no
/// more by it than it had. If it gets more, the rollout goes back in any case.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnDrift {
    /// The rollout goes back.
    #[default]
    Rollback,
    /// It is set right, as after a reload that forgot it, and the step begins anew.
    Repair,
    /// It is set right, and people decide whether it goes on.
    Pause,
}

/// People who must agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The role whose holders are asked.
    pub role: String,
    /// How many of them must agree.
    pub count: u32,
    /// How long they are waited for.
    pub timeout_ms: u64,
    /// What happens then.
    pub on_timeout: OnFailure,
}

/// A change of the database that belongs to the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its name, such as `0042-add-email`.
    pub name: String,
    /// What it does to what is there.
    pub kind: MigrationKind,
    /// Whether it can be undone without loss.
    pub reversible: bool,
    /// Who carries it out.
    pub owner: Option<String>,
    /// When.
    pub moment: Moment,
    /// What is done, for the person who does it.
    pub how: String,
    /// How long it may take.
    pub within_ms: u64,
    /// For what takes something away: the first version that did not use it any more.
    pub unused_since: Option<String>,
}

/// The steps of a change that never breaks running code (expand, migrate, contract).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MigrationKind {
    /// Adds without taking away: old code runs on.
    Expand,
    /// Fills what was added.
    Backfill,
    /// Takes away what old code used.
    Contract,
    /// Writes what is there in another form.
    Reformat,
}

impl MigrationKind {
    /// Whether old code cannot run after it.
    #[must_use]
    pub const fn breaks_old_code(self) -> bool {
        matches!(self, MigrationKind::Contract | MigrationKind::Reformat)
    }
}

/// When something is done that is not part of the traffic's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// After the first smoke suite, before any instance of the new version.
    BeforeTraffic,
    /// After the bake, before the old version goes.
    AfterBake,
    /// At the end.
    AtEnd,
}

/// Something that a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualStep {
    /// Its name.
    pub name: String,
    /// When.
    pub moment: Moment,
    /// What is done.
    pub how: String,
    /// What is then to be seen.
    pub expect: String,
    /// Who does it.
    pub owner: Option<String>,
    /// How long it may take.
    pub within_ms: u64,
}

/// A feature flag that is opened in stages once the deployment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagRollout {
    /// The flag's name.
    pub flag: String,
    /// The file that is replaced as a whole.
    pub file: String,
    /// The file's content that switches the feature off: part of the way back.
    pub kill_switch: String,
    /// The stages, rising.
    pub stages: Vec<FlagStage>,
}

/// One stage of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagStage {
    /// Its name, such as `internal` or `25%`.
    pub name: String,
    /// The share of users who have the feature; absent for a chosen group.
    pub exposure: Option<Percent>,
    /// The file that takes the flag file's place.
    pub content: String,
    /// How long to watch.
    pub pause_ms: u64,
    /// The approval, by name, without which the stage does not begin.
    pub approval: Option<String>,
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Of what.
    pub on: Vec<Occasion>,
    /// Where to, by reference: no secret.
    pub to: String,
}

/// What somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The deployment began.
    Started,
    /// Everything is on the new version, for good.
    Promoted,
    /// Somebody or something is waited for.
    Waiting,
    /// The rollout goes back.
    RollingBack,
    /// Everything is on the old version again.
    RolledBack,
    /// A person is needed.
    Stuck,
}

/// Which router and which fleet it is about, by reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSettings {
    /// The router's dialect, such as `haproxy`; `dns` switches a name; absent: the embedded one.
    pub router: Option<String>,
    /// The fleet, by name; absent: processes on this machine.
    pub fleet: Option<String>,
    /// How long the name's records may be kept by resolvers, for `dns`.
    pub dns_ttl_ms: Option<u64>,
}
