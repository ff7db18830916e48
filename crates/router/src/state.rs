//! What a router is asked to do, and what it reports back.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use serde::{Deserialize, Serialize};

use crate::{Arm, Split};

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

/// Number of latency buckets in [`LatencyBuckets`].
pub const LATENCY_BUCKETS: usize = 96;

/// The inclusive upper bound of latency bucket `index`, in microseconds.
///
/// Buckets grow by a fourth of a power of two (about 19 %) from 64 µs; the last one is open and
/// reports `u64::MAX`.
#[must_use]
pub const fn latency_bucket_bound_us(index: usize) -> u64 {
    if index + 1 >= LATENCY_BUCKETS {
        return u64::MAX;
    }
    // 64 µs · 2^(index/4); the quarter steps 2^(1/4), 2^(2/4), 2^(3/4) in units of 1/65536.
    let quarter: u64 = match index % 4 {
        0 => 65_536,
        1 => 77_936,
        2 => 92_682,
        _ => 110_218,
    };
    ((64u64 << (index / 4)) * quarter) >> 16
}

/// The bucket that a latency of `us` microseconds falls into.
#[must_use]
pub const fn latency_bucket_of_us(us: u64) -> usize {
    let (mut low, mut high) = (0, LATENCY_BUCKETS - 1);
    while low < high {
        let middle = low.midpoint(high);
        if us <= latency_bucket_bound_us(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Counts of requests by latency: bucket `i` holds those up to [`latency_bucket_bound_us`]`(i)`.
///
/// At most [`LATENCY_BUCKETS`] entries; trailing empty buckets may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LatencyBuckets(pub Vec<u64>);

/// What one arm has done since the router started. All but the two gauges only ever grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmCounters {
    /// Requests sent to this arm, those that failed to connect included.
    pub requests: u64,
    /// Answers with a status of 500 to 599, and requests that got no whole answer.
    pub errors: u64,
    /// Of the errors, those where no connection could be made.
    pub connect_failures: u64,
    /// Requests being answered now (a gauge).
    pub in_flight: u64,
    /// Upgraded connections (such as WebSocket) open now (a gauge).
    pub upgraded: u64,
    /// Time to the first byte of the answer.
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
}

/// What a router says it is doing, read back from the router itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Changes each time the router process starts, so that a reset of its counters is seen.
    pub started: String,
    /// The split in force.
    pub split: Split,
    /// The pools in force.
    pub pools: Pools,
    /// The last change it accepted; absent before the first.
    pub fence: Option<Fence>,
    /// Its counters.
    pub counters: Counters,
}
