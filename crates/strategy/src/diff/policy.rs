//! The bounds of an analysis and the evidence it asks for, number by number.

use alloc::string::{String, ToString as _};

use nonevent_analysis::Policy;

use super::change::Subject;

const LOOSER: &str = "a looser bound";
const LESS: &str = "less evidence is asked for";

/// A bound that is off allows everything.
fn bound(value: Option<u32>) -> u64 {
    value.map_or(u64::MAX, u64::from)
}

/// A bound in both plans.
type Bounds<'a> = (&'a Option<u32>, &'a Option<u32>);

/// Bounds, each of them off or a number.
fn bounds<const N: usize>(it: &mut Subject<'_>, bounds: [(&'static str, Bounds<'_>); N]) {
    let shown = |it: &Option<u32>| it.map_or_else(|| String::from("off"), |it| it.to_string());
    for (field, pair) in bounds {
        it.value(field, pair, shown, Some((|it| bound(*it), LOOSER)));
    }
}

/// Numbers of which more is riskier, each with the reason.
fn counts<const N: usize>(
    it: &mut Subject<'_>,
    counts: [(&'static str, (&u32, &u32), &'static str); N],
) {
    for (field, pair, why) in counts {
        it.value(
            field,
            pair,
            u32::to_string,
            Some((|it| u64::from(*it), why)),
        );
    }
}

pub(super) fn policy(it: &mut Subject<'_>, old: &Policy, new: &Policy) {
    let Policy {
        alpha_ppm: _,
        error_rate_max_ppm,
        error_ratio_max_percent,
        error_rate_floor_ppm,
        p99_ratio_max_percent,
        p99_max_ms,
        latency_floor_us,
        requests_min: _,
        looks_min: _,
        requests_min_to_fail,
        warm_up_requests,
        block_ms: _,
        require_non_inferiority: _,
        promote_inconclusive: _,
        margin_percent,
    } = old;
    bounds(
        it,
        [
            (
                "error_rate_max_ppm",
                (error_rate_max_ppm, &new.error_rate_max_ppm),
            ),
            (
                "error_ratio_max_percent",
                (error_ratio_max_percent, &new.error_ratio_max_percent),
            ),
            (
                "p99_ratio_max_percent",
                (p99_ratio_max_percent, &new.p99_ratio_max_percent),
            ),
            ("p99_max_ms", (p99_max_ms, &new.p99_max_ms)),
        ],
    );
    counts(
        it,
        [
            (
                "error_rate_floor_ppm",
                (error_rate_floor_ppm, &new.error_rate_floor_ppm),
                LOOSER,
            ),
            (
                "latency_floor_us",
                (latency_floor_us, &new.latency_floor_us),
                LOOSER,
            ),
            (
                "margin_percent",
                (margin_percent, &new.margin_percent),
                LOOSER,
            ),
            (
                "requests_min_to_fail",
                (requests_min_to_fail, &new.requests_min_to_fail),
                "harm is found later",
            ),
            (
                "warm_up_requests",
                (warm_up_requests, &new.warm_up_requests),
                "more of what is seen is not judged",
            ),
        ],
    );
    evidence(it, old, new);
}

/// What is asked for before a verdict.
fn evidence(it: &mut Subject<'_>, old: &Policy, new: &Policy) {
    for (field, pair) in [
        ("requests_min", (&old.requests_min, &new.requests_min)),
        ("looks_min", (&old.looks_min, &new.looks_min)),
    ] {
        it.value(
            field,
            pair,
            u32::to_string,
            Some((|it| u64::MAX - u64::from(*it), LESS)),
        );
    }
    it.value(
        "alpha_ppm",
        (&old.alpha_ppm, &new.alpha_ppm),
        u32::to_string,
        None,
    );
    it.value(
        "block_ms",
        (&old.block_ms, &new.block_ms),
        u32::to_string,
        None,
    );
    it.value(
        "require_non_inferiority",
        (&old.require_non_inferiority, &new.require_non_inferiority),
        bool::to_string,
        Some((|it| u64::from(!*it), LESS)),
    );
    it.value(
        "promote_inconclusive",
        (&old.promote_inconclusive, &new.promote_inconclusive),
        bool::to_string,
        Some((|it| u64::from(*it), LESS)),
    );
}
