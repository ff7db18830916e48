#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod ability;
mod change;
pub mod embedded;
mod error;
mod exchange;
mod fence;
mod latency;
mod split;
mod state;

pub use ability::{Abilities, Fencing, Granularity, ReadBack, Stickiness};
pub use change::{ArmChange, CounterReset, CounterResetKind, CountersChange};
pub use error::{RouterError, RouterErrorKind};
pub use exchange::{Answer, Method, Request};
pub use fence::{Admission, admit};
pub use latency::{LATENCY_BUCKETS, LatencyBuckets, latency_bucket_bound_us, latency_bucket_of_us};
pub use split::{Arm, CanaryWeight, FULL_WEIGHT, InvalidSplit, Split};
pub use state::{ArmCounters, Backend, BackendState, Counters, Desired, Fence, Pools, Snapshot};
