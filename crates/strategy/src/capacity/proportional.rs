//! Proportional scaling: the number of replicas changes in the middle of a rollout, and every set
//! gets its part of the change.
//!
//! Source: Kubernetes, `pkg/controller/deployment` (`scale` in `sync.go`) and its `util`
//! (`GetReplicaSetProportion`, `getReplicaSetFraction`).

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::count;
use super::limits::Wanted;
use super::replica_set::ReplicaSet;

/// By how much `set` would have to change to keep its part of the whole: its size times
/// `replicas + surge` now, divided by `replicas + surge` when it was last scaled, to the nearest
/// whole (halves away from 0), less its size.
///
/// Without the annotation (or with 0 in it) `pods`, the number of instances of all sets, stands for
/// the earlier whole; if that is 0 too, nothing changes. With 0 replicas wanted it is the whole
/// set, negative. It may be positive while the deployment shrinks, if the annotation is old.
#[must_use]
pub fn set_fraction(wanted: Wanted, set: &ReplicaSet, pods: u64) -> i64 {
    let size = i64::from(set.size);
    if wanted.replicas == 0 {
        return -size;
    }
    let before = match set.max_before {
        None | Some(0) => i64::try_from(pods).unwrap_or(i64::MAX),
        Some(max) => i64::from(max),
    };
    if before == 0 {
        return 0;
    }
    // Both factors are below 2^32, so the doubled product fits 128 bits with room to spare.
    let whole = i128::from(set.size) * i128::from(wanted.total_max());
    let before = i128::from(before);
    let nearest = (2 * whole + before) / (2 * before);
    i64::try_from(nearest).unwrap_or(i64::MAX) - size
}

/// The part of a change by `to_add` instances (negative when shrinking) that a set with this
/// [`set_fraction`] takes, when `added` of them have been given out: never past what is left.
///
/// For a set of size 0 it is 0, which is for the caller to see to.
#[must_use]
pub fn proportion(fraction: i64, to_add: i64, added: i64) -> i64 {
    let left = to_add.saturating_sub(added);
    if to_add == 0 || left == 0 {
        0
    } else if to_add > 0 {
        fraction.min(left)
    } else {
        fraction.max(left)
    }
}

