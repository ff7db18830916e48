//! Rollouts driven through a world of their own, which shares nothing with the search: named
//! instances, answers that take their time, and a journal that is all a process leaves behind.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot set its scene has failed"
)]

mod chance;
mod crashes;
mod deployer;
mod random;
mod within;
mod world;

use nonevent_document::{Document, Limits};
use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, check, plan, read};

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}

/// The plan of a document under `fixtures/rollout`.
fn plan_of(name: &str) -> Plan {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/rollout");
    let bytes = std::fs::read(format!("{folder}/{name}.yaml")).unwrap();
    let document = Document::parse(name, &bytes, &Limits::default()).unwrap();
    let checked = check(read(&document).unwrap(), Facts::default(), Some(&document));
    plan(&checked.unwrap_or_else(|findings| panic!("{findings}")))
}
