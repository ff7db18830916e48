//! Which instance gets a request.
//!
//! The whole routing state is one value that is swapped at once. A request looks at it only for
//! the moment of choosing, in which it also enters the books of the instance chosen. A change
//! waits until nobody looks at the old state any more, so after it was acknowledged no request
//! can begin on an instance that was left out, and `in_flight == 0` means that it is done.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use nonevent_router::{Arm, Backend, BackendState, Counters, Desired, FULL_WEIGHT, Pools, Split};

use super::config::EmbeddedLimits;
use super::tally::{ArmTally, Attempt};
use super::upstream::Upstream;

/// Successive requests take slots of 10 000 this far apart. It is prime to 10 000, so every slot
/// comes up once in 10 000 requests, and near to 10 000 divided by the golden ratio, so that any
/// few successive requests are spread evenly too (Knuth, The Art of Computer Programming, 6.4:
/// Fibonacci hashing). A plain `every twentieth` would resonate with clients that take turns
/// themselves: with two kinds of request in alternation, one version would get one kind only.
const STRIDE: u64 = 6_181;

/// The arm of the request number `turn`.
pub(super) fn arm_of(split: Split, turn: u64) -> Arm {
    let full = u64::from(FULL_WEIGHT);
    let slot = (turn % full) * STRIDE % full;
    if slot < u64::from(split.weight(Arm::Canary)) {
        Arm::Canary
    } else {
        Arm::Stable
    }
}

/// The state in force.
pub(super) struct Table {
    pub(super) accepted: Option<Desired>,
    split: Split,
    pools: [Vec<Arc<Upstream>>; 2],
}

impl Table {
    fn empty() -> Table {
        Table {
            accepted: None,
            split: Split::Closed,
            pools: [Vec::new(), Vec::new()],
        }
    }

    pub(super) fn split(&self) -> Split {
        self.split
    }

    pub(super) fn pools(&self) -> Pools {
        self.accepted
            .as_ref()
            .map_or_else(Pools::default, |desired| desired.pools.clone())
    }

    fn instances(&self) -> Vec<Arc<Upstream>> {
        self.pools.iter().flatten().map(Arc::clone).collect()
    }

    /// The instances of an arm that may get a request: none when the arm has no weight, for then
    /// it must not get even one that failed elsewhere.
    fn open(&self, arm: Arm) -> &[Arc<Upstream>] {
        if self.split.weight(arm) == 0 {
            return &[];
        }
        &self.pools[arm.index()]
    }
}

/// The routing state and the counters.
pub(super) struct Routes {
    table: ArcSwap<Table>,
    /// The instances that were left out and may still be busy. May also hold some of the pools.
    draining: Mutex<Vec<Arc<Upstream>>>,
    turn: AtomicU64,
    next: [AtomicUsize; 2],
    tallies: [Arc<ArmTally>; 2],
    refused: AtomicU64,
}

