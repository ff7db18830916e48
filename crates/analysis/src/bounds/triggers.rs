//! The bounds that hold where a document names none.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::bound::Bound;

/// What a broken bound leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Traffic returns to stable.
    RollBack,
    /// A person is told, and traffic does not move on.
    Investigate,
}

/// A bound and what follows if it is broken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What is allowed.
    pub bound: Bound,
    /// What follows if it is broken.
    pub reaction: Reaction,
}

/// The usual rollback triggers. Errors, latency, availability and restarts roll back; processor
/// and memory, which say nothing about what users got, ask for a person.
///
/// ```
/// use nonevent_analysis::bounds::{Reaction, default_triggers};
/// let triggers = default_triggers();
/// assert_eq!(triggers[0].bound.to_string(), "error_rate <= 1%");
/// assert_eq!(triggers[6].reaction, Reaction::Investigate);
/// ```
#[must_use]
pub fn default_triggers() -> Vec<Trigger> {
    const TRIGGERS: [(&str, Reaction); 7] = [
        ("error_rate <= 1%", Reaction::RollBack),
        ("error_rate <= baseline * 2", Reaction::RollBack),
        ("p99 <= baseline * 2 for 5m", Reaction::RollBack),
        ("availability >= 99.9%", Reaction::RollBack),
        ("restarts <= 0", Reaction::RollBack),
        ("cpu <= 90% for 5m", Reaction::Investigate),
        ("memory <= 90% for 5m", Reaction::Investigate),
    ];
    TRIGGERS
        .into_iter()
        .map(|(text, reaction)| Trigger {
            bound: text.parse().expect("a constant text, read by the tests"),
            reaction,
        })
        .collect()
}
