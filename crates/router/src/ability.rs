//! What a router can do, so that a plan asks for nothing that it cannot.

use core::fmt;

use crate::{Arm, FULL_WEIGHT, Split};

/// How finely a router divides traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Granularity {
    /// The canary's share is a multiple of one part of so many: 10 000 parts make every share
    /// exact, 256 parts are steps of about 0.39 %.
    Parts(u16),
    /// Each version has a weight of 0 to so many, and the share is the ratio of the two: with 256
    /// most shares of whole percents are exact (5 % is 1 : 19) and the smallest is 1 : 256, about
    /// 0.39 %. A version with several instances can make the ends coarser; the configured
    /// dialect says what comes out ([`Adapter::traffic`](crate::Adapter::traffic)).
    Ratio(u16),
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
    /// It reports what it was told and has accepted; whether the part that carries the traffic
    /// follows must be inferred from answers to probes.
    Accepted,
    /// It reports nothing: the split must be inferred from answers to probes.
    Probe,
}

/// Whether a router itself refuses a controller that has been superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fencing {
    /// It orders changes and refuses an older one.
    Ordered,
    /// It refuses a change that was not made on its latest state (`If-Match`, resource version).
    /// A controller that carries the mark of its own last reading learns that another has acted
    /// since; one that reads anew before each change does not.
    Compare,
    /// It takes whatever comes last; only the controller's own lock protects.
    None,
}

/// Whether a router keeps one client on one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stickiness {
    /// Every request is routed by itself.
    None,
    /// A client's key (address, cookie or request number) is hashed to a version: it stays as long
    /// as the split does, and a growing canary only ever takes clients over.
    Key,
    /// A client stays on its version, whatever the share, for as long as that version has weight;
    /// at weight 0 it is moved.
    WhileWeighted,
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
    /// Whether the split in force survives the router reading its configuration anew.
    pub survives_reload: bool,
    /// Whether it can be told which instances each version has; if not, the instances are
    /// somebody else's matter and only the split is set.
    pub sets_pools: bool,
    /// Whether requests with a certain header can go to the canary whatever the split.
    pub routes_headers: bool,
    /// Whether it can send a copy of requests to the canary and drop the answers.
    pub mirrors: bool,
    /// Whether it can end a version's open sessions at once.
    pub ends_sessions: bool,
}

/// One thing that a plan may need of a router, for checks that name what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ability {
    /// Shares of traffic, not only all or nothing.
    Split,
    /// Every share of 0.01 % exactly.
    ExactSplit,
    /// Telling what split is in force or accepted.
    ReadBack,
    /// Refusing a superseded controller, by order or by comparison.
    Fence,
    /// Keeping a client on one version.
    Stickiness,
    /// Answering all requests itself with 503.
    Close,
    /// Counting requests and errors by version.
    Count,
    /// Telling what a draining instance still holds.
    ReportDraining,
    /// Keeping the split over a restart.
    SurviveRestart,
    /// Keeping the split over a reload.
    SurviveReload,
    /// Being told the instances of each version.
    SetPools,
    /// Routing by a header.
    RouteHeaders,
    /// Copying requests to the canary.
    Mirror,
    /// Ending open sessions at once.
    EndSessions,
}

impl Ability {
    /// All abilities, in the order of their declaration.
    pub const ALL: [Ability; 14] = [
        Ability::Split,
        Ability::ExactSplit,
        Ability::ReadBack,
        Ability::Fence,
        Ability::Stickiness,
        Ability::Close,
        Ability::Count,
        Ability::ReportDraining,
        Ability::SurviveRestart,
        Ability::SurviveReload,
        Ability::SetPools,
        Ability::RouteHeaders,
        Ability::Mirror,
        Ability::EndSessions,
    ];
}

/// What completes the sentence "this router cannot …".
impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Ability::Split => "give a version a share of the traffic",
            Ability::ExactSplit => "divide traffic in steps of 0.01 %",
            Ability::ReadBack => "tell what split is in force",
            Ability::Fence => "refuse a superseded controller",
            Ability::Stickiness => "keep a client on one version",
            Ability::Close => "answer all requests itself",
            Ability::Count => "count requests and errors by version",
            Ability::ReportDraining => "tell what a draining instance still holds",
            Ability::SurviveRestart => "keep the split over a restart",
            Ability::SurviveReload => "keep the split over a reload",
            Ability::SetPools => "be told the instances of each version",
            Ability::RouteHeaders => "route requests by a header",
            Ability::Mirror => "copy requests to the canary",
            Ability::EndSessions => "end open sessions at once",
        })
    }
}

