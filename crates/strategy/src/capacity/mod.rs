//! Capacity arithmetic: how many instances a share of traffic needs, and how many a rollout may
//! add or take away next.
//!
//! Each function is small and takes plain counts, for those who want just that:
//!
//! | wanted | function |
//! |---|---|
//! | a share of instances, and back | [`share_ceil`], [`share_floor`], [`instances_needed`], [`weight_carried`], [`weight_of_instances`] |
//! | surge and unavailable as counts | [`IntOrPercent`], [`fenceposts`], [`rolling_limits`] |
//! | the batches of a rolling update | [`rolling_batches`] |
//! | one decision of Kubernetes' Deployment controller | [`new_set_target`], [`old_sets_excess`], [`cleanup_unhealthy`], [`scale_down_old`], [`set_fraction`], [`proportion`], [`proportional_sizes`], [`is_available`] |
//! | one whole sync of that controller | [`RollingState::step`] |
//! | a canary weighted by instances, as Argo Rollouts does it | [`canary_counts`], [`canary_counts_next`] |
//! | a canary behind a router that weighs traffic | [`routed_canary`], [`routed_counts`] |
//!
//! Counts are `u32` and sums are taken in 64 bits. Both controllers count in 32-bit signed integers;
//! results differ only where theirs would overflow.
//!
//! ```
//! use nonevent_strategy::capacity::{IntOrPercent, canary_counts, fenceposts};
//!
//! // Kubernetes' defaults for 10 replicas: 25 % up is 3, 25 % down is 2.
//! let limits = fenceposts(IntOrPercent::Percent(25), IntOrPercent::Percent(25), 10);
//! assert_eq!((limits.surge, limits.unavailable), (3, 2));
//!
//! // 5 % of 10 instances: one canary beside ten stable (9.1 %) is nearer than beside nine (10 %).
//! let counts = canary_counts(10, 500, limits.surge);
//! assert_eq!((counts.canary, counts.stable), (1, 10));
//! ```

mod batches;
mod canary;
mod limits;
mod proportional;
mod replica_set;
mod rolling;
mod routed;
mod shares;
mod sync;

pub use batches::{Batch, rolling_batches};
pub use canary::{CanaryCounts, CanarySet, CanaryState, canary_counts, canary_counts_next};
pub use limits::{IntOrPercent, RollingLimits, Wanted, fenceposts, rolling_limits};
pub use proportional::{proportion, proportional_sizes, set_fraction};
pub use replica_set::{ReplicaSet, is_available};
pub use rolling::{
    StaleStatus, cleanup_unhealthy, new_set_target, old_sets_excess, scale_down_old,
};
pub use routed::{CanaryScale, Routed, TrafficWeights, routed_canary, routed_counts};
pub use shares::{instances_needed, share_ceil, share_floor, weight_carried, weight_of_instances};
pub use sync::{Replacement, RollingState, SyncOutcome};

/// A sum of counts as a count, held at the type's ends.
fn count(sum: i64) -> u32 {
    u32::try_from(sum.max(0)).unwrap_or(u32::MAX)
}

/// A count, held at the type's end.
const fn clamp(count: u64) -> u32 {
    if count > u32::MAX as u64 {
        u32::MAX
    } else {
        count as u32
    }
}
