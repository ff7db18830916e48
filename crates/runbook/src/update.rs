//! A new plan's runbook, put into a page that people have worked on.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::merge::merge;

/// A page brought up to a plan, and what that did to it. Items are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// The page. What people wrote is in it, byte for byte.
    #[serde(skip)]
    pub page: String,
    /// Whether anything changed; if not, the page is the one that was given.
    pub changed: bool,
    /// Whether the page could tell what had been rendered. If not (its last comment was lost, or an
    /// earlier version rendered it), every line that differs is taken for written by people.
    pub base_known: bool,
    /// Ticks that were taken away: what they stood beside has changed, is gone, or speaks of the
    /// plan as a whole.
    pub cleared: Vec<String>,
    /// On the page only now.
    pub added: Vec<String>,
    /// No longer on the page, because the plan no longer has them.
    pub removed: Vec<String>,
    /// With other words now.
    pub reworded: Vec<String>,
    /// What people wrote about these has no place any more. It stands at the end of the page, for
    /// them to move.
    pub kept: Vec<String>,
}

/// Brings a Markdown page, as people have worked on it, up to `rendered`: what
/// [`Templates::render`](crate::Templates::render) or
/// [`Runbook::to_markdown`](crate::Runbook::to_markdown) makes of the new plan.
///
/// It is a three-way merge by item: between what was rendered, which the page's last comment tells,
/// what people made of it, and what is rendered now. Lines that people wrote or changed are copied
/// and never rendered again; ticks and notes on unchanged items stay; what people added follows
/// what it followed; where both changed the same line, the plan's stands and people's is kept at the
/// end of the page. The same plan gives the same page, whatever the time.
#[must_use]
pub fn update(page: &str, rendered: &str) -> Updated {
    let merged = merge(page, rendered);
    Updated {
        page: merged.page,
        changed: merged.changed,
        base_known: merged.base_known,
        cleared: merged.cleared,
        added: merged.added,
        removed: merged.removed,
        reworded: merged.reworded,
        kept: merged.orphans,
    }
}
