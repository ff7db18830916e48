//! The deployment document as a value: every default filled in, every quantity typed.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_document::Percent;
use serde::{Deserialize, Serialize};

use crate::capacity::{share_ceil, share_floor};

/// What shall be deployed, where, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The service's name.
    pub service: String,
    /// The environment's name; `production` and `prod` are treated as production.
    pub environment: String,
    /// From which version to which.
    pub release: Release,
    /// Who answers for this deployment; absent means a blank in the runbook.
    pub owner: Option<String>,
    /// The instances.
    pub fleet: Fleet,
    /// How the new version takes over.
    pub strategy: Strategy,
    /// What is compared while both versions serve.
    pub analysis: Option<AnalysisSettings>,
    /// The smoke suites.
    pub smoke: SmokeSettings,
    /// What a rollback promises.
    pub rollback: RollbackSettings,
}

impl Deployment {
    /// Whether the environment is production.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.environment.eq_ignore_ascii_case("production")
            || self.environment.eq_ignore_ascii_case("prod")
    }
}

/// The two versions, as opaque identities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The version that serves now and to which a rollback returns.
    pub from: String,
    /// The version to be released.
    pub to: String,
}

/// A number of instances, or a share of the replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountOrPercent {
    /// That many instances.
    Count(u32),
    /// That share of the replicas.
    Percent(Percent),
}

impl CountOrPercent {
    /// Instances out of `replicas`, a share rounded up.
    #[must_use]
    pub const fn of_ceil(self, replicas: u32) -> u32 {
        match self {
            CountOrPercent::Count(count) => count,
            CountOrPercent::Percent(percent) => share_ceil(replicas, percent.basis_points()),
        }
    }

    /// Instances out of `replicas`, a share rounded down.
    #[must_use]
    pub const fn of_floor(self, replicas: u32) -> u32 {
        match self {
            CountOrPercent::Count(count) => count,
            CountOrPercent::Percent(percent) => share_floor(replicas, percent.basis_points()),
        }
    }
}

/// What long-lived connections (WebSocket, streams) meet when their instance is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionPolicy {
    /// They are left alone until the drain time is over, then closed.
    CloseAfter,
    /// The instance is told to go at once and closes them itself, politely.
    CloseAtOnce,
}

/// The instances of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// How many instances carry the service in steady state.
    pub replicas: u32,
    /// How many ready instances carry the whole traffic.
    pub min_healthy: CountOrPercent,
    /// Instances that may run beside `replicas` during the rollout.
    pub spare: u32,
    /// Time between an instance's first good health check and its first traffic.
    pub warm_up_ms: u64,
    /// An instance that is not ready within this time has failed.
    pub ready_within_ms: u64,
    /// Time given to requests and connections before an instance is stopped.
    pub drain_ms: u64,
    /// What long-lived connections meet.
    pub connections: ConnectionPolicy,
    /// Expected traffic, requests per second; some checks need it.
    pub requests_per_second: Option<u32>,
}

impl Fleet {
    /// `min_healthy` as instances, a share rounded up.
    #[must_use]
    pub const fn min_ready(&self) -> u32 {
        self.min_healthy.of_ceil(self.replicas)
    }
}

/// The four strategies' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyKind {
    /// Traffic in steps, watched between them.
    Canary,
    /// Two whole environments, all traffic switched at once.
    BlueGreen,
    /// Instances replaced a few at a time.
    Rolling,
    /// Stop the old, start the new.
    Recreate,
}

impl StrategyKind {
    /// All four, in the order in which people list them.
    pub const ALL: [StrategyKind; 4] = [
        StrategyKind::Canary,
        StrategyKind::BlueGreen,
        StrategyKind::Rolling,
        StrategyKind::Recreate,
    ];

    /// The name as written on a command line: `canary`, `blue-green`, `rolling`, `recreate`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            StrategyKind::Canary => "canary",
            StrategyKind::BlueGreen => "blue-green",
            StrategyKind::Rolling => "rolling",
            StrategyKind::Recreate => "recreate",
        }
    }
}

impl core::fmt::Display for StrategyKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// How the new version takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// See [`StrategyKind::Canary`].
    Canary(Canary),
    /// See [`StrategyKind::BlueGreen`].
    BlueGreen(BlueGreen),
    /// See [`StrategyKind::Rolling`].
    Rolling(Rolling),
    /// See [`StrategyKind::Recreate`].
    Recreate(Recreate),
}

impl Strategy {
    /// Which of the four it is.
    #[must_use]
    pub const fn kind(&self) -> StrategyKind {
        match self {
            Strategy::Canary(_) => StrategyKind::Canary,
            Strategy::BlueGreen(_) => StrategyKind::BlueGreen,
            Strategy::Rolling(_) => StrategyKind::Rolling,
            Strategy::Recreate(_) => StrategyKind::Recreate,
        }
    }
}

/// Traffic in steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The steps; the last one is 100 % and its pause is the bake.
    pub steps: Vec<CanaryStep>,
}

/// One step of a canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryStep {
    /// The canary's share of requests.
    pub traffic: Percent,
    /// How long to watch at that share.
    pub pause_ms: u64,
    /// Canary instances at that share; absent: as many as the share of the replicas, rounded up.
    pub replicas: Option<u32>,
}

/// All traffic at once between two whole environments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlueGreen {
    /// How long to watch after the switch.
    pub bake_ms: u64,
    /// How long the old environment is kept after the switch, the bake included.
    pub scale_down_delay_ms: u64,
}

/// A few instances at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// Instances above the replicas; a share is rounded up.
    pub max_surge: CountOrPercent,
    /// Instances under the replicas; a share is rounded down.
    pub max_unavailable: CountOrPercent,
    /// How long to watch after each batch.
    pub pause_ms: u64,
    /// How long to watch at the end.
    pub watch_ms: u64,
}

/// Stop the old, start the new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recreate {
    /// The downtime that somebody accepted.
    pub downtime: Downtime,
    /// How long to watch at the end.
    pub watch_ms: u64,
}

/// A declared time without service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// At most this long, one way.
    pub at_most_ms: u64,
    /// Who accepted it.
    pub accepted_by: String,
}

/// What is compared, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisSettings {
    /// Time between two looks.
    pub every_ms: u64,
    /// Samples within this time after a traffic change are not judged.
    pub warm_up_ms: u64,
    /// What counts as worse.
    pub policy: Policy,
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
}
