//! What is known of a service when a strategy is chosen.

use alloc::string::String;
use alloc::vec;

use nonevent_router::{Abilities, Granularity};
use serde::{Deserialize, Serialize};

use crate::capacity::share_ceil;
use crate::deployment::{
    Accepted, CountOrPercent, Deployment, Fleet, Migration, MigrationKind, Moment, Strategy,
    StrategyKind,
};

/// The most instances that a document may have.
const INSTANCES_MAX: u32 = 10_000;
/// A batch of a rolling update, of 10 000 of the replicas: the default of Kubernetes.
const BATCH: u16 = 2_500;
const DAY_MS: u64 = 86_400_000;
const MIGRATION_MS: u64 = 900_000;

/// What is known of a service and of the change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct SituationFacts {
    /// Whether it is production.
    pub production: bool,
    /// Instances in steady state; 1 to 10 000, and taken for the nearest of these.
    pub replicas: u32,
    /// How many of them carry the whole traffic; 1 to `replicas`.
    pub min_ready: u32,
    /// Instances that may run besides; at most 10 000.
    pub spare: u32,
    /// Requests per second at the hour of the deployment, if known.
    pub requests_per_second: Option<u32>,
    /// What an instance keeps.
    pub state: Statefulness,
    /// Whether there are long-lived connections (WebSocket, streams).
    pub long_lived: bool,
    /// What stands before the instances.
    pub router: RouterAbility,
    /// What happens to the database, if anything.
    pub migration: Option<MigrationKind>,
    /// Whether old and new may serve at the same time.
    pub side_by_side: bool,
    /// The time without service that is tolerated, in milliseconds; 0 for none, unless there is
    /// room for one instance only: then nobody has said how long yet, and [`Price`](super::Price)
    /// does.
    pub downtime_ms: u64,
    /// How much risk is taken for speed.
    pub appetite: Appetite,
    /// Whether the way back must be instant.
    pub instant_rollback: bool,
}

/// What an instance keeps between requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statefulness {
    /// Nothing.
    #[default]
    Stateless,
    /// Users' sessions, which are lost with it.
    Sessions,
    /// It holds a lock or a file that only one may hold.
    SingleWriter,
}

/// What stands before the instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouterAbility {
    /// It divides traffic by weights.
    #[default]
    Weights,
    /// The share follows the number of instances.
    Instances,
    /// All traffic goes to one version, as with a service selector. For a name in the DNS, add to
    /// every way back the time that resolvers keep it: that is not reckoned.
    AllOrNothing,
    /// Nothing: clients reach the instances themselves.
    None,
}

impl From<&Abilities> for RouterAbility {
    /// By [`Granularity`]; one part of the traffic is all or nothing.
    fn from(abilities: &Abilities) -> Self {
        match abilities.granularity {
            Granularity::Parts(2..) | Granularity::Ratio(_) => RouterAbility::Weights,
            Granularity::Instances => RouterAbility::Instances,
            _ => RouterAbility::AllOrNothing,
        }
    }
}

/// How much risk is taken for speed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Appetite {
    /// Rather slowly.
    Cautious,
    /// As most do.
    #[default]
    Usual,
    /// Rather quickly.
    Bold,
}

impl SituationFacts {
    /// A stateless service in production with so many instances, all of them needed and none
    /// spare, behind a router with weights; its traffic is not known.
    #[must_use]
    pub const fn usual(replicas: u32) -> Self {
        SituationFacts {
            production: true,
            replicas,
            min_ready: replicas,
            spare: 0,
            requests_per_second: None,
            state: Statefulness::Stateless,
            long_lived: false,
            router: RouterAbility::Weights,
            migration: None,
            side_by_side: true,
            downtime_ms: 0,
            appetite: Appetite::Usual,
            instant_rollback: false,
        }
    }

    /// Whether a second instance has no room, so that the old one goes before the new one comes.
    pub(super) const fn has_one_place(&self) -> bool {
        self.replicas <= 1 && self.spare == 0
    }

    /// The default document of a strategy, scaled to these facts: a document to start from.
    #[must_use]
    pub fn deployment(&self, kind: StrategyKind) -> Deployment {
        let mut deployment = Deployment::default_for(kind);
        let environment = if self.production {
            "production"
        } else {
            "staging"
        };
        deployment.environment = String::from(environment);
        let replicas = self.replicas.clamp(1, INSTANCES_MAX);
        let min_ready = self.min_ready.clamp(1, replicas);
        let spare = self.spare.min(INSTANCES_MAX);
        deployment.fleet = Fleet {
            min_healthy: CountOrPercent::Count(min_ready),
            spare,
            requests_per_second: self.requests_per_second,
            ..Fleet::of(replicas)
        };
        match &mut deployment.strategy {
            Strategy::Rolling(rolling) => {
                let batch = share_ceil(replicas, BATCH).max(1);
                let surge = batch.min(spare);
                rolling.max_surge = CountOrPercent::Count(surge);
                let missing = batch.min(replicas - min_ready).max(1);
                rolling.max_unavailable =
                    CountOrPercent::Count(if surge == 0 { missing } else { 0 });
            }
            Strategy::Recreate(recreate) if self.downtime_ms > 0 => {
                recreate.downtime.at_most_ms = self.downtime_ms.min(DAY_MS);
            }
            _ => {}
        }
        let rollback = &mut deployment.rollback;
        rollback.keep = rollback.keep.min(spare);
        if let Some(kind) = self.migration {
            let breaks = kind.breaks_old_code();
            deployment.migrations = vec![migration(kind)];
            rollback.no_way_back = breaks.then(|| Accepted {
                accepted_by: String::from("<who accepts that there is no way back>"),
                reason: String::from("<why>"),
            });
        }
        deployment
    }
}

fn migration(kind: MigrationKind) -> Migration {
    let breaks = kind.breaks_old_code();
    Migration {
        name: String::from("<migration>"),
        kind,
        reversible: !breaks,
        owner: None,
        moment: if breaks {
            Moment::AfterBake
        } else {
            Moment::BeforeTraffic
        },
        how: String::from("<what is done>"),
        within_ms: MIGRATION_MS,
        unused_since: breaks.then(|| String::from("<the version that stopped using it>")),
    }
}
