//! A set of instances of one version, as the Deployment controller sees it.

use alloc::vec::Vec;

use super::limits::Wanted;

/// A replica set: its wanted size, what its status reports, and what it remembers.
///
/// The status lags behind the size. Nothing here assumes that it does not: `available` and `pods`
/// may be above or below `size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaSet {
    /// The wanted size: `spec.replicas`.
    pub size: u32,
    /// Instances that exist and have not ended: `status.replicas`.
    pub pods: u32,
    /// Instances that are available (see [`is_available`]): `status.availableReplicas`.
    pub available: u32,
    /// When it was created; only the order counts, a larger number is newer. Among equals, one
    /// that stands later in a list is newer (Kubernetes goes by name there).
    pub created: u64,
    /// The deployment's replicas when this set was last scaled: the annotation
    /// `deployment.kubernetes.io/desired-replicas`.
    pub desired_before: Option<u32>,
    /// Replicas and surge at that time: the annotation `deployment.kubernetes.io/max-replicas`.
    pub max_before: Option<u32>,
}

impl ReplicaSet {
    /// A set with `size` instances, all there, `available` of them available, without annotations.
    #[must_use]
    pub const fn new(size: u32, available: u32, created: u64) -> ReplicaSet {
        ReplicaSet {
            size,
            pods: size,
            available,
            created,
            desired_before: None,
            max_before: None,
        }
    }

    /// The same set with the annotations that scaling it under `wanted` would leave.
    #[must_use]
    pub fn annotated(self, wanted: Wanted) -> ReplicaSet {
        ReplicaSet {
            desired_before: Some(wanted.replicas),
            max_before: Some(wanted.total_max()),
            ..self
        }
    }

    /// Sets the size, and the annotations if the size changes; says whether it does.
    ///
    /// Source: Kubernetes, `scaleReplicaSetAndRecordEvent`.
    pub fn scale_to(&mut self, size: u32, wanted: Wanted) -> bool {
        let scaled = size != self.size;
        if scaled {
            self.size = size;
            *self = self.annotated(wanted);
        }
        scaled
    }
}

/// The places of `sets` from the oldest to the newest.
pub(super) fn oldest_first(sets: &[ReplicaSet]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..sets.len()).collect();
    places.sort_by_key(|&place| sets[place].created);
    places
}

/// Whether an instance counts as available at `now_ms`: it is ready, and has been for longer than
/// `min_ready_ms`. `ready_since_ms` is when its readiness last changed, if that is known.
///
/// With a `min_ready_ms` of 0 readiness is enough, also when its beginning is not known. Else the
/// time must be over, strictly: at `ready_since_ms + min_ready_ms` itself it is not available yet.
///
/// Source: Kubernetes, `pkg/api/v1/pod` (`IsPodAvailable`).
#[must_use]
pub const fn is_available(
    ready: bool,
    ready_since_ms: Option<u64>,
    min_ready_ms: u64,
    now_ms: u64,
) -> bool {
    if !ready || min_ready_ms == 0 {
        return ready;
    }
    match ready_since_ms {
        Some(since_ms) => since_ms.saturating_add(min_ready_ms) < now_ms,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_available_once_it_was_ready_for_longer_than_the_minimum() {
        let table = [
            (false, Some(0), 0, 100, false),
            (true, None, 0, 100, true),
            (true, None, 1, 100, false),
            (true, Some(100), 0, 100, true),
            (true, Some(90), 10, 100, false),
            (true, Some(89), 10, 100, true),
            (true, Some(u64::MAX), 10, 100, false),
        ];
        for (ready, since, min, now, want) in table {
            assert_eq!(
                is_available(ready, since, min, now),
                want,
                "{since:?} {min}"
            );
        }
    }
}
