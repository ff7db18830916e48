#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod split;
mod state;

pub use split::{Arm, CanaryWeight, FULL_WEIGHT, InvalidSplit, Split};
pub use state::{
    ArmCounters, Backend, Counters, Desired, Fence, LATENCY_BUCKETS, LatencyBuckets, Pools,
    Snapshot, latency_bucket_bound_us, latency_bucket_of_us,
};
