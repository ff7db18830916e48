#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod band;
mod betting;
mod boundary;
pub mod bounds;
mod comparison;
mod counts;
mod decline;
mod incomplete;
mod judge;
pub mod kayenta;
mod latency;
mod least_sum;
#[cfg(feature = "metrics")]
pub mod metrics;
mod mixture;
mod order;
mod pair;
pub mod panel;
mod policy;
mod policy_bounds;
mod power;
mod proportion;
mod quantile;
mod quantile_test;
mod ratio;
mod shift;
mod special;
mod stitching;
mod verdict;
mod window;

pub use band::{DistributionBand, distribution_band};
pub use betting::ShareAbove;
pub use boundary::{Mixture, Tuning};
pub use comparison::Comparison;
pub use counts::CountsShare;
pub use mixture::{
    ln_share_evidence, normal_mixture_bound, normal_mixture_bound_one_sided, share_interval,
};
pub use order::{Excess, StochasticOrder};
pub use pair::{Arm, LatencyPair, LatencyPairError, LatencyPairErrorKind};
pub use policy::{Policy, PolicyProblem};
pub use power::{Design, Detectable, DetectionTime, finds, power};
pub use proportion::TwoProportions;
pub use quantile::ln_quantile_difference;
pub use quantile_test::QuantileTest;
pub use ratio::{Block, RateRatio};
pub use shift::Shift;
pub use stitching::{Stitching, polynomial_stitching_bound, quantile_stitching_bound};
pub use verdict::{Figure, Metric, Need, Outcome, Verdict};
pub use window::{ArmWindow, GapReason, LatencyCounts, Observation, Window};
