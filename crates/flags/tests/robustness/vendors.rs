//! Flags in the vendors' forms that are mostly right.

use crate::{data, exercise, scalar};
use nonevent_flags::{Context, Dialect, FlagSet};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Mostly of the right shape, so that what is inside is reached.
fn ufc_allocation() -> impl Strategy<Value = Value> {
    let operator = "ONE_OF|NOT_ONE_OF|MATCHES|NOT_MATCHES|GTE|LT|IS_NULL|SEMVER_GT|NEW";
    let value = prop_oneof![
        data(),
        proptest::collection::vec("[a-c]{0,2}", 0..3).prop_map(Value::from),
        "[a-c\\\\(|)*+?\\[\\]{}0-9é]{0,8}".prop_map(Value::from),
    ];
    let condition = (operator, value).prop_map(
        |(operator, value)| json!({"attribute": "a", "operator": operator, "value": value}),
    );
    let range = (any::<u16>(), any::<u16>())
        .prop_map(|(a, b)| json!({"start": a.min(b) % 10_000, "end": a.max(b) % 10_000}));
    let shard =
        (proptest::collection::vec(range, 0..3), scalar()).prop_map(
            |(ranges, total)| match total {
                Value::Number(_) => json!({"salt": "s", "ranges": ranges, "totalShards": total}),
                _ => json!({"salt": "s", "ranges": ranges}),
            },
        );
    let split = (proptest::collection::vec(shard, 0..2), "on|off")
        .prop_map(|(shards, key)| json!({"variationKey": key, "shards": shards}));
    let date = prop_oneof![
        Just(Value::Null),
        Just("2026-01-01T00:00:00Z".into()),
        scalar()
    ];
    (
        proptest::collection::vec(condition, 0..3),
        proptest::collection::vec(split, 0..3),
        date,
    )
        .prop_map(|(conditions, splits, date)| {
            json!({"rules": [{"conditions": conditions}], "splits": splits, "startAt": date})
        })
}

/// Mostly of the right shape, so that what is inside is reached.
fn strategy() -> impl Strategy<Value = Value> {
    let operator =
        "IN|NOT_IN|STR_CONTAINS|STR_ENDS_WITH|NUM_GT|DATE_AFTER|SEMVER_LT|REGEX|IN_CIDR|NEW";
    let constraint = (
        operator,
        proptest::collection::vec("[aAé]{0,2}", 0..3),
        prop_oneof![
            scalar(),
            "[a-c\\\\(|)*+?\\[\\]{}0-9é]{0,8}".prop_map(Value::from)
        ],
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(operator, values, value, inverted, fold)| {
            json!({
                "contextName": "a", "operator": operator, "values": values, "value": value,
                "inverted": inverted, "caseInsensitive": fold,
            })
        });
    let name = "default|userWithId|flexibleRollout|gradualRolloutRandom|gradualRolloutUserId|\
                remoteAddress|applicationHostname|other";
    (
        name,
        proptest::collection::vec(constraint, 0..3),
        proptest::collection::btree_map(
            "rollout|percentage|groupId|stickiness|userIds|IPs|hostNames",
            scalar(),
            0..4,
        ),
        proptest::collection::vec(0_i64..3, 0..2),
    )
        .prop_map(|(name, constraints, parameters, segments)| {
            json!({
                "name": name, "constraints": constraints, "segments": segments,
                "parameters": parameters.into_iter().collect::<Map<_, _>>(),
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_ufc_flags_never_affect_their_neighbour(
        allocations in proptest::collection::vec(ufc_allocation(), 0..3),
        kind in "STRING|INTEGER|NUMERIC|BOOLEAN|JSON|OTHER",
        value in data(),
        a in data(),
    ) {
        let neighbour = json!({
            "enabled": true, "variationType": "BOOLEAN", "variations": {"on": {"value": true}},
            "allocations": [{"splits": [{"variationKey": "on", "shards": []}]}],
        });
        let flag = json!({
            "enabled": true, "variationType": kind, "variations": {"on": {"value": value}}, "allocations": allocations,
        });
        let file = json!({"flags": {"under-test": flag, "neighbour": neighbour}}).to_string();
        let set = FlagSet::load("flags.json", file.as_bytes(), Dialect::Ufc)
            .expect("the file is in order")
            .set;
        let attributes = [("a", a)];
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        exercise(&set, &Context::new("me").with(&attributes).at(now));
        prop_assert!(set.bool("neighbour", false, &Context::anonymous()).value);
    }

    #[test]
    fn arbitrary_features_never_affect_their_neighbour(
        strategies in proptest::collection::vec(strategy(), 0..3),
        fields in proptest::collection::btree_map("enabled|strategies|variants|dependencies|type", data(), 0..2),
        variants in proptest::collection::vec((scalar(), scalar()), 0..3),
        parent in "under-test|neighbour|gone",
        a in data(),
    ) {
        let variants: Vec<Value> = variants
            .into_iter()
            .map(|(name, weight)| json!({"name": name, "weight": weight}))
            .collect();
        let mut flag = json!({
            "name": "under-test", "enabled": true, "strategies": strategies, "variants": variants,
            "dependencies": [{"feature": parent, "variants": ["disabled"]}],
        });
        flag.as_object_mut().expect("an object").extend(fields);
        let file = json!({
            "segments": [{"id": 1, "constraints": [{"contextName": "a", "operator": "IN", "values": ["a"]}]}],
            "features": [flag, {"name": "neighbour", "enabled": true, "strategies": []}],
        })
        .to_string();
        let set = FlagSet::load("flags.json", file.as_bytes(), Dialect::Unleash)
            .expect("the file is in order")
            .set;
        let attributes = [("a", a)];
        exercise(&set, &Context::new("me").with(&attributes));
        prop_assert!(set.bool("neighbour", false, &Context::anonymous()).value);
    }
}
