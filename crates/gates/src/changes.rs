//! What would open a closed gate: the fewest checks that would have to come out otherwise.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::outcome::{CheckResult, Outcome};
use crate::verdict::{CriterionResult, Verdict};

/// A check that has to come out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The criterion that it is a part of.
    pub criterion: String,
    /// What is asked.
    pub asked: String,
    /// What was found.
    pub found: String,
}

impl Verdict {
    /// The smallest set of checks whose passing would open the gate, in the policy's order; of
    /// several as small, the first. None for a gate that is open, and for one where nothing is asked.
    ///
    /// Checks are counted as they stand: two that read the same file are two.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.to_open
    }
}

/// The changes that let every criterion pass which closes the gate.
pub(crate) fn to_open(criteria: &[CriterionResult]) -> Vec<Change> {
    let mut changes = Vec::new();
    for result in criteria.iter().filter(|result| result.closes()) {
        let mut leaves = Vec::new();
        fewest(&result.check, &mut leaves);
        changes.extend(leaves.into_iter().map(|leaf| Change {
            criterion: result.id.clone(),
            asked: leaf.asked.clone(),
            found: leaf.found.clone(),
        }));
    }
    changes
}

/// Adds the fewest checks below this one that have to pass for it to pass.
fn fewest<'r>(check: &'r CheckResult, leaves: &mut Vec<&'r CheckResult>) {
    if check.outcome == Outcome::Pass {
        return;
    }
    if check.parts.is_empty() {
        leaves.push(check);
        return;
    }
    let mut ways: Vec<(usize, Vec<&CheckResult>)> = Vec::new();
    let mut passed = 0;
    for (place, part) in check.parts.iter().enumerate() {
        if part.outcome == Outcome::Pass {
            passed += 1;
            continue;
        }
        let mut way = Vec::new();
        fewest(part, &mut way);
        ways.push((place, way));
    }
    let needed = usize::try_from(check.needed).unwrap_or(usize::MAX);
    // Stable, so that of ways as short the first stays first.
    ways.sort_by_key(|(_, way)| way.len());
    ways.truncate(needed.saturating_sub(passed));
    ways.sort_by_key(|(place, _)| *place);
    leaves.extend(ways.into_iter().flat_map(|(_, way)| way));
}
