//! Flags in LaunchDarkly's form for servers.

use nonevent_document::Timestamp;
use nonevent_flags::{Context, Dialect, ErrorCode, FlagSet, LoadOptions, Reason};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn load(file: &Json) -> FlagSet {
    FlagSet::load(
        "data.json",
        file.to_string().as_bytes(),
        Dialect::LaunchDarkly,
    )
    .expect("loads")
    .set
}

/// A flag that is on with variations `true` and `false`, and these members besides.
fn flag(more: &Json) -> Json {
    let mut flag = json!({
        "on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1}, "salt": "saltyA",
    });
    let members = flag.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    flag
}

fn answer(set: &FlagSet, key: &str, context: &Json) -> (Json, Reason, Option<ErrorCode>) {
    let attributes = context.as_object().expect("an object");
    let context = Context::anonymous()
        .with(attributes)
        .at(Timestamp::from_unix_ms(1_790_000_000_000));
    let found = set.evaluate(key, &context);
    (
        found.value.cloned().unwrap_or_default(),
        found.reason,
        found.error_code,
    )
}

/// Whether a rule with one clause holds.
fn holds(clause: &Json, context: &Json) -> bool {
    let set = load(
        &json!({"flags": {"f": flag(&json!({"rules": [{"variation": 0, "clauses": [clause]}]}))}}),
    );
    let (value, reason, error) = answer(&set, "f", context);
    assert_eq!(error, None, "{clause}");
    assert_eq!(
        reason == Reason::TargetingMatch,
        value == json!(true),
        "{clause}"
    );
    value == json!(true)
}

#[test]
fn operators_take_values_of_their_own_type_only() {
    for (op, values, value, expected) in [
        ("in", json!(["a", 7, true]), json!("a"), true),
        ("in", json!(["a", 7, true]), json!(7.0), true),
        ("in", json!(["a", 7, true]), json!("7"), false),
        ("in", json!([1]), json!(true), false),
        ("in", json!([{"a": [1]}]), json!({"a": [1]}), true),
        ("in", json!([]), json!("a"), false),
        (
            "in",
            json!(["k", "l", "m", "n", "o", "p", "q", "r", "s"]),
            json!("p"),
            true,
        ),
        (
            "in",
            json!(["k", "l", "m", "n", "o", "p", "q", "r", "s"]),
            json!("t"),
            false,
        ),
        ("startsWith", json!(["x", "ab"]), json!("abc"), true),
        ("endsWith", json!(["c"]), json!("abc"), true),
        ("contains", json!(["B"]), json!("abc"), false),
        ("contains", json!(["1"]), json!(1), false),
        ("matches", json!(["(", "^a.c$"]), json!("abc"), true),
        ("matches", json!(["("]), json!("("), false),
        ("lessThan", json!([3]), json!(2.5), true),
        ("lessThanOrEqual", json!([3]), json!(3), true),
        ("greaterThan", json!([3]), json!("4"), false),
        ("greaterThanOrEqual", json!([9, 3]), json!(4), true),
        (
            "before",
            json!(["2026-01-01T00:00:00Z"]),
            json!("2025-12-31T23:59:59.999Z"),
            true,
        ),
        ("before", json!([1_000]), json!(999), true),
        (
            "after",
            json!(["2026-01-01T00:00:00Z"]),
            json!("2026-01-01T00:00:00Z"),
            false,
        ),
        ("after", json!([0]), json!("1"), false),
        ("semVerEqual", json!(["2"]), json!("2.0.0"), true),
        ("semVerEqual", json!(["2.0.0-rc.1"]), json!("2-rc.1"), true),
        ("semVerLessThan", json!(["2.0"]), json!("2.0.0-rc.1"), true),
        (
            "semVerGreaterThan",
            json!(["1.9.0"]),
            json!("1.10.0+b"),
            true,
        ),
        ("semVerGreaterThan", json!(["1"]), json!("v2"), false),
        ("semVerGreaterThan", json!(["1"]), json!(2), false),
        ("isOld", json!(["a"]), json!("a"), false),
    ] {
        let clause = json!({"attribute": "it", "op": op, "values": values});
        let context = |value: &Json| json!({"kind": "user", "key": "k", "it": value});
        assert_eq!(
            holds(&clause, &context(&value)),
            expected,
            "{value} {op} {values}"
        );
        // Of a list, any element suffices.
        let list = json!([{"no": "such"}, value]);
        assert_eq!(
            holds(&clause, &context(&list)),
            expected,
            "{list} {op} {values}"
        );
        let mut negated = clause.clone();
        negated["negate"] = true.into();
        assert_eq!(
            holds(&negated, &context(&value)),
            !expected,
            "not {value} {op} {values}"
        );
        for missing in [json!(null), json!([])] {
            let is_there = missing.is_array();
            assert_eq!(
                holds(&negated, &context(&missing)),
                is_there,
                "{missing}: {op}"
            );
        }
    }
}

