//! From a split and pools to a whole-numbered weight for every instance.

use alloc::format;

use crate::names::refused;
use crate::{Arm, Desired, RouterError, Split, Traffic, embedded};

/// Weights of one instance of each version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PerInstance {
    pub(crate) stable: u64,
    pub(crate) canary: u64,
}

impl PerInstance {
    pub(crate) const fn of(self, arm: Arm) -> u64 {
        match arm {
            Arm::Stable => self.stable,
            Arm::Canary => self.canary,
        }
    }

    /// The traffic that these weights give over the pools of `desired`.
    pub(crate) fn traffic(self, desired: &Desired) -> Traffic {
        let total = |arm: Arm| self.of(arm) * desired.pools.of(arm).len() as u64;
        Traffic::of(total(Arm::Stable), total(Arm::Canary))
    }
}

/// Whether a foreign router can be asked for this at all: names and addresses are usable and
/// occur once, and every version that shall get traffic has an instance.
pub(crate) fn check(desired: &Desired) -> Result<(), RouterError> {
    embedded::check(desired)?;
    for arm in Arm::BOTH {
        if desired.split.weight(arm) > 0 && desired.pools.of(arm).is_empty() {
            return Err(refused(format!(
                "{arm} shall get traffic but has no instance in its pool"
            )));
        }
    }
    Ok(())
}

