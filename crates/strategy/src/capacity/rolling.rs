//! The single decisions of a rolling update.
//!
//! Source: Kubernetes, `pkg/controller/deployment` (`rolling.go`) and its `util`
//! (`NewRSNewReplicas`).

use super::count;
use super::limits::Wanted;
use super::replica_set::{ReplicaSet, oldest_first};

/// The size that the new set of `new` instances gets next, where `total` is the sum of all sets'
/// sizes, the new one's included: it takes what room there is under replicas and surge, up to
/// `replicas`.
///
/// With room left, a new set above `replicas` comes down to it; without room it stays as it is.
/// (The controller asks only after it has dealt with a new set that is above `replicas`.) Sizes
/// count here, not what is ready: instances that are being stopped make room at once. Under
/// Recreate the size is `replicas` at once, for the old instances are gone by then.
///
/// Source: `NewRSNewReplicas`.
#[must_use]
pub fn new_set_target(wanted: Wanted, new: u32, total: u64) -> u32 {
    let max = u64::from(wanted.total_max());
    if total >= max {
        return new;
    }
    let room = count(i64::try_from(max - total).unwrap_or(i64::MAX));
    wanted.replicas.min(new.saturating_add(room))
}

/// By how many instances the old sets may shrink, where `total` is the sum of all sets' sizes:
/// what stands above the floor, less the new instances that are not available yet. 0 if none.
///
/// Where the status reports more available than `new.size`, the difference adds to the result,
/// as it does in Kubernetes.
///
/// Source: `reconcileOldReplicaSets`.
#[must_use]
pub fn old_sets_excess(wanted: Wanted, new: &ReplicaSet, total: u64) -> u32 {
    let missing = i64::from(new.size) - i64::from(new.available);
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    count(
        total
            .saturating_sub(i64::from(wanted.available_min()))
            .saturating_sub(missing),
    )
}

/// A set's status reports more available instances than the set shall have, so that what it has
/// of unhealthy ones cannot be told. The controller gives up the sync and tries again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleStatus {
    place: usize,
}

impl StaleStatus {
    /// The set's place in the list of old sets.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.place
    }
}

impl core::fmt::Display for StaleStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "old set {} reports more available instances than it shall have",
            self.place
        )
    }
}

impl core::error::Error for StaleStatus {}

/// Takes unhealthy instances (size less available) off the old sets, oldest set first, `most` at
/// most; returns how many. They carry nothing, and left alone they would block the rollout.
///
/// # Errors
///
/// [`StaleStatus`] if a set that is reached has more available than its size. Sets before it stay
/// shrunk, as in the controller.
///
/// Source: `cleanupUnhealthyReplicas`.
pub fn cleanup_unhealthy(
    wanted: Wanted,
    old: &mut [ReplicaSet],
    most: u32,
) -> Result<u32, StaleStatus> {
    let mut removed = 0;
    for place in oldest_first(old) {
        if removed >= most {
            break;
        }
        let set = &mut old[place];
        if set.size == 0 {
            continue;
        }
        let Some(unhealthy) = set.size.checked_sub(set.available) else {
            return Err(StaleStatus { place });
        };
        let part = unhealthy.min(most - removed);
        set.scale_to(set.size - part, wanted);
        removed += part;
    }
    Ok(removed)
}

/// Takes instances off the old sets, oldest set first, as far as the available instances of all
/// sets (`new_available` and the old ones' status) stand above the floor; returns how many.
///
/// The status is that from before [`cleanup_unhealthy`]: what that removed was not available. An
/// instance taken here counts as available even if its set still has unhealthy ones, so the floor
/// holds whichever the set stops. Instances of a set of size 0 are on their way out and do not
/// count.
///
/// Source: `scaleDownOldReplicaSetsForRollingUpdate`.
pub fn scale_down_old(wanted: Wanted, new_available: u32, old: &mut [ReplicaSet]) -> u32 {
    let available = old
        .iter()
        .filter(|set| set.size > 0)
        .map(|set| i64::from(set.available))
        .sum::<i64>()
        + i64::from(new_available);
    let most = count(available - i64::from(wanted.available_min()));
    let mut removed = 0;
    for place in oldest_first(old) {
        let set = &mut old[place];
        let part = set.size.min(most - removed);
        set.scale_to(set.size - part, wanted);
        removed += part;
    }
    removed
}
