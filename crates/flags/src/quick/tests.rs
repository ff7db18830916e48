//! Which flags have a short way, and that it leads where their rules do.

use super::{Ask, Hash, Step};
use crate::context::Context;
use crate::load::{Dialect, LoadOptions};
use crate::set::FlagSet;
use alloc::string::ToString;
use alloc::vec::Vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn load(definition: &Json, dialect: Dialect) -> FlagSet {
    let text = definition.to_string();
    let loaded = FlagSet::load("flags.json", text.as_bytes(), LoadOptions::from(dialect));
    loaded.expect("it is in order").set
}

fn flagd(targeting: &Json) -> FlagSet {
    let flag = json!({
        "state": "ENABLED", "variants": {"on": 1, "off": 2}, "defaultVariant": "off", "targeting": targeting,
    });
    load(&json!({"flags": {"f": flag}}), Dialect::Flagd)
}

fn unleash(strategies: &Json) -> FlagSet {
    let feature = json!({"name": "f", "enabled": true, "strategies": strategies});
    load(
        &json!({"version": 2, "features": [feature]}),
        Dialect::Unleash,
    )
}

fn ufc(allocations: &Json) -> FlagSet {
    let flag = json!({
        "key": "f", "enabled": true, "variationType": "STRING", "totalShards": 10,
        "variations": {"a": {"key": "a", "value": "a"}, "b": {"key": "b", "value": "b"}},
        "allocations": allocations,
    });
    load(
        &json!({"createdAt": "2026-01-01T00:00:00Z", "flags": {"f": flag}}),
        Dialect::Ufc,
    )
}

fn growthbook(rules: &Json) -> FlagSet {
    let features = json!({"f": {"defaultValue": "none", "rules": rules}});
    load(&json!({"features": features}), Dialect::GrowthBook)
}

fn split(variation: &str, start: u32, end: u32) -> Json {
    json!({"variationKey": variation, "shards": [{"salt": "s", "ranges": [{"start": start, "end": end}]}]})
}

fn steps(set: &FlagSet) -> &[Step] {
    set.get("f").map_or(&[], |flag| &flag.quick.0)
}

#[test]
fn simple_rules_have_a_short_way() {
    let plan = json!({"in": [{"var": "plan"}, ["pro", "team"]]});
    for (set, count) in [
        (flagd(&json!({"if": [plan, "on", "off"]})), 3),
        (flagd(&json!({"if": [plan, "on", plan, "off", null]})), 5),
        (
            unleash(&json!([{"name": "userWithId", "parameters": {"userIds": "a,b"}}])),
            3,
        ),
        (
            ufc(&json!([{"key": "x", "splits": [split("a", 0, 5), split("b", 5, 10)]}])),
            5,
        ),
    ] {
        assert_eq!(steps(&set).len(), count, "{set}: {:?}", steps(&set));
    }
}

#[test]
fn shares_of_one_salt_are_hashed_for_once() {
    let set = ufc(&json!([{"key": "x", "splits": [split("a", 0, 5), split("b", 5, 10)]}]));
    let hashes = steps(&set).iter().filter_map(|step| match step {
        Step::Ask {
            ask: Ask::Place { hash, .. },
            ..
        } => Some(*hash == Hash::AsBefore),
        _ => None,
    });
    assert!(hashes.eq([false, true]), "{:?}", steps(&set));
}

#[test]
fn others_are_left_to_the_machine() {
    let many: Vec<u32> = (0..20).collect();
    let long = "a text of more than 16 bytes";
    for targeting in [
        json!({"if": [{"in": [{"var": "plan"}, many]}, "on", "off"]}),
        json!({"if": [{"==": [{"var": "plan"}, long]}, "on", "off"]}),
        json!({"if": [{"==": [{"var": "$flagd.flagKey"}, "f"]}, "on", "off"]}),
        json!({"if": [{"==": [{"var": ""}, "f"]}, "on", "off"]}),
        json!({"if": [{"==": [{"var": "plan"}, 1]}, "on", "off"]}),
        json!({"if": [{"==": [{"var": "plan"}, "pro"]}, {"var": "variant"}, "off"]}),
    ] {
        assert_eq!(steps(&flagd(&targeting)), [], "{targeting}");
    }
}

fn text() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(json!("")),
        Just(json!("pro")),
        Just(json!("team")),
        Just(json!("sixteen bytes...")),
        Just(json!("seventeen bytes...")),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        6 => text(),
        1 => Just(Json::Null), 1 => Just(json!(0)), 1 => Just(json!(true)),
        1 => Just(json!(["pro"])), 1 => Just(json!({"plan": "pro"})), 1 => "[a-z0-9]{1,9}".prop_map(Json::from),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("plan"),
        Just("userId"),
        Just("properties"),
        Just("targetingKey"),
        Just("properties.plan"),
    ]
}

