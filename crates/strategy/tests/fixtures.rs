//! The documents under `fixtures/deployment`: the good ones, and one for every rule that breaks it
//! and no other.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use nonevent_document::{Digest, Document, Findings, Limits, Node, Value, format_duration_ms};
use nonevent_strategy::{
    Action, Checked, Deployment, Facts, Plan, RULES, StrategyKind, SuiteFact, check, plan, read,
};

/// The longest edit that makes a good document bad, in lines.
const EDIT_LINES_MAX: usize = 5;

/// The longest reason for a rule, in bytes: what fits into three sentences.
const WHY_BYTES_MAX: usize = 400;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/deployment")
        .join(name)
}

/// The YAML files of a folder, name and text, by name.
fn documents(name: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder(name)).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// A suite with tests and one without; every other one cannot be read. The flag files that there
/// are, and a time.
fn facts() -> Facts {
    let suite = |name: &str, tests| {
        let digest = Digest::of(name.as_bytes());
        (name.to_owned(), SuiteFact { digest, tests })
    };
    let suites = [
        suite("../smoke/demo.json", 3),
        suite("../smoke/empty.json", 0),
    ];
    let files = std::fs::read_dir(folder("flags")).unwrap();
    let files = files.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let digest = Digest::of(&std::fs::read(&path).unwrap());
        (format!("flags/{name}"), digest)
    });
    Facts {
        suites: suites.into_iter().collect(),
        suites_read: true,
        files: files.collect(),
        // A Tuesday, ten o'clock in Berlin.
        now: Some("2026-11-24T09:00:00Z".parse().unwrap()),
        router: None,
    }
}

fn checked(name: &str, text: &str, facts: Facts) -> Result<Checked, Findings> {
    let document = Document::parse(name, text.as_bytes(), &Limits::default())?;
    check(read(&document)?, facts, Some(&document))
}

#[test]
fn good_documents_have_no_finding() {
    let good = documents("");
    assert!(good.len() >= 8, "{:?}", good.keys());
    for (name, text) in good {
        match checked(&name, &text, facts()) {
            Ok(checked) => assert!(checked.findings().is_empty(), "{}", checked.findings()),
            Err(findings) => panic!("{}", findings.render(&name, &text, false)),
        }
    }
}

