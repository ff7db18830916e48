//! What a router can do, so that a plan asks for nothing that it cannot.

use crate::{Arm, FULL_WEIGHT, Split};

/// How finely a router divides traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Granularity {
    /// The canary's share is a multiple of one part of so many: 10 000 parts make every share
    /// exact, 256 parts are steps of about 0.39 %.
    Parts(u16),
    /// The share follows the number of instances of each version.
    Instances,
    /// All traffic goes to one version.
    AllOrNothing,
}

/// How one learns what a router really does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadBack {
    /// It reports split and pools in force.
    State,
    /// It reports nothing: the split must be inferred from answers to probes.
    Probe,
}

/// Whether a router itself refuses a controller that has been superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fencing {
    /// It orders changes and refuses an older one.
    Ordered,
    /// It takes whatever comes last; only the controller's own lock protects.
    None,
}

/// Whether a router keeps one client on one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stickiness {
    /// Every request is routed by itself.
    None,
    /// A session stays where it is, even when that version's weight is 0; such sessions must be
    /// drained on their own.
    Session,
}

/// What one kind of router can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Abilities {
    /// How finely it divides traffic.
    pub granularity: Granularity,
    /// How one learns what it does.
    pub read_back: ReadBack,
    /// Whether it refuses a superseded controller.
    pub fencing: Fencing,
    /// Whether it keeps a client on one version.
    pub stickiness: Stickiness,
    /// Whether it can be closed: answer all requests itself with 503.
    pub closes: bool,
    /// Whether it counts requests, errors and latencies by version.
    pub counts: bool,
    /// Whether it tells how many requests a draining instance still holds.
    pub reports_draining: bool,
    /// Whether the split in force survives a restart of the router.
    pub survives_restart: bool,
}

impl Abilities {
    /// Whether the router can do exactly this split. With [`Granularity::Instances`] only the
    /// ends are sure: what lies between depends on how many instances there are.
    ///
    /// ```
    /// use nonevent_router::{Split, embedded};
    /// let one_basis_point = Split::canary(1).expect("within 10 000");
    /// assert!(embedded::ABILITIES.expresses(one_basis_point));
    /// ```
    #[must_use]
    pub fn expresses(&self, split: Split) -> bool {
        match split {
            Split::Closed => self.closes,
            Split::Open { .. } => self.at_most(split) == split,
        }
    }

    /// The split nearest to an open `split` that the router can do and that gives the canary no
    /// more than was asked: a coarse router must not widen the blast radius. [`Split::Closed`]
    /// is returned as it is.
    #[must_use]
    pub fn at_most(&self, split: Split) -> Split {
        if split.is_closed() {
            return split;
        }
        let asked = u32::from(split.weight(Arm::Canary));
        let full = u32::from(FULL_WEIGHT);
        let given = match self.granularity {
            Granularity::Parts(parts) => {
                let parts = u32::from(parts.max(1));
                // The most parts whose share, rounded to our unit, is not above what was asked.
                let share = |part: u32| (part * full + parts / 2) / parts;
                let mut part = (asked * parts).div_ceil(full);
                while share(part) > asked {
                    part -= 1;
                }
                share(part)
            }
            Granularity::Instances | Granularity::AllOrNothing if asked < full => 0,
            Granularity::Instances | Granularity::AllOrNothing => full,
        };
        u16::try_from(given)
            .ok()
            .and_then(Split::canary)
            .expect("rounding down stays within the full weight")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::embedded;

    fn with(granularity: Granularity) -> Abilities {
        Abilities {
            granularity,
            ..embedded::ABILITIES
        }
    }

    #[test]
    fn what_granularity_leaves_of_a_split() {
        let canary = |weight| Split::canary(weight).expect("a weight");
        for (granularity, asked, given) in [
            (Granularity::Parts(10_000), 1, 1),
            (Granularity::Parts(256), 500, 469),
            (Granularity::Parts(256), 5_000, 5_000),
            (Granularity::Parts(256), 10_000, 10_000),
            (Granularity::Parts(100), 549, 500),
            (Granularity::Parts(0), 9_999, 0),
            (Granularity::AllOrNothing, 9_999, 0),
            (Granularity::AllOrNothing, 10_000, 10_000),
            (Granularity::Instances, 2_500, 0),
        ] {
            let abilities = with(granularity);
            assert_eq!(
                abilities.at_most(canary(asked)),
                canary(given),
                "{granularity:?} asked for {asked}"
            );
            assert_eq!(
                abilities.expresses(canary(asked)),
                asked == given,
                "{granularity:?} {asked}"
            );
        }
    }

    #[test]
    fn only_a_router_that_closes_expresses_closed() {
        assert!(embedded::ABILITIES.expresses(Split::Closed));
        let open = Abilities {
            closes: false,
            ..embedded::ABILITIES
        };
        assert!(!open.expresses(Split::Closed));
    }

    proptest! {
        #[test]
        fn rounding_never_gives_the_canary_more(parts in 0u16..=10_000, asked in 0u16..=10_000) {
            let abilities = with(Granularity::Parts(parts));
            let split = Split::canary(asked).expect("a weight");
            let given = abilities.at_most(split);
            prop_assert!(given.weight(Arm::Canary) <= asked);
            prop_assert!(abilities.expresses(given));
            let step = 10_000 / parts.max(1) + 1;
            prop_assert!(given.weight(Arm::Canary) + step >= asked);
        }
    }
}