impl Routes {
    pub(super) fn new() -> Routes {
        Routes {
            table: ArcSwap::from_pointee(Table::empty()),
            draining: Mutex::default(),
            turn: AtomicU64::new(0),
            next: Default::default(),
            tallies: Default::default(),
            refused: AtomicU64::new(0),
        }
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Chooses an instance for a new request; `None` if there is none to be had.
    ///
    /// If the arm whose turn it is has no instance, the other takes the request if it has weight.
    pub(super) fn begin(&self) -> Option<Attempt> {
        let table = self.table.load();
        let arm = arm_of(table.split, self.turn.fetch_add(1, Ordering::Relaxed));
        self.pick(&table, arm, &[])
            .or_else(|| self.pick(&table, arm.other(), &[]))
    }

    /// Chooses another instance for a request that could not be delivered to any of `tried`.
    ///
    /// First another instance of the same arm, so that one dead instance does not shift the
    /// split; when two of the arm have failed, or there is no other, one of the other arm, so
    /// that a dead version does not cost the client its answer; then any that is left.
    pub(super) fn begin_again(&self, tried: &[Arc<Upstream>]) -> Option<Attempt> {
        let table = self.table.load();
        let arm = tried.first()?.arm;
        let same = tried.iter().filter(|upstream| upstream.arm == arm).count();
        let order = if same < 2 {
            [arm, arm.other()]
        } else {
            [arm.other(), arm]
        };
        order
            .into_iter()
            .find_map(|arm| self.pick(&table, arm, tried))
    }

    fn pick(&self, table: &Table, arm: Arm, tried: &[Arc<Upstream>]) -> Option<Attempt> {
        let pool = table.open(arm);
        if pool.is_empty() {
            return None;
        }
        let start = self.next[arm.index()].fetch_add(1, Ordering::Relaxed);
        (0..pool.len())
            .map(|step| &pool[start.wrapping_add(step) % pool.len()])
            .find(|upstream| !contains(tried, upstream))
            .map(|upstream| {
                let tally = &self.tallies[arm.index()];
                Attempt::begin(Arc::clone(upstream), Arc::clone(tally))
            })
    }

    /// Counts a request that the router answers itself.
    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts a state in force. When this returns, no request can begin under the old one.
    ///
    /// The caller has checked the addresses and lets only one change run at a time.
    pub(super) async fn put_in_force(&self, desired: Desired) {
        let mut known = self.table().instances();
        known.extend(self.draining().iter().map(Arc::clone));
        let pools = Arm::BOTH.map(|arm| pool(&known, arm, desired.pools.of(arm)));
        let table = Table {
            split: desired.split,
            pools,
            accepted: Some(desired),
        };
        let kept = table.instances();
        for upstream in &kept {
            upstream.set_draining(false);
        }
        // Before the swap, so that no reading misses one that has just been left out.
        known.retain(|upstream| !contains(&kept, upstream));
        self.draining().clone_from(&known);
        let mut old = self.table.swap(Arc::new(table));
        // Whoever chooses holds the old table only within synchronous code.
        while let Err(shared) = Arc::try_unwrap(old) {
            old = shared;
            tokio::task::yield_now().await;
        }
        for upstream in &known {
            upstream.set_draining(true);
        }
    }

    /// Closes kept-alive connections that were idle for too long.
    pub(super) fn close_expired(&self, limits: &EmbeddedLimits) {
        for upstream in self.table().pools.iter().flatten() {
            upstream.close_expired(limits);
        }
    }

    /// Every instance in the pools of `table`, and those left out that are still busy.
    pub(super) fn backends(&self, table: &Table) -> Vec<BackendState> {
        let kept = table.instances();
        let mut draining = self.draining();
        draining.retain(|upstream| !upstream.is_idle());
        let busy = draining
            .iter()
            .filter(|upstream| !contains(&kept, upstream));
        kept.iter()
            .chain(busy)
            .map(|upstream| upstream.state())
            .collect()
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            stable: self.tallies[Arm::Stable.index()].read(),
            canary: self.tallies[Arm::Canary.index()].read(),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn draining(&self) -> MutexGuard<'_, Vec<Arc<Upstream>>> {
        // The critical sections only replace and retain.
        self.draining.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn contains(upstreams: &[Arc<Upstream>], wanted: &Arc<Upstream>) -> bool {
    upstreams.iter().any(|other| Arc::ptr_eq(other, wanted))
}

/// The instances of a pool: those already known keep their connections and counters.
fn pool(known: &[Arc<Upstream>], arm: Arm, backends: &[Backend]) -> Vec<Arc<Upstream>> {
    let find = |backend: &Backend| {
        let address: SocketAddr = backend
            .address
            .parse()
            .expect("a change is checked before it is put in force");
        known
            .iter()
            .find(|upstream| upstream.is(arm, backend, address))
            .map_or_else(
                || Arc::new(Upstream::new(arm, &backend.id, address)),
                Arc::clone,
            )
    };
    backends.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most that the canary's count in any window of successive requests, or of every
    /// `step`-th request, differs from its share.
    fn worst(weight: u16, window: u64, step: u64) -> f64 {
        let split = Split::canary(weight).expect("a weight");
        let share = f64::from(weight) / 10_000.0;
        (0..2_000)
            .map(|start| {
                let count = (0..window)
                    .filter(|turn| arm_of(split, start + turn * step) == Arm::Canary)
                    .count();
                (count as f64 - share * window as f64).abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn every_slot_comes_up_once() {
        for weight in [0, 1, 500, 2_500, 5_000, 9_999, 10_000] {
            let split = Split::canary(weight).expect("a weight");
            let canary = (777..10_777)
                .filter(|turn| arm_of(split, *turn) == Arm::Canary)
                .count();
            assert_eq!(canary, usize::from(weight));
        }
    }

    #[test]
    fn a_share_holds_in_every_short_window() {
        for weight in [100, 500, 1_000, 2_500, 5_000, 7_500] {
            for window in [20, 100, 400] {
                let off = worst(weight, window, 1);
                assert!(off <= 2.0, "weight {weight}, window {window}: off by {off}");
            }
        }
    }

    #[test]
    fn clients_that_take_turns_do_not_resonate() {
        for weight in [500, 2_500, 5_000] {
            for step in 2..=8 {
                let off = worst(weight, 200, step);
                assert!(off <= 6.0, "weight {weight}, every {step}th: off by {off}");
            }
        }
    }
}
