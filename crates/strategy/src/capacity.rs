//! Capacity arithmetic: how many instances a share of traffic needs, and the batches of a rolling
//! update.
//!
//! The rolling functions follow the rounding of Kubernetes' Deployment controller
//! (`ResolveFenceposts`, `NewRSNewReplicas`, `reconcileOldReplicaSets`): surge rounds up,
//! unavailable rounds down, and if both come to 0, unavailable is 1.

use alloc::vec::Vec;

use nonevent_router::FULL_WEIGHT;

/// `part` per 10 000 of `whole`, rounded up.
#[must_use]
pub const fn share_ceil(whole: u32, basis_points: u16) -> u32 {
    ((whole as u64 * basis_points as u64).div_ceil(FULL_WEIGHT as u64)) as u32
}

/// `part` per 10 000 of `whole`, rounded down.
#[must_use]
pub const fn share_floor(whole: u32, basis_points: u16) -> u32 {
    ((whole as u64 * basis_points as u64) / FULL_WEIGHT as u64) as u32
}

/// How many ready instances an arm needs to be given `weight` units of 10 000, where `min_ready`
/// instances are what carries the whole traffic. At least one as soon as it gets any.
///
/// One unit is forgiven, since a share such as 2/3 can only be written as 6 667 of 10 000.
#[must_use]
pub const fn instances_needed(weight: u16, min_ready: u32) -> u32 {
    if weight == 0 {
        return 0;
    }
    let needed = share_ceil(min_ready, weight - 1);
    if needed == 0 { 1 } else { needed }
}

/// The largest weight that `ready` instances may be given: the inverse of [`instances_needed`].
#[must_use]
pub const fn weight_carried(ready: u32, min_ready: u32) -> u16 {
    if ready == 0 {
        return 0;
    }
    if ready >= min_ready {
        return FULL_WEIGHT;
    }
    let weight = ready as u64 * FULL_WEIGHT as u64 / min_ready as u64 + 1;
    if weight > FULL_WEIGHT as u64 {
        FULL_WEIGHT
    } else {
        weight as u16
    }
}

/// The weight for `part` of `whole` instances, to the nearest unit; ties go down.
#[must_use]
pub const fn weight_of_instances(part: u32, whole: u32) -> u16 {
    if whole == 0 || part >= whole {
        return FULL_WEIGHT;
    }
    let (part, whole) = (part as u64, whole as u64);
    // floor(x + 1/2) with ties down: ceil(x - 1/2).
    let doubled = 2 * part * FULL_WEIGHT as u64;
    (doubled.saturating_sub(whole).div_ceil(2 * whole)) as u16
}

/// Surge and unavailable as whole instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollingLimits {
    /// Instances that may exist above the wanted number.
    pub surge: u32,
    /// Instances that may be missing from the wanted number.
    pub unavailable: u32,
}

/// Resolves percentages of `replicas`: surge rounded up, unavailable rounded down; if both come
/// to 0, unavailable is 1. The closures receive `replicas` and return the count.
#[must_use]
pub fn rolling_limits(surge: u32, unavailable: u32) -> RollingLimits {
    if surge == 0 && unavailable == 0 {
        return RollingLimits {
            surge: 0,
            unavailable: 1,
        };
    }
    RollingLimits { surge, unavailable }
}

/// One batch of a rolling update: the counts after it has been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// New instances once the batch's growth is ready.
    pub new: u32,
    /// Old instances left once the batch's shrinking is done.
    pub old: u32,
}

