//! The fleet on disk.

use alloc::collections::BTreeMap;
use alloc::string::String;

use nonevent_document::DurationMs;
use serde::Deserialize;

use super::quantity::{CountOrPercentWire, or_ms};
use crate::deployment::{ConnectionPolicy, Fleet};

/// The instances of the service.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct FleetWire {
    /// Instances in steady state, 1 to 10000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10_000)))]
    replicas: u32,
    /// How many of them run in which zone.
    #[serde(default)]
    zones: BTreeMap<String, u32>,
    /// Ready instances that carry the whole traffic; default all.
    #[serde(default)]
    min_healthy: Option<CountOrPercentWire>,
    /// Instances that may run beside the replicas during the rollout, at most 10000;
    /// default 0.
    #[cfg_attr(feature = "schema", schemars(range(max = 10_000)))]
    #[serde(default)]
    spare: u32,
    /// Time between an instance's first good health check and its first traffic; default 0.
    #[serde(default)]
    warm_up: Option<DurationMs>,
    /// An instance that is not ready within this time has failed; default 1m.
    #[serde(default)]
    ready_within: Option<DurationMs>,
    /// Time given to requests and connections before an instance is stopped; default 30s.
    #[serde(default)]
    drain: Option<DurationMs>,
    /// What long-lived connections meet; default `close_after`.
    #[serde(default)]
    connections: Option<ConnectionPolicy>,
    /// Expected traffic at the hour of the deployment.
    #[serde(default)]
    requests_per_second: Option<u32>,
}

impl FleetWire {
    pub(super) fn into_fleet(self) -> Fleet {
        let default = Fleet::of(self.replicas);
        Fleet {
            replicas: self.replicas,
            zones: self.zones,
            min_healthy: self.min_healthy.map_or(default.min_healthy, |wire| wire.0),
            spare: self.spare,
            warm_up_ms: or_ms(self.warm_up, default.warm_up_ms),
            ready_within_ms: or_ms(self.ready_within, default.ready_within_ms),
            drain_ms: or_ms(self.drain, default.drain_ms),
            connections: self.connections.unwrap_or(default.connections),
            connections_declared: self.connections.is_some(),
            requests_per_second: self.requests_per_second,
        }
    }
}
