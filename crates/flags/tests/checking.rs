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

/// What is said against sums, with the place.
fn sums(file: &str) -> Vec<String> {
    let loaded = FlagSet::load(
        "flags.json",
        file.as_bytes(),
        nonevent_flags::LoadOptions::default(),
    );
    let findings = loaded.expect("loads").findings;
    let of_sums = findings.iter().filter(|it| it.code.to_string() == "NE4007");
    of_sums
        .map(|it| {
            let at = it.at.map(|at| at.to_string()).unwrap_or_default();
            let text = file
                .get(it.span.clone().unwrap_or_default())
                .unwrap_or_default();
            format!("{} {at} {text:?}: {}", it.path, it.message)
        })
        .collect()
}

#[test]
fn shares_that_do_not_make_a_whole_are_told_where_they_stand() {
    let launchdarkly = |weights: &str| {
        format!(
            "{{\"flags\": {{\"f\": {{\"on\": true, \"variations\": [1, 2], \"fallthrough\": {{\"rollout\":\n {{\"variations\": {weights}}}}}}}}}}}"
        )
    };
    let arms = |a: u32, b: u32| {
        format!("[{{\"variation\": 0, \"weight\": {a}}}, {{\"variation\": 1, \"weight\": {b}}}]")
    };
    let place = "flags.f.fallthrough.rollout.variations 2:17 \"[\"";
    assert_eq!(
        sums(&launchdarkly(&arms(50_000, 50_000))),
        Vec::<String>::new()
    );
    assert_eq!(
        sums(&launchdarkly(&arms(5_000, 5_000))),
        [format!(
            "{place}: the weights sum to 10000, not 100000: the last variation gets what is missing"
        )]
    );
    assert_eq!(
        sums(&launchdarkly(&arms(100_000, 1))),
        [format!(
            "{place}: the weights sum to 100001, not 100000: what is beyond is never reached"
        )]
    );

    let unleash = |a: u32, b: u32| {
        format!(
            "{{\"features\": [{{\"name\": \"f\", \"enabled\": true, \"variants\": [\n{{\"name\": \"a\", \"weight\": {a}}}, {{\"name\": \"b\", \"weight\": {b}}}]}}]}}"
        )
    };
    assert_eq!(sums(&unleash(300, 700)), Vec::<String>::new());
    assert_eq!(
        sums(&unleash(30, 70)),
        ["features[0].variants 2:25 \"30\": the weights sum to 100, not 1000"]
    );
    assert!(sums(&unleash(0, 0))[0].contains("nobody gets a variant"));

    let ufc = |ranges: &[(&str, u32, u32)]| {
        let splits: Vec<String> = ranges.iter().map(|(salt, start, end)| format!("{{\"variationKey\": \"a\", \"shards\": [{{\"salt\": \"{salt}\", \"ranges\":\n[{{\"start\": {start}, \"end\": {end}}}]}}]}}")).collect();
        format!(
            "{{\"flags\": {{\"f\": {{\"enabled\": true, \"variationType\": \"INTEGER\", \"variations\": {{\"a\": {{\"value\": 1}}}}, \"allocations\": [{{\"key\": \"k\", \"splits\": [{}]}}]}}}}}}",
            splits.join(", ")
        )
    };
    for fine in [
        &[("s", 0, 500), ("s", 500, 10_000)][..],
        &[("s", 0, 500)],
        &[("s", 500, 1_000), ("s", 0, 500)],
        &[("s", 0, 6_000), ("t", 4_000, 10_000)],
        &[("s", 0, 0), ("s", 0, 10_000)],
    ] {
        assert_eq!(sums(&ufc(fine)), Vec::<String>::new());
    }
    let second = "flags.f.allocations[0].splits[1].shards[0].ranges[0] 3:2 \"{\"";
    assert_eq!(
        sums(&ufc(&[("s", 0, 600), ("s", 500, 1_000)])),
        [format!(
            "{second}: shards 500 to 599 are in an earlier range as well (split 1), and the first split that has a subject is served"
        )]
    );
    assert_eq!(
        sums(&ufc(&[("s", 0, 400), ("s", 500, 1_000)])),
        [format!(
            "{second}: shards 400 to 499 lie in a hole between the ranges, so their subjects go on to the next allocation"
        )]
    );
    // One inside another, and one that begins where both have ended.
    assert_eq!(
        sums(&ufc(&[("s", 0, 900), ("s", 100, 200), ("s", 900, 1_000)])).len(),
        1
    );
}