#[test]
fn a_clause_means_the_context_of_its_kind() {
    let clause = |kind: &str, name: &str| json!({"contextKind": kind, "attribute": name, "op": "in", "values": ["right"]});
    let org = json!({"kind": "org", "key": "right", "a/b": {"c~d": "right"}});
    let multi = json!({"kind": "multi", "org": {"key": "right", "a/b": {"c~d": "right"}}, "user": {"key": "x"}});
    for context in [&org, &multi] {
        assert!(holds(&clause("org", "key"), context));
        assert!(holds(&clause("org", "/a~1b/c~0d"), context));
        assert!(!holds(&clause("user", "key"), context));
        assert!(!holds(&clause("org", "/a~1b/0"), context));
    }
    // Users in the form from before there were kinds.
    let old = json!({"key": "x", "custom": {"group": "right", "/odd": "right"}});
    for name in ["group", "/odd"] {
        assert!(holds(
            &json!({"attribute": name, "op": "in", "values": ["right"]}),
            &old
        ));
    }
    assert!(holds(&clause("user", "group"), &old));
    let kind = json!({"attribute": "kind", "op": "in", "values": ["org"]});
    assert!(holds(&kind, &org) && holds(&kind, &multi) && !holds(&kind, &old));
    let anonymous = json!({"attribute": "anonymous", "op": "in", "values": [false]});
    assert!(holds(&anonymous, &old), "who does not say is not anonymous");
    assert!(!holds(
        &clause("org", "key"),
        &json!({"kind": "multi", "org": "right"})
    ));
}

#[test]
fn the_targeting_key_is_a_key() {
    let set = load(
        &json!({"flags": {"f": flag(&json!({"targets": [{"variation": 0, "values": ["me"]}]}))}}),
    );
    assert!(set.bool("f", false, &Context::new("me")).value);
    assert!(!set.bool("f", true, &Context::new("you")).value);
    assert!(!set.bool("f", true, &Context::anonymous()).value);
}

#[test]
fn who_is_off_or_wrong_is_told() {
    let broken = |more: Json| {
        flag(&json!({"rules": [
        {"variation": 0, "clauses": [{"attribute": "ok", "op": "in", "values": [true]}]}, more]}))
    };
    let set = load(&json!({
        "flags": {
            "off": flag(&json!({"on": false})),
            "nothing": {"on": false, "variations": [1], "offVariation": null},
            "off-wrong": flag(&json!({"on": false, "offVariation": 9})),
            "on-anyway": flag(&json!({"offVariation": 9})),
            "far": broken(json!({"variation": 9})),
            "neither": broken(json!({"id": "x"})),
            "empty": broken(json!({"rollout": {"variations": []}})),
            "negative": broken(json!({"variation": -1})),
            "unnamed": broken(json!({"variation": 0, "clauses": [{"attribute": "", "op": "in", "values": [1]}]})),
            "unescaped": broken(json!({"variation": 0, "clauses": [{"contextKind": "user", "attribute": "/a~2", "op": "in", "values": [1]}]})),
            "list": [],
        },
        "flagValues": {"plain": {"a": 1}},
    }));
    let context = json!({"key": "k"});
    assert_eq!(
        answer(&set, "off", &context),
        (json!(false), Reason::Disabled, None)
    );
    assert_eq!(
        answer(&set, "nothing", &context),
        (Json::Null, Reason::Disabled, None)
    );
    assert_eq!(
        answer(&set, "on-anyway", &context),
        (json!(false), Reason::Default, None)
    );
    assert_eq!(
        answer(&set, "plain", &context),
        (json!({"a": 1}), Reason::Static, None)
    );
    for key in [
        "off-wrong",
        "far",
        "neither",
        "empty",
        "negative",
        "unnamed",
        "unescaped",
        "list",
    ] {
        let error = Some(ErrorCode::ParseError);
        assert_eq!(
            answer(&set, key, &context),
            (Json::Null, Reason::Error, error),
            "{key}"
        );
    }
    // Only for whom it comes to that.
    for key in [
        "far",
        "neither",
        "empty",
        "negative",
        "unnamed",
        "unescaped",
    ] {
        let served = answer(&set, key, &json!({"key": "k", "ok": true}));
        assert_eq!(served, (json!(true), Reason::TargetingMatch, None), "{key}");
    }
}

