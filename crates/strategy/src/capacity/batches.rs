//! The batches of a rolling update, each ready before the next begins.

use alloc::vec::Vec;

use super::limits::RollingLimits;

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
        let ceiling = u64::from(replicas) + u64::from(limits.surge);
        let room = ceiling.saturating_sub(u64::from(self.old) + u64::from(self.new));
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        let upto = upto.min(replicas);
        let new = self.new + room.min(upto.saturating_sub(self.new));
        let floor = replicas.saturating_sub(limits.unavailable);
        let old = self.old.min(floor.saturating_sub(new).max(replicas - upto));
        Batch { new, old }
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
    use crate::capacity::{instances_needed, rolling_limits, weight_of_instances};
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
