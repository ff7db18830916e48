//! Which strategy fits a situation, why, and what each would cost.
//!
//! Nothing here is a matter of taste that cannot be read: each strategy is planned with its default
//! figures scaled to the facts, the document's own checks say whether that plan may be, and every
//! reason has whole points that add up to the score. Points are ours; the facts behind them (way
//! back, extra capacity, what each strategy fits) are those of the field.

mod block;
mod cost;
mod facts;
mod page;
mod reason;

use alloc::vec::Vec;

use serde::Serialize;

use crate::deployment::{MigrationKind, StrategyKind};
pub use block::{Block, BlockKind};
pub use cost::{Cost, Price};
pub use facts::{Appetite, RouterAbility, SituationFacts, Statefulness};
pub use reason::{Reason, ReasonKind};

/// The four strategies, the fittest first.
///
/// Its [`Display`](core::fmt::Display) is a short page for a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    recommendations: Vec<Recommendation>,
    clean_way_back: bool,
}

impl Advice {
    /// All four, the fittest first; what is not possible comes last.
    #[must_use]
    pub fn recommendations(&self) -> &[Recommendation] {
        &self.recommendations
    }

    /// The strategy to take, if any is possible.
    #[must_use]
    pub fn first(&self) -> Option<StrategyKind> {
        let first = self.recommendations.first()?;
        first.is_possible().then_some(first.strategy)
    }

    /// Whether there is a clean way back at all: a migration that takes away what old code used
    /// leaves none, whatever the strategy.
    #[must_use]
    pub const fn has_clean_way_back(&self) -> bool {
        self.clean_way_back
    }
}

/// One strategy in a situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Recommendation {
    /// Which.
    pub strategy: StrategyKind,
    /// Its place, from 1.
    pub rank: u8,
    /// The sum of the reasons' points.
    pub score: i32,
    /// Why it cannot be had, if so.
    pub blocks: Vec<Block>,
    /// What speaks for it and against it.
    pub reasons: Vec<Reason>,
    /// What it costs with the default figures, even where it cannot be had.
    pub cost: Cost,
    /// What somebody has to accept for it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

impl Recommendation {
    /// Whether nothing stands against it for good or for now.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// Ranks the four strategies for a situation.
///
/// What is possible comes before what is not, then the higher score; what is not possible is
/// ordered by how many of its blocks can never be lifted, then by how many there are. Equals stay
/// in the order canary, blue-green, rolling, recreate.
///
/// ```
/// use nonevent_strategy::{SituationFacts, StrategyKind, recommend};
/// let facts = SituationFacts {
///     spare: 8,
///     requests_per_second: Some(400),
///     ..SituationFacts::usual(8)
/// };
/// assert_eq!(recommend(&facts).first(), Some(StrategyKind::Canary));
/// ```
#[must_use]
pub fn recommend(facts: &SituationFacts) -> Advice {
    let mut recommendations: Vec<Recommendation> = StrategyKind::ALL
        .into_iter()
        .map(|strategy| {
            let deployment = facts.deployment(strategy);
            let cost = Cost::of(&deployment);
            let reasons = reason::reasons(facts, strategy, &cost);
            Recommendation {
                strategy,
                rank: 0,
                score: reasons.iter().map(|reason| reason.points).sum(),
                blocks: block::blocks(facts, &deployment, &cost),
                reasons,
                price: Price::of(&deployment, &cost),
                cost,
            }
        })
        .collect();
    recommendations.sort_by_key(|it| {
        let forever = it.blocks.iter().filter(|it| !it.kind.can_be_lifted());
        (forever.count(), it.blocks.len(), -it.score)
    });
    for (place, recommendation) in (1..).zip(&mut recommendations) {
        recommendation.rank = place;
    }
    Advice {
        recommendations,
        clean_way_back: !facts.migration.is_some_and(MigrationKind::breaks_old_code),
    }
}
