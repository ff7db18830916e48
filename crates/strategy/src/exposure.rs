//! How many users meet the new version when a share of the requests does.

use nonevent_router::FULL_WEIGHT;

use crate::deployment::SplitBy;

/// The share of users, out of 10 000 and rounded up, who meet the canary at least once, when it has
/// `weight` of 10 000 of the traffic and a user makes `requests` requests.
///
/// Where users or sessions stay with one version it is the weight itself (a user with several
/// sessions may meet both: count sessions as requests then). Where each request goes its own way it
/// is 1 − (1 − w)^n.
///
/// ```
/// use nonevent_strategy::{SplitBy, users_exposed};
/// assert_eq!(users_exposed(500, SplitBy::Request, 50), 9_231); // 5 % per request: 92.3 % of users
/// assert_eq!(users_exposed(500, SplitBy::User, 50), 500);
/// ```
#[must_use]
pub const fn users_exposed(weight: u16, split_by: SplitBy, requests: u32) -> u16 {
    let mut exposure = Exposure::of(split_by, requests);
    exposure.add(weight);
    exposure.users()
}

/// One, in fixed point.
const ONE: u128 = 1_000_000_000_000_000_000;

/// The users who have met the new version, over several shares of the traffic one after another.
pub(crate) struct Exposure {
    split_by: SplitBy,
    /// Requests that a user makes at each share.
    requests: u32,
    /// The largest share.
    weight_max: u16,
    /// The users who have not met it, in parts of [`ONE`], rounded down.
    spared: u128,
}

impl Exposure {
    pub(crate) const fn of(split_by: SplitBy, requests: u32) -> Self {
        Exposure {
            split_by,
            requests,
            weight_max: 0,
            spared: ONE,
        }
    }

    /// Another share, out of 10 000, for as long as a user makes all those requests.
    pub(crate) const fn add(&mut self, weight: u16) {
        let weight = if weight > FULL_WEIGHT {
            FULL_WEIGHT
        } else {
            weight
        };
        if weight > self.weight_max {
            self.weight_max = weight;
        }
        // Rounded down at each product, so that never too few are said to be exposed.
        let mut power = (FULL_WEIGHT - weight) as u128 * (ONE / FULL_WEIGHT as u128);
        let mut left = self.requests;
        while left > 0 {
            if left & 1 == 1 {
                self.spared = self.spared * power / ONE;
            }
            power = power * power / ONE;
            left >>= 1;
        }
    }

    /// The share of users, out of 10 000 and rounded up. Users who stay with one version stay with
    /// it as the share grows, so that the largest share has met them all.
    pub(crate) const fn users(&self) -> u16 {
        match self.split_by {
            SplitBy::Request => FULL_WEIGHT - (self.spared * FULL_WEIGHT as u128 / ONE) as u16,
            SplitBy::Session | SplitBy::User => self.weight_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_shares() {
        for (weight, requests, exposed) in [
            (0, 50, 0),
            (500, 0, 0),
            (500, 1, 500),
            (100, 1, 100),
            (100, 50, 3_950),
            (2_500, 50, 10_000),
            (10_000, 1, 10_000),
        ] {
            let found = users_exposed(weight, SplitBy::Request, requests);
            assert_eq!(found, exposed, "{weight} {requests}");
        }
        assert_eq!(users_exposed(u16::MAX, SplitBy::Session, 7), FULL_WEIGHT);
    }

    #[test]
    fn shares_one_after_another_expose_more_than_the_largest_of_them() {
        let after = |split_by, requests, weights: &[u16]| {
            let mut exposure = Exposure::of(split_by, requests);
            for weight in weights {
                exposure.add(*weight);
            }
            exposure.users()
        };
        // 1 - 0.99 * 0.98, 1 - 0.95^10 * 0.9^10.
        assert_eq!(after(SplitBy::Request, 1, &[100, 200]), 298);
        assert_eq!(after(SplitBy::Request, 10, &[500, 1_000]), 7_913);
        assert_eq!(after(SplitBy::Request, 10, &[500, 10_000, 0]), 10_000);
        assert_eq!(after(SplitBy::User, 10, &[500, 1_000, 0]), 1_000);
    }

    proptest! {
        #[test]
        fn more_requests_and_more_traffic_expose_no_fewer(
            weight in 0..=FULL_WEIGHT, requests in any::<u32>(),
        ) {
            let exposed = |weight, requests| users_exposed(weight, SplitBy::Request, requests);
            let here = exposed(weight, requests);
            prop_assert!(here <= FULL_WEIGHT);
            prop_assert!(here <= exposed(weight, requests.saturating_add(1)));
            prop_assert!(here <= exposed((weight + 1).min(FULL_WEIGHT), requests));
            if requests > 0 {
                prop_assert!(here >= weight);
            }
        }
    }
}
