#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod betting;
mod comparison;
mod counts;
mod judge;
mod latency;
mod policy;
mod power;
mod ratio;
mod special;
mod verdict;
mod window;

pub use betting::ShareAbove;
pub use comparison::Comparison;
pub use counts::CountsShare;
pub use policy::{Policy, PolicyProblem};
pub use ratio::{Block, RateRatio};
pub use verdict::{Figure, Metric, Need, Outcome, Verdict};
pub use window::{ArmWindow, GapReason, LatencyCounts, Observation, Window};
