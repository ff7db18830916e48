//! One sync of Kubernetes' Deployment controller, from state to state.
//!
//! Source: Kubernetes, `pkg/controller/deployment` (`deployment_controller.go`, `rolling.go`,
//! `recreate.go`, `sync.go`) and its `util` (`FindActiveOrLatest`, `IsSaturated`,
//! `DeploymentComplete`).

use alloc::vec::Vec;

use super::limits::{IntOrPercent, RollingLimits, Wanted, fenceposts};
use super::proportional::proportional_sizes;
use super::replica_set::ReplicaSet;
use super::rolling::{
    StaleStatus, cleanup_unhealthy, new_set_target, old_sets_excess, scale_down_old,
};

/// How new instances take the old ones' place: `spec.strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// A few at a time.
    RollingUpdate {
        /// Instances above the wanted number, a percentage rounded up.
        max_surge: IntOrPercent,
        /// Instances missing from the wanted number, a percentage rounded down.
        max_unavailable: IntOrPercent,
    },
    /// All old ones stop before the first new one starts.
    Recreate,
}

/// What a sync did. In every case but [`SyncOutcome::Idle`] it did something.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncOutcome {
    /// The number of replicas had changed: sets were scaled towards it, in proportion.
    Rescaled,
    /// The new set was created, and no other set changed.
    Created,
    /// The new set changed its size.
    NewScaled,
    /// Old sets shrank; in the same sync the new set may have been created.
    OldScaled,
    /// Nothing to do: complete, or waiting until instances are available or gone.
    Idle,
    /// The controller gives up and tries again; some sets may have shrunk before.
    Refused(StaleStatus),
}

/// A deployment and its sets, as the controller sees them at the beginning of a sync.
///
/// ```
/// use nonevent_strategy::capacity::{IntOrPercent, Replacement, ReplicaSet, RollingState, SyncOutcome};
///
/// let mut state = RollingState {
///     replicas: 10,
///     strategy: Replacement::RollingUpdate {
///         max_surge: IntOrPercent::Percent(25),
///         max_unavailable: IntOrPercent::Percent(25),
///     },
///     new: None,
///     old: vec![ReplicaSet::new(10, 10, 0)],
/// };
/// // The sync that creates the new set goes on to the old ones: 13 - 8 - 3 of them may go.
/// assert_eq!(state.step(), SyncOutcome::OldScaled);
/// assert_eq!(state.new.map(|set| set.size), Some(3));
/// assert_eq!(state.old[0].size, 8);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollingState {
    /// The wanted number of instances.
    pub replicas: u32,
    /// How they are replaced.
    pub strategy: Replacement,
    /// The set of the version that is wanted; absent before the first sync.
    pub new: Option<ReplicaSet>,
    /// The sets of other versions.
    pub old: Vec<ReplicaSet>,
}

