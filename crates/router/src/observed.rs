//! What a foreign router reports: less than the embedded one, so that every part may be missing.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Arm, Desired, FULL_WEIGHT, Fence, Split};

/// The canary's share of the traffic as a router really divides it: an exact fraction.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    canary: u64,
    stable: u64,
}

impl Share {
    /// The share of two total weights; `None` if both are 0 or their sum exceeds 64 bits.
    #[must_use]
    pub fn of(stable: u64, canary: u64) -> Option<Share> {
        let whole = stable.checked_add(canary)?;
        (whole > 0).then_some(Share { canary, stable })
    }

    /// The total weights of stable and canary, in the router's own unit.
    #[must_use]
    pub const fn weights(self) -> (u64, u64) {
        (self.stable, self.canary)
    }

    /// The nearest share in units of 0.01 %, halves up; but 0 only for none of the traffic, and
    /// 10 000 only for all of it.
    #[must_use]
    pub fn split(self) -> Split {
        let (whole, full) = (self.whole(), u128::from(FULL_WEIGHT));
        let nearest = (2 * u128::from(self.canary) * full + whole) / (2 * whole);
        let given = match (self.canary, self.stable) {
            (0, _) => 0,
            (_, 0) => full,
            _ => nearest.clamp(1, full - 1),
        };
        u16::try_from(given)
            .ok()
            .and_then(Split::canary)
            .expect("a share is at most the full weight")
    }

    /// How far this is from `split`, as numerator and denominator of a fraction of the traffic.
    /// `None` if the split is closed.
    #[must_use]
    pub fn distance(self, split: Split) -> Option<(u128, u128)> {
        if split.is_closed() {
            return None;
        }
        let full = u128::from(FULL_WEIGHT);
        let asked = u128::from(split.weight(Arm::Canary));
        let this = u128::from(self.canary) * full;
        Some((this.abs_diff(asked * self.whole()), full * self.whole()))
    }

    fn whole(self) -> u128 {
        u128::from(self.stable) + u128::from(self.canary)
    }
}

/// Equal shares are equal whatever the unit: 1 : 19 is 500 : 9500.
impl PartialEq for Share {
    fn eq(&self, other: &Share) -> bool {
        u128::from(self.canary) * u128::from(other.stable)
            == u128::from(other.canary) * u128::from(self.stable)
            && (self.canary == 0) == (other.canary == 0)
    }
}

impl Eq for Share {}

/// How a router divides traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Traffic {
    /// It does not say.
    Untold,
    /// No instance gets any; the router answers 503 itself.
    Closed,
    /// So much goes to the canary.
    Open(Share),
}

impl Traffic {
    /// The nearest split, as [`Share::split`] rounds; `None` if untold.
    #[must_use]
    pub fn split(self) -> Option<Split> {
        match self {
            Traffic::Untold => None,
            Traffic::Closed => Some(Split::Closed),
            Traffic::Open(share) => Some(share.split()),
        }
    }

    /// Traffic by total weights: closed if both are 0.
    pub(crate) fn of(stable: u64, canary: u64) -> Traffic {
        Share::of(stable, canary).map_or(Traffic::Closed, Traffic::Open)
    }
}

/// One instance as a foreign router knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// The version it runs.
    pub arm: Arm,
    /// `host:port`, an IPv6 host in brackets.
    pub address: String,
    /// Whether it gets new requests.
    pub takes: bool,
    /// Requests it is answering now, if the router says.
    pub in_flight: Option<u64>,
}

/// What one version did since the router, or its counters, started. All but the gauge only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Requests sent to this version; a request that is tried again on the same server counts once.
    pub requests: u64,
    /// Of those, the ones with a known outcome; what an error rate divides by.
    pub finished: u64,
    /// Answers of 500 to 599, and requests that got no whole answer; but see `lost`.
    pub errors: u64,
    /// Of the errors, those where no connection could be made, if the router says.
    pub connect_failures: Option<u64>,
    /// Connections lost with a request on them, where the router counts those beside the errors
    /// and not among them: a request whose answer never came is in both, one whose answer broke
    /// off after its head is only here.
    pub lost: Option<u64>,
    /// Requests that the client gave up, if the router says.
    pub abandoned: Option<u64>,
    /// Requests being answered now (a gauge), if the router says.
    pub in_flight: Option<u64>,
}

