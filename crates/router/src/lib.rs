#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod ability;
mod adapter;
mod answers;
pub mod caddy;
mod change;
mod dialect;
pub mod embedded;
pub mod envoy;
mod error;
mod exchange;
mod exposition;
mod fence;
pub mod gateway_api;
pub mod haproxy;
mod latency;
mod names;
pub mod nginx;
mod observed;
mod operation;
mod servers;
mod split;
mod state;
pub mod traefik;
mod weights;

pub use ability::{Abilities, Ability, Fencing, Granularity, ReadBack, Stickiness};
pub use adapter::{Adapter, HeaderRoute};
pub use answers::REPLY_BYTES_MAX;
pub use change::{ArmChange, CounterReset, CounterResetKind, CountersChange};
pub use dialect::Dialect;
pub use error::{RouterError, RouterErrorKind};
pub use exchange::{Answer, Method, Request};
pub use fence::{Admission, admit};
pub use latency::{LATENCY_BUCKETS, LatencyBuckets, latency_bucket_bound_us, latency_bucket_of_us};
pub use names::{ARGUMENT_BYTES_MAX, ARGUMENTS_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX};
pub use observed::{Instance, Observed, Share, Tallies, Tally, Traffic};
pub use operation::{Command, Operation, Reply};
pub use servers::Server;
pub use split::{Arm, CanaryWeight, FULL_WEIGHT, InvalidSplit, Split};
pub use state::{ArmCounters, Backend, BackendState, Counters, Desired, Fence, Pools, Snapshot};
