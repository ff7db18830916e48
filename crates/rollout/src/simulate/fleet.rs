//! The simulated instances: batches that become ready, and go, together.

use nonevent_router::Arm;

use crate::input::{ArmSeen, FleetSeen};

/// The instances of one arm.
#[derive(Clone, Copy, Debug, Default)]
struct Instances {
    seen: ArmSeen,
    /// When those that start are ready; absent if none start, or none ever will be.
    ready_ms: Option<i64>,
    /// When those that drain are gone.
    gone_ms: Option<i64>,
}

/// Both arms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fleet([Instances; 2]);

impl Fleet {
    pub(super) fn new(replicas: u16) -> Fleet {
        let stable = ArmSeen {
            present: replicas,
            kept: replicas,
            ready: replicas,
            failed: 0,
        };
        let stable = Instances {
            seen: stable,
            ..Instances::default()
        };
        Fleet([stable, Instances::default()])
    }

    pub(super) const fn seen(&self) -> FleetSeen {
        FleetSeen {
            stable: self.0[0].seen,
            canary: self.0[1].seen,
        }
    }

    /// Has so many instances of an arm: new ones ready at `ready_ms`, if ever, others gone at `gone_ms`.
    pub(super) fn scale(&mut self, arm: Arm, count: u16, ready_ms: Option<i64>, gone_ms: i64) {
        let it = &mut self.0[arm.index()];
        let seen = &mut it.seen;
        seen.failed = 0;
        if count > seen.kept {
            seen.present += count - seen.kept;
            it.ready_ms = ready_ms;
        }
        if count < seen.kept {
            seen.ready = seen.ready.min(count);
            it.gone_ms = Some(gone_ms);
            if seen.ready == count {
                it.ready_ms = None;
            }
        }
        seen.kept = count;
    }

    /// One of them ends by itself.
    pub(super) fn crash(&mut self, arm: Arm) {
        let seen = &mut self.0[arm.index()].seen;
        if seen.kept > 0 {
            seen.present -= 1;
            seen.kept -= 1;
            seen.ready = seen.ready.saturating_sub(1);
            seen.failed += 1;
        }
    }

    /// When something becomes ready or is gone.
    pub(super) fn next_ms(&self) -> Option<i64> {
        let times = self.0.iter().flat_map(|it| [it.ready_ms, it.gone_ms]);
        times.flatten().min()
    }

    /// Time runs to `now_ms`.
    pub(super) fn pass(&mut self, now_ms: i64) {
        for it in &mut self.0 {
            if it.ready_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                it.ready_ms = None;
                it.seen.ready = it.seen.kept;
            }
            if it.gone_ms.is_some_and(|at_ms| at_ms <= now_ms) {
                it.gone_ms = None;
                it.seen.present = it.seen.kept;
            }
        }
    }
}