impl Abilities {
    /// Whether the router has one ability.
    ///
    /// ```
    /// use nonevent_router::{Ability, Dialect};
    /// let nginx = Dialect::Nginx.abilities();
    /// assert!(nginx.has(Ability::ExactSplit) && !nginx.has(Ability::ReadBack));
    /// ```
    #[must_use]
    pub fn has(&self, ability: Ability) -> bool {
        match ability {
            Ability::Split => matches!(
                self.granularity,
                Granularity::Parts(_) | Granularity::Ratio(_) | Granularity::Instances
            ),
            Ability::ExactSplit => self.granularity == Granularity::Parts(FULL_WEIGHT),
            Ability::ReadBack => self.read_back != ReadBack::Probe,
            Ability::Fence => self.fencing != Fencing::None,
            Ability::Stickiness => self.stickiness != Stickiness::None,
            Ability::Close => self.closes,
            Ability::Count => self.counts,
            Ability::ReportDraining => self.reports_draining,
            Ability::SurviveRestart => self.survives_restart,
            Ability::SurviveReload => self.survives_reload,
            Ability::SetPools => self.sets_pools,
            Ability::RouteHeaders => self.routes_headers,
            Ability::Mirror => self.mirrors,
            Ability::EndSessions => self.ends_sessions,
        }
    }

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
            Granularity::Parts(parts) => most_parts(asked, u32::from(parts.max(1))),
            Granularity::Ratio(most) => most_ratio(asked, u32::from(most.max(1))),
            Granularity::Instances | Granularity::AllOrNothing if asked < full => 0,
            Granularity::Instances | Granularity::AllOrNothing => full,
        };
        u16::try_from(given)
            .ok()
            .and_then(Split::canary)
            .expect("rounding down stays within the full weight")
    }
}

/// `part` of `whole` in units of 0.01 %, rounded to the nearest, halves up.
fn share(part: u32, whole: u32) -> u32 {
    (part * u32::from(FULL_WEIGHT) + whole / 2) / whole
}

/// The largest share of so many equal parts that is not above what was asked, as shares are
/// rounded.
fn most_parts(asked: u32, parts: u32) -> u32 {
    let mut part = (asked * parts).div_ceil(u32::from(FULL_WEIGHT));
    while share(part, parts) > asked {
        part -= 1;
    }
    share(part, parts)
}

/// The largest share that two weights of 0 to `most` give and that is not above what was asked,
/// as shares are rounded.
fn most_ratio(asked: u32, most: u32) -> u32 {
    if asked >= u32::from(FULL_WEIGHT) {
        return u32::from(FULL_WEIGHT);
    }
    (1..=most)
        .filter_map(|canary| {
            // A larger weight of stable means a smaller share.
            let whole = |stable: u32| canary + stable;
            let fits = |stable: &u32| share(canary, whole(*stable)) <= asked;
            let ideal = canary * (u32::from(FULL_WEIGHT) - asked) / asked.max(1);
            let from = ideal.saturating_sub(1).clamp(1, most);
            (from..=(from + 3).min(most))
                .find(fits)
                .map(|stable| share(canary, whole(stable)))
        })
        .max()
        .unwrap_or(0)
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
            (Granularity::Ratio(256), 500, 500),
            (Granularity::Ratio(256), 1, 0),
            (Granularity::Ratio(256), 39, 39),
            (Granularity::Ratio(256), 9_999, 9_961),
            (Granularity::Ratio(256), 10_000, 10_000),
            (Granularity::Ratio(0), 9_999, 5_000),
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

        /// Against every pair of weights, tried one by one.
        #[test]
        fn the_best_ratio_is_found(most in 1u16..=48, asked in 0u16..=10_000) {
            let abilities = with(Granularity::Ratio(most));
            let split = Split::canary(asked).expect("a weight");
            let given = abilities.at_most(split);
            let most = u32::from(most);
            let best = (0..=most)
                .flat_map(|canary| (0..=most).map(move |stable| (canary, stable)))
                .filter(|(canary, stable)| canary + stable > 0)
                .map(|(canary, stable)| share(canary, canary + stable))
                .filter(|share| *share <= u32::from(asked))
                .max();
            prop_assert_eq!(Some(u32::from(given.weight(Arm::Canary))), best);
            prop_assert!(abilities.expresses(given));
        }
    }
}
