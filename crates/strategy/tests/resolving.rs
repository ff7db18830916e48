//! Profiles and overrides: what holds for which environment, and where a finding points.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::fmt::Write as _;

use nonevent_document::{Document, Findings, Limits, to_yaml};
use nonevent_strategy::{Facts, check, environments, read, read_for, resolved};
use proptest::prelude::*;
use serde_json::{Value, json};

const BASE: &str = "\
apiVersion: nonevent/v1
kind: Deployment
service: checkout
environment: production
release: { from: 1.4.2, to: 1.5.0 }
fleet: { replicas: 4, spare: 4 }
strategy: { canary: {} }
analysis: { every: 1m }
";

fn parse(text: &str) -> Document {
    Document::parse("deployment.yaml", text.as_bytes(), &Limits::default()).unwrap()
}

/// The example of the base with these lines after it.
fn with(lines: &str) -> Document {
    parse(&format!("{BASE}{lines}"))
}

fn example() -> Document {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/deployment/environments.yaml"
    );
    parse(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_example_for_each_of_its_environments() {
    let document = example();
    let names = environments(&document);
    assert_eq!(names, ["staging", "production"]);
    let mut told = String::new();
    for name in names {
        let resolved = resolved(&document, Some(name)).unwrap();
        let yaml = to_yaml(resolved.root()).unwrap();
        writeln!(told, "--- {name}\n{yaml}").unwrap();
        let deployment = read_for(&document, Some(name)).unwrap();
        assert_eq!(deployment.environment, name);
        // What is printed is a document of its own, that says the same.
        assert_eq!(read(&parse(&yaml)).unwrap(), deployment);
        assert_eq!(self::resolved(&resolved, Some(name)).unwrap(), resolved);
        let checked = check(deployment, Facts::default(), Some(&document)).unwrap();
        assert!(checked.findings().is_empty(), "{}", checked.findings());
    }
    insta::assert_snapshot!(told);
    let own = read(&document).unwrap();
    assert_eq!(own, read_for(&document, Some("production")).unwrap());
    assert_eq!(own.fleet.replicas, 12);
}

#[test]
fn a_document_without_overrides_is_its_own_result() {
    let document = parse(BASE);
    assert_eq!(resolved(&document, None).unwrap(), document);
    assert_eq!(resolved(&document, Some("production")).unwrap(), document);
    assert!(environments(&document).is_empty());
}

/// The value at a path of the resolved document, as JSON; null if there is none.
fn value(document: &Document, environment: Option<&str>, path: &str) -> Value {
    let resolved = resolved(document, environment).unwrap();
    let found = resolved.root().at(path);
    found.map_or(Value::Null, nonevent_document::Node::to_json)
}

#[test]
fn later_parts_win() {
    let lines = "\
profile: slow
profiles:
  calm: { analysis: { every: 3m, warm_up: 3s }, owner: calm }
  slow: { profile: calm, analysis: { every: 2m }, rollback: { keep: 2 } }
  other: { analysis: { every: 4m } }
environments:
  production: { rollback: { keep: 3 } }
  blank:
  other: { profile: other }
  none: { profile: null, owner: nobody }
";
    let cases = json!([
        // Environment, path, value.
        [null, "analysis.every", "2m"],
        [null, "analysis.warm_up", "3s"],
        [null, "owner", "calm"],
        [null, "rollback.keep", 3],
        ["blank", "rollback.keep", 2],
        ["blank", "environment", "blank"],
        ["other", "analysis.every", "4m"],
        ["other", "owner", null],
        ["none", "analysis.every", "1m"],
        ["none", "owner", "nobody"],
    ]);
    let document = with(lines);
    for case in cases.as_array().unwrap() {
        let (environment, path) = (case[0].as_str(), case[1].as_str().unwrap());
        assert_eq!(value(&document, environment, path), case[2], "{case}");
        read_for(&document, environment).unwrap();
    }
}

#[test]
fn a_strategy_takes_the_place_of_the_others_and_merges_with_itself() {
    let lines = "\
environments:
  production: { strategy: { canary: { split_by: user } } }
  rolling: { strategy: { rolling: {} } }
  preview: { strategy: { blue-green: { bake: 1h } }, fleet: { zones: { a: 4 } } }
  nothing: { strategy: { canary: null } }
  two: { strategy: { canary: {}, rolling: {} } }
";
    let base = BASE.replace("canary: {}", "canary: { requests_per_user: 9 }");
    let document = parse(&format!("{base}{lines}"));
    let cases = [
        (
            "production",
            r#"{"canary":{"requests_per_user":9,"split_by":"user"}}"#,
        ),
        ("rolling", r#"{"rolling":{}}"#),
        ("preview", r#"{"blue_green":{"bake":"1h"}}"#),
        ("nothing", "{}"),
        ("two", r#"{"canary":{"requests_per_user":9},"rolling":{}}"#),
    ];
    for (name, strategy) in cases {
        let found = value(&document, Some(name), "strategy");
        assert_eq!(found.to_string(), strategy, "{name}");
        let is_read = read_for(&document, Some(name)).is_ok();
        assert_eq!(is_read, !matches!(name, "nothing" | "two"), "{name}");
    }
}

/// Each finding: code, place, path.
fn told(findings: &Findings) -> Vec<String> {
    let place = |it: &nonevent_document::Finding| {
        let at = it.at.map_or(String::new(), |at| at.to_string());
        format!("{} {at} {}", it.code, it.path)
    };
    findings.iter().map(place).collect()
}

#[test]
fn findings_have_the_paths_of_the_result_and_the_places_of_the_text() {
    // The environment's line is the 10th, a profile's the 12th.
    let cases = [
        // What cannot be read.
        (
            "{ fleet: { replicas: many } }",
            "{}",
            "NE0022 10:36 fleet.replicas",
        ),
        (
            "{ fleet: { replcas: 3 } }",
            "{}",
            "NE0020 10:26 fleet.replcas",
        ),
        ("{ release: { to: null } }", "{}", "NE0021 10:17 release"),
        (
            "{}",
            "{ analysis: { every: 30 } }",
            "NE0023 12:27 analysis.every",
        ),
        (
            "{ strategy: { canary: null } }",
            "{}",
            "NE1004 10:17 strategy",
        ),
        // What can be read and does not hold.
        (
            "{ fleet: { replicas: 0 } }",
            "{}",
            "NE1005 10:36 fleet.replicas",
        ),
        (
            "{ rollback: { within: 1s } }",
            "{}",
            "NE1050 10:37 rollback.within",
        ),
        ("{ fleet: { spare: 0 } }", "{}", "NE1017 10:33 fleet.spare"),
        (
            "{}",
            "{ analysis: { every: 2h } }",
            "NE1062 12:27 analysis.every",
        ),
        // What is wrong with the overrides themselves, chosen or not.
        ("3", "{}", "NE1110 10:15 environments.production"),
        (
            "{ kind: X }",
            "{}",
            "NE1110 10:23 environments.production.kind",
        ),
        (
            "{ profile: [a] }",
            "{}",
            "NE1110 10:17 environments.production.profile",
        ),
        (
            "{ profile: q }",
            "{}",
            "NE1112 10:26 environments.production.profile",
        ),
        ("{}", "[]", "NE1110 12:3 profiles.p"),
        ("{}", "{ profile: p }", "NE1113 12:17 profiles.p.profile"),
        ("{}", "{ profile: u }", "NE1113 12:17 profiles.p.profile"),
    ];
    let mut found = Vec::new();
    for (environment, profile, _) in cases {
        let document = with(&format!(
            "environments:\n  production: {environment}\nprofiles:\n  p: {profile}\n  \
             u: {{ profile: p }}\nprofile: p\n"
        ));
        let checked = read(&document)
            .and_then(|deployment| check(deployment, Facts::default(), Some(&document)));
        let findings = checked.map_or_else(|findings| findings, |it| it.findings().clone());
        let errors = findings
            .into_iter()
            .filter(|it| it.severity == nonevent_document::Severity::Error)
            .collect();
        found.extend(told(&errors));
    }
    assert_eq!(found, cases.map(|(_, _, expected)| expected));
}

#[test]
fn what_is_not_described_gets_the_nearest_name() {
    let several = with("environments: { staging: {}, production: {} }\n");
    let single = parse(BASE);
    let missing = parse(&format!(
        "{}environments: {{ staging: {{}} }}\n",
        BASE.replace("environment: production", "environment: stagging")
    ));
    let unnamed = parse(&BASE.replace("environment: production\n", ""));
    let cases = [
        (
            &several,
            Some("stagign"),
            "NE1111 9:1 environments",
            "did you mean `staging`?",
        ),
        (
            &several,
            Some("live"),
            "NE1111 9:1 environments",
            "known here: `production`, `staging`",
        ),
        (
            &single,
            Some("live"),
            "NE1111 4:14 environment",
            "known here: `production`",
        ),
        (
            &missing,
            None,
            "NE1111 4:14 environment",
            "did you mean `staging`?",
        ),
        (
            &unnamed,
            Some("x"),
            "NE1111 1:1 environments",
            "describe it under `environments`",
        ),
        (
            &unnamed,
            None,
            "NE0021 1:1 ",
            "add `environment:` with a value",
        ),
    ];
    for (document, environment, expected, help) in cases {
        let findings = read_for(document, environment).unwrap_err();
        assert_eq!(told(&findings), [expected]);
        assert_eq!(findings.iter().next().unwrap().help, help);
    }
}

#[test]
fn profiles_come_to_an_end() {
    let chain = |length: usize, last: &str| {
        let mut lines = String::from("profiles:\n");
        for at in 1..length {
            writeln!(lines, "  p{at:02}: {{ profile: p{:02} }}", at + 1).unwrap();
        }
        writeln!(lines, "  p{length:02}: {last}").unwrap();
        told(&resolved(&with(&lines), None).err().unwrap_or_default())
    };
    assert_eq!(chain(16, "{ owner: me }"), [""; 0]);
    assert_eq!(
        chain(17, "{ owner: me }"),
        ["NE1113 10:19 profiles.p01.profile"]
    );
    // A circle is told once, whoever leads into it.
    assert_eq!(
        chain(5, "{ profile: p03 }"),
        ["NE1113 12:19 profiles.p03.profile"]
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3).prop_map(Value::from),
        prop::sample::select(vec!["a", "b", "canary"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let keys = vec![
            "a",
            "b",
            "profile",
            "profiles",
            "strategy",
            "canary",
            "blue-green",
            "rolling",
            "fleet",
        ];
        let key = prop::sample::select(keys).prop_map(String::from);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|members| members
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_written_is_resolved_or_refused(
        base in any_value(), profiles in any_value(), environments in any_value(),
    ) {
        let mut whole = json!({ "environment": "a", "base": base });
        whole["strategy"] = base;
        whole["profiles"] = profiles;
        whole["environments"] = environments;
        let document = parse(&whole.to_string());
        if let Ok(found) = resolved(&document, None) {
            prop_assert!(found.root().count() <= document.root().count() + 1);
            let root = found.root().to_json();
            prop_assert_eq!(&root["environment"], "a");
            prop_assert!(root.get("profiles").is_none() && root.get("environments").is_none());
            prop_assert_eq!(resolved(&found, Some("a")).unwrap(), found);
        }
        let _ = read(&document);
    }
}
