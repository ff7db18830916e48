//! Instance-weighted canaries, against the cases that Argo Rollouts' rules settle and by search.

use nonevent_strategy::capacity::{
    CanaryCounts, CanarySet, CanaryState, RollingLimits, Wanted, canary_counts, canary_counts_next,
    rolling_limits,
};
use proptest::prelude::*;

#[test]
fn the_nearest_counts_for_a_weight() {
    // Replicas, percent, surge, canary, stable.
    let table = [
        (0, 0, 0, 0, 0),
        (0, 50, 1, 0, 0),
        (0, 100, 0, 0, 0),
        (1, 0, 0, 0, 1),
        (1, 1, 0, 0, 1),
        (1, 10, 0, 0, 1),
        (1, 49, 0, 0, 1),
        (1, 50, 0, 1, 0),
        (1, 99, 0, 1, 0),
        (1, 100, 0, 1, 0),
        (1, 0, 1, 0, 1),
        (1, 1, 1, 1, 1),
        (1, 10, 1, 1, 1),
        (1, 99, 1, 1, 1),
        (1, 100, 1, 1, 0),
        (2, 0, 0, 0, 2),
        (2, 1, 0, 1, 1),
        (2, 50, 0, 1, 1),
        (2, 99, 0, 1, 1),
        (2, 100, 0, 2, 0),
        (2, 1, 1, 1, 2),
        (2, 50, 1, 1, 1),
        (2, 99, 1, 2, 1),
        (3, 10, 0, 1, 2),
        (3, 25, 0, 1, 2),
        (3, 33, 0, 1, 2),
        (3, 49, 0, 1, 2),
        (3, 50, 0, 2, 1),
        (3, 10, 1, 1, 3),
        (3, 25, 1, 1, 3),
        (3, 33, 1, 1, 2),
        (3, 50, 1, 2, 2),
        (4, 25, 0, 1, 3),
        (4, 75, 0, 3, 1),
        (5, 10, 1, 1, 5),
        (10, 1, 0, 1, 9),
        (10, 5, 0, 1, 9),
        (10, 14, 0, 1, 9),
        (10, 15, 0, 2, 8),
        (10, 20, 0, 2, 8),
        (10, 99, 0, 9, 1),
        (10, 1, 1, 1, 10),
        (10, 5, 1, 1, 10),
        (10, 10, 1, 1, 9),
        (10, 18, 1, 2, 9),
        (10, 25, 1, 3, 8),
        (10, 25, 3, 3, 8),
        (10, 50, 1, 5, 5),
        (10, 99, 1, 10, 1),
        (10, 100, 1, 10, 0),
        // Half an instance of stable and no surge: still one of each.
        (2, 75, 0, 1, 1),
        (5, 90, 0, 4, 1),
        (10, 95, 0, 9, 1),
        (25, 98, 0, 24, 1),
        (50, 99, 0, 49, 1),
    ];
    for (replicas, percent, surge, canary, stable) in table {
        assert_eq!(
            canary_counts(replicas, percent * 100, surge),
            CanaryCounts { canary, stable },
            "{replicas} replicas, {percent} %, surge {surge}"
        );
    }
    let most = canary_counts(u32::MAX, 5000, 1);
    assert_eq!(most.canary, 1 << 31);
    assert_eq!(canary_counts(10, u16::MAX, 0), canary_counts(10, 10_000, 0));
}

/// All counts that the rules allow, and of these the nearest: fewest instances first, then the
/// larger canary.
fn nearest_by_search(replicas: u32, weight: u16, surge: u32) -> CanaryCounts {
    let mut all = Vec::new();
    for total in replicas..=replicas + surge.min(1) {
        for canary in (0..=total).rev() {
            let stable = total - canary;
            let both = canary > 0 && stable > 0;
            let whole = weight == 0 || weight == 10_000;
            if both || whole || (replicas == 1 && surge == 0) {
                all.push(CanaryCounts { canary, stable });
            }
        }
    }
    let scale = 10_000 * u64::from(replicas) * u64::from(replicas + 1);
    all.into_iter()
        .min_by_key(|counts| {
            let total = u64::from(counts.canary + counts.stable);
            let share = u64::from(counts.canary) * scale / total;
            share.abs_diff(u64::from(weight) * (scale / 10_000))
        })
        .expect("one at least is allowed")
}

