//! What changed between two plans, as data and in words.
//!
//! Nothing in a plan may change without the diff saying so: every structure of the plan is taken
//! apart field by field, without a rest, so that a new field does not compile until it is told.

mod align;
mod back;
mod change;
mod parts;
mod policy;
mod steps;
mod tasks;

use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use crate::plan::Plan;
pub use change::{Area, Change, Effect};

/// Lines that a diff is shown in at the most; the data has no such limit.
pub const DIFF_LINES_MAX: usize = 200;
/// Steps that one line of consequences names.
const NAMES_MAX: usize = 3;

/// What changed between two plans. Empty exactly if they have the same digest.
///
/// Its [`Display`](fmt::Display) is for people: first what was changed, one line for each thing,
/// then what follows from it (deadlines, ways back, names), equal values together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanDiff {
    changes: Vec<Change>,
    shape_changed: bool,
}

impl PlanDiff {
    /// All changes: by area, and within the steps by their place.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the plans are the same.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a rehearsal of the old plan says nothing of the new one: see [`Plan::shape`].
    #[must_use]
    pub const fn shape_changed(&self) -> bool {
        self.shape_changed
    }

    /// How many changes have this effect.
    #[must_use]
    pub fn count(&self, effect: Effect) -> usize {
        let same = self.changes.iter().filter(|change| change.effect == effect);
        same.count()
    }
}

/// What changed from `old` to `new`.
///
/// Steps are matched by name and action, then by action, then by name and kind of action, then in
/// what is left between matched steps by their order (the longest common subsequence). The time
/// is O(n log n) in the number of steps, beside at most 2^20 cells of that last comparison; where
/// more would be needed, steps are matched with the next one of their kind instead.
///
/// ```
/// use nonevent_strategy::{Deployment, Facts, StrategyKind, check, diff, plan};
/// let deployment = Deployment::default_for(StrategyKind::Recreate);
/// let old = plan(&check(deployment, Facts::default(), None).expect("no error"));
/// let mut new = old.clone();
/// assert!(diff(&old, &new).is_empty());
/// new.fleet.drain_ms = 5_000;
/// let text = diff(&old, &new).to_string();
/// assert_eq!(text, "fleet: drain 30s → 5s (riskier: requests have less time to end)\n");
/// ```
#[must_use]
pub fn diff(old: &Plan, new: &Plan) -> PlanDiff {
    let mut changes = Vec::new();
    parts::tell(old, new, &mut changes);
    steps::tell(old, new, &mut changes);
    let shape_changed = old.shape().ok() != new.shape().ok();
    let marked = changes.iter().any(|change| change.shape);
    for change in &mut changes {
        // Of a rolling update the shape has each kind of batch once, where it first stands: if no
        // change by itself is the reason, the order of the steps is.
        change.shape = shape_changed && (change.shape || !marked && change.is_of_order());
    }
    changes.sort_by_key(Change::rank);
    PlanDiff {
        changes,
        shape_changed,
    }
}

impl fmt::Display for PlanDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "nothing changes");
        }
        let lines = self.lines();
        for line in lines.iter().take(DIFF_LINES_MAX) {
            for (index, change) in line.changes.iter().enumerate() {
                let between = if index == 0 { "" } else { "; " };
                write!(f, "{between}")?;
                change.write(f, index == 0)?;
            }
            let names = line.also.iter().take(NAMES_MAX - 1);
            for name in names {
                write!(f, ", {name}")?;
            }
            match line.also.len().saturating_sub(NAMES_MAX - 1) {
                0 => writeln!(f)?,
                more => writeln!(f, ", and {more} more")?,
            }
        }
        match lines.len().saturating_sub(DIFF_LINES_MAX) {
            0 => Ok(()),
            more => writeln!(f, "and {more} lines more"),
        }
    }
}

/// One line for people: changes of one thing, or one consequence for several steps.
struct Line<'a> {
    changes: Vec<&'a Change>,
    /// The others for which the first change holds as well.
    also: Vec<&'a str>,
}

impl PlanDiff {
    fn lines(&self) -> Vec<Line<'_>> {
        let mut lines: Vec<Line<'_>> = Vec::new();
        let own = self.changes.iter().filter(|it| !it.is_consequence());
        for change in own {
            match lines.last_mut() {
                Some(line) if line.changes[0].is_same_thing(change) => line.changes.push(change),
                _ => lines.push(Line {
                    changes: alloc::vec![change],
                    also: Vec::new(),
                }),
            }
        }
        let mut follow: Vec<&Change> = self
            .changes
            .iter()
            .filter(|it| it.is_consequence())
            .collect();
        // Stable: within equal values the steps stay in their order.
        follow.sort_by(|one, other| one.values().cmp(&other.values()));
        let own_lines = lines.len();
        for change in follow {
            match lines[own_lines..].last_mut() {
                Some(line) if line.changes[0].values() == change.values() => {
                    line.also.push(&change.about);
                }
                _ => lines.push(Line {
                    changes: alloc::vec![change],
                    also: Vec::new(),
                }),
            }
        }
        lines
    }
}
