//! The counts of a canary behind a router that weighs traffic, so that instances need not.
//!
//! Source: Argo Rollouts, `utils/replicaset/canary.go` (`GetCanaryReplicasOrWeight`,
//! `UseSetCanaryScale`, `CalculateReplicaCountsForTrafficRoutedCanary`).

use nonevent_router::FULL_WEIGHT;

use super::canary::CanaryCounts;
use super::shares::share_ceil;

/// What a `setCanaryScale` step asks for. The last such step at or before the current one holds;
/// without any, [`CanaryScale::MatchTraffic`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanaryScale {
    /// That many instances, whatever the traffic; may be above the replicas.
    Replicas(u32),
    /// A share of the replicas out of 10 000, whatever the traffic.
    Weight(u16),
    /// The share that the traffic has (`matchTrafficWeight`).
    MatchTraffic,
}

/// The canary's instances: the explicit number, or the share of `replicas` rounded up, where
/// `traffic` is the canary's share of requests (`setWeight`), out of 10 000.
///
/// Surge and unavailable have no say here: stable keeps all its instances, the canary's are on top.
#[must_use]
pub const fn routed_canary(replicas: u32, scale: CanaryScale, traffic: u16) -> u32 {
    match scale {
        CanaryScale::Replicas(count) => count,
        CanaryScale::Weight(weight) => share_ceil(replicas, weight),
        CanaryScale::MatchTraffic => share_ceil(replicas, traffic),
    }
}

/// The shares of requests that the router reports, each out of 10 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficWeights {
    /// The canary's.
    pub canary: u16,
    /// Stable's.
    pub stable: u16,
}

/// A canary behind a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The wanted number of instances.
    pub replicas: u32,
    /// What the steps say of the canary's size.
    pub scale: CanaryScale,
    /// The canary's wanted share of requests, out of 10 000.
    pub traffic: u16,
    /// What the router reports, if anything.
    pub actual: Option<TrafficWeights>,
    /// Whether stable gives up what the canary takes over (`dynamicStableScale`).
    pub dynamic_stable: bool,
    /// Whether the rollout was aborted; `traffic` is 0 then and `scale` matches it.
    pub aborted: bool,
    /// Instances that a set has at least if it has any (`minPodsPerReplicaSet`); 0 for no minimum.
    pub set_min: u32,
}

/// The instances of both sets.
///
/// Without `dynamic_stable`, stable has all replicas. With it, stable has what the larger of its
/// wanted and its actual share needs, so that it neither shrinks before traffic has left nor takes
/// traffic before it has grown; with an explicit count for the canary, which says nothing of
/// traffic, its wanted share is the whole. After an abort the canary keeps what its actual share
/// needs until traffic has left it.
///
/// `set_min` raises shares that are not 0; it does not raise a canary that is explicit or kept
/// because of an abort, nor a stable that has all replicas.
#[must_use]
pub fn routed_counts(routed: &Routed) -> CanaryCounts {
    let Routed { replicas, .. } = *routed;
    let at_least = |count: u32| match count {
        0 => 0,
        _ => count.max(routed.set_min),
    };
    let (mut canary, share) = match routed.scale {
        CanaryScale::Replicas(count) => (count, 0),
        CanaryScale::Weight(weight) => (at_least(share_ceil(replicas, weight)), weight),
        CanaryScale::MatchTraffic => (
            at_least(share_ceil(replicas, routed.traffic)),
            routed.traffic,
        ),
    };
    if !routed.dynamic_stable {
        return CanaryCounts {
            canary,
            stable: replicas,
        };
    }
    let mut stable = share_ceil(replicas, FULL_WEIGHT.saturating_sub(share));
    if let Some(actual) = routed.actual {
        stable = stable.max(share_ceil(replicas, actual.stable));
        if routed.aborted {
            canary = canary.max(share_ceil(replicas, actual.canary));
        }
    }
    CanaryCounts {
        canary,
        stable: at_least(stable),
    }
}

#[cfg(test)]
mod tests {
    use super::CanaryScale::{MatchTraffic, Replicas, Weight};
    use super::*;

    #[test]
    fn the_canary_is_explicit_or_a_share_rounded_up() {
        for (replicas, scale, traffic, want) in [
            (10, Replicas(3), 500, 3),
            (10, Replicas(0), 500, 0),
            (2, Replicas(9), 500, 9),
            (10, Weight(2500), 500, 3),
            (10, Weight(0), 500, 0),
            (10, MatchTraffic, 500, 1),
            (10, MatchTraffic, 1000, 1),
            (10, MatchTraffic, 1100, 2),
            (1, MatchTraffic, 100, 1),
            (4, MatchTraffic, 10_000, 4),
            (0, MatchTraffic, 5000, 0),
        ] {
            assert_eq!(routed_canary(replicas, scale, traffic), want, "{scale:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn stable_is_whole_unless_it_gives_up_what_traffic_has_left() {
        let plain = Routed {
            replicas: 10,
            scale: MatchTraffic,
            traffic: 2000,
            actual: None,
            dynamic_stable: false,
            aborted: false,
            set_min: 0,
        };
        let dynamic = |canary: u16| Routed {
            dynamic_stable: true,
            actual: Some(TrafficWeights { canary, stable: 10_000 - canary }),
            ..plain
        };
        let blind = Routed { actual: None, ..dynamic(0) };
        let aborted = Routed { traffic: 0, aborted: true, ..dynamic(7000) };
        let explicit = Routed { scale: Replicas(4), ..dynamic(2000) };
        let share = Routed { scale: Weight(5000), ..dynamic(2000) };
        let small = Routed { traffic: 500, set_min: 2, ..plain };
        let none = Routed { traffic: 0, ..small };
        let most = Routed { traffic: 9500, set_min: 2, ..blind };
        let table = [
            ("stable is whole", plain, 2, 10),
            ("traffic has not moved yet", dynamic(0), 2, 10),
            ("traffic has moved", dynamic(2000), 2, 8),
            ("traffic has moved too far", dynamic(7000), 2, 8),
            ("nothing reported", blind, 2, 8),
            ("the canary stays while it has traffic", aborted, 7, 10),
            ("an explicit canary says nothing of traffic", explicit, 4, 10),
            ("a share of its own", share, 5, 8),
            ("a minimum", small, 2, 10),
            ("no minimum of none", none, 0, 10),
            ("a minimum of stable", most, 10, 2),
        ];
        for (name, routed, canary, stable) in table {
            assert_eq!(
                routed_counts(&routed),
                CanaryCounts { canary, stable },
                "{name}"
            );
        }
    }
}
