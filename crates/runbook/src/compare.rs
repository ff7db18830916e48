//! Two pages told apart, in words.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Position;
use serde::Serialize;

use crate::align::align;
use crate::lines::Lines;
use crate::print::{Line, Print, imprint, is_ticked, lines, shown};

/// One thing in which two pages differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The item, if it has an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where: on the second page, or on the first for what only that has.
    pub at: Position,
    /// What.
    pub kind: DifferenceKind,
}

/// Kinds of [`Difference`]. Texts are lines as they are read, without mark-up around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// Only the second page has it.
    Added {
        /// What it says.
        text: String,
    },
    /// Only the first page has it.
    Removed {
        /// What it said.
        text: String,
    },
    /// It says something else.
    Reworded {
        /// What it said.
        from: String,
        /// What it says.
        to: String,
    },
    /// It stands at another place among the others.
    Moved,
    /// It is ticked on the second page only.
    Ticked,
    /// It is ticked on the first page only.
    Unticked,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.id {
            write!(f, "{id}: ")?;
        }
        match &self.kind {
            DifferenceKind::Added { text } => write!(f, "added: {text}"),
            DifferenceKind::Removed { text } => write!(f, "removed: {text}"),
            DifferenceKind::Reworded { from, to } => write!(f, "was: {from}; is: {to}"),
            DifferenceKind::Moved => f.write_str("stands elsewhere"),
            DifferenceKind::Ticked => f.write_str("is ticked"),
            DifferenceKind::Unticked => f.write_str("is no longer ticked"),
        }
    }
}

/// What the second page has that the first has not, and the other way round, in the order of the
/// second. When a page was made is no difference.
#[must_use]
pub fn compare(first: &str, second: &str) -> Vec<Difference> {
    let body = |page| imprint(page).map_or(usize::MAX, |(range, _)| range.start);
    let old = lines(first.get(..body(first)).unwrap_or(first));
    let new = lines(second.get(..body(second)).unwrap_or(second));
    let prints = |lines: &[Line<'_>]| -> Vec<Print> { lines.iter().map(|it| it.print).collect() };
    let there = align(&prints(&old), &prints(&new));
    let (places_old, places_new) = (Lines::of(first), Lines::of(second));
    let mut found: Vec<(usize, Difference)> = Vec::new();
    let mut known: BTreeMap<usize, usize> = BTreeMap::new();
    let mut last = 0;
    for (index, line) in old.iter().enumerate() {
        match there.get(index).copied().flatten() {
            Some(at) => {
                known.insert(at, index);
                if at < last && line.id.is_some() {
                    found.push((at, of(&new[at], &places_new, DifferenceKind::Moved)));
                }
                last = last.max(at);
            }
            None if line.print.is_blank() => {}
            None => {
                let text = shown(line.raw);
                found.push((
                    last,
                    of(line, &places_old, DifferenceKind::Removed { text }),
                ));
            }
        }
    }
    for (at, line) in new.iter().enumerate() {
        let Some(before) = known.get(&at).and_then(|index| old.get(*index)) else {
            if !line.print.is_blank() {
                let text = shown(line.raw);
                found.push((at, of(line, &places_new, DifferenceKind::Added { text })));
            }
            continue;
        };
        if !before.print.says_the_same(line.print) && line.id != Some("header/generated") {
            let (from, to) = (shown(before.raw), shown(line.raw));
            found.push((
                at,
                of(line, &places_new, DifferenceKind::Reworded { from, to }),
            ));
        }
        match (is_ticked(before.raw), is_ticked(line.raw)) {
            (false, true) => found.push((at, of(line, &places_new, DifferenceKind::Ticked))),
            (true, false) => found.push((at, of(line, &places_new, DifferenceKind::Unticked))),
            _ => {}
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found
        .into_iter()
        .map(|(_, difference)| difference)
        .collect()
}

fn of(line: &Line<'_>, places: &Lines<'_>, kind: DifferenceKind) -> Difference {
    Difference {
        id: line.id.map(String::from),
        at: places.position(line.at),
        kind,
    }
}