impl RollingState {
    /// The wanted number and the limits around it; under Recreate both limits are 0.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        let limits = match self.strategy {
            Replacement::RollingUpdate {
                max_surge,
                max_unavailable,
            } => fenceposts(max_surge, max_unavailable, self.replicas),
            Replacement::Recreate => RollingLimits {
                surge: 0,
                unavailable: 0,
            },
        };
        Wanted {
            replicas: self.replicas,
            limits,
        }
    }

    /// The sum of all sets' sizes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.sets().map(|set| u64::from(set.size)).sum()
    }

    /// Whether nothing is left to do: all instances there are new, and all wanted are available.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let new = self.new.unwrap_or(ReplicaSet::new(0, 0, 0));
        let pods = self.sets().map(|set| u64::from(set.pods)).sum::<u64>();
        let available = self.sets().map(|set| u64::from(set.available)).sum::<u64>();
        let wanted = u64::from(self.replicas);
        (u64::from(new.pods), pods, available) == (wanted, wanted, wanted)
    }

    /// One sync: sets sizes and annotations, leaves the status as it is.
    ///
    /// If the number of replicas has changed since an active set was last scaled, the sync only
    /// rescales (see [`RollingState::rescale`]). Else, under RollingUpdate, the new set is created
    /// or grown; if its size changed the sync ends, and only else do the old sets shrink. A new set
    /// that is *created* in this sync does not end it.
    pub fn step(&mut self) -> SyncOutcome {
        let changed = self
            .sets()
            .any(|set| set.size > 0 && set.desired_before.is_some_and(|was| was != self.replicas));
        if changed {
            return if self.rescale() {
                SyncOutcome::Rescaled
            } else {
                SyncOutcome::Idle
            };
        }
        match self.strategy {
            Replacement::RollingUpdate { .. } => self.step_rolling(),
            Replacement::Recreate => self.step_recreate(),
        }
    }

    /// Brings the sets to a changed number of replicas; says whether a size changed.
    ///
    /// A single active set (or, with none, the newest) gets all of it. A new set that is already
    /// whole and available takes the old ones' place. Else, under RollingUpdate, all active sets
    /// change in proportion ([`proportional_sizes`]); under Recreate nothing changes.
    ///
    /// This is also what a sync of a paused deployment does.
    ///
    /// A single active set that has the wanted size by chance (say, shrunk from 7 to 4 by the
    /// rollout when 4 became wanted) is left alone with its annotations, which goes on to look like
    /// a change: by these rules every further [`RollingState::step`] is idle until the number
    /// changes again.
    pub fn rescale(&mut self) -> bool {
        let wanted = self.wanted();
        let active = self.sets().filter(|set| set.size > 0).count();
        if active <= 1 {
            return self
                .active_or_newest()
                .is_some_and(|set| set.scale_to(wanted.replicas, wanted));
        }
        if self.is_saturated() {
            let mut scaled = false;
            for set in &mut self.old {
                scaled |= set.scale_to(0, wanted);
            }
            return scaled;
        }
        if self.strategy == Replacement::Recreate {
            return false;
        }
        let mut all = self.old.clone();
        all.extend(self.new);
        let sizes = proportional_sizes(wanted, &all);
        let mut scaled = false;
        for (set, size) in self.old.iter_mut().chain(&mut self.new).zip(sizes) {
            if set.size > 0 {
                // Annotated even if the size stays, so that the next sync rolls on.
                scaled |= set.scale_to(size, wanted);
                *set = set.annotated(wanted);
            }
        }
        scaled
    }

    fn step_rolling(&mut self) -> SyncOutcome {
        let wanted = self.wanted();
        let created = self.new.is_none();
        let mut new = self.new.unwrap_or_else(|| self.fresh(wanted));
        let total = self.old_total() + u64::from(new.size);
        let target = if new.size >= wanted.replicas {
            wanted.replicas
        } else {
            new_set_target(wanted, new.size, total)
        };
        let scaled = new.scale_to(target, wanted);
        self.new = Some(new);
        if scaled && !created {
            return SyncOutcome::NewScaled;
        }
        match self.shrink_old(wanted, &new) {
            Err(stale) => SyncOutcome::Refused(stale),
            Ok(0) if created => SyncOutcome::Created,
            Ok(0) => SyncOutcome::Idle,
            Ok(_) => SyncOutcome::OldScaled,
        }
    }

    fn shrink_old(&mut self, wanted: Wanted, new: &ReplicaSet) -> Result<u32, StaleStatus> {
        if self.old_total() == 0 {
            return Ok(0);
        }
        let most = old_sets_excess(wanted, new, self.total());
        if most == 0 {
            return Ok(0);
        }
        let cleaned = cleanup_unhealthy(wanted, &mut self.old, most)?;
        Ok(cleaned.saturating_add(scale_down_old(wanted, new.available, &mut self.old)))
    }

    fn step_recreate(&mut self) -> SyncOutcome {
        let wanted = self.wanted();
        let mut stopped = false;
        for set in &mut self.old {
            stopped |= set.scale_to(0, wanted);
        }
        if stopped {
            return SyncOutcome::OldScaled;
        }
        if self.old.iter().any(|set| set.pods > 0) {
            return SyncOutcome::Idle;
        }
        let created = self.new.is_none();
        let mut new = self.new.unwrap_or_else(|| self.fresh(wanted));
        let scaled = new.scale_to(wanted.replicas, wanted);
        self.new = Some(new);
        match (created, scaled) {
            (true, _) => SyncOutcome::Created,
            (false, true) => SyncOutcome::NewScaled,
            (false, false) => SyncOutcome::Idle,
        }
    }

    fn sets(&self) -> impl Iterator<Item = &ReplicaSet> {
        self.old.iter().chain(&self.new)
    }

    fn old_total(&self) -> u64 {
        self.old.iter().map(|set| u64::from(set.size)).sum()
    }

    /// A new set without instances yet, newer than all others.
    fn fresh(&self, wanted: Wanted) -> ReplicaSet {
        let newest = self.old.iter().map(|set| set.created).max();
        let created = newest.map_or(0, |created| created.saturating_add(1));
        ReplicaSet::new(0, 0, created).annotated(wanted)
    }

    /// Whether the new set is as large as wanted, all available, and was scaled for that.
    fn is_saturated(&self) -> bool {
        self.new.is_some_and(|new| {
            new.size == self.replicas
                && new.available == self.replicas
                && new.desired_before == Some(self.replicas)
        })
    }

    /// The only active set; without one the new set, or the newest of the old.
    fn active_or_newest(&mut self) -> Option<&mut ReplicaSet> {
        let none_active = self.sets().all(|set| set.size == 0);
        if none_active && self.new.is_some() {
            return self.new.as_mut();
        }
        let all = self.old.iter_mut().chain(&mut self.new);
        if none_active {
            all.max_by_key(|set| set.created)
        } else {
            all.into_iter().find(|set| set.size > 0)
        }
    }
}
