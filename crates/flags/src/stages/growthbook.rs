//! GrowthBook's features: rules for those who come first and for a share, and before them a rule that
//! keeps it from everyone, which is the kill switch.

use super::{Stage, StagePlan, Target};
use crate::codes::Refusal;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Change, Node};
use serde_json::{Value, json};

/// The rule of the kill switch, by its id.
const OFF: &str = "off";

pub(super) fn changes(
    target: &Target<'_>,
    stage: Stage,
    plan: &StagePlan,
) -> Result<Vec<Change>, Refusal> {
    let default = target
        .node
        .get("defaultValue")
        .map_or(Value::Null, Node::to_json);
    let on = on(target, plan, &default)?;
    let (items, path) = target.list("rules");
    let is_off = |rule: &&Node| rule.get("id").and_then(Node::as_str) == Some(OFF);
    let others = items.iter().filter(|rule| !is_off(rule));
    if stage == Stage::Off {
        if items.first().is_some_and(|rule| is_off(&rule)) {
            return Ok(Vec::new());
        }
        let off = json!({"id": OFF, "force": default});
        let rules = core::iter::once(off).chain(others.map(Node::to_json));
        return Ok(vec![Change::new(path, rules.collect::<Vec<_>>())]);
    }
    let (mut first, mut share) = (None, None);
    for rule in others {
        match reach(rule, &on) {
            Reach::First if first.is_none() && share.is_none() => first = Some(rule.to_json()),
            Reach::Share if share.is_none() => share = Some(rule.to_json()),
            _ => return Err(target.other_rules(rule, "rules")),
        }
    }
    let wanted = plan.internal.as_ref();
    let wanted = wanted.map(|it| json!({"condition": it.growthbook(), "force": on}));
    match (&wanted, &first) {
        (Some(wanted), Some(known)) if known.get("condition") != wanted.get("condition") => {
            let message = "the file says that others come first";
            let help = "say the same, or say nothing, or change the rules by hand";
            return Err(target.refusal(target.node, "rules", message, help));
        }
        (None, None) if stage == Stage::Internal => return Err(target.nobody_first()),
        _ => {}
    }
    let mut share = share.unwrap_or_else(|| json!({"force": on}));
    let share = match (stage, share.as_object_mut()) {
        (Stage::Percent(100), Some(rule)) => {
            rule.remove("coverage");
            Some(share)
        }
        (Stage::Percent(percent), Some(rule)) => {
            rule.insert("coverage".into(), coverage(percent));
            Some(share)
        }
        _ => None,
    };
    let rules: Vec<Value> = first.or(wanted).into_iter().chain(share).collect();
    Ok(vec![Change::new(path, rules)])
}

/// A percentage as a fraction, with no more digits than it needs.
fn coverage(percent: u8) -> Value {
    json!(f64::from(percent) / 100.0)
}

/// The value that is released.
fn on(target: &Target<'_>, plan: &StagePlan, default: &Value) -> Result<Value, Refusal> {
    let named = plan.on.as_ref().map(|name| {
        let mut variants = target.flag.variants().iter();
        variants
            .find(|it| *it.name == **name)
            .map(|it| it.value.clone())
    });
    match (named, default) {
        (Some(Some(value)), _) => Ok(value),
        (None, Value::Bool(false)) => Ok(true.into()),
        _ => {
            let message = "which value is released cannot be told";
            let help =
                "give it `false` as defaultValue, or name the variant that is to be released";
            Err(target.refusal(target.node, "defaultValue", message, help))
        }
    }
}

/// Whom a rule is for.
enum Reach {
    First,
    Share,
    Unknown,
}

fn reach(rule: &Node, on: &Value) -> Reach {
    let Some(fields) = rule.as_object() else {
        return Reach::Unknown;
    };
    let is_known = fields.iter().all(|field| {
        matches!(
            &*field.key,
            "id" | "condition" | "force" | "coverage" | "seed" | "hashAttribute" | "hashVersion"
        )
    });
    let forces_it = rule
        .get("force")
        .is_some_and(|value| value.to_json() == *on);
    match (rule.get("condition"), rule.get("coverage")) {
        _ if !is_known || !forces_it => Reach::Unknown,
        (Some(_), None) => Reach::First,
        (None, _) => Reach::Share,
        (Some(_), Some(_)) => Reach::Unknown,
    }
}
