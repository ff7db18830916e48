//! Unleash's features: a strategy for those who come first, and a gradual rollout.

use super::{Stage, StagePlan, Target, item};
use crate::codes::Refusal;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Change, Node, member_path};
use serde_json::{Value, json};

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
    let (parents, _) = target.list("dependencies");
    if let Some(parent) = parents.first() {
        let message = "the feature depends on others, which may keep it from everyone";
        let help = "take the dependency out, or change the file by hand";
        return Err(target.refusal(parent, "dependencies", message, help));
    }
    let (items, path) = target.list("strategies");
    let mut first = Vec::new();
    let mut rollout = None;
    let mut is_other = false;
    for (index, strategy) in items.iter().enumerate() {
        match (reach(strategy), rollout) {
            (Reach::First, _) => first.push(strategy.to_json()),
            (Reach::Share, None) => rollout = Some((index, strategy)),
            (Reach::Everyone, _) => is_other = true,
            (Reach::Share | Reach::Unknown, _) => {
                return Err(target.other_rules(strategy, "strategies"));
            }
        }
    }
    let wanted = plan.internal.as_ref();
    let wanted = wanted.map(|it| json!({"name": "default", "constraints": it.unleash()}));
    match (wanted, first.as_slice()) {
        (Some(wanted), []) => {
            first.push(wanted);
            is_other = true;
        }
        (Some(wanted), known) if !is_same(known, &wanted) => {
            let message = "the file says that others come first";
            let help = "say the same, or say nothing, or change the strategies by hand";
            return Err(target.refusal(target.node, "strategies", message, help));
        }
        (None, []) if stage == Stage::Internal => return Err(target.nobody_first()),
        _ => {}
    }
    let mut changes = vec![Change::new(enabled, true)];
    if let (Some((index, strategy)), false) = (rollout, is_other) {
        let parameters = member_path(&item(&path, index), "parameters");
        let is_number = strategy
            .get("parameters")
            .and_then(|it| it.get("rollout"))
            .is_some_and(|it| it.as_number().is_some());
        let share = if is_number {
            Value::from(percent)
        } else {
            Value::from(percent.to_string())
        };
        changes.push(Change::new(member_path(&parameters, "rollout"), share));
        return Ok(changes);
    }
    first.push(match rollout {
        Some((_, strategy)) => {
            let mut strategy = strategy.to_json();
            strategy["parameters"]["rollout"] = format!("{percent}").into();
            strategy
        }
        None => json!({"name": "flexibleRollout", "parameters": {
            "rollout": format!("{percent}"), "stickiness": "default", "groupId": target.flag.key(),
        }}),
    });
    changes.push(Change::new(path, first));
    Ok(changes)
}

/// Whether those who come first are the wanted ones alone; their strategy may say more of itself.
fn is_same(known: &[Value], wanted: &Value) -> bool {
    let field = |it: &Value, name: &str| it.get(name).cloned();
    matches!(known, [only] if ["name", "constraints"]
        .iter()
        .all(|name| field(only, name) == field(wanted, name)) && field(only, "segments").is_none())
}

/// Whom a strategy is for.
#[derive(Clone, Copy)]
enum Reach {
    /// Some, whom it names or describes.
    First,
    /// A share of all.
    Share,
    Everyone,
    Unknown,
}

fn reach(strategy: &Node) -> Reach {
    let some = |field: &str| {
        let items = strategy.get(field).and_then(Node::as_array);
        items.is_some_and(|items| !items.is_empty())
    };
    let is_narrowed = some("constraints") || some("segments");
    match strategy.get("name").and_then(Node::as_str) {
        _ if some("variants") => Reach::Unknown,
        Some("default") if is_narrowed => Reach::First,
        Some("userWithId" | "remoteAddress" | "applicationHostname") => Reach::First,
        Some("default") => Reach::Everyone,
        Some("flexibleRollout") if !is_narrowed => Reach::Share,
        _ => Reach::Unknown,
    }
}
