//! Raising a percentage never takes the feature from anyone.
//!
//! Plain files: always, for `rollout_percentage`.
//!
//! flagd's `fractional` (all versions) promises it for a share when, as fractions of the total
//! weight, the share's start does not rise and its end does not fall. So the first share may be
//! raised at the cost of later ones, and a share in the middle may take from its neighbours on
//! both sides; but raising a share *by* moving its start up evicts those at its old start.

use nonevent_flags::{Context, Dialect, FlagSet, Fractional, LoadOptions};
use proptest::prelude::*;
use serde_json::json;

fn plain(percent: f64) -> FlagSet {
    let file = json!({"flags": {"feature": {"rollout_percentage": percent}}}).to_string();
    FlagSet::load("flags.json", file.as_bytes(), Dialect::Plain)
        .expect("loads")
        .set
}

fn flagd(weights: [u32; 3], version: Fractional) -> FlagSet {
    let [before, own, after] = weights;
    let file = json!({"flags": {"feature": {
        "state": "ENABLED",
        "variants": {"before": "before", "own": "own", "after": "after"},
        "defaultVariant": "after",
        "targeting": {"fractional": [["before", before], ["own", own], ["after", after]]},
    }}})
    .to_string();
    let options = LoadOptions::from(Dialect::Flagd).fractional(version);
    FlagSet::load("flags.json", file.as_bytes(), options)
        .expect("loads")
        .set
}

fn has_it(set: &FlagSet, key: &str) -> bool {
    set.str("feature", "", &Context::new(key)).value == "own"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_percentages_only_add(
        low in 0_u32..=10_000,
        high in 0_u32..=10_000,
        keys in proptest::collection::vec(".{1,16}", 64),
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let (before, after) = (plain(f64::from(low) / 100.0), plain(f64::from(high) / 100.0));
        for key in &keys {
            let context = Context::new(key);
            let had = before.bool("feature", false, &context).value;
            let has = after.bool("feature", false, &context).value;
            prop_assert!(!had || has, "{key:?} had it at {low} and lost it at {high}");
        }
    }

    #[test]
    fn a_flagd_share_keeps_its_subjects_when_it_only_widens(
        cuts in proptest::collection::vec(0_u32..=1000, 4),
        scale in 1_u32..=1000,
        version in prop_oneof![Just(Fractional::V1), Just(Fractional::V2), Just(Fractional::V3)],
        keys in proptest::collection::vec(".{1,16}", 64),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let [start_after, start_before, end_before, end_after] = cuts[..] else { unreachable!() };
        let narrow = [start_before, end_before - start_before, 1000 - end_before];
        // The same in other units: only fractions count.
        let wide = [start_after, end_after - start_after, 1000 - end_after].map(|w| w * scale);
        let (narrow, wide) = (flagd(narrow, version), flagd(wide, version));
        for key in &keys {
            prop_assert!(!has_it(&narrow, key) || has_it(&wide, key), "{key:?} lost it");
        }
    }
}

#[test]
fn moving_a_share_evicts_so_the_rule_is_needed() {
    // From 50..60 to 60..80: larger, and yet nobody who had it keeps it.
    let before = flagd([50, 10, 40], Fractional::V2);
    let after = flagd([60, 20, 20], Fractional::V2);
    let keys: Vec<String> = (0..1000).map(|n| format!("user-{n}")).collect();
    let had: Vec<&String> = keys.iter().filter(|key| has_it(&before, key)).collect();
    assert!(had.len() > 50, "about a tenth");
    assert!(had.iter().all(|key| !has_it(&after, key)));
}

#[test]
fn a_plain_flag_that_moves_to_flagd_keeps_everyone_where_they_are() {
    let plain = plain(25.0);
    let flagd = flagd([0, 25, 75], Fractional::V2);
    let keys: Vec<String> = (0..1000).map(|n| format!("user-{n}")).collect();
    let on: Vec<bool> = keys
        .iter()
        .map(|key| plain.bool("feature", false, &Context::new(key)).value)
        .collect();
    assert!(
        on.iter()
            .zip(&keys)
            .all(|(on, key)| *on == has_it(&flagd, key))
    );
    let count = on.iter().filter(|on| **on).count();
    assert!((200..300).contains(&count), "{count} of 1000 at 25 %");
}

