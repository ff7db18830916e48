//! GrowthBook's form: rules, experiments and what of them is remembered, prerequisites, groups.

mod conditions;
mod experiments;

use nonevent_flags::{Context, DecryptionKey, Dialect, ErrorCode, FlagSet, LoadOptions, Reason};
use serde_json::{Map, Value as Json, json};

fn load(payload: &Json) -> FlagSet {
    let text = payload.to_string();
    FlagSet::load("features.json", text.as_bytes(), Dialect::GrowthBook)
        .expect("it is in order")
        .set
}

fn map(value: &Json) -> Map<String, Json> {
    value.as_object().cloned().expect("a map")
}

/// What the flag gives with these attributes.
fn value(flags: &FlagSet, key: &str, attributes: &Json) -> Json {
    let attributes = map(attributes);
    let context = Context::anonymous().with(&attributes);
    flags
        .evaluate(key, &context)
        .value
        .cloned()
        .unwrap_or(Json::Null)
}

#[test]
fn the_first_rule_that_applies_decides_and_says_why() {
    let flags = load(
        &json!({"features": {"f": {"defaultValue": "default", "rules": [
            {"condition": {"plan": "pro"}, "force": "targeted"},
            {"condition": {"plan": "none"}, "force": null},
            {"coverage": 0.5, "force": "half"},
            {"condition": {"plan": "free"}},
            {"force": "all"},
            {"force": "never"},
        ]}}}),
    );
    for (attributes, expected, reason) in [
        (
            json!({"plan": "pro"}),
            json!("targeted"),
            Reason::TargetingMatch,
        ),
        (json!({"plan": "none"}), Json::Null, Reason::TargetingMatch),
        (json!({}), json!("all"), Reason::Static),
    ] {
        let attributes = map(&attributes);
        let found = flags.evaluate("f", &Context::anonymous().with(&attributes));
        assert_eq!(found.value.cloned().unwrap_or(Json::Null), expected);
        assert_eq!(found.reason, reason, "{expected}");
    }
    let key = |n: u32| format!("user-{n}");
    let half = (0..1000).filter(|n| {
        let key = key(*n);
        let found = flags.evaluate("f", &Context::new(&key));
        found.reason == Reason::Split && found.value == Some(&json!("half"))
    });
    let half = half.count();
    assert!((440..560).contains(&half), "{half} of 1000");
}

#[test]
fn only_texts_and_numbers_other_than_0_have_a_place() {
    let flags = load(&json!({"features": {
        "own": {"rules": [{"coverage": 1, "force": "in"}]},
        "other": {"rules": [{"coverage": 1, "force": "in", "fallbackAttribute": "device"}]},
    }}));
    for id in [json!("a"), json!(7), json!(-0.5)] {
        assert_eq!(
            value(&flags, "own", &json!({"id": id})),
            json!("in"),
            "{id}"
        );
    }
    for id in [
        json!(""),
        json!(0),
        json!(-0.0),
        json!(true),
        json!(["a"]),
        json!({}),
        Json::Null,
    ] {
        let attributes = json!({"id": id, "device": "d", "__gb": {"stickyBuckets": {}}});
        assert_eq!(value(&flags, "own", &attributes), Json::Null, "{id}");
        assert_eq!(value(&flags, "other", &attributes), json!("in"), "{id}");
    }
}