fn rollout(more: &Json) -> FlagSet {
    let mut rollout = json!({"variations": [{"variation": 0, "weight": 42_157}, {"variation": 1, "weight": 57_843}]});
    rollout
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    load(&json!({"flags": {"hashKey": flag(&json!({"fallthrough": {"rollout": rollout}}))}}))
}

#[test]
fn shares_are_by_sixty_bits_of_sha1() {
    // What SDKs give for `hashKey.saltyA.userKeyA` to `C`: 0.42157587, 0.6708485, 0.10343106.
    for (weight, [a, b, c]) in [
        (42_157, [false, false, true]),
        (42_158, [true, false, true]),
        (10_343, [false, false, false]),
        (10_344, [false, false, true]),
        (67_084, [true, false, true]),
        (67_085, [true, true, true]),
    ] {
        let set = rollout(
            &json!({"variations": [{"variation": 0, "weight": weight}, {"variation": 1, "weight": 100_000 - weight}]}),
        );
        for (key, expected) in [("userKeyA", a), ("userKeyB", b), ("userKeyC", c)] {
            let (value, reason, error) =
                answer(&set, "hashKey", &json!({"kind": "user", "key": key}));
            assert_eq!(
                (value, reason, error),
                (json!(expected), Reason::Split, None),
                "{key} {weight}"
            );
        }
    }
}

#[test]
fn what_shares_are_of_can_be_said() {
    let get =
        |more: Json, context: Json| answer(&rollout(&more), "hashKey", &context).0 == json!(true);
    let user = |more: &str, value: Json| json!({"kind": "user", "key": "userKeyB", more: value});
    // By another attribute, which may be a whole number and nothing else.
    let by = json!({"bucketBy": "n", "variations": [{"variation": 0, "weight": 1}, {"variation": 1, "weight": 99_999}]});
    for (value, is_first) in [
        (json!("userKeyB"), false),
        (json!(33_333), false),
        (json!(33_333.0), false),
        (json!(1.5), true),
        (json!(true), true),
        (json!(null), true),
        (json!(["a"]), true),
    ] {
        assert_eq!(
            get(by.clone(), user("n", value.clone())),
            is_first,
            "{value}"
        );
    }
    // An experiment divides by key, whatever else is said, and by its seed.
    let experiment = |seed: i64| json!({"kind": "experiment", "bucketBy": "n", "seed": seed});
    let values: Vec<bool> = (0..40)
        .map(|seed| get(experiment(seed), user("n", json!(1))))
        .collect();
    let others: Vec<bool> = (0..40)
        .map(|seed| get(experiment(seed), user("n", json!(2))))
        .collect();
    assert_eq!(values, others);
    assert!(values.contains(&true) && values.contains(&false));
    // Of another kind, which is not there: the first share.
    assert!(get(json!({"contextKind": "org"}), user("n", json!(1))));
    // What lies beyond the shares belongs to the last.
    let few = json!({"variations": [{"variation": 1, "weight": 1}, {"variation": 0, "weight": 1}]});
    assert!(get(few, user("n", json!(1))));
}