#[test]
fn no_allowed_counts_are_nearer() {
    for replicas in 1..=40 {
        for surge in [0, 1, 3] {
            for weight in (0..=10_000).step_by(25) {
                assert_eq!(
                    canary_counts(replicas, weight, surge),
                    nearest_by_search(replicas, weight, surge),
                    "{replicas} {weight} {surge}"
                );
            }
        }
    }
}

struct Case {
    name: &'static str,
    replicas: u32,
    percent: u16,
    limits: (u32, u32),
    // Size and available.
    stable: Option<(u32, u32)>,
    canary: Option<(u32, u32)>,
    older: u32,
    /// Canary, stable.
    want: (u32, u32),
}

#[test]
fn the_next_counts() {
    let plain = Case {
        name: "",
        replicas: 10,
        percent: 10,
        limits: (0, 1),
        stable: Some((10, 10)),
        canary: Some((0, 0)),
        older: 0,
        want: (0, 0),
    };
    #[rustfmt::skip]
    let table = [
        Case { name: "unavailable goes first", want: (0, 9), ..plain },
        Case { name: "then the canary comes", stable: Some((9, 9)), want: (1, 9), ..plain },
        Case { name: "surge and unavailable together", limits: (1, 1), want: (1, 9), ..plain },
        Case { name: "as far as surge goes", percent: 30, limits: (1, 0), want: (1, 10), ..plain },
        Case { name: "surge alone: the whole canary", percent: 30, limits: (3, 0), want: (3, 10), ..plain },
        Case { name: "unavailable alone", percent: 30, limits: (0, 5), want: (0, 7), ..plain },
        Case { name: "5 % is one, and the surge makes it nearer", percent: 5, limits: (1, 1), want: (1, 10), ..plain },
        Case { name: "one replica, 5 %", replicas: 1, percent: 5, limits: (1, 0), stable: Some((1, 1)), want: (1, 1), ..plain },
        Case { name: "one replica, 95 %", replicas: 1, percent: 95, limits: (1, 0), stable: Some((1, 1)), want: (1, 1), ..plain },
        Case { name: "stable waits for the canary", percent: 30, limits: (3, 0), canary: Some((3, 1)), want: (3, 9), ..plain },
        Case { name: "and goes once it is there", percent: 30, limits: (3, 0), canary: Some((3, 3)), want: (3, 7), ..plain },
        Case { name: "stable's unhealthy instances are what it loses", percent: 30, limits: (3, 0), stable: Some((10, 6)), canary: Some((3, 3)), want: (3, 7), ..plain },
        Case { name: "more available than wanted is not counted on", percent: 60, limits: (3, 0), canary: Some((3, 9)), want: (3, 7), ..plain },
        Case { name: "older sets shrink first", percent: 30, limits: (3, 0), canary: Some((3, 3)), older: 1, want: (3, 10), ..plain },
        Case { name: "older sets take room", percent: 30, limits: (3, 0), older: 2, want: (1, 10), ..plain },
        Case { name: "stable grows before the canary", percent: 50, limits: (1, 0), stable: Some((3, 3)), canary: Some((4, 4)), want: (5, 5), ..plain },
        Case { name: "stable alone, if there is room for one", percent: 50, limits: (0, 1), stable: Some((4, 4)), canary: Some((4, 4)), older: 1, want: (4, 5), ..plain },
        Case { name: "back: surge first", percent: 0, limits: (1, 0), stable: Some((5, 5)), canary: Some((5, 5)), want: (5, 6), ..plain },
        Case { name: "back: then the canary goes", percent: 0, limits: (1, 0), stable: Some((6, 6)), canary: Some((5, 5)), want: (4, 6), ..plain },
        Case { name: "back: a sick canary goes at once", percent: 0, limits: (1, 0), stable: Some((10, 10)), canary: Some((1, 0)), want: (0, 10), ..plain },
        Case { name: "back: stable is not ready", percent: 0, limits: (1, 0), stable: Some((6, 5)), canary: Some((5, 5)), want: (5, 6), ..plain },
        Case { name: "the last step", percent: 100, limits: (1, 1), stable: Some((1, 1)), canary: Some((10, 10)), want: (10, 0), ..plain },
        Case { name: "no stable set: the canary is all", percent: 5, limits: (1, 0), stable: None, canary: Some((0, 0)), want: (10, 0), ..plain },
        Case { name: "no stable set, fewer replicas", replicas: 5, percent: 5, limits: (1, 0), stable: None, canary: Some((10, 10)), want: (5, 0), ..plain },
        Case { name: "no canary set yet", percent: 30, limits: (0, 1), canary: None, want: (0, 9), ..plain },
        Case { name: "fewer replicas in mid-canary", replicas: 5, percent: 50, limits: (0, 1), stable: Some((10, 10)), canary: Some((10, 10)), want: (3, 2), ..plain },
        Case { name: "no replicas", replicas: 0, percent: 50, limits: (0, 1), stable: Some((2, 2)), canary: Some((2, 2)), want: (0, 0), ..plain },
        Case { name: "limits of nothing move nothing", limits: (0, 0), want: (0, 10), ..plain },
    ];
    for case in table {
        let set =
            |set: Option<(u32, u32)>| set.map(|(size, available)| CanarySet { size, available });
        let got = canary_counts_next(&CanaryState {
            wanted: Wanted {
                replicas: case.replicas,
                limits: RollingLimits {
                    surge: case.limits.0,
                    unavailable: case.limits.1,
                },
            },
            weight: case.percent * 100,
            canary: set(case.canary),
            stable: set(case.stable),
            older: case.older,
        });
        assert_eq!((got.canary, got.stable), case.want, "{}", case.name);
    }
}

