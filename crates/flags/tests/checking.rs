//! What is said against whole sets: rules, flags that depend on others, and the code that asks.

use nonevent_flags::{Dialect, FlagSet};
use serde_json::{Value, json};

fn load(file: &Value, dialect: Dialect) -> FlagSet {
    FlagSet::load("flags.json", file.to_string().as_bytes(), dialect)
        .expect("loads")
        .set
}

/// Codes with the messages, debt left out.
fn said(set: &FlagSet) -> Vec<(String, String)> {
    let now = "2026-03-01T09:00:00Z".parse().expect("a time");
    let findings = set.check(now);
    let all = findings
        .iter()
        .map(|it| (it.code.to_string(), it.message.to_string()));
    all.filter(|(code, _)| ["NE4003", "NE4024", "NE4025"].contains(&code.as_str()))
        .collect()
}

fn needs(key: &str) -> Value {
    json!({"on": true, "variations": [1, 2], "offVariation": 0, "fallthrough": {"variation": 1},
        "prerequisites": [{"key": key, "variation": 1}]})
}

#[test]
fn flags_that_depend_on_others_are_followed() {
    let plain = json!({"on": true, "variations": [1, 2], "fallthrough": {"variation": 1}});
    let set = load(
        &json!({"flags": {"a": needs("b"), "b": needs("c"), "c": needs("a"), "d": needs("plain"),
            "e": needs("d"), "f": needs("nowhere"), "plain": plain}}),
        Dialect::LaunchDarkly,
    );
    let said = said(&set);
    let messages: Vec<&str> = said.iter().map(|(_, message)| message.as_str()).collect();
    assert!(messages.contains(&"flags wait for each other: \"a\", which needs \"b\", which needs \"c\", which needs \"a\""), "{messages:?}");
    assert!(
        messages
            .iter()
            .any(|it| it.starts_with("\"e\" depends on \"d\", which depends on \"plain\"")),
        "{messages:?}"
    );
    assert!(
        messages.contains(&"\"f\" depends on \"nowhere\", which is not defined"),
        "{messages:?}"
    );
    assert_eq!(
        messages
            .iter()
            .filter(|it| it.contains("wait for each other"))
            .count(),
        1
    );
    assert!(
        !messages.iter().any(|it| it.starts_with("\"d\" ")),
        "{messages:?}"
    );
}

#[test]
fn rules_after_one_for_everybody_are_never_reached() {
    let flag = |rules: Value| json!({"on": true, "variations": [1, 2], "fallthrough": {"variation": 1}, "rules": rules});
    let clause = json!([{"attribute": "a", "op": "in", "values": [1]}]);
    let rollout = |weight: u32| json!({"variations": [{"variation": 0, "weight": weight}, {"variation": 1, "weight": 50_000}]});
    let set = load(
        &json!({"flags": {
            "open": flag(json!([{"id": "all", "variation": 0}, {"variation": 1, "clauses": clause}])),
            "shares": flag(json!([{"rollout": rollout(50_000)}])),
            "closed": flag(json!([{"variation": 0, "clauses": clause}])),
        }}),
        Dialect::LaunchDarkly,
    );
    let said = said(&set);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0]
            .1
            .starts_with("rule 1 (\"all\") of \"open\" decides for everybody")
            && said[0].1.ends_with("2 more"),
        "{said:?}"
    );
    assert!(said[1].1.contains("\"shares\""), "{said:?}");
    let allocation = |key: &str, rules: Value| json!({"key": key, "rules": rules, "splits": [{"variationKey": "on", "shards": []}]});
    let rules = json!([{"conditions": [{"attribute": "a", "operator": "ONE_OF", "value": ["b"]}]}]);
    let set = load(
        &json!({"flags": {"f": {"enabled": true, "variationType": "BOOLEAN", "variations": {"on": {"value": true}},
            "allocations": [allocation("some", rules.clone()), allocation("all", json!(null)), allocation("late", rules)]}}}),
        Dialect::Ufc,
    );
    let said = self::said(&set);
    assert!(
        said.len() == 1 && said[0].1.starts_with("rule 2 (\"all\")"),
        "{said:?}"
    );
}

#[test]
fn keys_and_counts_tell_dead_flags() {
    let set = load(
        &json!({"flags": {"a": true, "b": 7, "c": "x"}}),
        Dialect::Plain,
    );
    let codes = |findings: &nonevent_document::Findings| -> Vec<(String, bool)> {
        let path = |path: &str| path.to_owned();
        findings
            .iter()
            .map(|it| {
                (
                    path(&it.path),
                    it.severity == nonevent_document::Severity::Error,
                )
            })
            .collect()
    };
    let by_keys = set.check_keys(["a", "c", "gone", "gone"]);
    assert_eq!(
        codes(&by_keys),
        [(String::new(), true), ("flags.b".to_owned(), false)]
    );
    let by_use = set.check_usage([("a", 3), ("b", 0), ("gone", 9)], 30);
    assert_eq!(
        codes(&by_use),
        [("flags.b".to_owned(), false), ("flags.c".to_owned(), false)]
    );
    assert!(set.check_keys(["a", "b", "c"]).is_empty());
}
