//! A canary without a router: its share of traffic is its share of the instances.
//!
//! Source: Argo Rollouts, `utils/replicaset/canary.go` (`CalculateReplicaCountsForBasicCanary`,
//! `approximateWeightedCanaryStableReplicaCounts`, `GetReplicasForScaleDown`). Weights are out of
//! 10 000 here; a whole percentage times 100 gives what Argo gives for the percentage.

use nonevent_router::FULL_WEIGHT;

use super::count;
use super::limits::Wanted;

/// Instances of both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryCounts {
    /// The new version's.
    pub canary: u32,
    /// The old version's.
    pub stable: u32,
}

/// The counts whose share of canary instances is nearest to `weight` (out of 10 000; above is as
/// 10 000).
///
/// The whole is `replicas`, or one more if there is any `surge` and the share comes nearer so;
/// more than one is never added, however large the surge. Between 0 and 10 000, exclusively, both
/// versions get at least one instance, except that a single replica without surge goes to one of
/// them. Of equally near counts, those without the extra instance win, then the larger canary. With
/// 0 replicas both are 0.
///
/// Argo compares distances in floating point, this function exactly; for whole percentages of up to
/// 3000 replicas, doubles lead to the same counts. One difference is deliberate. Where the stable
/// version's share is exactly half an instance and there is no surge (2 replicas at 75 %, 5 at 90 %,
/// 10 at 95 %, 25 at 98 %, 50 at 99 %), Argo leaves out the larger canary, since it would leave no
/// stable instance, and the smaller, since it is tied with the larger; its fallback then, meant
/// never to be reached, is no canary at all. Here the rule that both get at least one holds: one
/// stable instance, the rest canary.
#[must_use]
pub fn canary_counts(replicas: u32, weight: u16, surge: u32) -> CanaryCounts {
    let weight = weight.min(FULL_WEIGHT);
    if replicas == 0 {
        return CanaryCounts {
            canary: 0,
            stable: 0,
        };
    }
    let product = u64::from(replicas) * u64::from(weight);
    let full = u64::from(FULL_WEIGHT);
    let (ceil, floor) = (product.div_ceil(full), product / full);
    let one_only = weight == 0 || weight == FULL_WEIGHT || (replicas == 1 && surge == 0);
    let replicas = u64::from(replicas);
    let larger = if surge > 0 { replicas + 1 } else { replicas };
    // The order is that of preference. Without surge the second pair repeats the first.
    let mut best: Option<(u64, u64)> = None;
    for (canary, total) in [
        (ceil, replicas),
        (floor, replicas),
        (ceil, larger),
        (floor, larger),
    ] {
        if !one_only && (canary == 0 || canary == total) {
            continue;
        }
        let nearer = best.is_none_or(|(best_canary, best_total)| {
            distance(weight, canary, total) * u128::from(best_total)
                < distance(weight, best_canary, best_total) * u128::from(total)
        });
        if nearer {
            best = Some((canary, total));
        }
    }
    // With two or more instances, ceil or floor leaves one to each side.
    let (canary, total) = best.unwrap_or((0, replicas));
    CanaryCounts {
        canary: u32::try_from(canary).unwrap_or(u32::MAX),
        stable: u32::try_from(total - canary).unwrap_or(u32::MAX),
    }
}

/// How far `canary` of `total` is from `weight`, in units of one `10 000 * total`th.
fn distance(weight: u16, canary: u64, total: u64) -> u128 {
    let is = u128::from(canary) * u128::from(FULL_WEIGHT);
    is.abs_diff(u128::from(weight) * u128::from(total))
}

/// One version's instances as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanarySet {
    /// The wanted size: `spec.replicas`.
    pub size: u32,
    /// Instances that are available: `status.availableReplicas`. May be above `size` while some
    /// are being stopped.
    pub available: u32,
}

impl CanarySet {
    /// What may be counted on while the other version shrinks.
    fn firm(self) -> i64 {
        i64::from(self.available.min(self.size))
    }
}

/// A canary as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryState {
    /// The wanted number of instances and the limits around it.
    pub wanted: Wanted,
    /// The canary's wanted share, out of 10 000; 0 after an abort.
    pub weight: u16,
    /// The new version's set, absent before it was created.
    pub canary: Option<CanarySet>,
    /// The old version's set; absent if there is none or the new version is stable itself.
    pub stable: Option<CanarySet>,
    /// The sum of the sizes of all still older sets.
    pub older: u32,
}

/// The sizes that both sets get next, on their way to [`canary_counts`].
///
/// Growing: as far as `replicas + surge` allows over all sets' sizes, stable before canary.
///
/// Shrinking: not while older sets have instances, which are to go first. Only one of the two
/// shrinks: the canary if it is above its aim, else stable. The one that shrinks counts as wholly
/// available (what it has of unhealthy instances is what it loses first), of the other only what is
/// available counts, and of both never more than their size; what that makes above
/// `replicas - unavailable` may go. If both together are then still above `replicas + surge`, as
/// after a cut of the replicas, the other one gives up the difference; only then may less stay
/// available than the floor, if the shrinking version has instances that are not.
///
/// Without a stable set no share is kept: all replicas are the canary's.
///
/// Limits of 0 and 0, which [`fenceposts`](super::fenceposts) never gives, move nothing.
#[must_use]
pub fn canary_counts_next(state: &CanaryState) -> CanaryCounts {
    let CanaryState { wanted, .. } = *state;
    let aim = match state.stable {
        Some(_) => canary_counts(wanted.replicas, state.weight, wanted.limits.surge),
        None => CanaryCounts {
            canary: wanted.replicas,
            stable: 0,
        },
    };
    let none = CanarySet {
        size: 0,
        available: 0,
    };
    let (canary, stable) = (state.canary.unwrap_or(none), state.stable.unwrap_or(none));
    let most = i64::from(wanted.total_max());
    let total = i64::from(canary.size) + i64::from(stable.size) + i64::from(state.older);

    let room = count(most - total);
    let stable_grown = grown(stable.size, aim.stable, room);
    let room = room - (stable_grown - stable.size);
    let next = CanaryCounts {
        canary: match state.canary {
            Some(canary) => grown(canary.size, aim.canary, room),
            None => 0,
        },
        stable: stable_grown,
    };
    if state.older > 0 {
        return next;
    }
    let least = i64::from(wanted.available_min());
    if aim.canary < canary.size {
        let excess = i64::from(canary.size) + stable.firm() - least;
        let (canary, stable) = shrunk(next.canary, aim.canary, excess, next.stable, most);
        CanaryCounts { canary, stable }
    } else if state.stable.is_some() {
        let excess = i64::from(stable.size) + canary.firm() - least;
        let (stable, canary) = shrunk(next.stable, aim.stable, excess, next.canary, most);
        CanaryCounts { canary, stable }
    } else {
        next
    }
}

/// `size`, brought up towards `aim` by `room` at most.
fn grown(size: u32, aim: u32, room: u32) -> u32 {
    if size < aim {
        aim.min(size.saturating_add(room))
    } else {
        size
    }
}

/// `size` brought down towards `aim` by `excess` at most, and `other`, cut so that both keep under
/// `most`. Without an excess both stay as they are.
fn shrunk(size: u32, aim: u32, excess: i64, other: u32, most: i64) -> (u32, u32) {
    if excess <= 0 {
        return (size, other);
    }
    let size = if size > aim {
        aim.max(count(i64::from(size) - excess))
    } else {
        size
    };
    let over = i64::from(size) + i64::from(other) - most;
    (size, count(i64::from(other) - over.max(0)))
}