proptest! {
    #[test]
    fn the_next_counts_keep_the_limits_and_get_there(
        replicas in 0u32..40,
        weight in 0u16..=10_000,
        surge in 0u32..6,
        unavailable in 0u32..6,
        start in (0u32..60, 0u32..60),
        healthy in proptest::collection::vec((0u32..=100, 0u32..=100), 12),
    ) {
        let wanted = Wanted { replicas, limits: rolling_limits(surge, unavailable) };
        let (mut canary, mut stable) = start;
        // At first instances are available by chance, at last all of them.
        for turn in 0..200 {
            let share = |size: u32, percent: u32| (size * percent).div_ceil(100);
            let (of_canary, of_stable) = healthy.get(turn).copied().unwrap_or((100, 100));
            let before = CanaryState {
                wanted,
                weight,
                canary: Some(CanarySet { size: canary, available: share(canary, of_canary) }),
                stable: Some(CanarySet { size: stable, available: share(stable, of_stable) }),
                older: 0,
            };
            let next = canary_counts_next(&before);
            let (sum, sum_before) = (next.canary + next.stable, canary + stable);
            prop_assert!(sum <= sum_before.max(wanted.total_max()));
            // Never under the floor by shrinking.
            prop_assert!(sum >= sum_before.min(wanted.available_min()));
            // What shrinks loses first what is not available. Only a cut from above the surge, which
            // counts the shrinking version as wholly available, may take more.
            let had = share(canary, of_canary) + share(stable, of_stable);
            let has = next.canary.min(share(canary, of_canary))
                + next.stable.min(share(stable, of_stable));
            prop_assert!(
                sum_before > wanted.total_max() || has >= had.min(wanted.available_min()),
                "{:?} {:?}", before, next
            );
            (canary, stable) = (next.canary, next.stable);
        }
        let aim = canary_counts(replicas, weight, wanted.limits.surge);
        prop_assert_eq!(CanaryCounts { canary, stable }, aim);
    }
}
