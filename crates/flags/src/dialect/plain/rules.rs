//! Rules over attributes.

use crate::codes::{self, Refusal};
use crate::dialect::shape::wrong;
use crate::ir::{Expr, Op, Path};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use nonevent_document::{Node, Value as Tree, item_path, member_path};

/// The condition that all rules (or, with `match: any`, one of them) make.
pub(super) fn conditions(node: &Node, path: &str) -> Result<Option<Expr>, Refusal> {
    let Some(rules) = node.get("rules") else {
        return Ok(None);
    };
    let path = member_path(path, "rules");
    let items = match &rules.value {
        Tree::Array(items) if !items.is_empty() => items,
        _ => {
            let help = "write at least one rule, or leave `rules` out to serve everyone";
            return Err(wrong(
                codes::DEFINITION,
                rules,
                path,
                "there are no rules here",
                help,
            ));
        }
    };
    let op = match node.get("match").map(|node| (node, node.as_str())) {
        None | Some((_, Some("all"))) => Op::And,
        Some((_, Some("any"))) => Op::Or,
        Some((node, _)) => {
            let message = "`match` is neither all nor any";
            return Err(wrong(
                codes::DEFINITION,
                node,
                path,
                message,
                "write one of the two",
            ));
        }
    };
    let mut args = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        args.push(condition(item, &item_path(&path, index))?);
    }
    Ok(Some(match args.len() {
        1 => args.remove(0),
        _ => Expr::Call {
            op,
            args: args.into(),
        },
    }))
}

/// The condition of those who have the feature whatever its percentage is and its rules say: one of
/// the rules in `always`.
pub(super) fn always(node: &Node, path: &str, is_valued: bool) -> Result<Option<Expr>, Refusal> {
    let Some(rules) = node.get("always") else {
        return Ok(None);
    };
    let path = member_path(path, "always");
    let refuse = |message: &str, help: &str| {
        let path = path.clone();
        Err(wrong(codes::DEFINITION, rules, path, message, help))
    };
    if is_valued {
        let message = "`always` is for flags that are on or off";
        return refuse(message, "take it out");
    }
    if node.get("rollout_percentage").is_none() && node.get("rules").is_none() {
        let message = "`always` is here, but not who else the flag is on for";
        return refuse(
            message,
            "write `rollout_percentage: 0` if nobody else is to have it",
        );
    }
    let Some(items) = rules.as_array().filter(|items| !items.is_empty()) else {
        return refuse(
            "there are no rules here",
            "write at least one rule, or leave it out",
        );
    };
    let items = items.iter().enumerate();
    let any: Result<Vec<_>, _> = items
        .map(|(index, item)| condition(item, &item_path(&path, index)))
        .collect();
    Ok(Expr::joined(Op::Or, any?))
}

/// `{attribute, operator, value}` or `{attribute, operator, values}`. A missing attribute never
/// matches, whatever the operator.
fn condition(node: &Node, path: &str) -> Result<Expr, Refusal> {
    let field = |field: &str| {
        let help = "write {\"attribute\": …, \"operator\": …, \"value\": …}";
        node.get(field).and_then(Node::as_str).ok_or_else(|| {
            let message = format!("the rule has no `{field}`, or it is no text");
            wrong(codes::DEFINITION, node, path, message, help)
        })
    };
    let attribute = field("attribute")?;
    let operator = field("operator")?;
    let var = || Expr::Var {
        path: Path(attribute.split('.').map(Into::into).collect()),
        default: None,
    };
    let operand = |name: &str| {
        node.get(name)
            .map(|node| Expr::constant(node.to_json()))
            .ok_or_else(|| {
                let message = format!("the operator {operator:?} needs `{name}`");
                wrong(codes::DEFINITION, node, path, message, "add it")
            })
    };
    let call = |op: Op, a: Expr, b: Expr| Expr::Call {
        op,
        args: Box::from([a, b]),
    };
    let not = |expr: Expr| Expr::Call {
        op: Op::Not,
        args: Box::from([expr]),
    };
    let there = || call(Op::StrictNotEqual, var(), Expr::null());
    let with = |expr: Expr| call(Op::And, there(), expr);
    Ok(match operator {
        "eq" => call(Op::StrictEqual, var(), operand("value")?),
        "ne" | "neq" => with(call(Op::StrictNotEqual, var(), operand("value")?)),
        "in" => call(Op::In, var(), list(operand("values")?, node, path)?),
        "not_in" => with(not(call(
            Op::In,
            var(),
            list(operand("values")?, node, path)?,
        ))),
        "gt" => with(call(Op::Greater, var(), operand("value")?)),
        "gte" => with(call(Op::GreaterEqual, var(), operand("value")?)),
        "lt" => with(call(Op::Less, var(), operand("value")?)),
        "lte" => with(call(Op::LessEqual, var(), operand("value")?)),
        "contains" => call(Op::In, operand("value")?, var()),
        "starts_with" => call(Op::StartsWith, var(), operand("value")?),
        "ends_with" => call(Op::EndsWith, var(), operand("value")?),
        "exists" => there(),
        _ => {
            let message = format!("the operator {operator:?} is not known");
            let help = "use eq, ne, in, not_in, gt, gte, lt, lte, contains, starts_with, \
                        ends_with or exists";
            return Err(wrong(codes::UNKNOWN_OPERATOR, node, path, message, help));
        }
    })
}

/// `in` looks into a list; a text there would be searched instead.
fn list(values: Expr, node: &Node, path: &str) -> Result<Expr, Refusal> {
    match values.as_const() {
        Some(serde_json::Value::Array(_)) => Ok(values),
        _ => Err(wrong(
            codes::DEFINITION,
            node,
            path,
            "`values` is no list",
            "write a list",
        )),
    }
}
