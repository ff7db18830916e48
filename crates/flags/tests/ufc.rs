//! Flags in the Universal Flag Configuration.

use nonevent_document::Timestamp;
use nonevent_flags::{Context, Dialect, ErrorCode, FlagSet, LoadOptions, Reason, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// A flag with one variation `on`, open where `rules` hold.
fn with_rules(rules: &Json) -> FlagSet {
    with_allocations(
        &json!([{"key": "only", "rules": rules, "splits": [{"variationKey": "on", "shards": []}]}]),
    )
}

fn with_allocations(allocations: &Json) -> FlagSet {
    let file = json!({"flags": {"feature": {
        "enabled": true, "variationType": "BOOLEAN", "allocations": allocations,
        "variations": {"on": {"key": "on", "value": true}, "off": {"key": "off", "value": false}},
    }}});
    load(&file)
}

fn load(file: &Json) -> FlagSet {
    FlagSet::load("ufc.json", file.to_string().as_bytes(), Dialect::Ufc)
        .expect("loads")
        .set
}

fn holds(operator: &str, against: &Json, value: &Json) -> bool {
    let set = with_rules(
        &json!([{"conditions": [{"attribute": "it", "operator": operator, "value": against}]}]),
    );
    let attributes = [("it", value)];
    let context = Context::new("me").with(&attributes);
    let got = set.bool("feature", false, &context);
    assert_eq!(got.error_code, None, "{operator} {against}");
    got.value
}

#[test]
fn operators_read_the_attribute_as_their_type() {
    for (operator, against, value, expected) in [
        ("ONE_OF", json!(["a", "b"]), json!("b"), true),
        ("ONE_OF", json!(["a", "b"]), json!("B"), false),
        ("ONE_OF", json!(["7"]), json!(7), true),
        ("ONE_OF", json!(["7"]), json!(7.0), true),
        ("ONE_OF", json!(["1.5"]), json!(1.5), true),
        ("ONE_OF", json!(["true"]), json!(true), true),
        ("ONE_OF", json!(["null"]), json!(null), false),
        ("ONE_OF", json!(["a"]), json!(["a"]), false),
        ("NOT_ONE_OF", json!(["a"]), json!("b"), true),
        ("NOT_ONE_OF", json!(["a"]), json!("a"), false),
        ("NOT_ONE_OF", json!(["a"]), json!(null), false),
        ("NOT_ONE_OF", json!(["a"]), json!({"a": 1}), false),
        ("MATCHES", json!("^a.c$"), json!("abc"), true),
        ("MATCHES", json!("b"), json!("abc"), true),
        ("MATCHES", json!("^4"), json!(42), true),
        ("NOT_MATCHES", json!("b"), json!("abc"), false),
        ("NOT_MATCHES", json!("x"), json!("abc"), true),
        ("NOT_MATCHES", json!("x"), json!(null), false),
        ("GTE", json!(10), json!(10), true),
        ("GT", json!(10), json!(10), false),
        ("LTE", json!(10), json!("9.5"), true),
        ("LT", json!("10"), json!(9), true),
        ("GT", json!(10), json!("many"), false),
        ("LT", json!(10), json!(null), false),
        ("GT", json!("1.9.0"), json!("1.10.0"), true),
        ("LT", json!("1.0.0"), json!("1.0.0-rc.1"), true),
        ("GT", json!("1.9.0"), json!(2), false),
        ("SEMVER_EQ", json!("1.2"), json!("1.2.0"), true),
        ("SEMVER_NEQ", json!("1.2"), json!("1.2.0"), false),
        ("SEMVER_GTE", json!("1.2.0"), json!("v1.3.0"), false),
        ("IS_NULL", json!(true), json!(null), true),
        ("IS_NULL", json!(true), json!(""), false),
        ("IS_NULL", json!(false), json!(0), true),
    ] {
        assert_eq!(
            holds(operator, &against, &value),
            expected,
            "{value} {operator} {against}"
        );
    }
}

#[test]
fn a_missing_attribute_satisfies_only_is_null() {
    for (operator, against) in [
        ("ONE_OF", json!(["a"])),
        ("NOT_ONE_OF", json!(["a"])),
        ("MATCHES", json!("")),
        ("NOT_MATCHES", json!("a")),
        ("GT", json!(-1)),
        ("IS_NULL", json!(true)),
    ] {
        let rules =
            json!([{"conditions": [{"attribute": "it", "operator": operator, "value": against}]}]);
        let got = with_rules(&rules)
            .bool("feature", false, &Context::new("me"))
            .value;
        assert_eq!(got, operator == "IS_NULL", "{operator}");
    }
}

#[test]
fn attributes_go_by_their_whole_name_and_id_is_the_targeting_key() {
    let rules = |attribute: &str| json!([{"conditions": [{"attribute": attribute, "operator": "ONE_OF", "value": ["x"]}]}]);
    let dotted = [("a.b", Value::from("x"))];
    let nested = json!({"a": {"b": "x"}});
    let nested = nested.as_object().expect("an object");
    let set = with_rules(&rules("a.b"));
    assert!(
        set.bool("feature", false, &Context::anonymous().with(&dotted))
            .value
    );
    assert!(
        !set.bool("feature", false, &Context::anonymous().with(nested))
            .value
    );

    let set = with_rules(&rules("id"));
    let own = [("id", Value::from("y"))];
    assert!(set.bool("feature", false, &Context::new("x")).value);
    assert!(
        !set.bool("feature", false, &Context::new("x").with(&own))
            .value,
        "its own id counts"
    );
}

#[test]
fn reasons_tell_rules_shares_dates_and_everyone_apart() {
    let all = json!([{"variationKey": "on", "shards": []}]);
    let some = json!([{"variationKey": "on", "shards": [{"salt": "s", "ranges": [{"start": 0, "end": 10000}]}]}]);
    let rules =
        json!([{"conditions": [{"attribute": "id", "operator": "ONE_OF", "value": ["me"]}]}]);
    let since = "2026-01-01T00:00:00Z";
    let context = Context::new("me").at("2026-02-01T00:00:00Z".parse().expect("a time"));
    for (allocation, reason) in [
        (json!({"splits": all}), Reason::Static),
        (json!({"splits": all, "rules": []}), Reason::Static),
        (json!({"splits": all, "startAt": since}), Reason::Default),
        (json!({"splits": some}), Reason::Split),
        (json!({"splits": some, "startAt": since}), Reason::Split),
        (
            json!({"splits": all, "rules": rules, "startAt": since}),
            Reason::TargetingMatch,
        ),
        (
            json!({"splits": some, "rules": rules}),
            Reason::TargetingMatch,
        ),
    ] {
        let set = with_allocations(&json!([allocation]));
        let got = set.bool("feature", false, &context);
        assert_eq!((got.value, got.reason), (true, reason), "{allocation}");
    }
    let mixed = json!([{"splits": [
        {"variationKey": "on", "shards": [{"salt": "s", "ranges": []}]},
        {"variationKey": "off", "shards": []},
    ]}]);
    let set = with_allocations(&mixed);
    let got = set.bool("feature", true, &context);
    assert_eq!(
        (got.value, got.reason),
        (false, Reason::Static),
        "the split that serves gives the reason"
    );
}

#[test]
fn allocations_are_open_between_their_dates_and_only_if_the_time_is_known() {
    let set = with_allocations(&json!([{
        "startAt": "2026-03-01T10:00:00+01:00", "endAt": "2026-03-02T00:00:00.5Z",
        "splits": [{"variationKey": "on", "shards": []}],
    }]));
    let at = |time: &str| {
        let time: Timestamp = time.parse().expect("a time");
        set.bool("feature", false, &Context::anonymous().at(time))
            .value
    };
    assert!(!at("2026-03-01T08:59:59.999Z"));
    assert!(at("2026-03-01T09:00:00Z"));
    assert!(at("2026-03-02T00:00:00.5Z"));
    assert!(!at("2026-03-02T00:00:00.501Z"));
    assert!(!set.bool("feature", false, &Context::anonymous()).value);
}

#[test]
fn shards_need_a_targeting_key_and_nothing_else_does() {
    let sharded = json!([{"splits": [{"variationKey": "on", "shards": [{"salt": "s", "ranges": [{"start": 0, "end": 10000}]}]}]}]);
    let set = with_allocations(&sharded);
    let got = set.bool("feature", false, &Context::anonymous());
    assert_eq!(got.error_code, Some(ErrorCode::TargetingKeyMissing));
    assert!(
        set.bool("feature", false, &Context::new("")).value,
        "an empty key is a key"
    );
    let open = with_allocations(&json!([{"splits": [{"variationKey": "on", "shards": []}]}]));
    assert!(open.bool("feature", false, &Context::anonymous()).value);
}

#[test]
fn shard_counts_stand_at_the_shard_or_the_flag() {
    let flag = |total: Json, of_shard: Json| {
        let mut shard = json!({"salt": "s", "ranges": [{"start": 0, "end": 1}]});
        shard
            .as_object_mut()
            .expect("an object")
            .extend(of_shard.as_object().cloned().expect("an object"));
        let mut flag = json!({
            "enabled": true, "variationType": "BOOLEAN", "variations": {"on": {"value": true}},
            "allocations": [{"splits": [{"variationKey": "on", "shards": [shard]}]}],
        });
        flag.as_object_mut()
            .expect("an object")
            .extend(total.as_object().cloned().expect("an object"));
        load(&json!({"flags": {"feature": flag}}))
    };
    let served = |set: &FlagSet| {
        (0..2000)
            .filter(|n| {
                set.bool("feature", false, &Context::new(&n.to_string()))
                    .value
            })
            .count()
    };
    assert_eq!(served(&flag(json!({}), json!({"totalShards": 1}))), 2000);
    assert_eq!(served(&flag(json!({"totalShards": 1}), json!({}))), 2000);
    assert!(served(&flag(json!({"totalShards": 1}), json!({"totalShards": 2}))) < 1200);
    assert!(served(&flag(json!({}), json!({}))) < 10, "one of 10 000");
    let none = flag(json!({"totalShards": 0}), json!({}));
    assert_eq!(
        none.bool("feature", false, &Context::new("me")).error_code,
        Some(ErrorCode::ParseError)
    );
}

#[test]
fn a_known_place() {
    // Salt, a hyphen, and the key.
    let at = |start: u32| {
        with_allocations(&json!([{"splits": [{"variationKey": "on", "shards": [
            {"salt": "salt", "totalShards": 10000, "ranges": [{"start": start, "end": start + 1}]},
        ]}]}]))
        .bool("feature", false, &Context::new("key"))
        .value
    };
    let place = PLACE_OF_SALT_KEY % 10_000;
    assert!(at(place));
    assert!(!at(place + 1));
}

/// The first four bytes of MD5 of `salt-key`, as `md5sum` prints them.
const PLACE_OF_SALT_KEY: u32 = 0x6670_d5b8;

#[test]
fn json_is_written_as_it_is_or_as_a_text() {
    let set = load(&json!({"flags": {"feature": {
        "enabled": true, "variationType": "JSON",
        "variations": {"a": {"value": "{\"deep\": [1, 2]}"}, "b": {"value": {"deep": [1, 2]}}},
        "allocations": [
            {"rules": [{"conditions": [{"attribute": "id", "operator": "ONE_OF", "value": ["a"]}]}], "splits": [{"variationKey": "a", "shards": []}]},
            {"splits": [{"variationKey": "b", "shards": []}]},
        ],
    }}}));
    let none = Json::Null;
    let (a, b) = (Context::new("a"), Context::new("b"));
    assert_eq!(
        set.json("feature", &none, &a).value,
        &json!({"deep": [1, 2]})
    );
    assert_eq!(
        set.json("feature", &none, &b).value,
        &json!({"deep": [1, 2]})
    );
    assert_ne!(
        set.json("feature", &none, &a).variant,
        set.json("feature", &none, &b).variant
    );
}

#[test]
fn an_operator_of_a_later_version_gives_the_callers_default_and_says_so() {
    let file = json!({"flags": {"feature": {
        "enabled": true, "variationType": "STRING", "variations": {"a": {"value": "a"}},
        "allocations": [
            {"rules": [{"conditions": [{"attribute": "x", "operator": "NEWER", "value": 1}]}], "splits": []},
            {"splits": [{"variationKey": "a", "shards": []}]},
        ],
    }}});
    let loaded = FlagSet::load(
        "ufc.json",
        file.to_string().as_bytes(),
        LoadOptions::default(),
    )
    .expect("loads");
    let got = loaded.set.str("feature", "mine", &Context::new("me"));
    assert_eq!(
        (got.value, got.reason, got.error_code),
        ("mine", Reason::Default, None)
    );
    assert!(loaded.findings.to_string().contains("NEWER"));
    assert!(loaded.set.to_string().contains("not known"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// A range that only widens keeps everyone it had.
    #[test]
    fn widening_a_range_only_adds(
        cuts in proptest::collection::vec(0_u32..=10_000, 4),
        keys in proptest::collection::vec(".{0,16}", 64),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let set = |start: u32, end: u32| with_allocations(&json!([{"splits": [{"variationKey": "on", "shards": [
            {"salt": "growth", "totalShards": 10000, "ranges": [{"start": start, "end": end}]},
        ]}]}]));
        let (narrow, wide) = (set(cuts[1], cuts[2]), set(cuts[0], cuts[3]));
        for key in &keys {
            let context = Context::new(key);
            prop_assert!(!narrow.bool("feature", false, &context).value || wide.bool("feature", false, &context).value);
        }
    }
}