/// The batches that take `replicas` instances from old to new under `limits`, assuming that every
/// new instance becomes ready: total never above `replicas + surge`, ready never under
/// `replicas - unavailable`.
///
/// Growth: to `replicas + surge - total` at most, and never above `replicas`. Shrinking: by at
/// most `total - (replicas - unavailable)`.
#[must_use]
pub fn rolling_batches(replicas: u32, limits: RollingLimits) -> Vec<Batch> {
    let floor = replicas.saturating_sub(limits.unavailable);
    let ceiling = u64::from(replicas) + u64::from(limits.surge);
    let (mut old, mut new) = (replicas, 0u32);
    let mut batches = Vec::new();
    while old > 0 || new < replicas {
        let room = ceiling.saturating_sub(u64::from(old) + u64::from(new));
        let grown = new + u32::try_from(room).unwrap_or(u32::MAX).min(replicas - new);
        let shrunk = old.min(floor.saturating_sub(grown));
        if (grown, shrunk) == (new, old) {
            // Both limits 0: `rolling_limits` never gives this, a caller's own struct may.
            break;
        }
        (new, old) = (grown, shrunk);
        batches.push(Batch { new, old });
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_weight_needs_at_least_one_instance_and_never_more_than_min_ready() {
        assert_eq!(instances_needed(0, 4), 0);
        assert_eq!(instances_needed(1, 4), 1);
        assert_eq!(instances_needed(500, 4), 1);
        assert_eq!(instances_needed(2500, 4), 1);
        assert_eq!(instances_needed(2502, 4), 2);
        assert_eq!(instances_needed(6667, 3), 2);
        assert_eq!(instances_needed(10_000, 3), 3);
    }

    #[test]
    fn batches_of_the_kubernetes_defaults() {
        // 10 replicas, 25 % and 25 %: surge 3, unavailable 2.
        let batches = rolling_batches(
            10,
            RollingLimits {
                surge: 3,
                unavailable: 2,
            },
        );
        assert_eq!(batches[0], Batch { new: 3, old: 5 });
        assert_eq!(batches.last(), Some(&Batch { new: 10, old: 0 }));
        // One at a time, none missing.
        let batches = rolling_batches(
            3,
            RollingLimits {
                surge: 1,
                unavailable: 0,
            },
        );
        assert_eq!(
            batches,
            [
                Batch { new: 1, old: 2 },
                Batch { new: 2, old: 1 },
                Batch { new: 3, old: 0 }
            ]
        );
        // No surge: the first batch only shrinks.
        let batches = rolling_batches(
            2,
            RollingLimits {
                surge: 0,
                unavailable: 1,
            },
        );
        assert_eq!(batches[0], Batch { new: 0, old: 1 });
    }

    proptest! {
        #[test]
        fn carried_is_the_inverse_of_needed(ready in 0u32..600, min_ready in 1u32..600) {
            let weight = weight_carried(ready, min_ready);
            prop_assert!(instances_needed(weight, min_ready) <= ready);
            if weight < FULL_WEIGHT {
                prop_assert!(instances_needed(weight + 1, min_ready) > ready);
            }
        }

        #[test]
        fn rolling_ends_and_keeps_its_limits(
            replicas in 1u32..400, surge in 0u32..50, unavailable in 0u32..50,
        ) {
            let unavailable = unavailable.min(replicas);
            let limits = rolling_limits(surge, unavailable);
            let batches = rolling_batches(replicas, limits);
            let mut before = Batch { new: 0, old: replicas };
            for batch in &batches {
                prop_assert!(batch.new + before.old <= replicas + limits.surge);
                prop_assert!(batch.new + batch.old >= replicas.saturating_sub(limits.unavailable));
                prop_assert!(batch.new > before.new || batch.old < before.old);
                before = *batch;
            }
            prop_assert_eq!(before, Batch { new: replicas, old: 0 });
            // Every share that a batch leads to can be carried on both sides.
            for batch in batches {
                let weight = weight_of_instances(batch.new, batch.new + batch.old);
                if batch.new > 0 && batch.old > 0 {
                    let floor = replicas - limits.unavailable.min(replicas);
                    prop_assert!(instances_needed(weight, floor) <= batch.new);
                    prop_assert!(instances_needed(FULL_WEIGHT - weight, floor) <= batch.old);
                }
            }
        }
    }
}