fn condition() -> impl Strategy<Value = Json> {
    let texts = proptest::collection::vec(text(), 0..3);
    let one = (name(), texts, text(), 0..6).prop_map(|(name, texts, text, kind)| {
        let var = json!({"var": name});
        match kind {
            0 => json!({"in": [var, texts]}),
            1 => json!({"==": [var, text]}),
            2 => json!({"!=": [var, text]}),
            3 => json!({"===": [var, text]}),
            4 => json!({"!": [{"in": [var, texts]}]}),
            _ => json!({"!==": [var, text]}),
        }
    });
    proptest::collection::vec(one, 1..3).prop_map(|mut parts| match parts.len() {
        1 => parts.remove(0),
        _ => json!({"and": parts}),
    })
}

fn strategy() -> impl Strategy<Value = Json> {
    let constraint = (
        name(),
        proptest::collection::vec(text(), 1..3),
        any::<bool>(),
        any::<bool>(),
    );
    let constraint = constraint.prop_map(|(name, values, is_in, inverted)| {
        let operator = if is_in { "IN" } else { "NOT_IN" };
        json!({"contextName": name, "operator": operator, "values": values, "inverted": inverted})
    });
    let stickiness = prop_oneof![
        Just("default"),
        Just("userId"),
        Just("plan"),
        Just("random")
    ];
    (
        proptest::collection::vec(constraint, 0..3),
        0..=100_u32,
        stickiness,
    )
        .prop_map(|(constraints, rollout, stickiness)| {
            let parameters =
                json!({"rollout": rollout.to_string(), "stickiness": stickiness, "groupId": "f"});
            json!({"name": "flexibleRollout", "constraints": constraints, "parameters": parameters})
        })
}

fn allocation() -> impl Strategy<Value = Json> {
    let condition = (
        name(),
        proptest::collection::vec(text(), 1..3),
        any::<bool>(),
    );
    let condition = condition.prop_map(|(name, values, is_in)| {
        let operator = if is_in { "ONE_OF" } else { "NOT_ONE_OF" };
        json!({"attribute": name, "operator": operator, "value": values})
    });
    let bounds = (0..=10_u32, 0..=10_u32).prop_map(|(a, b)| (a.min(b), a.max(b)));
    (
        proptest::collection::vec(condition, 0..3),
        proptest::collection::vec(bounds, 0..4),
    )
        .prop_map(|(conditions, bounds)| {
            let splits = bounds
                .iter()
                .enumerate()
                .map(|(at, (start, end))| split(if at % 2 == 0 { "a" } else { "b" }, *start, *end));
            let mut allocation = json!({"key": "x", "splits": splits.collect::<Vec<_>>()});
            if !conditions.is_empty() {
                allocation["rules"] = json!([{"conditions": conditions}]);
            }
            allocation
        })
}

fn share() -> impl Strategy<Value = Json> {
    let by = prop_oneof![Just("id"), Just("plan"), Just("userId")];
    (by, 0..=10_u8, 1..3).prop_map(|(by, tenths, version)| {
        let coverage = f64::from(tenths) / 10.0;
        json!({"force": "in", "coverage": coverage, "hashAttribute": by, "hashVersion": version})
    })
}

fn set() -> impl Strategy<Value = FlagSet> {
    let result = prop_oneof![Just(json!("on")), Just(json!("off")), Just(Json::Null)];
    let branches = proptest::collection::vec((condition(), result.clone()), 1..4);
    prop_oneof![
        (branches, result).prop_map(|(branches, last)| {
            let args = branches.into_iter().flat_map(|(when, serve)| [when, serve]);
            flagd(&json!({"if": args.chain([last]).collect::<Vec<_>>()}))
        }),
        proptest::collection::vec(strategy(), 1..3).prop_map(|all| unleash(&all.into())),
        proptest::collection::vec(allocation(), 1..3).prop_map(|all| ufc(&all.into())),
        proptest::collection::vec(share(), 1..3).prop_map(|all| growthbook(&all.into())),
    ]
}

proptest! {
    // Few pairs of a flag and a context come to the rare ends.
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_short_way_leads_where_the_rules_do(
        set in set(),
        attributes in proptest::collection::btree_map(name(), value(), 0..5),
        key in proptest::option::of("[a-z0-9]{0,9}"),
    ) {
        let own: Json = attributes.into_iter().map(|(name, value)| (name.into(), value)).collect::<serde_json::Map<_, _>>().into();
        let own = own.as_object().expect("a map");
        let context = match &key {
            Some(key) => Context::new(key),
            None => Context::anonymous(),
        };
        let context = context.with(own);
        let (short, told) = (set.evaluate("f", &context), set.explain("f", &context));
        prop_assert_eq!(
            (short.value.cloned(), short.variant, short.reason, short.error_code),
            (told.value.clone(), told.variant.as_deref(), told.reason, told.error_code),
            "{}\n{}", set, told
        );
    }
}
