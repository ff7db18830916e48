//! Variants: who gets which, and what they hold.

use crate::{feature, variant};
use nonevent_flags::{Context, ErrorCode, Murmur3};
use serde_json::{Value as Json, json};

#[test]
fn variants_are_chosen_by_override_and_then_by_weight() {
    let variants = json!([
        {"name": "a", "weight": 300, "overrides": [{"contextName": "userId", "values": ["ada"]}, {"contextName": "plan", "values": ["pro"]}]},
        {"name": "b", "weight": 700},
    ]);
    let set = feature(&json!({"variants": variants}));
    assert_eq!(variant(&set, &json!({"userId": "ada"})), Some("a"));
    assert_eq!(
        variant(&set, &json!({"userId": "x", "properties": {"plan": "pro"}})),
        Some("a")
    );
    for n in 0..200 {
        let key = format!("user-{n}");
        let place = Murmur3::of(86_028_157, format!("feature:{key}").as_bytes()) % 1000 + 1;
        let expected = if place <= 300 { "a" } else { "b" };
        assert_eq!(
            variant(&set, &json!({"userId": key})),
            Some(expected),
            "{key}"
        );
    }
}

#[test]
fn a_strategys_variants_come_before_the_features() {
    let strategies = |own: Json| {
        json!({
            "strategies": [
                {"name": "userWithId", "parameters": {"userIds": "ada"}, "variants": [{"name": "own", "weight": 1}]},
                {"name": "default", "variants": own},
            ],
            "variants": [{"name": "common", "weight": 1}],
        })
    };
    let set = feature(&strategies(json!([])));
    assert_eq!(variant(&set, &json!({"userId": "ada"})), Some("own"));
    assert_eq!(variant(&set, &json!({"userId": "bob"})), Some("common"));
    let off = feature(
        &json!({"strategies": [{"name": "userWithId", "parameters": {"userIds": "ada"}}], "variants": [{"name": "common", "weight": 1}]}),
    );
    assert_eq!(variant(&off, &json!({})), Some("off"));
}

#[test]
fn a_strategys_variants_follow_its_group_and_stickiness() {
    let set = feature(&json!({"strategies": [{
        "name": "flexibleRollout",
        "parameters": {"rollout": "100", "groupId": "group", "stickiness": "tenant"},
        "variants": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}],
    }]}));
    for n in 0..50 {
        let place = Murmur3::of(86_028_157, format!("group:{n}").as_bytes()) % 2 + 1;
        let expected = if place == 1 { "a" } else { "b" };
        assert_eq!(
            variant(&set, &json!({"tenant": n.to_string(), "userId": "me"})),
            Some(expected)
        );
    }
}

#[test]
fn payloads_are_typed_and_on_is_apart_from_the_value() {
    let with = |payload: Json| {
        feature(&json!({"variants": [{"name": "a", "weight": 1, "payload": payload}]}))
    };
    let me = Context::new("me");
    let text = with(json!({"type": "string", "value": "false"}));
    assert_eq!(text.str("feature", "", &me).value, "false");
    assert!(
        text.bool("feature", false, &me).value,
        "the feature is on, whatever its payload says"
    );
    assert_eq!(
        with(json!({"type": "csv", "value": "a,b"}))
            .str("feature", "", &me)
            .value,
        "a,b"
    );
    assert_eq!(
        with(json!({"type": "number", "value": "7"}))
            .i64("feature", 0, &me)
            .value,
        7
    );
    let none = Json::Null;
    assert_eq!(
        with(json!({"type": "json", "value": "{\"a\": 1}"}))
            .json("feature", &none, &me)
            .value,
        &json!({"a": 1})
    );
    let plain = feature(&json!({}));
    let got = plain.str("feature", "mine", &me);
    assert_eq!(
        (got.value, got.error_code),
        ("mine", Some(ErrorCode::TypeMismatch))
    );
    assert_eq!(variant(&plain, &json!({})), Some("on"));
}
