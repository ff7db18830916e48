//! Rules and their conditions.

use super::{list, text};
use crate::codes::{self, Refusal};
use crate::condition::{Condition, Relation, Test, Versions};
use crate::dialect::shape::wrong;
use crate::ir::{Expr, Op, Path};
use crate::number::decimal_of;
use crate::pattern::Patterns;
use crate::version;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Node, Value as Tree, item_path, member_path};

/// What holds if one of the rules does; `None` if there are none, which is open to all.
pub(super) fn rules(
    node: &Node,
    path: &str,
    patterns: &mut Patterns,
) -> Result<Option<Expr>, Refusal> {
    let (items, path) = list(node, path, "rules", true)?;
    let mut rules = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let (items, path) = list(item, &item_path(&path, index), "conditions", false)?;
        let mut conditions = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            conditions.push(condition(item, &item_path(&path, index), patterns)?);
        }
        // All of no conditions hold.
        rules.push(Expr::joined(Op::And, conditions).unwrap_or_else(|| Expr::constant(true)));
    }
    Ok(Expr::joined(Op::Or, rules))
}

fn condition(node: &Node, path: &str, patterns: &mut Patterns) -> Result<Expr, Refusal> {
    let attribute = text(node, path, "attribute")?;
    let operator = text(node, path, "operator")?;
    let Some(value) = node.get("value") else {
        let message = "the condition has no `value`";
        return Err(wrong(codes::DEFINITION, node, path, message, "add it"));
    };
    let path = member_path(path, "value");
    let (test, wanted) = match operator {
        "ONE_OF" | "NOT_ONE_OF" => (one_of(value, &path)?, operator == "ONE_OF"),
        "MATCHES" | "NOT_MATCHES" => (matches(value, &path, patterns)?, operator == "MATCHES"),
        "GTE" => (compared(Relation::GreaterEqual, value, &path)?, true),
        "GT" => (compared(Relation::Greater, value, &path)?, true),
        "LTE" => (compared(Relation::LessEqual, value, &path)?, true),
        "LT" => (compared(Relation::Less, value, &path)?, true),
        "SEMVER_EQ" => (versions(Relation::Equal, value, &path)?, true),
        "SEMVER_NEQ" => (versions(Relation::NotEqual, value, &path)?, true),
        "SEMVER_GTE" => (versions(Relation::GreaterEqual, value, &path)?, true),
        "SEMVER_GT" => (versions(Relation::Greater, value, &path)?, true),
        "SEMVER_LTE" => (versions(Relation::LessEqual, value, &path)?, true),
        "SEMVER_LT" => (versions(Relation::Less, value, &path)?, true),
        "IS_NULL" => match value.as_bool() {
            Some(wanted) => (Test::Missing, wanted),
            None => return Err(unfit(value, &path, "true or false")),
        },
        _ => {
            let message = format!("the operator {operator:?} is not known");
            let help = "the operators are ONE_OF, NOT_ONE_OF, MATCHES, NOT_MATCHES, GTE, GT, LTE, \
                        LT, IS_NULL and SEMVER_EQ, _NEQ, _GTE, _GT, _LTE, _LT; as it is, the flag \
                        gives everyone the caller's default";
            return Err(wrong(codes::UNKNOWN_OPERATOR, node, path, message, help));
        }
    };
    let condition = Condition {
        of: subject(attribute),
        test,
        wanted,
    };
    Ok(condition.into_expr())
}

/// An attribute by its whole name, dots and all. `id` is the targeting key where the context has
/// no attribute of that name.
fn subject(attribute: &str) -> Expr {
    let var = |name: &str, default| Expr::Var {
        path: Path(Box::from([name.into()])),
        default,
    };
    let key = || Box::new(var("targetingKey", None));
    var(attribute, (attribute == "id").then(key))
}

fn one_of(node: &Node, path: &str) -> Result<Test, Refusal> {
    let texts = match &node.value {
        Tree::Array(items) => items.iter().map(Node::as_str).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    match texts {
        Some(texts) => Ok(Test::one_of(texts.into_iter().map(Arc::from))),
        None => Err(unfit(node, path, "a list of texts")),
    }
}

fn matches(node: &Node, path: &str, patterns: &mut Patterns) -> Result<Test, Refusal> {
    let Some(text) = node.as_str() else {
        return Err(unfit(node, path, "a regular expression"));
    };
    patterns
        .compile(text, false)
        .map(Test::Matches)
        .map_err(|why| {
            let message = format!("the regular expression is not usable: {why}");
            let help = "use what can be matched in linear time, without look-around";
            wrong(codes::ARGUMENTS, node, path, message, help)
        })
}

/// Against a number, or a version written as a text.
fn compared(relation: Relation, node: &Node, path: &str) -> Result<Test, Refusal> {
    let test = match node.as_str() {
        Some(text) => match version::strict(text) {
            Some(version) => Some(Test::Version(relation, version, Versions::Strict)),
            None => decimal_of(text).map(|number| Test::Number(relation, number)),
        },
        None => node.as_f64().map(|number| Test::Number(relation, number)),
    };
    test.ok_or_else(|| unfit(node, path, "a number or a version"))
}

fn versions(relation: Relation, node: &Node, path: &str) -> Result<Test, Refusal> {
    node.as_str()
        .and_then(version::short)
        .map(|version| Test::Version(relation, version, Versions::Short))
        .ok_or_else(|| unfit(node, path, "a version"))
}

fn unfit(node: &Node, path: &str, wanted: &str) -> Refusal {
    let message = format!("the operator needs {wanted}, and this is {}", node.kind());
    let help = "write such a value, or use another operator";
    wrong(codes::ARGUMENTS, node, path, message, help)
}
