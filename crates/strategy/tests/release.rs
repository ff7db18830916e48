//! Releases of several services under `fixtures/release`: the good ones with their plans, one for
//! every rule that breaks it and no other, and what holds of every order.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use nonevent_document::{Digest, Document, Findings, Limits};
use nonevent_strategy::SuiteFact;
use nonevent_strategy::release::{
    CheckedRelease, PlanFact, RELEASE_RULES, ReleaseFacts, ReleasePlan, ReleaseStep, check_release,
    read_release, release_plan,
};
use proptest::prelude::*;
use serde_json::json;

/// The YAML files of a folder, name and text, by name.
fn documents(name: &str) -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/release")
        .join(name);
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn facts() -> ReleaseFacts {
    let plan = |name: &str, environment: &str| {
        let fact = PlanFact {
            digest: Digest::of(name.as_bytes()),
            service: name.to_owned(),
            environment: environment.to_owned(),
        };
        (name.to_owned(), fact)
    };
    let suite = |name: &str, tests| {
        let digest = Digest::of(name.as_bytes());
        (
            format!("contracts/{name}.json"),
            SuiteFact { digest, tests },
        )
    };
    let plans = ["storefront", "checkout", "search", "pricing"].map(|it| plan(it, "production"));
    let suites = [
        suite("ask-a-price", 3),
        suite("place-an-order", 2),
        suite("empty", 0),
    ];
    ReleaseFacts {
        plans: plans
            .into_iter()
            .chain([plan("elsewhere", "staging")])
            .collect(),
        plans_made: true,
        suites: suites.into_iter().collect(),
        suites_read: true,
    }
}

fn checked(name: &str, text: &str, facts: ReleaseFacts) -> Result<CheckedRelease, Findings> {
    let document = Document::parse(name, text.as_bytes(), &Limits::default())?;
    check_release(read_release(&document)?, facts, Some(&document))
}

fn table(steps: &[ReleaseStep]) -> String {
    let line = |step: &ReleaseStep| match step {
        ReleaseStep::Deploy(services) => format!("  deploy  {}\n", services.join(", ")),
        ReleaseStep::GoBack(services) => format!("  go back {}\n", services.join(", ")),
        ReleaseStep::Check(contracts) => format!("    check {}\n", contracts.join(", ")),
    };
    steps.iter().map(line).collect()
}

#[test]
fn good_releases_have_no_finding_and_these_plans() {
    let mut told = String::new();
    for (name, text) in documents("") {
        let checked = checked(&name, &text, facts()).unwrap();
        assert!(checked.findings().is_empty(), "{}", checked.findings());
        let plan = release_plan(&checked);
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<ReleasePlan>(&json).unwrap(), plan);
        let digest = plan.digest().unwrap().short();
        let (forward, back) = (table(&plan.steps), table(&plan.rollback));
        writeln!(told, "{name} {digest}\n{forward} and back\n{back}").unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn every_rule_is_broken_by_a_document_of_its_own() {
    let bad = documents("bad");
    let codes: Vec<&str> = bad
        .keys()
        .map(|name| name.trim_end_matches(".yaml"))
        .collect();
    let rules: Vec<&str> = RELEASE_RULES
        .iter()
        .map(|rule| rule.code.as_str())
        .collect();
    assert_eq!(codes, rules);
    let mut told = String::new();
    for ((name, text), rule) in bad.iter().zip(RELEASE_RULES) {
        let mut facts = facts();
        // The rules about what was not looked at.
        facts.suites_read = name != "NE1212.yaml";
        facts.plans_made = name != "NE1222.yaml";
        let findings = match checked(name, text, facts) {
            Ok(checked) => checked.findings().clone(),
            Err(findings) => findings,
        };
        assert_eq!(findings.len(), 1, "{}", findings.render(name, text, false));
        for finding in &findings {
            assert_eq!(
                (finding.code, finding.severity),
                (rule.code, rule.severity),
                "{name}"
            );
            let (code, at) = (finding.code, finding.at.unwrap());
            let (path, message, help) = (&finding.path, &finding.message, &finding.help);
            writeln!(told, "{code} {at} {path:?} {message} ({help})").unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn only_what_has_moved_goes_back() {
    let text = &documents("")["shop.yaml"];
    let plan = release_plan(&checked("shop.yaml", text, facts()).unwrap());
    let last: Vec<String> = (0..=plan.steps.len())
        .map(|index| {
            let moves = plan
                .rollback_from(index)
                .iter()
                .flat_map(ReleaseStep::services);
            moves.map(|name| &name[..1]).collect()
        })
        .collect();
    // Check, pricing, check, checkout, check, search, storefront, check.
    assert_eq!(
        last,
        ["", "p", "p", "cp", "cp", "scp", "sscp", "sscp", "sscp"]
    );
}

/// A release of services that wait for some of those before them, in any order.
fn any_release() -> impl Strategy<Value = serde_json::Value> {
    let size = 1..9_usize;
    let service = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let services = size.prop_flat_map(move |size| {
        let order = Just((0..size).collect::<Vec<usize>>()).prop_shuffle();
        (prop::collection::vec(service.clone(), size), order)
    });
    (services, any::<bool>()).prop_map(|((awaited, order), parallel)| {
        let service = |at: &usize| {
            let after: std::collections::BTreeSet<String> = awaited[*at]
                .iter()
                .filter(|_| *at > 0)
                .map(|it| format!("s{}", it.index(*at)))
                .collect();
            json!({ "name": format!("s{at}"), "deployment": "d", "after": after })
        };
        let services: Vec<serde_json::Value> = order.iter().map(service).collect();
        json!({
            "apiVersion": "nonevent/v1", "kind": "Release", "name": "r", "environment": "e",
            "parallel": parallel, "services": services,
        })
    })
}

proptest! {
    #[test]
    fn every_order_keeps_what_was_asked(release in any_release()) {
        let facts = ReleaseFacts::default();
        let plan = release_plan(&checked("r.json", &release.to_string(), facts).unwrap());
        let mut moved: Vec<&str> = Vec::new();
        let services = release["services"].as_array().unwrap();
        for step in &plan.steps {
            prop_assert!(step.services().len() == 1 || release["parallel"] == true);
            for name in step.services() {
                let service = services.iter().find(|it| it["name"] == **name).unwrap();
                for awaited in service["after"].as_array().unwrap() {
                    prop_assert!(moved.contains(&awaited.as_str().unwrap()), "{name}");
                }
            }
            moved.extend(step.services().iter().map(String::as_str));
        }
        prop_assert_eq!(moved.len(), services.len());
        let mirrored: Vec<&[String]> = plan.rollback.iter().rev().map(ReleaseStep::services).collect();
        let forward: Vec<&[String]> = plan.steps.iter().map(ReleaseStep::services).collect();
        prop_assert_eq!(forward, mirrored);
        prop_assert_eq!(plan.rollback_from(usize::MAX), &plan.rollback);
    }
}