#[test]
fn every_rule_is_broken_by_a_document_of_its_own() {
    let bad = documents("bad");
    let codes: Vec<String> = bad.keys().map(|name| name.replace(".yaml", "")).collect();
    let rules: Vec<String> = RULES.iter().map(|rule| rule.code.to_string()).collect();
    assert_eq!(codes, rules);
    let mut told = String::new();
    for ((name, text), rule) in bad.iter().zip(RULES) {
        // Rules about what was not looked at.
        let mut facts = facts();
        match name.as_str() {
            "NE1072.yaml" => facts.suites.clear(),
            "NE1104.yaml" => facts.now = None,
            _ => {}
        }
        facts.suites_read = !matches!(name.as_str(), "NE1072.yaml" | "NE1093.yaml");
        let findings = match checked(name, text, facts) {
            Ok(checked) => checked.findings().clone(),
            Err(findings) => findings,
        };
        assert_eq!(findings.len(), 1, "{}", findings.render(name, text, false));
        for finding in &findings {
            assert_eq!(
                (finding.code.to_string(), finding.severity),
                (rule.code.to_string(), rule.severity),
                "{name}"
            );
            let at = finding.at.unwrap();
            let (code, line, column) = (finding.code, at.line, at.column);
            let (path, message) = (&finding.path, &finding.message);
            writeln!(told, "{code} {line}:{column} {path:?} {message}").unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn every_rule_says_why_it_is_there() {
    for rule in RULES {
        assert!(rule.why.ends_with('.'), "{}: {:?}", rule.code, rule.why);
        assert!(rule.why.len() <= WHY_BYTES_MAX, "{}", rule.code);
        assert!(!rule.why.contains("  "), "{}", rule.code);
    }
}

#[test]
fn a_canary_of_too_many_steps_is_refused_before_they_are_simulated() {
    let step = "      - { traffic: 5%,   pause: 5m }\n";
    let good = &documents("")["canary.yaml"];
    let bad = good.replace(step, &step.repeat(1_500));
    let findings = checked("canary.yaml", &bad, facts()).unwrap_err();
    let told = findings.to_string();
    assert_eq!(findings.len(), 1, "{told}");
    assert!(
        told.starts_with("error[NE1098] strategy.canary.steps"),
        "{told}"
    );
    assert!(told.contains("1503 entries are more than 500"), "{told}");
}

#[test]
fn the_largest_numbers_are_reckoned_with() {
    let good = &documents("")["canary.yaml"];
    let large = good
        .replace(
            "requests_per_second: 400",
            "requests_per_second: 4294967295",
        )
        .replace("every: 1m", "every: 100ms")
        .replace("pause: 30m", "pause: 30d");
    let checked = checked("canary.yaml", &large, facts()).unwrap();
    assert!(checked.findings().is_empty(), "{}", checked.findings());
}

/// The lines after the comment at the top.
fn body(text: &str) -> Vec<&str> {
    text.lines()
        .skip_while(|line| line.starts_with('#'))
        .collect()
}

#[test]
fn a_bad_document_is_one_edit_from_a_good_one() {
    let good = documents("");
    for (name, text) in documents("bad") {
        let first = text.lines().next().unwrap();
        let twin = first.strip_prefix("# ").unwrap();
        let (good, bad) = (body(&good[twin]), body(&text));
        let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(one, other)| one == other).count()
        };
        let before = same(&mut good.iter().zip(&bad));
        let after = same(&mut good[before..].iter().rev().zip(bad[before..].iter().rev()));
        let edited = good.len().max(bad.len()) - before - after;
        assert!((1..=EDIT_LINES_MAX).contains(&edited), "{name}: {edited}");
    }
}

/// Puts the members of an object, key and JSON text, into another order.
type Order = fn(&mut Vec<(String, String)>);

/// The document as JSON, with the members of every object in an order of its own.
fn reordered(node: &Node, order: Order) -> String {
    match &node.value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|it| reordered(it, order)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<(String, String)> = members
                .iter()
                .map(|it| (it.key.clone(), reordered(&it.value, order)))
                .collect();
            order(&mut members);
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}:{value}", serde_json::json!(key)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        _ => node.to_json().to_string(),
    }
}

#[test]
fn the_order_of_keys_does_not_reach_the_plan() {
    let orders: [Order; 3] = [
        |members| members.reverse(),
        |members| members.sort(),
        |members| {
            let by = members.len().min(1);
            members.rotate_left(by);
        },
    ];
    for (name, text) in documents("") {
        let document = Document::parse(&name, text.as_bytes(), &Limits::default()).unwrap();
        let digest = plan(&checked(&name, &text, facts()).unwrap()).digest();
        for order in orders {
            let json = reordered(document.root(), order);
            assert_ne!(json, reordered(document.root(), |_| ()));
            let same = plan(&checked("reordered.json", &json, facts()).unwrap());
            assert_eq!(same.digest(), digest, "{name}");
        }
    }
}

/// Step by step: name, canary's share, instances, time watched, deadline, way back.
fn table(plan: &Plan) -> String {
    let mut text = format!("{} {}\n", plan.strategy, plan.digest().unwrap().hex());
    for step in &plan.steps {
        let watched = match &step.action {
            Action::Watch {
                for_ms, analyse, ..
            } => {
                let how = if *analyse { "judged" } else { "unjudged" };
                format!("{}, {how}", format_duration_ms(*for_ms))
            }
            _ => String::new(),
        };
        let row = format!(
            "  {:16} {:>6} {}+{} {watched:17} ends in {}, back in {}",
            step.id,
            step.target.split.to_string(),
            step.target.stable,
            step.target.canary,
            format_duration_ms(step.deadline_ms),
            format_duration_ms(step.back_within_ms),
        );
        text += row.trim_end();
        text.push('\n');
    }
    text
}

#[test]
fn the_plans_of_the_four_defaults() {
    let kinds = [
        StrategyKind::Canary,
        StrategyKind::BlueGreen,
        StrategyKind::Rolling,
        StrategyKind::Recreate,
    ];
    let plans = kinds.map(|kind| {
        let deployment = Deployment::default_for(kind);
        table(&plan(&check(deployment, facts(), None).unwrap()))
    });
    insta::assert_snapshot!(plans.join("\n"));
}
