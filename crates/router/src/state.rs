//! What a router is asked to do, and what it reports back.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use serde::{Deserialize, Serialize};

use crate::{Arm, LatencyBuckets, Split};

/// One instance behind the router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The instance's name in its fleet, such as `canary-2`.
    pub id: String,
    /// `host:port`, bound at run time.
    pub address: String,
}

/// The instances of both arms that may take new requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pools {
    /// Ready instances of the stable version.
    pub stable: Vec<Backend>,
    /// Ready instances of the canary.
    pub canary: Vec<Backend>,
}

impl Pools {
    /// The pool of one arm.
    #[must_use]
    pub fn of(&self, arm: Arm) -> &[Backend] {
        match arm {
            Arm::Stable => &self.stable,
            Arm::Canary => &self.canary,
        }
    }
}

/// Who asks: a router that can fence refuses anything older than what it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fence {
    /// Which controller: grows by one each time the lock is taken.
    pub epoch: u64,
    /// Which effect of that controller: grows with every effect.
    pub generation: u64,
}

/// The whole state that a router shall have: absolute, so that asking twice changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// How traffic is divided.
    pub split: Split,
    /// Where each arm's traffic may go. An instance that is left out drains: it gets no new
    /// request, and those it has are finished.
    pub pools: Pools,
    /// The plan on whose behalf this is asked.
    pub plan: Digest,
    /// Orders this among all other askings.
    pub fence: Fence,
}

/// What one arm has done since the router started. All but the two gauges only ever grow.
///
/// A request is counted once for every instance it was tried on, so that a failure counts
/// against the version that failed even where the client saw none. What clients sent is
/// therefore `stable.requests + canary.requests - stable.retried - canary.retried + refused`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmCounters {
    /// Requests sent to this arm, those that failed to connect included.
    pub requests: u64,
    /// Of the requests, those whose outcome is known: a whole answer, an upgrade, or an error.
    ///
    /// Errors are a part of these, so this, not `requests`, is what an error rate divides by.
    pub finished: u64,
    /// Answers with a status of 500 to 599, and requests that got no whole answer.
    pub errors: u64,
    /// Of the errors, those where no connection could be made.
    pub connect_failures: u64,
    /// Of the connect failures, those whose request was then tried on another instance.
    pub retried: u64,
    /// Requests that the client gave up before the answer was whole: no verdict on the version,
    /// but many more than on the other arm say that it hangs.
    pub abandoned: u64,
    /// Requests being answered now (a gauge).
    pub in_flight: u64,
    /// Upgraded connections (such as WebSocket) open now (a gauge).
    pub upgraded: u64,
    /// Time to the first byte of the answer. A request that reached an instance and got no first
    /// byte, since it was given up or timed out, is counted with the time until then: a lower
    /// bound, so that a version that hangs does not look fast.
    pub latency: LatencyBuckets,
}

/// The counters of both arms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Requests to stable.
    pub stable: ArmCounters,
    /// Requests to the canary.
    pub canary: ArmCounters,
    /// Requests that the router answered itself (closed, or no ready instance).
    pub refused: u64,
}

impl Counters {
    /// The counters of one arm.
    #[must_use]
    pub fn of(&self, arm: Arm) -> &ArmCounters {
        match arm {
            Arm::Stable => &self.stable,
            Arm::Canary => &self.canary,
        }
    }

    /// How many requests clients sent, each counted once however often it was retried.
    #[must_use]
    pub fn client_requests(&self) -> u64 {
        let tried = self.stable.requests.saturating_add(self.canary.requests);
        let retried = self.stable.retried.saturating_add(self.canary.retried);
        tried.saturating_sub(retried).saturating_add(self.refused)
    }
}

/// One instance as the router sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendState {
    /// The instance's name in its fleet, such as `canary-2`.
    pub id: String,
    /// `host:port`.
    pub address: String,
    /// The version it runs.
    pub arm: Arm,
    /// Whether it was left out of the pools and only finishes what it has.
    pub draining: bool,
    /// Requests tried on it since it was first named.
    pub requests: u64,
    /// Of those, the ones that ended as errors.
    pub failures: u64,
    /// Requests it is answering now.
    pub in_flight: u64,
    /// Upgraded connections it holds now.
    pub upgraded: u64,
}

impl BackendState {
    /// Whether it holds no request and no upgraded connection.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.upgraded == 0
    }
}

/// What a router says it is doing, read back from the router itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Changes each time the router process starts, so that a reset of its counters is seen.
    pub started: String,
    /// `host:port` where it takes requests, if it says.
    pub listen: Option<String>,
    /// The split in force.
    pub split: Split,
    /// The pools in force.
    pub pools: Pools,
    /// The last change it accepted; absent before the first.
    pub fence: Option<Fence>,
    /// Why the change in force would not survive a restart of the router; absent if it would.
    pub unsaved: Option<String>,
    /// Its counters.
    pub counters: Counters,
    /// Every instance in the pools, and those left out that still hold requests or connections.
    pub backends: Vec<BackendState>,
}

impl Snapshot {
    /// Whether nothing of this arm's instance `id` is left in the router: it is in no pool, and
    /// it holds no request and no upgraded connection. Only then may it be stopped unnoticed.
    #[must_use]
    pub fn may_stop(&self, arm: Arm, id: &str) -> bool {
        self.pools.of(arm).iter().all(|backend| backend.id != id)
            && self
                .backends
                .iter()
                .all(|backend| backend.arm != arm || backend.id != id || backend.is_idle())
    }

    /// Whether the router does what was desired: split and pools are those in force, and the
    /// change it accepted last is this one.
    #[must_use]
    pub fn shows(&self, desired: &Desired) -> bool {
        self.fence == Some(desired.fence)
            && self.split == desired.split
            && self.pools == desired.pools
    }
}