#[test]
fn a_group_without_a_type_is_a_list_only_where_lists_are_asked_for() {
    for (condition, groups, expected) in [
        (json!({"a": {"$inGroup": "g"}}), json!(["x"]), true),
        (
            json!({"$savedGroup": {"id": "g", "attributeKey": "a"}}),
            json!(["x"]),
            false,
        ),
        (
            json!({"$not": {"$savedGroup": {"id": "g", "attributeKey": "a"}}}),
            json!(["x"]),
            true,
        ),
        // Of a kind that may yet come: neither in it nor out of it.
        (json!({"$savedGroup": {"id": "g"}}), json!({}), false),
        (
            json!({"$not": {"$savedGroup": {"id": "g"}}}),
            json!({}),
            false,
        ),
        (json!({"a": {"$notInGroup": "g"}}), json!({}), false),
    ] {
        let flags = load(&json!({
            "features": {"f": {"rules": [{"condition": condition, "force": true}]}},
            "savedGroups": {"g": groups},
        }));
        assert_eq!(
            value(&flags, "f", &json!({"a": "x"})) == json!(true),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn null_is_the_callers_default() {
    let flags = load(
        &json!({"features": {"f": {"defaultValue": null}, "g": {"rules": [{"force": null}]}}}),
    );
    for key in ["f", "g"] {
        let found = flags.str(key, "own", &Context::anonymous());
        assert_eq!((found.value, found.error_code), ("own", None), "{key}");
    }
}

#[test]
fn a_gate_that_is_closed_ends_it_and_another_prerequisite_skips_its_rule() {
    let with_parent = |parent: Json| {
        load(&json!({"features": {
            "parent": parent,
            "gated": {"defaultValue": "open", "rules": [
                {"parentConditions": [{"id": "parent", "condition": {"value": true}, "gate": true}]},
            ]},
            "skipping": {"defaultValue": "skipped", "rules": [
                {"parentConditions": [{"id": "parent", "condition": {"value": true}}], "force": "forced"},
            ]},
            "mixed": {"defaultValue": "open", "rules": [
                {"parentConditions": [
                    {"id": "nobody", "condition": {"value": {"$ne": null}}},
                    {"id": "parent", "condition": {"value": true}, "gate": true},
                ]},
            ]},
            "deep": {"defaultValue": "open", "rules": [
                {"parentConditions": [{"id": "gated", "condition": {"value": {"$exists": true}}, "gate": true}]},
            ]},
        }}))
    };
    let open = with_parent(json!({"defaultValue": true}));
    let closed = with_parent(json!({"defaultValue": false}));
    for (key, when_open, when_closed) in [
        ("gated", json!("open"), Json::Null),
        ("skipping", json!("forced"), json!("skipped")),
        // The prerequisite before the gate does not hold, so the rule is skipped and its gate with it.
        ("mixed", json!("open"), json!("open")),
        ("deep", json!("open"), Json::Null),
    ] {
        assert_eq!(value(&open, key, &json!({})), when_open, "{key}, open");
        assert_eq!(
            value(&closed, key, &json!({})),
            when_closed,
            "{key}, closed"
        );
    }
    let found = closed.evaluate("gated", &Context::anonymous());
    assert_eq!((found.reason, found.error_code), (Reason::Disabled, None));
}

#[test]
fn features_that_wait_for_each_other_give_the_callers_default() {
    let waits = |id: &str| json!({"defaultValue": 1, "rules": [{"parentConditions": [{"id": id, "condition": {}}], "force": 2}]});
    let flags = load(
        &json!({"features": {"a": waits("b"), "b": waits("a"), "c": waits("c"), "d": {"defaultValue": 3}}}),
    );
    for key in ["a", "b", "c"] {
        let found = flags.i64(key, 9, &Context::anonymous());
        assert_eq!((found.value, found.reason), (9, Reason::Error), "{key}");
        assert!(found.error_message.is_some_and(|why| why.contains("wait")));
    }
    assert_eq!(flags.i64("d", 9, &Context::anonymous()).value, 3);
    assert!(
        flags
            .check("2026-01-01T00:00:00Z".parse().expect("a time"))
            .has_errors()
    );
}

#[test]
fn saved_groups_that_lead_back_to_themselves_have_no_members() {
    let groups = json!({
        "a": {"type": "condition", "condition": {"$savedGroup": {"id": "b"}}},
        "b": {"type": "condition", "condition": {"$or": [{"$savedGroup": {"id": "a"}}, {"plan": "pro"}]}},
        "c": {"type": "condition", "condition": {"$not": {"$savedGroup": {"id": "c"}}}},
        "d": {"type": "condition", "condition": {"$savedGroup": {"id": "list"}, "$not": {"$savedGroup": {"id": "future"}}}},
        "list": {"type": "list", "attributeKey": "id", "values": ["u"]},
        "future": {"type": "future"},
    });
    let feature = |id: &str| json!({"defaultValue": false, "rules": [{"condition": {"$savedGroup": {"id": id}}, "force": true}]});
    let flags = load(&json!({"savedGroups": groups, "features": {
        "a": feature("a"), "b": feature("b"), "c": feature("c"), "d": feature("d"), "list": feature("list"),
    }}));
    let pro = json!({"plan": "pro", "id": "u"});
    for (key, expected) in [
        ("a", true),
        ("b", true),
        ("c", true),
        ("d", false),
        ("list", true),
    ] {
        assert_eq!(value(&flags, key, &pro), json!(expected), "{key}");
    }
    assert_eq!(value(&flags, "a", &json!({"id": "u"})), json!(false));
}

#[test]
fn groups_that_multiply_are_refused_or_shared_and_never_take_long() {
    // Each names the next twice: shared, so that there are 60 and not 2^60.
    let mut groups = Map::new();
    for n in 0..30 {
        let next = json!({"$savedGroup": {"id": format!("g{}", n + 1)}});
        let condition = json!({"$or": [next, {"$not": {"$and": [next, {"x": n}]}}]});
        groups.insert(
            format!("g{n}"),
            json!({"type": "condition", "condition": condition}),
        );
    }
    groups.insert(
        "g30".into(),
        json!({"type": "list", "attributeKey": "id", "values": [1]}),
    );
    // Each names all others, in circles: not shared, so it is too much.
    for n in 0..12 {
        let all: Vec<Json> = (0..12)
            .map(|to| json!({"$savedGroup": {"id": format!("k{to}")}}))
            .collect();
        groups.insert(
            format!("k{n}"),
            json!({"type": "condition", "condition": {"$or": all}}),
        );
    }
    let feature = |id: &str| json!({"defaultValue": 0, "rules": [{"condition": {"$savedGroup": {"id": id}}, "force": 1}]});
    let flags = load(&json!({"savedGroups": groups, "features": {
        "shared": feature("g0"), "circles": feature("k0"), "other": {"defaultValue": 7},
    }}));
    let attributes = map(&json!({"id": 2}));
    let context = Context::anonymous().with(&attributes);
    assert_eq!(flags.i64("other", 0, &context).value, 7);
    // Either it comes out or it takes too many steps; it does not hang.
    let shared = flags.i64("shared", 5, &context);
    assert!(shared.value == 1 || shared.error_code.is_some());
    let circles = flags.i64("circles", 5, &context);
    assert_eq!(
        circles.error_code.map(ErrorCode::as_str),
        Some("PARSE_ERROR")
    );
}

#[test]
fn conditions_that_nest_too_deep_by_way_of_groups_are_refused() {
    let nested = |inner: Json, depth: usize| {
        (0..depth).fold(inner, |inner, _| json!({"$not": {"$or": [inner]}}))
    };
    // Each is within bounds; the chain of them is not, whichever is compiled first.
    let mut groups = Map::new();
    for n in 0..30 {
        let next = json!({"$savedGroup": {"id": format!("g{}", n + 1)}});
        let condition = nested(next, 20);
        groups.insert(
            format!("g{n}"),
            json!({"type": "condition", "condition": condition}),
        );
    }
    groups.insert(
        "g30".into(),
        json!({"type": "list", "attributeKey": "id", "values": [1]}),
    );
    let mut features = Map::new();
    for n in (0..30).rev() {
        let rule = json!({"condition": {"$savedGroup": {"id": format!("g{n}")}}, "force": 1});
        features.insert(
            format!("f{n:02}"),
            json!({"defaultValue": 0, "rules": [rule]}),
        );
    }
    let flags = load(&json!({"savedGroups": groups, "features": features}));
    let attributes = map(&json!({"id": 1}));
    let context = Context::anonymous().with(&attributes);
    assert_eq!(flags.i64("f29", 5, &context).value, 1);
    for key in ["f00", "f10", "f20"] {
        let found = flags.i64(key, 5, &context);
        assert_eq!(found.error_code, Some(ErrorCode::ParseError), "{key}");
    }
}

#[test]
fn encrypted_features_open_with_their_key() {
    // `{"dark-mode":{"defaultValue":true}}`, encrypted by OpenSSL.
    let part =
        "b2LHT/9gkxDlZ2hZIq/pvw==.AsA7v94z+Dd265ptru3yA+sEs9GVH+vjuBkngRw8lBONGkNaZbSQHmmyHT6gSyZ/";
    let key: DecryptionKey = "DOKpGJRzIbQrSU56iV4Q2A==".parse().expect("a key");
    let payload = json!({"features": {}, "encryptedFeatures": part}).to_string();
    let options = LoadOptions::from(Dialect::GrowthBook).decryption_key(key);
    let flags = FlagSet::load("features.json", payload.as_bytes(), options).expect("it opens");
    assert!(
        flags
            .set
            .bool("dark-mode", false, &Context::anonymous())
            .value
    );
    let wrong: DecryptionKey = "AAAAAAAAAAAAAAAAAAAAAA==".parse().expect("a key");
    let refused = FlagSet::load(
        "features.json",
        payload.as_bytes(),
        options.decryption_key(wrong),
    );
    let said = refused.expect_err("another key").to_string();
    assert!(said.contains("does not open with this key"), "{said}");
}
