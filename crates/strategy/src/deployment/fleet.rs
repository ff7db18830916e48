//! The instances of a service.

use alloc::collections::BTreeMap;
use alloc::string::String;

use nonevent_document::Percent;
use serde::{Deserialize, Serialize};

use crate::capacity::{share_ceil, share_floor};

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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionPolicy {
    /// They are left alone until the drain time is over, then closed.
    CloseAfter,
    /// The instance is told to go at once and closes them itself, politely.
    CloseAtOnce,
    /// They are left alone until they end by themselves; an instance that still has one when the
    /// drain time is over stays, and the step fails rather than cut it off.
    RideOut,
}

/// The instances of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// How many instances carry the service in steady state.
    pub replicas: u32,
    /// How many of them run in which zone, or in which other group that is replaced as one; empty
    /// if it does not matter.
    pub zones: BTreeMap<String, u32>,
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
    /// Whether the document says so, or the default stands.
    pub connections_declared: bool,
    /// Expected traffic, requests per second; some checks need it.
    pub requests_per_second: Option<u32>,
}

impl Fleet {
    /// So many instances, and everything else as a document that says no more.
    #[must_use]
    pub const fn of(replicas: u32) -> Self {
        Fleet {
            replicas,
            zones: BTreeMap::new(),
            min_healthy: CountOrPercent::Count(replicas),
            spare: 0,
            warm_up_ms: 0,
            ready_within_ms: 60_000,
            drain_ms: 30_000,
            connections: ConnectionPolicy::CloseAfter,
            connections_declared: false,
            requests_per_second: None,
        }
    }

    /// `min_healthy` as instances, a share rounded up.
    #[must_use]
    pub const fn min_ready(&self) -> u32 {
        self.min_healthy.of_ceil(self.replicas)
    }
}