/// Exact weights, as small as they can be: each instance of a version gets the version's weight
/// times the number of instances of the other.
pub(crate) fn exact(desired: &Desired) -> PerInstance {
    let count = |arm: Arm| desired.pools.of(arm).len().max(1) as u64;
    let weight = |arm: Arm| u64::from(desired.split.weight(arm)) * count(arm.other());
    let (stable, canary) = (weight(Arm::Stable), weight(Arm::Canary));
    let divisor = gcd(stable, canary).max(1);
    PerInstance {
        stable: stable / divisor,
        canary: canary / divisor,
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The weights of 0 to `most` whose share is nearest to the split; of two equally near the one
/// that gives the canary less, of equal shares the smallest weights. A version that shall get
/// traffic gets at least 1, one that shall get none gets 0.
pub(crate) fn nearest(desired: &Desired, most: u64) -> PerInstance {
    let split = desired.split;
    let count = |arm: Arm| desired.pools.of(arm).len().max(1) as u64;
    let (stable_count, canary_count) = (count(Arm::Stable), count(Arm::Canary));
    let (asked_stable, asked) = (
        u64::from(split.weight(Arm::Stable)),
        u64::from(split.weight(Arm::Canary)),
    );
    if asked_stable == 0 || asked == 0 {
        return PerInstance {
            stable: asked_stable.min(1),
            canary: asked.min(1),
        };
    }
    let mut best: Option<(u128, u128, PerInstance)> = None;
    for canary in 1..=most {
        let ideal = canary * canary_count * asked_stable / (asked * stable_count);
        // The larger weight of stable comes first: on a tie the canary gets less.
        for stable in [ideal + 1, ideal] {
            let stable = stable.clamp(1, most);
            let weights = PerInstance { stable, canary };
            let Some((numerator, denominator)) = distance(weights, desired, split) else {
                continue;
            };
            let nearer = best.is_none_or(|(best_n, best_d, best)| {
                let (this, other) = (numerator * best_d, best_n * denominator);
                // Equally near on the other side: prefer the smaller share of the canary.
                let less = canary * best.stable < best.canary * stable;
                this < other || (this == other && less)
            });
            if nearer {
                best = Some((numerator, denominator, weights));
            }
        }
    }
    best.map_or(
        PerInstance {
            stable: 1,
            canary: 0,
        },
        |(_, _, weights)| weights,
    )
}

fn distance(weights: PerInstance, desired: &Desired, split: Split) -> Option<(u128, u128)> {
    match weights.traffic(desired) {
        Traffic::Open(share) => share.distance(split),
        Traffic::Untold | Traffic::Closed => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use nonevent_document::Digest;
    use proptest::prelude::*;

    use super::*;
    use crate::{Backend, Fence, Pools};

    const MOST: u64 = 256;

    fn desired(asked: u16, stable: usize, canary: usize) -> Desired {
        let pool = |arm: &str, from: usize, count: usize| -> Vec<Backend> {
            (0..count)
                .map(|n| Backend {
                    id: format!("{arm}-{n}"),
                    address: format!("127.0.0.1:{}", from + n),
                })
                .collect()
        };
        Desired {
            split: Split::canary(asked).expect("a weight"),
            pools: Pools {
                stable: pool("stable", 1_000, stable),
                canary: pool("canary", 2_000, canary),
            },
            plan: Digest::of(b"plan"),
            fence: Fence {
                epoch: 1,
                generation: 1,
            },
        }
    }

    fn error(weights: PerInstance, desired: &Desired) -> (u128, u128) {
        distance(weights, desired, desired.split).expect("open")
    }

    #[test]
    fn common_shares_are_exact_within_256() {
        for (asked, stable, canary, weights) in [
            (500, 1, 1, (19, 1)),
            (500, 2, 1, (19, 2)),
            (100, 1, 1, (99, 1)),
            (2_500, 4, 1, (3, 4)),
            (5_000, 1, 1, (1, 1)),
            (0, 2, 1, (1, 0)),
            (10_000, 2, 1, (0, 1)),
            (1, 1, 1, (256, 1)),
            (9_999, 1, 1, (1, 256)),
        ] {
            let desired = desired(asked, stable, canary);
            let given = nearest(&desired, MOST);
            assert_eq!((given.stable, given.canary), weights, "{asked}");
        }
    }

    proptest! {
        /// With one instance of each: never further than half a part of 256 away, but at the ends,
        /// where one part is the least that is not nothing; and what a plan was told it would get.
        #[test]
        fn half_a_part_at_most(asked in 0u16..=10_000) {
            let desired = desired(asked, 1, 1);
            let weights = nearest(&desired, MOST);
            let (numerator, denominator) = error(weights, &desired);
            let least = (20..=9_980).contains(&asked) || matches!(asked, 0 | 10_000);
            let bound = if least { 512 } else { 257 };
            prop_assert!(numerator * bound <= denominator, "{weights:?}");
            prop_assert_eq!(weights.canary == 0, asked == 0);
            prop_assert_eq!(weights.stable == 0, asked == 10_000);
            let sure = crate::haproxy::ABILITIES.at_most(desired.split);
            let of_sure = Desired { split: sure, ..desired.clone() };
            let again = nearest(&of_sure, MOST).traffic(&of_sure).split();
            prop_assert_eq!(again, Some(sure));
        }

        /// More asked is never less given.
        #[test]
        fn monotone(a in 0u16..=10_000, b in 0u16..=10_000, stable in 1usize..5, canary in 1usize..5) {
            let share = |asked| {
                let desired = desired(asked, stable, canary);
                let weights = nearest(&desired, MOST);
                (weights.canary * canary as u64, weights.stable * stable as u64)
            };
            let (less, more) = (share(a.min(b)), share(a.max(b)));
            prop_assert!(less.0 * more.1 <= more.0 * less.1);
        }

        /// Against every pair of weights, tried one by one.
        #[test]
        fn nothing_is_nearer(asked in 1u16..10_000, stable in 1usize..9, canary in 1usize..9, most in 1u64..24) {
            let desired = desired(asked, stable, canary);
            let (numerator, denominator) = error(nearest(&desired, most), &desired);
            for s in 1..=most {
                for c in 1..=most {
                    let (n, d) = error(PerInstance { stable: s, canary: c }, &desired);
                    prop_assert!(numerator * d <= n * denominator, "{s}:{c}");
                }
            }
        }

        /// Where weights have no bound, every share is exact and the sum is the whole.
        #[test]
        fn exact_is_exact(asked in 0u16..=10_000, stable in 1usize..20, canary in 1usize..20) {
            let desired = desired(asked, stable, canary);
            let weights = exact(&desired);
            prop_assert_eq!(error(weights, &desired).0, 0);
            prop_assert_eq!(weights.traffic(&desired).split(), Some(desired.split));
        }
    }
}
