//! Shares of instances and of traffic.

use nonevent_router::FULL_WEIGHT;

use super::clamp;

/// `basis_points` per 10 000 of `whole`, rounded up; held at `u32::MAX`.
#[must_use]
pub const fn share_ceil(whole: u32, basis_points: u16) -> u32 {
    clamp((whole as u64 * basis_points as u64).div_ceil(FULL_WEIGHT as u64))
}

/// `basis_points` per 10 000 of `whole`, rounded down; held at `u32::MAX`.
#[must_use]
pub const fn share_floor(whole: u32, basis_points: u16) -> u32 {
    clamp(whole as u64 * basis_points as u64 / FULL_WEIGHT as u64)
}

/// How many ready instances an arm needs to be given `weight` units of 10 000, where `min_ready`
/// instances are what carries the whole traffic. At least one as soon as it gets any.
///
/// One unit is forgiven, since a share such as 2/3 can only be written as 6 667 of 10 000.
#[must_use]
pub const fn instances_needed(weight: u16, min_ready: u32) -> u32 {
    if weight == 0 {
        return 0;
    }
    let needed = share_ceil(min_ready, weight - 1);
    if needed == 0 { 1 } else { needed }
}

/// The largest weight that `ready` instances may be given: the inverse of [`instances_needed`].
#[must_use]
pub const fn weight_carried(ready: u32, min_ready: u32) -> u16 {
    if ready == 0 {
        return 0;
    }
    if ready >= min_ready {
        return FULL_WEIGHT;
    }
    let weight = ready as u64 * FULL_WEIGHT as u64 / min_ready as u64 + 1;
    if weight > FULL_WEIGHT as u64 {
        FULL_WEIGHT
    } else {
        weight as u16
    }
}

/// The weight for `part` of `whole` instances, to the nearest unit; ties go down.
#[must_use]
pub const fn weight_of_instances(part: u32, whole: u32) -> u16 {
    if whole == 0 || part >= whole {
        return FULL_WEIGHT;
    }
    let (part, whole) = (part as u64, whole as u64);
    // floor(x + 1/2) with ties down: ceil(x - 1/2).
    let doubled = 2 * part * FULL_WEIGHT as u64;
    (doubled.saturating_sub(whole).div_ceil(2 * whole)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_weight_needs_at_least_one_instance_and_never_more_than_min_ready() {
        assert_eq!(instances_needed(0, 4), 0);
        assert_eq!(instances_needed(1, 4), 1);
        assert_eq!(instances_needed(500, 4), 1);
        assert_eq!(instances_needed(2500, 4), 1);
        assert_eq!(instances_needed(2502, 4), 2);
        assert_eq!(instances_needed(6667, 3), 2);
        assert_eq!(instances_needed(10_000, 3), 3);
    }

    proptest! {
        #[test]
        fn carried_is_the_inverse_of_needed(ready in 0u32..600, min_ready in 1u32..600) {
            let weight = weight_carried(ready, min_ready);
            prop_assert!(instances_needed(weight, min_ready) <= ready);
            if weight < FULL_WEIGHT {
                prop_assert!(instances_needed(weight + 1, min_ready) > ready);
            }
        }
    }
}
