//! Arbitrary bounds, and texts that are nearly bounds.

use nonevent_analysis::bounds::{
    Bound, Clause, Decimal, Limit, MetricName, Operator, Quantity, REQUESTS_MIN_MAX,
    SUSTAINED_MS_MAX, Unit,
};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn decimals() -> impl Strategy<Value = Decimal> {
    let small = (0..100_000_u64).prop_map(|n| n * 10_000);
    let any = 0..=1_000_000_000_000_000_000_u64;
    prop_oneof![small, any].prop_map(|n| Decimal::from_millionths(n).unwrap())
}

fn quantities() -> impl Strategy<Value = Quantity> {
    (decimals(), select(Unit::ALL)).prop_map(|(number, unit)| Quantity { number, unit })
}

fn limits() -> impl Strategy<Value = Limit> {
    prop_oneof![
        quantities().prop_map(Limit::Absolute),
        (decimals(), proptest::option::of(quantities()))
            .prop_map(|(factor, plus)| Limit::Baseline { factor, plus }),
    ]
}

fn names() -> impl Strategy<Value = MetricName> {
    let known = select(&["error_rate", "p99", "p99.9", "cpu", "memory", "requests"][..]);
    prop_oneof![
        known.prop_map(String::from),
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}(\\.[a-zA-Z0-9_]{1,5}){0,2}",
    ]
    .prop_filter_map("a word of the language", |name| MetricName::new(&name))
}

pub(crate) fn clauses() -> impl Strategy<Value = Clause> {
    const OPERATORS: [Operator; 4] = [
        Operator::AtMost,
        Operator::Below,
        Operator::AtLeast,
        Operator::Above,
    ];
    let sustained = proptest::option::of(1..=SUSTAINED_MS_MAX);
    let requests = proptest::option::of(1..=REQUESTS_MIN_MAX);
    (
        names(),
        select(&OPERATORS[..]),
        limits(),
        sustained,
        requests,
    )
        .prop_map(|(name, operator, limit, sustained, requests)| {
            let mut clause = Clause::new(name, operator, limit);
            if let Some(ms) = sustained {
                clause = clause.sustained_for(ms).unwrap();
            }
            if let Some(requests) = requests {
                clause = clause.of_at_least(requests).unwrap();
            }
            clause
        })
}

pub(crate) fn bounds() -> impl Strategy<Value = Bound> {
    clauses()
        .prop_map(Bound::Clause)
        .prop_recursive(5, 30, 4, |inner| {
            (any::<bool>(), proptest::collection::vec(inner, 1..5)).prop_filter_map(
                "too large",
                |(all, parts)| match all {
                    true => Bound::all(parts),
                    false => Bound::any(parts),
                },
            )
        })
}

/// The text of a bound after a few meddlings: pieces put in, left out, doubled, swapped.
pub(crate) fn meddled() -> impl Strategy<Value = String> {
    let pieces = select(
        &[
            "<=",
            "=",
            "≤",
            "(",
            ")",
            ",",
            "and",
            "or",
            "not ",
            "baseline",
            " * ",
            "+",
            "-",
            "5",
            "0",
            ".",
            "%",
            "ms",
            "/s",
            "for 5m",
            "of at least 1 requests",
            "\u{1f600}",
            "\u{301}",
            "\n",
            "µs",
            "é",
            "99999999999999999999",
            "&&",
            "!",
            "\0",
        ][..],
    );
    let meddling = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0..4,
        pieces,
    );
    (bounds(), proptest::collection::vec(meddling, 1..6)).prop_map(|(bound, meddlings)| {
        let mut text: Vec<char> = bound.to_string().chars().collect();
        for (from, length, how, piece) in meddlings {
            let from = from.index(text.len() + 1);
            let to = (from + length.index(12)).min(text.len());
            match how {
                0 => drop(text.drain(from..to)),
                1 => drop(text.splice(from..from, piece.chars())),
                2 => drop(text.splice(from..to, piece.chars())),
                _ => {
                    let copy = text[from..to].to_vec();
                    drop(text.splice(from..from, copy));
                }
            }
        }
        text.into_iter().collect()
    })
}
