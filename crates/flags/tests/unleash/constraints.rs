//! Constraints and what they read.

use crate::{feature, is_on};
use nonevent_flags::{Context, FlagSet};
use serde_json::{Value as Json, json};

fn constrained(constraint: &Json) -> FlagSet {
    feature(&json!({"strategies": [{"name": "default", "constraints": [constraint]}]}))
}

#[test]
fn operators_with_several_values() {
    for (operator, values, value, expected) in [
        ("IN", json!(["a", "b"]), json!("b"), true),
        ("IN", json!(["a"]), json!("A"), false),
        ("IN", json!([]), json!("a"), false),
        ("IN", json!(["7"]), json!(7), true),
        ("NOT_IN", json!(["a"]), json!("b"), true),
        ("NOT_IN", json!(["a"]), json!(null), true),
        ("NOT_IN", json!([]), json!("a"), true),
        ("STR_STARTS_WITH", json!(["x", "ab"]), json!("abc"), true),
        ("STR_STARTS_WITH", json!(["AB"]), json!("abc"), false),
        ("STR_ENDS_WITH", json!(["bc"]), json!("abc"), true),
        ("STR_CONTAINS", json!(["b"]), json!("abc"), true),
        ("STR_CONTAINS", json!(["b"]), json!(null), false),
        ("IN_CIDR", json!(["10.0.0.0/8"]), json!("10.9.8.7"), true),
        ("IN_CIDR", json!(["nonsense", "::1"]), json!("::1"), true),
        ("IN_CIDR", json!(["nonsense"]), json!("10.9.8.7"), false),
        ("IN_CIDR", json!(["10.0.0.0/8"]), json!("localhost"), false),
    ] {
        let mut constraint = json!({"contextName": "it", "operator": operator, "values": values});
        let context = json!({"properties": {"it": value}});
        assert_eq!(
            is_on(&constrained(&constraint), &context),
            expected,
            "{constraint} {value}"
        );
        constraint["inverted"] = true.into();
        assert_eq!(
            is_on(&constrained(&constraint), &context),
            !expected,
            "{constraint} {value}"
        );
    }
}

#[test]
fn operators_with_one_value() {
    for (operator, against, value, expected) in [
        ("NUM_EQ", "12", json!("12.0"), true),
        ("NUM_EQ", "12", json!(12), true),
        ("NUM_GT", "12", json!("12"), false),
        ("NUM_GTE", "12", json!("12"), true),
        ("NUM_LT", "12", json!("1e1"), true),
        ("NUM_LTE", "12", json!("many"), false),
        ("SEMVER_EQ", "1.2.3", json!("1.2.3+build"), true),
        ("SEMVER_GT", "1.2.3-rc.1", json!("1.2.3"), true),
        ("SEMVER_GTE", "1.10.0", json!("1.9.0"), false),
        ("SEMVER_LT", "1.0.0", json!("0.9"), false),
        ("SEMVER_LTE", "1.0.0", json!("v1.0.0"), false),
        ("REGEX", "^a+$", json!("aaa"), true),
        ("REGEX", "^a+$", json!("AAA"), false),
        ("REGEX", "a", json!(null), false),
    ] {
        let mut constraint = json!({"contextName": "it", "operator": operator, "value": against});
        let context = json!({"properties": {"it": value}});
        assert_eq!(
            is_on(&constrained(&constraint), &context),
            expected,
            "{constraint} {value}"
        );
        constraint["inverted"] = true.into();
        assert_eq!(
            is_on(&constrained(&constraint), &context),
            !expected,
            "{constraint} {value}"
        );
    }
    for (operator, field, against) in [
        ("STR_ENDS_WITH", "values", json!(["ÉCOLE"])),
        ("REGEX", "value", json!("^l'ÉCOLE$")),
    ] {
        let constraint = json!({"contextName": "it", "operator": operator, field: against, "caseInsensitive": true});
        assert!(
            is_on(&constrained(&constraint), &json!({"it": "L'école"})),
            "{operator}"
        );
    }
}

#[test]
fn dates_are_compared_with_the_contexts_time_or_the_callers() {
    let set = constrained(
        &json!({"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2026-03-01T01:00:00+01:00"}),
    );
    assert!(is_on(
        &set,
        &json!({"currentTime": "2026-03-01T00:00:00.001Z"})
    ));
    assert!(!is_on(
        &set,
        &json!({"currentTime": "2026-03-01T00:00:00Z"})
    ));
    let at = |time: &str| Context::anonymous().at(time.parse().expect("a time"));
    assert!(
        set.bool("feature", false, &at("2026-03-02T00:00:00Z"))
            .value
    );
    assert!(
        !set.bool("feature", false, &at("2026-02-02T00:00:00Z"))
            .value
    );
    assert!(
        !set.bool("feature", false, &Context::anonymous()).value,
        "no time"
    );
}

#[test]
fn what_is_wrong_turns_off_its_strategy_only() {
    for constraint in [
        json!({"contextName": "it", "operator": "NEWER", "value": "1"}),
        json!({"contextName": "it", "operator": "REGEX", "value": "(?=a)"}),
        json!({"contextName": "it", "operator": "SEMVER_EQ", "value": "v1.0.0"}),
        json!({"contextName": "it", "operator": "NUM_EQ"}),
        json!({"operator": "IN", "values": ["a"]}),
    ] {
        for inverted in [false, true] {
            let mut constraint = constraint.clone();
            constraint["inverted"] = inverted.into();
            assert!(
                !is_on(&constrained(&constraint), &json!({"it": "a"})),
                "{constraint}"
            );
            let two = feature(
                &json!({"strategies": [{"name": "default", "constraints": [constraint]}, {"name": "default"}]}),
            );
            assert!(is_on(&two, &json!({"it": "a"})), "{constraint}");
        }
    }
}