/// A flag that is on for so many hundredths of a percent of all, as far as the dialect can say that,
/// in two ways: the released variant first, and last.
fn shared(dialect: Dialect, share: u32, is_last: bool) -> FlagSet {
    let order = |on: serde_json::Value, off: serde_json::Value| match is_last {
        true => json!([off, on]),
        false => json!([on, off]),
    };
    let file = match dialect {
        Dialect::Unleash => {
            json!({"features": [{"name": "feature", "enabled": true, "strategies": [
                {"name": if is_last { "gradualRolloutUserId" } else { "flexibleRollout" }, "parameters": {
                    "rollout": (share / 100).to_string(), "percentage": (share / 100).to_string(),
                    "stickiness": "default", "groupId": "g"}},
            ]}]})
        }
        Dialect::Ufc => {
            let range = if is_last {
                (10_000 - share, 10_000)
            } else {
                (0, share)
            };
            let shards = json!([{"salt": "s", "ranges": [{"start": range.0, "end": range.1}]}]);
            json!({"flags": {"feature": {"enabled": true, "variationType": "BOOLEAN",
                "variations": {"on": {"value": true}},
                "allocations": [{"key": "a", "splits": [{"variationKey": "on", "shards": shards}]}]}}})
        }
        Dialect::LaunchDarkly => {
            json!({"flags": {"feature": {"on": true, "variations": [true, false],
            "offVariation": 1, "salt": "s", "fallthrough": {"rollout": {"variations": order(
                json!({"variation": 0, "weight": share * 10}),
                json!({"variation": 1, "weight": 100_000 - share * 10}),
            )}}}}})
        }
        Dialect::Flagd => json!({"flags": {"feature": {"state": "ENABLED",
            "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"fractional": order(json!(["on", share]), json!(["off", 10_000 - share]))}}}}),
        _ => json!({"flags": {"feature": {"rollout_percentage": f64::from(share) / 100.0,
            "always": [{"attribute": "plan", "operator": "eq", "value": "pro"}]}}}),
    };
    FlagSet::load("flags.json", file.to_string().as_bytes(), dialect)
        .expect("loads")
        .set
}

const PROMISING: [Dialect; 5] = [
    Dialect::Flagd,
    Dialect::Plain,
    Dialect::Unleash,
    Dialect::Ufc,
    Dialect::LaunchDarkly,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_share_of_two_only_adds_in_every_dialect(
        low in 0_u32..=10_000,
        high in 0_u32..=10_000,
        is_last in any::<bool>(),
        keys in proptest::collection::vec(".{1,16}", 48),
    ) {
        let (low, high) = (low.min(high), low.max(high));
        for dialect in PROMISING {
            let (before, after) = (shared(dialect, low, is_last), shared(dialect, high, is_last));
            for key in &keys {
                let context = Context::new(key);
                let had = before.bool("feature", false, &context).value;
                let has = after.bool("feature", false, &context).value;
                prop_assert!(!had || has, "{dialect}: {key:?} had it at {low} and lost it at {high}");
            }
        }
    }
}

/// Whether the check says that the flag may take its feature from some.
fn is_told(set: &FlagSet) -> bool {
    let now = "2026-03-01T09:00:00Z".parse().expect("a time");
    let findings = set.check(now);
    findings.iter().any(|it| it.code.to_string() == "NE4030")
}

#[test]
fn what_promises_it_is_not_said_against_and_what_does_not_is() {
    for dialect in PROMISING {
        for is_last in [false, true] {
            assert!(!is_told(&shared(dialect, 2_500, is_last)), "{dialect}");
        }
    }
    let weights = |list: &[u32]| -> serde_json::Value {
        let arm = |(at, weight): (usize, &u32)| json!({"variation": at, "weight": weight});
        list.iter().enumerate().map(arm).collect()
    };
    let launchdarkly = |list: &[u32]| {
        json!({"flags": {"feature": {"on": true, "variations": [1, 2, 3],
        "fallthrough": {"rollout": {"variations": weights(list)}}}}})
    };
    let flagd = |targeting: serde_json::Value| {
        json!({"flags": {"feature": {"state": "ENABLED",
        "variants": {"a": 1, "b": 2, "c": 3}, "targeting": targeting}}})
    };
    let unleash = |stickiness: &str, weights: &[u32]| {
        let variant =
            |(at, weight): (usize, &u32)| json!({"name": format!("v{at}"), "weight": weight});
        json!({"features": [{"name": "feature", "enabled": true,
            "strategies": [{"name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": stickiness}}],
            "variants": weights.iter().enumerate().map(variant).collect::<serde_json::Value>()}]})
    };
    let ufc = |ranges: &[(u32, u32)]| {
        let split = |(at, (start, end)): (usize, &(u32, u32))| {
            json!({"variationKey": format!("v{at}"),
            "shards": [{"salt": "s", "ranges": [{"start": start, "end": end}]}]})
        };
        json!({"flags": {"feature": {"enabled": true, "variationType": "INTEGER",
            "variations": {"v0": {"value": 0}, "v1": {"value": 1}, "v2": {"value": 2}},
            "allocations": [{"key": "a", "splits": ranges.iter().enumerate().map(split).collect::<serde_json::Value>()}]}}})
    };
    let cases = [
        (launchdarkly(&[50_000, 25_000, 25_000]), true),
        (launchdarkly(&[50_000, 0, 50_000]), false),
        (
            flagd(json!({"fractional": [["a", 1], ["b", 1], ["c", 1]]})),
            true,
        ),
        (
            flagd(json!({"if": [{"var": "x"}, {"fractional": [["a"], ["b"], ["a"]]}]})),
            true,
        ),
        (
            flagd(json!({"fractional": [["a", 1], ["a", 1], ["c", 1]]})),
            false,
        ),
        (
            flagd(json!({"fractional": [["a", {"var": "x"}], ["b", 1]]})),
            true,
        ),
        (unleash("default", &[]), false),
        (unleash("random", &[]), true),
        (unleash("default", &[500, 500]), false),
        (unleash("default", &[1, 1]), true),
        (unleash("default", &[400, 300, 300]), true),
        (ufc(&[(0, 5000), (5000, 10000)]), false),
        (ufc(&[(0, 3000), (3000, 6000), (6000, 10000)]), true),
    ];
    for (file, wanted) in cases {
        let loaded = FlagSet::load(
            "flags.json",
            file.to_string().as_bytes(),
            LoadOptions::default(),
        );
        let set = loaded.expect("loads").set;
        assert_eq!(is_told(&set), wanted, "{file}");
    }
}
