//! flagd's flags: `{"if": [first, "on", {"fractional": [["on", 5], ["off", 95]]}]}`.
//!
//! The released variant has one of two shares, at the beginning or at the end, and keeps that place:
//! then raising it moves one boundary away from those who have it.

use super::{Internal, Stage, StagePlan, Target, item};
use crate::codes::Refusal;
use crate::ir::DefaultVariant;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nonevent_document::{Change, Node, Value as Tree, member_path};
use serde_json::{Value, json};

/// What a flag's targeting is made of.
#[derive(Default)]
struct Shape<'n> {
    /// The condition of those who come first.
    first: Option<&'n Node>,
    split: Option<Split<'n>>,
}

/// A `fractional` of two shares.
struct Split<'n> {
    /// Its arguments, and where they stand.
    args: &'n [Node],
    path: String,
    /// The argument that is the released variant's share, and the other.
    on: usize,
    off: usize,
}

pub(super) fn changes(
    target: &Target<'_>,
    stage: Stage,
    plan: &StagePlan,
) -> Result<Vec<Change>, Refusal> {
    if stage == Stage::Off {
        return Ok(vec![Change::new(target.at("state"), "DISABLED")]);
    }
    let default = match target.flag.default {
        DefaultVariant::Variant(at) => Some(at),
        _ => None,
    };
    let (on, off) = target.pair(plan, default)?;
    let Some(off) = off else {
        let message = "what everybody else gets cannot be told";
        let help = "name it as `defaultVariant`";
        return Err(target.refusal(target.node, "defaultVariant", message, help));
    };
    let (on_name, off_name) = (target.variant(on), target.variant(off));
    let shape = shape(target, on_name, off_name)?;
    let first = first(target, &shape, plan)?;
    if stage == Stage::Internal && first.is_none() {
        return Err(target.nobody_first());
    }
    let mut changes = vec![Change::new(target.at("state"), "ENABLED")];
    if default == Some(on) {
        changes.push(Change::new(target.at("defaultVariant"), off_name));
    }
    let percent = match stage {
        Stage::Percent(percent) => percent,
        _ => 0,
    };
    if let (Some(split), true) = (&shape.split, percent < 100 && first_stays(&shape, plan)) {
        for (at, name, weight) in [
            (split.on, on_name, percent),
            (split.off, off_name, 100 - percent),
        ] {
            let path = item(&split.path, at);
            let has_weight = split.args.get(at).and_then(Node::as_array);
            changes.push(match has_weight {
                Some([_, _]) => Change::new(item(&path, 1), weight),
                _ => Change::new(path, json!([name, weight])),
            });
        }
        return Ok(changes);
    }
    let rest = match stage {
        Stage::Percent(100) => json!(on_name),
        Stage::Percent(percent) => {
            json!({"fractional": shares(&shape, on_name, off_name, percent)})
        }
        _ => json!(off_name),
    };
    let targeting = match (first, stage) {
        (None, Stage::Percent(100)) => json!({"if": [true, on_name]}),
        (None, _) => rest,
        (Some(first), _) => json!({"if": [first, on_name, rest]}),
    };
    changes.push(Change::new(target.at("targeting"), targeting));
    Ok(changes)
}

/// Whether those who come first are in the file already.
fn first_stays(shape: &Shape<'_>, plan: &StagePlan) -> bool {
    shape.first.is_some() || plan.internal.is_none()
}

/// The condition of those who come first.
fn first(
    target: &Target<'_>,
    shape: &Shape<'_>,
    plan: &StagePlan,
) -> Result<Option<Value>, Refusal> {
    let wanted = plan.internal.as_ref().map(Internal::json_logic);
    match (shape.first.map(|it| (it, it.to_json())), wanted) {
        (Some((_, known)), Some(wanted)) if known == wanted => Ok(Some(wanted)),
        (Some((node, known)), Some(_)) => {
            let message = format!("the file says that others come first: {known}");
            let help = "say the same, or say nothing, or change it by hand";
            Err(target.refusal(node, "targeting", &message, help))
        }
        (Some((_, known)), None) => Ok(Some(known)),
        (None, wanted) => Ok(wanted),
    }
}

/// The arguments of `fractional`; what subjects are hashed by, and the order, stay as they are.
fn shares(shape: &Shape<'_>, on: &str, off: &str, percent: u8) -> Value {
    let (on, off) = (json!([on, percent]), json!([off, 100 - percent]));
    let Some(split) = &shape.split else {
        return json!([on, off]);
    };
    let arg = |(at, node): (usize, &Node)| match at {
        at if at == split.on => on.clone(),
        at if at == split.off => off.clone(),
        _ => node.to_json(),
    };
    split.args.iter().enumerate().map(arg).collect()
}

fn shape<'n>(target: &Target<'n>, on: &str, off: &str) -> Result<Shape<'n>, Refusal> {
    let Some(targeting) = target.node.get("targeting") else {
        return Ok(Shape::default());
    };
    let other = || target.other_rules(targeting, "targeting");
    let path = target.at("targeting");
    let members = match &targeting.value {
        Tree::Null => return Ok(Shape::default()),
        Tree::Object(members) if members.is_empty() => return Ok(Shape::default()),
        Tree::Object(members) => members,
        _ => return Err(other()),
    };
    let [member] = members.as_slice() else {
        return Err(other());
    };
    let args = member.value.as_array().unwrap_or_default();
    let path = member_path(&path, &member.key);
    let (first, rest) = match (&*member.key, args) {
        ("fractional", args) => {
            let split = split(args, path, on, off).ok_or_else(other)?;
            return Ok(Shape {
                first: None,
                split: Some(split),
            });
        }
        ("if", [first, served]) if served.as_str() == Some(on) => (first, None),
        ("if", [first, served, rest]) if served.as_str() == Some(on) => (first, Some(rest)),
        _ => return Err(other()),
    };
    let split = match rest {
        None => None,
        Some(rest) if rest.as_str().is_some_and(|it| it == on || it == off) => None,
        Some(rest) => {
            let args = rest.get("fractional").and_then(Node::as_array);
            let is_only = rest.as_object().is_some_and(|it| it.len() == 1);
            let path = member_path(&item(&path, 2), "fractional");
            let args = args.filter(|_| is_only).ok_or_else(other)?;
            Some(split(args, path, on, off).ok_or_else(other)?)
        }
    };
    Ok(Shape {
        first: Some(first).filter(|it| it.as_bool() != Some(true)),
        split,
    })
}

/// A `fractional` of just these two, if it is one.
fn split<'n>(args: &'n [Node], path: String, on: &str, off: &str) -> Option<Split<'n>> {
    let skipped = usize::from(args.first()?.as_array().is_none());
    let place = |name: &str| {
        args.iter().position(|arg| {
            let named = arg.as_array().and_then(<[Node]>::first);
            named.and_then(Node::as_str) == Some(name)
        })
    };
    (args.len() == skipped + 2).then_some(())?;
    Some(Split {
        on: place(on)?,
        off: place(off)?,
        args,
        path,
    })
}
