//! LaunchDarkly's flags: a rule for those who come first, and shares in the fallthrough.
//!
//! A subject without a key is in the first share, so the released variation has the last one:
//! raising it moves the boundary down, away from those who have it.

use super::{Internal, Stage, StagePlan, Target, item};
use crate::codes::Refusal;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Change, Node, member_path};
use serde_json::{Value, json};

/// The weight of all.
const ALL: u32 = 100_000;

pub(super) fn changes(
    target: &Target<'_>,
    stage: Stage,
    plan: &StagePlan,
) -> Result<Vec<Change>, Refusal> {
    if stage == Stage::Off {
        return Ok(vec![Change::new(target.at("on"), false)]);
    }
    if target.node.as_object().is_none() || target.node.get("variations").is_none() {
        let message = "the flag is a value, and is neither on nor off";
        let help = "write a flag with `variations` and a `fallthrough`";
        return Err(target.refusal(target.node, "", message, help));
    }
    for field in ["prerequisites", "targets", "contextTargets"] {
        if let Some(found) = target.list(field).0.first() {
            return Err(target.other_rules(found, field));
        }
    }
    let off = target.node.get("offVariation").and_then(Node::as_u64);
    let off = off.and_then(|off| usize::try_from(off).ok());
    let (on, off) = target.pair(plan, off)?;
    let Some(off) = off else {
        let message = "what everybody else gets cannot be told";
        let help = "name it as `offVariation`";
        return Err(target.refusal(target.node, "offVariation", message, help));
    };
    let rules = rules(target, stage, plan, on)?;
    let mut changes = vec![Change::new(target.at("on"), true)];
    changes.extend(rules.map(|rules| Change::new(target.at("rules"), rules)));
    let path = target.at("fallthrough");
    let fallthrough = target.node.get("fallthrough");
    let shares = shares(target, fallthrough, on, off)?;
    let percent = match stage {
        Stage::Percent(100) => {
            changes.push(Change::new(path, json!({"variation": on})));
            return Ok(changes);
        }
        Stage::Percent(percent) => u32::from(percent),
        _ => {
            changes.push(Change::new(path, json!({"variation": off})));
            return Ok(changes);
        }
    };
    let (on_weight, off_weight) = (percent * (ALL / 100), ALL - percent * (ALL / 100));
    if let Some((on_at, off_at)) = shares {
        let arms = member_path(&member_path(&path, "rollout"), "variations");
        for (at, weight) in [(on_at, on_weight), (off_at, off_weight)] {
            changes.push(Change::new(member_path(&item(&arms, at), "weight"), weight));
        }
        return Ok(changes);
    }
    let arms = json!([
        {"variation": off, "weight": off_weight},
        {"variation": on, "weight": on_weight},
    ]);
    changes.push(Change::new(path, json!({"rollout": {"variations": arms}})));
    Ok(changes)
}

/// The rules with those who come first, if that is a change.
fn rules(
    target: &Target<'_>,
    stage: Stage,
    plan: &StagePlan,
    on: usize,
) -> Result<Option<Value>, Refusal> {
    let (known, _) = target.list("rules");
    let is_first = |rule: &&Node| rule.get("variation").and_then(Node::as_u64) == Some(on as u64);
    if let Some(other) = known.iter().find(|rule| !is_first(rule)) {
        return Err(target.other_rules(other, "rules"));
    }
    let wanted = plan.internal.as_ref().map(Internal::launchdarkly);
    match (wanted, known) {
        (Some(clauses), []) => {
            let rule = json!({"id": "internal", "clauses": clauses, "variation": on});
            Ok(Some(json!([rule])))
        }
        (Some(clauses), [only])
            if only.get("clauses").map(Node::to_json) == Some(clauses.clone()) =>
        {
            Ok(None)
        }
        (Some(_), [known, ..]) => {
            let message = "the file says that others come first";
            let help = "say the same, or say nothing, or change the rules by hand";
            Err(target.refusal(known, "rules", message, help))
        }
        (None, []) if stage == Stage::Internal => Err(target.nobody_first()),
        (None, _) => Ok(None),
    }
}

/// Where the two shares of a rollout stand, if the fallthrough is one.
fn shares(
    target: &Target<'_>,
    fallthrough: Option<&Node>,
    on: usize,
    off: usize,
) -> Result<Option<(usize, usize)>, Refusal> {
    let rollout = fallthrough.and_then(|it| it.get("rollout"));
    let Some(rollout) = rollout.filter(|it| !it.is_null()) else {
        return Ok(None);
    };
    let arms = rollout.get("variations").and_then(Node::as_array);
    let arms = arms.unwrap_or_default();
    let place = |wanted: usize| {
        arms.iter()
            .position(|arm| arm.get("variation").and_then(Node::as_u64) == Some(wanted as u64))
    };
    let is_experiment = rollout.get("kind").and_then(Node::as_str) == Some("experiment");
    match (place(on), place(off)) {
        (Some(on), Some(off)) if arms.len() == 2 && !is_experiment => Ok(Some((on, off))),
        _ => Err(target.other_rules(rollout, "fallthrough")),
    }
}
