//! Plain flags: `rollout_percentage`, with those who come first in `always`.

use super::{Internal, Stage, StagePlan, Target};
use crate::codes::Refusal;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Change, Node, Value as Tree};
use serde_json::json;

pub(super) fn changes(
    target: &Target<'_>,
    stage: Stage,
    plan: &StagePlan,
) -> Result<Vec<Change>, Refusal> {
    let node = target.node;
    let percent = match (&node.value, stage) {
        (Tree::Bool(_), Stage::Off) => return Ok(vec![Change::new(&*target.path, false)]),
        (Tree::Object(_), Stage::Off) => {
            return Ok(vec![Change::new(target.at("enabled"), false)]);
        }
        (Tree::Bool(_) | Tree::Object(_), Stage::Percent(percent)) => percent,
        (Tree::Bool(_) | Tree::Object(_), Stage::Internal) => 0,
        _ => {
            let message = "the flag has a value, and is neither on nor off";
            let help = "a release needs a flag that is true or false";
            return Err(target.refusal(node, "", message, help));
        }
    };
    for field in ["rules", "variants", "allocation", "value"] {
        if let Some(found) = node.get(field) {
            return Err(target.other_rules(found, field));
        }
    }
    let known = node.get("always").map(Node::to_json);
    let wanted = plan.internal.as_ref().map(Internal::plain);
    let always = match (known, wanted) {
        (Some(known), Some(wanted)) if known != wanted => {
            let message = "the file says that others come first";
            let help = "say the same, or say nothing, or change `always` by hand";
            return Err(target.refusal(
                node.get("always").unwrap_or(node),
                "always",
                message,
                help,
            ));
        }
        (known, wanted) => wanted.or(known),
    };
    if stage == Stage::Internal && always.is_none() {
        return Err(target.nobody_first());
    }
    if node.as_object().is_none() {
        let mut flag = json!({"rollout_percentage": percent});
        if let Some(always) = always {
            flag["always"] = always;
        }
        return Ok(vec![Change::new(&*target.path, flag)]);
    }
    let mut changes = vec![Change::new(target.at("rollout_percentage"), percent)];
    if node.get("enabled").is_some() {
        changes.push(Change::new(target.at("enabled"), true));
    }
    if let Some(always) = always {
        changes.push(Change::new(target.at("always"), always));
    }
    Ok(changes)
}
