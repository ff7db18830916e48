//! UFC's flags: an allocation for those who come first, and one with a range of shards from 0 on.

use super::{Internal, Stage, StagePlan, Target, item};
use crate::codes::Refusal;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Change, Node, member_path};
use serde_json::{Value, json};

/// How many shards there are where the file does not say.
const TOTAL_SHARDS: u64 = 10_000;

pub(super) fn changes(
    target: &Target<'_>,
    stage: Stage,
    plan: &StagePlan,
) -> Result<Vec<Change>, Refusal> {
    let enabled = target.at("enabled");
    let percent = match stage {
        Stage::Off => return Ok(vec![Change::new(enabled, false)]),
        Stage::Internal => 0,
        Stage::Percent(percent) => percent,
    };
    let (on, _) = target.pair(plan, None)?;
    let on = target.variant(on);
    let (items, path) = target.list("allocations");
    let (mut first, mut rest, mut rollout) = (Vec::new(), Vec::new(), None);
    for (index, allocation) in items.iter().enumerate() {
        match kind(allocation, on) {
            Kind::First if rollout.is_none() && rest.is_empty() => first.push(allocation),
            Kind::Share(range) if rollout.is_none() && rest.is_empty() => {
                rollout = Some((index, allocation, range));
            }
            Kind::Rest => rest.push(allocation.to_json()),
            _ => return Err(target.other_rules(allocation, "allocations")),
        }
    }
    let wanted = plan.internal.as_ref().map(Internal::ufc);
    let mut is_other = false;
    let mut all: Vec<Value> = first.iter().map(|it| it.to_json()).collect();
    match (wanted, first.as_slice()) {
        (Some(rules), []) => {
            let splits = json!([{"variationKey": on, "shards": []}]);
            all.push(json!({"key": "internal", "rules": rules, "splits": splits, "doLog": true}));
            is_other = true;
        }
        (Some(rules), [only]) if only.get("rules").map(Node::to_json) == Some(rules.clone()) => {}
        (Some(_), [known, ..]) => {
            let message = "the file says that others come first";
            let help = "say the same, or say nothing, or change the allocations by hand";
            return Err(target.refusal(known, "allocations", message, help));
        }
        (None, []) if stage == Stage::Internal => return Err(target.nobody_first()),
        _ => {}
    }
    let mut changes = vec![Change::new(enabled, true)];
    if let (Some((index, allocation, Some(_))), false) = (rollout, is_other || percent == 100) {
        let total = total(target, allocation);
        let shard = format!("{}.splits[0].shards[0]", item(&path, index));
        let end = member_path(&item(&member_path(&shard, "ranges"), 0), "end");
        changes.push(Change::new(end, total * u64::from(percent) / 100));
        return Ok(changes);
    }
    if percent > 0 {
        let known = rollout.map(|(_, allocation, _)| allocation);
        all.push(share(target, known, on, percent));
    }
    all.extend(rest);
    changes.push(Change::new(path, all));
    Ok(changes)
}

/// The allocation that has a share of all subjects.
fn share(target: &Target<'_>, known: Option<&Node>, on: &str, percent: u8) -> Value {
    let total = known.map_or_else(|| own_total(target), |it| total(target, it));
    let known = known.map(Node::to_json);
    let salt: String = known
        .as_ref()
        .and_then(|it| it.pointer("/splits/0/shards/0/salt")?.as_str())
        .map_or_else(|| format!("{}-rollout", target.flag.key()), Into::into);
    let shards = if percent == 100 {
        json!([])
    } else {
        let end = total * u64::from(percent) / 100;
        json!([{"salt": salt, "totalShards": total, "ranges": [{"start": 0, "end": end}]}])
    };
    let mut made = known.unwrap_or_else(|| json!({"key": "rollout", "doLog": true}));
    made["splits"] = json!([{"variationKey": on, "shards": shards}]);
    made
}

fn own_total(target: &Target<'_>) -> u64 {
    let total = target.node.get("totalShards").and_then(Node::as_u64);
    total.unwrap_or(TOTAL_SHARDS)
}

/// How many shards a rollout's places are counted in.
fn total(target: &Target<'_>, allocation: &Node) -> u64 {
    let total = allocation.at("splits[0].shards[0].totalShards");
    total
        .and_then(Node::as_u64)
        .unwrap_or_else(|| own_total(target))
}

enum Kind<'n> {
    /// For some, who are described, and nobody is left out of them.
    First,
    /// For a share of all that begins at 0, or for everyone.
    Share(Option<&'n Node>),
    /// Serves others than the released variant.
    Rest,
    Unknown,
}

fn kind<'n>(allocation: &'n Node, on: &str) -> Kind<'n> {
    let list = |node: &'n Node, field: &str| node.get(field).and_then(Node::as_array);
    let some = |field: &str| list(allocation, field).is_some_and(|it| !it.is_empty());
    let splits = list(allocation, "splits").unwrap_or_default();
    let serves = |split: &Node| split.get("variationKey").and_then(Node::as_str) == Some(on);
    let is_dated = ["startAt", "endAt"]
        .iter()
        .any(|field| allocation.get(field).is_some_and(|it| !it.is_null()));
    let [split] = splits else {
        let is_rest = !splits.iter().any(serves) && !some("rules") && !is_dated;
        return if is_rest { Kind::Rest } else { Kind::Unknown };
    };
    let shards = list(split, "shards").unwrap_or_default();
    let range = match shards {
        [shard] => match list(shard, "ranges") {
            Some([range]) if range.get("start").and_then(Node::as_u64) == Some(0) => Some(range),
            _ => return Kind::Unknown,
        },
        [] => None,
        _ => return Kind::Unknown,
    };
    match (serves(split), some("rules"), range) {
        _ if is_dated => Kind::Unknown,
        (true, true, None) => Kind::First,
        (true, false, range) => Kind::Share(range),
        (false, false, None) => Kind::Rest,
        _ => Kind::Unknown,
    }
}
