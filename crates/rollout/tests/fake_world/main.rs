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
mod world;

use nonevent_strategy::{Deployment, Facts, Plan, StrategyKind, check, plan};

fn default_plan(kind: StrategyKind) -> Plan {
    plan(&check(Deployment::default_for(kind), Facts::default(), None).unwrap())
}
