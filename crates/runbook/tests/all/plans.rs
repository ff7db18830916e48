//! Plans to make runbooks of.

use nonevent_document::{Document, Limits, Timestamp};
use nonevent_runbook::{Facts, ProofSummary, Runbook};
use nonevent_strategy::{Deployment, Plan, StrategyKind, check, plan, read};
use proptest::test_runner::Config as ProptestConfig;

/// The plan that a strategy's name alone stands for.
pub(crate) fn default_plan(kind: StrategyKind) -> Plan {
    resolve(Deployment::default_for(kind))
}

/// The plan of a document under `fixtures/deployment`.
pub(crate) fn fixture_plan(name: &str) -> Plan {
    resolve(deployment(name))
}

/// A document under `fixtures/deployment`.
pub(crate) fn deployment(name: &str) -> Deployment {
    let path = format!(
        "{}/../../fixtures/deployment/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(&path).unwrap();
    let document = Document::parse(name, &bytes, &Limits::default()).unwrap();
    read(&document).unwrap()
}

pub(crate) fn resolve(deployment: Deployment) -> Plan {
    plan(&check(deployment, nonevent_strategy::Facts::default(), None).unwrap())
}

/// Noon on a Monday, and everything known.
pub(crate) fn facts() -> Facts {
    Facts {
        generated: now(),
        proof: Some(ProofSummary {
            states: 12_345,
            transitions: 67_890,
            faults: 1,
            worst_recovery_ms: 14_500,
        }),
        target: Some(String::from("embedded router, processes on this machine")),
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

pub(crate) fn runbook(plan: &Plan) -> Runbook {
    Runbook::of(plan, &facts()).unwrap()
}

/// A page in which digests are the same for every version of the planner.
pub(crate) fn without_digests(page: &str, runbook: &Runbook) -> String {
    let header = &runbook.header;
    page.replace(&header.plan.to_string(), "sha256:<plan>")
        .replace(&header.shape.to_string(), "sha256:<shape>")
}

/// A page without the comment at its end, which depends on every digest in it.
pub(crate) fn without_imprint(page: &str) -> &str {
    page.split_once("\n<!-- rendered:")
        .map_or(page, |(body, _)| body)
}

/// So many cases, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if asked {
            ProptestConfig::default().cases
        } else {
            count
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A page with its blanks filled in, but for the places of signatures.
pub(crate) fn filled(page: &str) -> String {
    let values = [
        ("window start, UTC", "2026-01-06T06:00:00Z"),
        ("on-call contact", "the pager"),
        ("escalation contact", "the head of operations"),
    ];
    values.iter().fold(page.to_owned(), |page, (blank, value)| {
        page.replace(&format!("\\<{blank}\\>"), value)
            .replace(&format!("<{blank}>"), value)
    })
}
