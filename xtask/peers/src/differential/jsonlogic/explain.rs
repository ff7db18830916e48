//! What is known of how datalogic-rs differs, by the operator of the innermost part that differs.

use super::{Both, Theirs};
use serde_json::{Map, Value as Json};

/// What explains a difference in `part`, on whose arguments both agree.
pub(super) fn reason(
    part: &Json,
    context: &Map<String, Json>,
    theirs: &Theirs,
    both: &Both,
) -> Option<&'static str> {
    if matches!(theirs, Theirs::Error(_)) {
        return Some("the peer stops with an error where JsonLogic has a value");
    }
    let (name, args) = operation(part)?;
    let mut values = Vec::new();
    for arg in &args {
        match both.theirs(arg, context) {
            Theirs::Value(value) => values.push(value),
            Theirs::Error(_) | Theirs::Panic => return by_items(name, part),
        }
    }
    by_values(name, &values, context).or_else(|| by_items(name, part))
}

fn by_values(name: &str, args: &[Json], context: &Map<String, Json>) -> Option<&'static str> {
    let any = |is: fn(&Json) -> bool| args.iter().any(is);
    let first = args.first().unwrap_or(&Json::Null);
    Some(match name {
        "starts_with" | "ends_with" if any(|it| !it.is_string()) => {
            "starts_with and ends_with of what is no text: false, where flagd has null"
        }
        "substr" if !first.is_string() => "substr of what is no text: of an empty text",
        "merge" if any(has_null) => "merge leaves out null",
        "missing" | "missing_some" if has_nothing(context) => {
            "missing: null and an empty text are there"
        }
        "/" | "%" if args.get(1).is_some_and(is_zero) => "division by zero: a large number, or 0",
        "+" | "*" | "-" | "/" | "%" | "max" | "min" if any(|it| !it.is_number()) => {
            "arithmetic with what is no number: as Number, where JsonLogic has parseFloat, or the reverse"
        }
        "==" | "!=" | "<" | "<=" | ">" | ">=" if any(|it| !it.is_number()) => {
            "comparison of two types: not as JavaScript's"
        }
        "cat" if any(|it| !it.is_string()) => {
            "the text of a number, list or object: not as JavaScript's"
        }
        "in" if first.is_null() => "merge leaves out null",
        "in" if args.get(1).is_some_and(Json::is_string) && !first.is_string() => {
            "in: what is no text is in no text"
        }
        "map" | "filter" | "reduce" | "all" | "none" | "some" if !first.is_array() => {
            "an object or a single value counts as a list"
        }
        "===" | "!==" if args.iter().all(|it| it.is_array() || it.is_object()) => {
            "=== of two lists or objects: by what is in them"
        }
        "!" | "!!" | "if" | "and" | "or" | "===" | "!=="
            if any(|it| it.as_object().is_some_and(Map::is_empty)) =>
        {
            "an empty object is false"
        }
        "+" | "*" | "-" | "/" | "%" if any(|it| it.as_i64().is_some_and(is_huge)) => {
            "whole numbers beyond 2^53: not in doubles"
        }
        "sem_ver" => "sem_ver takes versions that are none",
        _ => return None,
    })
}

/// For what is done with each item, by the operator that does it.
fn by_items(name: &str, part: &Json) -> Option<&'static str> {
    if !matches!(name, "map" | "filter" | "reduce" | "all" | "none" | "some") {
        return None;
    }
    let (inner, _) = operation(operation(part)?.1.get(1)?)?;
    Some(match inner {
        "==" | "!=" | "<" | ">" => "comparison of two types: not as JavaScript's",
        "cat" => "the text of a number, list or object: not as JavaScript's",
        "===" => "a member of an item that is no object is not null",
        "+" | "*" | "max" => {
            "arithmetic with what is no number: as Number, where JsonLogic has parseFloat, or the reverse"
        }
        _ => return None,
    })
}

fn has_nothing(context: &Map<String, Json>) -> bool {
    let text = Json::from(context.clone()).to_string();
    text.contains("null") || text.contains("\"\"")
}

fn is_huge(number: i64) -> bool {
    number.unsigned_abs() > 1 << 53
}

fn has_null(value: &Json) -> bool {
    value.is_null()
        || value
            .as_array()
            .is_some_and(|items| items.iter().any(has_null))
}

fn is_zero(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.trim().is_empty() || text.parse() == Ok(0.0),
        Json::Array(items) => items.is_empty() || items.len() == 1 && is_zero(&items[0]),
        Json::Bool(true) | Json::Object(_) => false,
    }
}

/// The operator and its arguments.
fn operation(part: &Json) -> Option<(&str, Vec<&Json>)> {
    let (name, args) = part.as_object()?.iter().next()?;
    let args = match args {
        Json::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    Some((name, args))
}

/// The parts that are evaluated for the context itself, not for an item.
pub(super) fn parts(rule: &Json) -> Vec<&Json> {
    match operation(rule) {
        None => rule.as_array().into_iter().flatten().collect(),
        Some(("map" | "filter" | "reduce" | "all" | "none" | "some", args)) => {
            args.into_iter().take(1).collect()
        }
        Some(("var", _)) => Vec::new(),
        Some((_, args)) => args,
    }
}

/// The operator, and that of what is done with each item, for differences that nothing explains.
pub(super) fn class(part: &Json) -> String {
    let Some((name, args)) = operation(part) else {
        return "no operation".to_owned();
    };
    let inner = args.get(1).and_then(|arg| operation(arg));
    format!("{name} {}", inner.map_or("", |(inner, _)| inner))
}