impl Tally {
    /// What happened since `earlier`; the gauge is this reading's. `None` if a counter fell: it
    /// began anew in between, which is a lack of data and never a change of zero.
    #[must_use]
    pub fn since(&self, earlier: &Tally) -> Option<Tally> {
        let optional = |later: Option<u64>, earlier: Option<u64>| match (later, earlier) {
            (Some(later), Some(earlier)) => later.checked_sub(earlier).map(Some),
            _ => Some(None),
        };
        Some(Tally {
            requests: self.requests.checked_sub(earlier.requests)?,
            finished: self.finished.checked_sub(earlier.finished)?,
            errors: self.errors.checked_sub(earlier.errors)?,
            connect_failures: optional(self.connect_failures, earlier.connect_failures)?,
            lost: optional(self.lost, earlier.lost)?,
            abandoned: optional(self.abandoned, earlier.abandoned)?,
            in_flight: self.in_flight,
        })
    }
}

/// The tallies of both versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tallies {
    /// What stable did.
    pub stable: Tally,
    /// What the canary did.
    pub canary: Tally,
}

impl Tallies {
    /// The tally of one version.
    #[must_use]
    pub fn of(&self, arm: Arm) -> &Tally {
        match arm {
            Arm::Stable => &self.stable,
            Arm::Canary => &self.canary,
        }
    }

    pub(crate) fn of_mut(&mut self, arm: Arm) -> &mut Tally {
        match arm {
            Arm::Stable => &mut self.stable,
            Arm::Canary => &mut self.canary,
        }
    }
}

/// What was read back from a foreign router. What it does not report is absent, and what is
/// absent proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Changes each time the router process starts, so that a reset of its counters is seen.
    pub started: Option<String>,
    /// The traffic in force.
    pub traffic: Traffic,
    /// The instances it knows, sorted.
    pub instances: Option<Vec<Instance>>,
    /// The change in force, where the router carries its number.
    pub fence: Option<Fence>,
    /// What a later change must be made on: an entity tag or a resource version.
    pub mark: Option<String>,
    /// What each version did.
    pub tallies: Option<Tallies>,
}

impl Observed {
    /// Nothing is known.
    pub(crate) const NOTHING: Observed = Observed {
        started: None,
        traffic: Traffic::Untold,
        instances: None,
        fence: None,
        mark: None,
        tallies: None,
    };

    /// Whether the router certainly does what was desired: its traffic is `expected` (what
    /// [`Adapter::traffic`](crate::Adapter::traffic) said would come of it), the instances that
    /// take requests are those in the pools, and the number of the change is this one, where the
    /// router reports them. Untold traffic shows nothing.
    #[must_use]
    pub fn shows(&self, desired: &Desired, expected: Traffic) -> bool {
        self.traffic != Traffic::Untold
            && self.traffic == expected
            && self.fence.is_none_or(|fence| fence == desired.fence)
            && (expected == Traffic::Closed || self.takes_those_of(desired))
    }

    fn takes_those_of(&self, desired: &Desired) -> bool {
        let Some(instances) = &self.instances else {
            return true;
        };
        Arm::BOTH.into_iter().all(|arm| {
            let mut taking: Vec<&str> = instances
                .iter()
                .filter(|instance| instance.arm == arm && instance.takes)
                .map(|instance| instance.address.as_str())
                .collect();
            let pool = desired.pools.of(arm).iter();
            let mut pool: Vec<&str> = pool.map(|backend| backend.address.as_str()).collect();
            taking.sort_unstable();
            pool.sort_unstable();
            // A version without weight may be told apart from one without instances or not.
            let without_weight = desired.split.weight(arm) == 0;
            taking == pool || without_weight && taking.iter().all(|taken| pool.contains(taken))
        })
    }

    /// Whether nothing of an instance is left in the router: it gets no new requests and holds
    /// none. `None` if the router does not say: many forget an instance that they no longer use,
    /// whatever it still holds.
    #[must_use]
    pub fn may_stop(&self, arm: Arm, address: &str) -> Option<bool> {
        let mut instances = self.instances.as_ref()?.iter();
        let found = instances.find(|one| one.arm == arm && one.address == address)?;
        match (found.takes, found.in_flight) {
            (true, _) => Some(false),
            (false, in_flight) => in_flight.map(|held| held == 0),
        }
    }
}
