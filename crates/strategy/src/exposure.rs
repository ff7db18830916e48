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
    /// One, in fixed point.
    const ONE: u128 = 1_000_000_000_000_000_000;
    let weight = if weight > FULL_WEIGHT {
        FULL_WEIGHT
    } else {
        weight
    };
    if !matches!(split_by, SplitBy::Request) {
        return weight;
    }
    // Rounded down at each product, so that never too few are said to be exposed.
    let mut power = (FULL_WEIGHT - weight) as u128 * (ONE / FULL_WEIGHT as u128);
    let mut spared = ONE;
    let mut left = requests;
    while left > 0 {
        if left & 1 == 1 {
            spared = spared * power / ONE;
        }
        power = power * power / ONE;
        left >>= 1;
    }
    FULL_WEIGHT - (spared * FULL_WEIGHT as u128 / ONE) as u16
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