#[test]
fn segments_include_exclude_and_ask_each_other() {
    let clause =
        |segment: &str| json!({"op": "segmentMatch", "values": [segment], "attribute": ""});
    let is = |name: &str| json!([{"clauses": [{"attribute": name, "op": "in", "values": [true]}]}]);
    let flags: serde_json::Map<String, Json> = ["staff", "both", "loop", "big", "none", "some"]
        .map(|name| {
            (
                name.to_owned(),
                flag(&json!({"rules": [{"variation": 0, "clauses": [clause(name)]}]})),
            )
        })
        .into_iter()
        .collect();
    let set = load(&json!({"flags": flags, "segments": {
        "staff": {"included": ["in"], "excluded": ["out", "in"], "rules": is("staff"),
            "includedContexts": [{"contextKind": "org", "values": ["in-org"]}]},
        "both": {"rules": [{"clauses": [clause("staff"), {"attribute": "beta", "op": "in", "values": [true]}]}]},
        "loop": {"included": ["in"], "rules": [{"clauses": [clause("loop")]}]},
        "big": {"unbounded": true, "included": ["in"]},
        "some": {"salt": "s", "rules": [{"weight": 50_000}]},
    }}));
    let value = |flag: &str, context: &Json| answer(&set, flag, context).0 == json!(true);
    assert!(
        value("staff", &json!({"key": "in"})),
        "included before excluded"
    );
    assert!(!value("staff", &json!({"key": "out", "staff": true})));
    assert!(value("staff", &json!({"key": "x", "staff": true})));
    assert!(value("staff", &json!({"kind": "org", "key": "in-org"})));
    assert!(!value("staff", &json!({"kind": "org", "key": "in"})));
    assert!(
        value("both", &json!({"key": "in", "beta": true})) && !value("both", &json!({"key": "in"}))
    );
    assert!(!value("big", &json!({"key": "in"})) && !value("none", &json!({"key": "in"})));
    assert!(value("loop", &json!({"key": "in"})));
    assert_eq!(
        answer(&set, "loop", &json!({"key": "x"})).2,
        Some(ErrorCode::ParseError)
    );
    let some = (0..400)
        .filter(|n| value("some", &json!({"key": format!("user-{n}")})))
        .count();
    assert!((150..250).contains(&some), "{some} of 400");
}

#[test]
fn what_is_no_reference_is_wrong_only_for_whom_it_comes_to_that() {
    let by_nothing = json!({"rollout": {"contextKind": "user", "bucketBy": "/a/", "variations": [{"variation": 0, "weight": 100_000}]}});
    let mut rule = by_nothing.clone();
    rule["clauses"] = json!([{"op": "in", "attribute": "plan", "values": ["pro"]}]);
    let mut first = flag(&json!({"rules": [rule]}));
    first["fallthrough"] = json!({"variation": 1});
    let by_segment = json!({"op": "segmentMatch", "values": ["s"]});
    let second = flag(&json!({"rules": [{"variation": 0, "clauses": [by_segment]}]}));
    let set = load(
        &json!({"flags": {"first": first, "second": second}, "segments": {"s": {
            "included": ["in"],
            "rules": [{"weight": 1, "rolloutContextKind": "user", "bucketBy": "//", "clauses": []}],
        }}}),
    );
    let wrong = (Json::Null, Reason::Error, Some(ErrorCode::ParseError));
    let pro = json!({"key": "k", "kind": "user", "plan": "pro"});
    assert_eq!(answer(&set, "first", &pro), wrong);
    assert_eq!(
        answer(&set, "first", &json!({"key": "k"})),
        (json!(false), Reason::Default, None)
    );
    assert_eq!(answer(&set, "second", &json!({"key": "k"})), wrong);
    assert_eq!(
        answer(&set, "second", &json!({"key": "in"})),
        (json!(true), Reason::TargetingMatch, None)
    );
}

#[test]
fn prerequisites_are_met_by_flags_that_are_on() {
    let needs = |key: &str, variation: i64| json!([{"key": key, "variation": variation}]);
    let open = |more: &Json| {
        let mut flag = flag(more);
        flag["fallthrough"] = json!({"variation": 0});
        flag
    };
    let mut without_off = open(&json!({"prerequisites": needs("on", 1)}));
    without_off["offVariation"] = Json::Null;
    let set = load(&json!({"flags": {
        "on": open(&json!({})),
        "off": open(&json!({"on": false, "offVariation": 0})),
        "met": open(&json!({"prerequisites": needs("on", 0)})),
        "other": open(&json!({"prerequisites": needs("on", 1)})),
        "of-off": open(&json!({"prerequisites": needs("off", 0)})),
        "nowhere": open(&json!({"prerequisites": needs("gone", 0)})),
        "chain": open(&json!({"prerequisites": needs("met", 0)})),
        "self": open(&json!({"prerequisites": needs("self", 0)})),
        "there": open(&json!({"prerequisites": needs("back", 0)})),
        "back": open(&json!({"prerequisites": needs("there", 0)})),
        "bare": open(&json!({"prerequisites": [{"variation": 0}]})),
        "off-nowhere": open(&json!({"on": false, "offVariation": 7})),
        "of-wrong": open(&json!({"prerequisites": needs("off-nowhere", 0)})),
        "wrong-off-met": open(&json!({"offVariation": 7, "prerequisites": needs("on", 0)})),
        "wrong-off-unmet": open(&json!({"offVariation": 7, "prerequisites": needs("on", 1)})),
        "without-off": without_off,
    }}));
    let context = json!({"key": "k"});
    for (key, expected) in [
        ("met", (json!(true), Reason::Default, None)),
        ("chain", (json!(true), Reason::Default, None)),
        ("other", (json!(false), Reason::Disabled, None)),
        ("of-off", (json!(false), Reason::Disabled, None)),
        ("nowhere", (json!(false), Reason::Disabled, None)),
        ("without-off", (Json::Null, Reason::Default, None)),
        (
            "self",
            (Json::Null, Reason::Error, Some(ErrorCode::ParseError)),
        ),
        (
            "there",
            (Json::Null, Reason::Error, Some(ErrorCode::ParseError)),
        ),
        ("wrong-off-met", (json!(true), Reason::Default, None)),
        (
            "of-wrong",
            (Json::Null, Reason::Error, Some(ErrorCode::ParseError)),
        ),
        (
            "wrong-off-unmet",
            (Json::Null, Reason::Error, Some(ErrorCode::ParseError)),
        ),
        (
            "bare",
            (Json::Null, Reason::Error, Some(ErrorCode::ParseError)),
        ),
    ] {
        assert_eq!(answer(&set, key, &context), expected, "{key}");
    }
    let told = set.explain("other", &Context::new("k")).to_string();
    assert!(told.contains("flag on serves \"1\""), "{told}");
}