/// The sizes of all sets, in the order given, once `replicas + surge` (0 for no replicas) is shared
/// out among those that have any instances wanted.
///
/// The largest set goes first. Among equals, the newer goes first when growing, the older when
/// shrinking. What rounding leaves over, or took too much, is settled with the first, but never
/// below 0. Sets of size 0 keep it.
///
/// The whole is `replicas + surge` also if there were fewer instances before: in mid-rollout the
/// controller uses the surge. Since each set's part is reckoned from the whole that was *allowed*
/// before, a set may then move against the change, and the largest settles that, too: 37 and 34 of
/// an allowed 74 become 39 and 33 of 72. While shrinking, sets whose annotations disagree may gain
/// so much that the largest cannot make up for it; the sum then ends above the whole, and the
/// rollout brings it down.
#[must_use]
pub fn proportional_sizes(wanted: Wanted, sets: &[ReplicaSet]) -> Vec<u32> {
    let mut sizes: Vec<u32> = sets.iter().map(|set| set.size).collect();
    let total = sets.iter().map(|set| i64::from(set.size)).sum::<i64>();
    let pods = sets.iter().map(|set| u64::from(set.pods)).sum::<u64>();
    let allowed = match wanted.replicas {
        0 => 0,
        _ => i64::from(wanted.total_max()),
    };
    let to_add = allowed - total;
    let mut order: Vec<usize> = (0..sets.len()).filter(|&at| sets[at].size > 0).collect();
    if to_add > 0 {
        order.sort_by_key(|&at| Reverse((sets[at].size, sets[at].created, at)));
    } else {
        order.sort_by_key(|&at| (Reverse(sets[at].size), sets[at].created, at));
    }
    let mut added = 0;
    let mut first_size = 0;
    for (turn, &at) in order.iter().enumerate() {
        let part = proportion(set_fraction(wanted, &sets[at], pods), to_add, added);
        let size = i64::from(sets[at].size) + part;
        added += part;
        if turn == 0 {
            first_size = size;
        }
        sizes[at] = count(size);
    }
    if let Some(&first) = order.first() {
        sizes[first] = count(first_size + to_add - added);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::capacity::RollingLimits;
    use proptest::prelude::*;

    fn wanted(replicas: u32, surge: u32) -> Wanted {
        Wanted {
            replicas,
            limits: RollingLimits {
                surge,
                unavailable: 0,
            },
        }
    }

    #[test]
    fn a_part_never_goes_past_what_is_left() {
        for (fraction, to_add, added, want) in [
            (3, 5, 0, 3),
            (3, 5, 4, 1),
            (3, 5, 5, 0),
            (3, 0, 0, 0),
            (-3, -5, 0, -3),
            (-3, -5, -4, -1),
            (2, -5, 0, 2),
            (-2, 5, 0, -2),
        ] {
            assert_eq!(proportion(fraction, to_add, added), want);
        }
    }

    #[test]
    fn the_change_is_shared_out_as_the_deployment_controller_does() {
        // Replicas and surge before and now, the sizes (oldest set first), the sizes wanted.
        type Row = (u32, u32, u32, u32, Vec<u32>, Vec<u32>);
        let table: Vec<Row> = vec![
            // The example of Kubernetes' documentation: 10 to 15, surge 3, sizes 8 and 5.
            (10, 3, 15, 3, vec![8, 5], vec![11, 7]),
            // Without surge: equal sets, the leftover to the newer when growing.
            (10, 0, 5, 0, vec![5, 5], vec![2, 3]),
            (10, 0, 20, 0, vec![5, 5], vec![10, 10]),
            (10, 0, 11, 0, vec![5, 5], vec![5, 6]),
            (10, 0, 12, 0, vec![5, 3, 2], vec![6, 4, 2]),
            (10, 0, 6, 0, vec![5, 3, 2], vec![3, 2, 1]),
            (10, 0, 0, 2, vec![5, 3, 2], vec![0, 0, 0]),
            // A set without instances takes no part.
            (10, 0, 20, 0, vec![0, 5, 5], vec![0, 10, 10]),
            // The deployment was below its maximum: the surge is used up.
            (10, 2, 12, 2, vec![5, 5], vec![6, 8]),
            (5, 0, 7, 0, vec![5, 0], vec![7, 0]),
            (71, 3, 69, 3, vec![37, 34], vec![39, 33]),
        ];
        for (replicas, surge, now, surge_now, sizes, want) in table {
            let sets: Vec<ReplicaSet> = (0..)
                .zip(&sizes)
                .map(|(at, &size)| {
                    ReplicaSet::new(size, size, at).annotated(wanted(replicas, surge))
                })
                .collect();
            let got = proportional_sizes(wanted(now, surge_now), &sets);
            assert_eq!(got, want, "{replicas} to {now}: {sizes:?}");
        }
    }

    #[test]
    fn without_annotations_the_instances_there_are_stand_for_the_earlier_whole() {
        let set = ReplicaSet::new(4, 4, 0);
        assert_eq!(set_fraction(wanted(20, 0), &set, 10), 4);
        assert_eq!(set_fraction(wanted(20, 0), &set, 0), 0);
        assert_eq!(set_fraction(wanted(0, 5), &set, 10), -4);
        let zero = ReplicaSet {
            max_before: Some(0),
            ..set
        };
        assert_eq!(set_fraction(wanted(20, 0), &zero, 10), 4);
        // Halves go away from 0: 3 of 8 at 12 is 4.5.
        let half = ReplicaSet {
            max_before: Some(8),
            ..ReplicaSet::new(3, 3, 0)
        };
        assert_eq!(set_fraction(wanted(12, 0), &half, 8), 2);
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_whole(
            sizes in proptest::collection::vec(1u32..60, 1..6),
            surge in 0u32..8,
            replicas in 0u32..300,
        ) {
            // The surge was in use: the sets together were the whole.
            let before: u32 = sizes.iter().sum();
            let now = wanted(replicas, surge);
            let sets: Vec<ReplicaSet> = (0..)
                .zip(&sizes)
                .map(|(at, &size)| ReplicaSet {
                    max_before: Some(before),
                    ..ReplicaSet::new(size, size, at)
                })
                .collect();
            let got = proportional_sizes(now, &sets);
            let want = if replicas == 0 { 0 } else { now.total_max() };
            prop_assert_eq!(got.iter().sum::<u32>(), want);
            // No set moves against the change.
            let grows = want > before;
            for (set, size) in sets.iter().zip(got) {
                prop_assert!(size == set.size || (size > set.size) == grows);
            }
        }

        #[test]
        fn no_annotation_wakes_an_empty_set_or_goes_past_the_whole(
            sets in proptest::collection::vec(
                (0u32..40, 0u32..40, proptest::option::of(0u32..80)), 0..6,
            ),
            replicas in 0u32..80,
            surge in 0u32..8,
        ) {
            let sets: Vec<ReplicaSet> = (0..)
                .zip(sets)
                .map(|(at, (size, pods, max_before))| ReplicaSet {
                    pods, max_before, ..ReplicaSet::new(size, 0, at)
                })
                .collect();
            let now = wanted(replicas, surge);
            let got = proportional_sizes(now, &sets);
            for (set, size) in sets.iter().zip(&got) {
                prop_assert!(set.size > 0 || *size == 0);
            }
            let (before, after) = (
                sets.iter().map(|set| set.size).sum::<u32>(),
                got.iter().sum::<u32>(),
            );
            if before > 0 && before <= now.total_max() && replicas > 0 {
                prop_assert_eq!(after, now.total_max());
            }
        }
    }
}
