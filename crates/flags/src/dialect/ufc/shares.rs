//! Ranges of shards that overlap, or leave a hole between them.

use crate::codes;
use crate::dialect::shape::place;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nonevent_document::{Finding, Node, item_path, member_path};

/// A range of one split, from its first shard up to but without its end.
struct Range<'n> {
    split: usize,
    start: u64,
    end: u64,
    node: &'n Node,
    /// Which of its shard's ranges it is.
    at: usize,
}

impl Range<'_> {
    /// Its path, from that of the splits.
    fn path(&self, splits: &str) -> String {
        let path = member_path(&item_path(splits, self.split), "shards");
        let path = member_path(&item_path(&path, 0), "ranges");
        item_path(&path, self.at)
    }
}

/// Says where the splits of an allocation divide its subjects otherwise than they seem to. Only
/// splits of one shard and one salt are held against each other: others divide independently.
pub(super) fn check(flag: &Node, path: &str, findings: &mut Vec<Finding>) {
    let path = member_path(path, "allocations");
    for (at, allocation) in listed(flag, "allocations").iter().enumerate() {
        let path = member_path(&item_path(&path, at), "splits");
        held(&ranges(listed(allocation, "splits")), &path, findings);
    }
}

fn listed<'n>(node: &'n Node, field: &str) -> &'n [Node] {
    node.get(field).and_then(Node::as_array).unwrap_or_default()
}

/// The ranges of all splits, in order; none if they are not of one salt.
fn ranges(splits: &[Node]) -> Vec<Range<'_>> {
    let mut found = Vec::new();
    let mut salt = None;
    for (split, node) in splits.iter().enumerate() {
        let Some([shard]) = node.get("shards").and_then(Node::as_array) else {
            return Vec::new();
        };
        let own = (shard.get("salt"), shard.get("totalShards"));
        let own = (own.0.and_then(Node::as_str), own.1.and_then(Node::as_u64));
        if *salt.get_or_insert(own) != own {
            return Vec::new();
        }
        for (at, node) in listed(shard, "ranges").iter().enumerate() {
            let bound = |field: &str| node.get(field).and_then(Node::as_u64).unwrap_or_default();
            let (start, end) = (bound("start"), bound("end"));
            if start < end {
                found.push(Range {
                    split,
                    start,
                    end,
                    node,
                    at,
                });
            }
        }
    }
    found.sort_by_key(|range| (range.start, range.split));
    found
}

fn held(ranges: &[Range<'_>], splits: &str, findings: &mut Vec<Finding>) {
    let mut end = ranges.first().map_or(0, |first| first.start);
    let mut before = 0;
    for range in ranges {
        let (message, help) = if range.start < end {
            let last = (range.end.min(end)).saturating_sub(1);
            let message = format!(
                "shards {} to {last} are in an earlier range as well (split {}), and the first split \
                 that has a subject is served",
                range.start,
                before + 1
            );
            (message, "let each range begin where the one before it ends")
        } else if range.start > end {
            let message = format!(
                "shards {end} to {} lie in a hole between the ranges, so their subjects go on to the \
                 next allocation",
                range.start - 1
            );
            (
                message,
                "let the ranges meet, if nobody is to be left out in the middle",
            )
        } else {
            (before, end) = (range.split, range.end);
            continue;
        };
        let finding = Finding::warning(codes::SPLIT, range.path(splits), message, help);
        findings.push(finding.spanning(&place(range.node)));
        if range.end > end {
            (before, end) = (range.split, range.end);
        }
    }
}
