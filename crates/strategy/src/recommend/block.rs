//! Why a strategy cannot be had.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Severity, format_duration_ms};
use serde::Serialize;

use super::{Cost, RouterAbility, SituationFacts, Statefulness};
use crate::check::{Facts, check};
use crate::deployment::{Deployment, StrategyKind};
use crate::rules;

/// Which kind of hindrance it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum BlockKind {
    /// Old and new would hold what only one may hold.
    SingleWriter,
    /// Old and new may not serve at the same time.
    NotSideBySide,
    /// The router does not divide or switch traffic as it would have to.
    Router,
    /// There are too few instances to spare.
    Capacity,
    /// No time without service is tolerated, or too little.
    Downtime,
    /// The checks do not have it in production.
    Production,
    /// Another check refuses the document.
    Document,
}

impl BlockKind {
    /// Whether capacity, another router, another hour or somebody's word can lift it.
    #[must_use]
    pub const fn can_be_lifted(self) -> bool {
        !matches!(self, BlockKind::SingleWriter | BlockKind::NotSideBySide)
    }
}

/// Why a strategy cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Block {
    /// Which kind.
    pub kind: BlockKind,
    /// Why, in words.
    pub sentence: String,
}

/// Everything that stands against it: what only the facts say, then what the checks find in the
/// document that it would be.
pub(super) fn blocks(facts: &SituationFacts, deployment: &Deployment, cost: &Cost) -> Vec<Block> {
    let kind = deployment.strategy.kind();
    let mut blocks = Vec::new();
    let mut push = |kind, sentence| blocks.push(Block { kind, sentence });
    if kind == StrategyKind::Recreate {
        // With room for one instance there is no other way: it has its price.
        if facts.downtime_ms == 0 && !facts.has_one_place() {
            push(
                BlockKind::Downtime,
                format!(
                    "no time without service is tolerated, and it may take {}",
                    format_duration_ms(cost.closed_ms)
                ),
            );
        }
    } else {
        if facts.state == Statefulness::SingleWriter {
            push(
                BlockKind::SingleWriter,
                String::from("old and new would run at once, and only one may hold the lock"),
            );
        }
        if !facts.side_by_side {
            push(
                BlockKind::NotSideBySide,
                String::from("old and new may not serve at the same time"),
            );
        }
        if let Some(sentence) = router(kind, facts.router) {
            push(BlockKind::Router, sentence.to_string());
        }
    }
    // Without the traffic nothing is reckoned that only warns.
    let mut bare = deployment.clone();
    bare.fleet.requests_per_second = None;
    if let Err(findings) = check(bare, Facts::default(), None) {
        for finding in findings.iter().filter(|it| it.severity == Severity::Error) {
            let code = finding.code;
            let capacity = [rules::NO_SPARE, rules::ROLLING_SURGE, rules::ROLLING_FLOOR];
            let kind = if capacity.iter().any(|rule| rule.code == code) {
                BlockKind::Capacity
            } else if code == rules::DOWNTIME_SHORT.code {
                BlockKind::Downtime
            } else if code == rules::RECREATE_PRODUCTION.code {
                BlockKind::Production
            } else {
                BlockKind::Document
            };
            push(kind, format!("{} ({code})", finding.message));
        }
    }
    blocks
}

/// What a strategy asks of the router and this one does not do.
const fn router(kind: StrategyKind, router: RouterAbility) -> Option<&'static str> {
    match (kind, router) {
        (StrategyKind::Canary, RouterAbility::Instances) => {
            Some("the share of traffic follows the number of instances, and cannot be set to 5 %")
        }
        (StrategyKind::Canary, RouterAbility::AllOrNothing) => {
            Some("the router sends all traffic to one version, and cannot give a new one 5 %")
        }
        (StrategyKind::Rolling, RouterAbility::AllOrNothing) => Some(
            "the router sends all traffic to one version, and for a while both have to share it",
        ),
        (
            StrategyKind::Canary | StrategyKind::BlueGreen | StrategyKind::Rolling,
            RouterAbility::None,
        ) => Some("no router stands before the instances that could move traffic between them"),
        _ => None,
    }
}
