//! The batches of a rolling update, each ready before the next begins.

use alloc::vec::Vec;

use super::limits::RollingLimits;
use super::shares::weight_of_instances;

/// One batch of a rolling update: the counts after it has been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// New instances once the batch's growth is ready.
    pub new: u32,
    /// Old instances left once the batch's shrinking is done.
    pub old: u32,
}

impl Batch {
    /// The batch after this one, for an update of `replicas` instances that goes no further than
    /// `upto` new ones, with the others left as they are: where a wave ends. The same as this one if
    /// nothing is left to do.
    #[must_use]
    pub fn next(self, replicas: u32, limits: RollingLimits, upto: u32) -> Self {
        let upto = upto.min(replicas);
        let aim = Batch {
            new: upto,
            old: replicas - upto,
        };
        self.toward(aim, replicas, limits)
    }

    /// The batch after this one on the way to `aim`, which has at least as many new instances and
    /// at most as many old ones: growth as far as `replicas + surge` has room for it, then
    /// shrinking as far as `replicas - unavailable` allows once the growth is ready. The same as
    /// this one if `aim` is reached, or if the limits let nothing move.
    ///
    /// ```
    /// use nonevent_strategy::capacity::{Batch, RollingLimits};
    /// let limits = RollingLimits { surge: 2, unavailable: 0 };
    /// let (at, aim) = (Batch { new: 1, old: 10 }, Batch { new: 5, old: 5 });
    /// assert_eq!(at.toward(aim, 10, limits), Batch { new: 2, old: 8 });
    /// ```
    #[must_use]
    pub fn toward(self, aim: Batch, replicas: u32, limits: RollingLimits) -> Self {
        let ceiling = u64::from(replicas) + u64::from(limits.surge);
        let room = ceiling.saturating_sub(u64::from(self.old) + u64::from(self.new));
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let new = self.new + room.min(aim.new.saturating_sub(self.new));
        let floor = replicas.saturating_sub(limits.unavailable);
        let old = self.old.min(floor.saturating_sub(new).max(aim.old));
        Batch { new, old }
    }

    /// The share of the new instances among all, out of 10 000; 0 for none.
    #[must_use]
    pub const fn weight(self) -> u16 {
        match self.new {
            0 => 0,
            new => weight_of_instances(new, new.saturating_add(self.old)),
        }
    }
}

/// The batches that take `replicas` instances from old to new under `limits`, assuming that every
/// new instance becomes ready: total never above `replicas + surge`, ready never under
/// `replicas - unavailable`.
///
/// Growth: to `replicas + surge - total` at most, and never above `replicas`. Shrinking: by at
/// most `total - (replicas - unavailable)`.
///
/// The limits are those of Kubernetes' Deployment controller, the turns are not: it need not wait
/// for a batch to be whole, and moves one direction per sync. For its own turns see
/// [`RollingState::step`](super::RollingState::step).
#[must_use]
pub fn rolling_batches(replicas: u32, limits: RollingLimits) -> Vec<Batch> {
    let mut at = Batch {
        new: 0,
        old: replicas,
    };
    let mut batches = Vec::new();
    while at.old > 0 || at.new < replicas {
        let next = at.next(replicas, limits, replicas);
        if next == at {
            // Both limits 0: `rolling_limits` never gives this, a caller's own struct may.
            break;
        }
        at = next;
        batches.push(at);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{canary_counts, instances_needed, rolling_limits};
    use nonevent_router::FULL_WEIGHT;
    use proptest::prelude::*;

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
                let weight = batch.weight();
                if batch.new > 0 && batch.old > 0 {
                    let floor = replicas - limits.unavailable.min(replicas);
                    prop_assert!(instances_needed(weight, floor) <= batch.new);
                    prop_assert!(instances_needed(FULL_WEIGHT - weight, floor) <= batch.old);
                }
            }
        }

        #[test]
        fn a_ramp_by_share_keeps_its_limits_and_ends_at_its_counts(
            replicas in 1u32..400, surge in 0u32..50, unavailable in 0u32..50,
            weights in prop::collection::btree_set(1u16..=FULL_WEIGHT, 1..6),
        ) {
            prop_assume!(surge > 0 || unavailable > 0);
            let limits = RollingLimits { surge, unavailable: unavailable.min(replicas) };
            let floor = replicas - limits.unavailable;
            let mut at = Batch { new: 0, old: replicas };
            for weight in weights.into_iter().chain([FULL_WEIGHT]) {
                let counts = canary_counts(replicas, weight, surge);
                let aim = Batch { new: counts.canary, old: counts.stable };
                // No version ever grows back: a later aim lies further on.
                prop_assert!(aim.new >= at.new && aim.old <= at.old);
                while at != aim {
                    let next = at.toward(aim, replicas, limits);
                    prop_assert!(next != at);
                    prop_assert!(next.new + at.old <= replicas + surge);
                    prop_assert!(next.new + next.old >= floor);
                    prop_assert!(at.weight() <= next.weight() && next.weight() <= aim.weight());
                    at = next;
                }
            }
            prop_assert_eq!(at, Batch { new: replicas, old: 0 });
        }
    }
}
