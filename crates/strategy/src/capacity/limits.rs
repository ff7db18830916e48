//! Surge and unavailable: from what a document says to whole instances.
//!
//! Source: Kubernetes, `pkg/controller/deployment/util` (`ResolveFenceposts`, `MaxSurge`,
//! `MaxUnavailable`, `MinAvailable`) and `apimachinery/pkg/util/intstr`
//! (`GetScaledValueFromIntOrPercent`). Argo Rollouts resolves its canary's limits alike.

use super::{clamp, count};

/// A count of instances or a whole percentage of the replicas: Kubernetes' `IntOrString`.
///
/// A percentage may be above 100: a `maxSurge` of 200 % is valid there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOrPercent {
    /// That many instances.
    Int(u32),
    /// That many hundredths of the replicas.
    Percent(u32),
}

impl IntOrPercent {
    /// Instances out of `replicas`; a percentage is rounded up. `maxSurge` is read so.
    #[must_use]
    pub const fn of_ceil(self, replicas: u32) -> u32 {
        match self {
            IntOrPercent::Int(count) => count,
            IntOrPercent::Percent(percent) => {
                clamp((percent as u64 * replicas as u64).div_ceil(100))
            }
        }
    }

    /// Instances out of `replicas`; a percentage is rounded down. `maxUnavailable` is read so.
    #[must_use]
    pub const fn of_floor(self, replicas: u32) -> u32 {
        match self {
            IntOrPercent::Int(count) => count,
            IntOrPercent::Percent(percent) => clamp(percent as u64 * replicas as u64 / 100),
        }
    }
}

/// Surge and unavailable as whole instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollingLimits {
    /// Instances that may exist above the wanted number.
    pub surge: u32,
    /// Instances that may be missing from the wanted number. May be above that number; see
    /// [`Wanted::unavailable_max`].
    pub unavailable: u32,
}

/// The limits for two counts that are already whole: as given, but if both are 0, unavailable is
/// 1, since a rollout could not move otherwise.
///
/// Percentages are to be resolved before, surge upwards and unavailable downwards; [`fenceposts`]
/// does both at once.
#[must_use]
pub const fn rolling_limits(surge: u32, unavailable: u32) -> RollingLimits {
    let stuck = surge == 0 && unavailable == 0;
    RollingLimits {
        surge,
        unavailable: if stuck { 1 } else { unavailable },
    }
}

/// `maxSurge` and `maxUnavailable` for `replicas`: surge rounded up, unavailable rounded down; if
/// both come to 0, unavailable is 1.
///
/// Both may come to 0 though the document says otherwise: 10 % unavailable of 5 replicas is none.
/// With 0 replicas, percentages give 0 and 0, hence an unavailable of 1, which
/// [`Wanted::unavailable_max`] takes back.
#[must_use]
pub const fn fenceposts(
    surge: IntOrPercent,
    unavailable: IntOrPercent,
    replicas: u32,
) -> RollingLimits {
    rolling_limits(surge.of_ceil(replicas), unavailable.of_floor(replicas))
}

/// What a rollout is held to: the wanted number of instances and the limits around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The wanted number of instances: `spec.replicas`.
    pub replicas: u32,
    /// The limits, resolved for that number.
    pub limits: RollingLimits,
}

impl Wanted {
    /// `MaxUnavailable`: the limit, but never above `replicas`.
    #[must_use]
    pub fn unavailable_max(self) -> u32 {
        self.limits.unavailable.min(self.replicas)
    }

    /// `MinAvailable`: how many instances have to be available at all times.
    #[must_use]
    pub fn available_min(self) -> u32 {
        self.replicas - self.unavailable_max()
    }

    /// How many instances may exist: `replicas + surge`.
    #[must_use]
    pub fn total_max(self) -> u32 {
        count(i64::from(self.replicas) + i64::from(self.limits.surge))
    }
}

#[cfg(test)]
mod tests {
    use super::IntOrPercent::{Int, Percent};
    use super::*;

    #[test]
    fn limits_as_the_deployment_controller_resolves_them() {
        let table = [
            // replicas, surge, unavailable, surge, unavailable
            (10, Percent(25), Percent(25), 3, 2),
            (4, Percent(25), Percent(25), 1, 1),
            (3, Percent(25), Percent(25), 1, 0),
            (1, Percent(25), Percent(25), 1, 0),
            (2, Percent(50), Percent(50), 1, 1),
            (3, Percent(0), Percent(25), 0, 1),
            (5, Int(0), Percent(10), 0, 1),
            (5, Int(0), Int(0), 0, 1),
            (10, Percent(200), Int(0), 20, 0),
            (10, Int(2), Percent(100), 2, 10),
            (10, Percent(1), Percent(1), 1, 0),
            (100, Percent(29), Percent(29), 29, 29),
            (0, Percent(25), Percent(25), 0, 1),
        ];
        for (replicas, surge, unavailable, surge_want, unavailable_want) in table {
            assert_eq!(
                fenceposts(surge, unavailable, replicas),
                RollingLimits {
                    surge: surge_want,
                    unavailable: unavailable_want
                },
                "{replicas} {surge:?} {unavailable:?}"
            );
        }
    }

    #[test]
    fn no_more_can_be_missing_than_are_wanted() {
        let wanted = |replicas, unavailable| Wanted {
            replicas,
            limits: rolling_limits(0, unavailable),
        };
        assert_eq!(wanted(0, 1).unavailable_max(), 0);
        assert_eq!(wanted(3, 9).available_min(), 0);
        assert_eq!(wanted(3, 0).available_min(), 2);
        assert_eq!(wanted(u32::MAX, 1).total_max(), u32::MAX);
    }
}