#[test]
fn it_is_recognised_and_what_is_not_known_is_said() {
    let file = json!({"path": "/", "data": {"flags": {"f": flag(&json!({"rules": [
        {"variation": 0, "clauses": [{"op": "segmentMatch", "values": ["nowhere"]}, {"attribute": "a", "op": "isOld", "values": [1]}]}]}))}}});
    for file in [&file, &file["data"]] {
        let loaded = FlagSet::load(
            "data.json",
            file.to_string().as_bytes(),
            LoadOptions::default(),
        );
        let loaded = loaded.expect("flags");
        assert_eq!(loaded.set.dialect(), Dialect::LaunchDarkly);
        let messages: Vec<String> = loaded
            .findings
            .iter()
            .map(|it| it.message.to_string())
            .collect();
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(
            messages[0].contains("\"nowhere\"") && messages[1].contains("\"isOld\""),
            "{messages:?}"
        );
        let told = loaded.set.explain("f", &Context::new("k")).to_string();
        assert!(told.contains("does not decide"), "{told}");
    }
}

proptest! {
    #[test]
    fn raising_the_first_share_takes_it_from_nobody(low in 0_u32..100_000, more in 0_u32..100_000, key in ".{0,12}") {
        let high = (low + more).min(100_000);
        let on = |weight: u32| {
            let set = rollout(&json!({"variations": [{"variation": 0, "weight": weight}, {"variation": 1, "weight": 100_000 - weight}]}));
            answer(&set, "hashKey", &json!({"kind": "user", "key": key})).0 == json!(true)
        };
        prop_assert!(!on(low) || on(high));
    }

    #[test]
    fn nothing_in_a_flag_makes_it_panic(
        variations in proptest::collection::vec(any::<bool>(), 0..3),
        place in -2_i64..4, weight in any::<i32>(), attribute in "[/~a01]{0,5}",
        op in prop_oneof!["in", "matches", "before", "semVerEqual", "segmentMatch", "[ -~é]{0,5}"],
        value in prop_oneof![any::<i64>().prop_map(Json::from), any::<f64>().prop_map(Json::from), "[ -~é]{0,9}".prop_map(Json::from), Just(Json::Null)],
        kind in prop_oneof!["user", "multi", "[ -~é]{0,4}"],
    ) {
        let clause = json!({"contextKind": kind, "attribute": attribute, "op": op, "values": [value, value]});
        let serve = json!({"rollout": {"bucketBy": attribute, "contextKind": kind, "variations": [{"variation": place, "weight": weight}]}});
        let file = json!({"flags": {"f": {
            "on": true, "variations": variations, "offVariation": place, "fallthrough": serve,
            "rules": [{"variation": place, "clauses": [clause]}], "targets": [{"variation": place, "values": ["k"]}],
        }}, "segments": {"s": {"rules": [{"clauses": [clause], "weight": weight}]}}});
        let set = load(&file);
        for context in [json!({"kind": kind, "key": "k", "a": value}), json!({"a": {"0": value}}), json!({"kind": value})] {
            let _ = answer(&set, "f", &context);
        }
    }
}
