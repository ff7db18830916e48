#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod betting;
mod comparison;
mod counts;
mod judge;
mod latency;
#[cfg(feature = "metrics")]
pub mod metrics;
mod mixture;
mod policy;
mod power;
mod proportion;
mod quantile;
mod ratio;
mod special;
mod verdict;
mod window;

pub use betting::ShareAbove;
pub use comparison::Comparison;
pub use counts::CountsShare;
pub use mixture::{
    distribution_band, ln_share_evidence, normal_mixture_bound, normal_mixture_bound_one_sided,
    share_interval,
};
pub use policy::{Policy, PolicyProblem};
pub use power::{Design, Detectable, DetectionTime, power};
pub use proportion::TwoProportions;
pub use quantile::ln_quantile_difference;
pub use ratio::{Block, RateRatio};
pub use verdict::{Figure, Metric, Need, Outcome, Verdict};
pub use window::{ArmWindow, GapReason, LatencyCounts, Observation, Window};
