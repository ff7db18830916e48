//! Random rules and contexts.

use crate::random::Dice;
use serde_json::{Map, Value as Json, json};

pub(super) fn rule(dice: &mut Dice) -> Json {
    operation(dice, 3)
}

fn operation(dice: &mut Dice, depth: usize) -> Json {
    let inner = |dice: &mut Dice| expr(dice, depth - 1);
    let op = dice.pick(&[
        "==",
        "===",
        "!=",
        "!==",
        "<",
        "<=",
        ">",
        ">=",
        "!",
        "!!",
        "and",
        "or",
        "if",
        "+",
        "-",
        "*",
        "/",
        "%",
        "max",
        "min",
        "in",
        "cat",
        "substr",
        "merge",
        "map",
        "filter",
        "reduce",
        "all",
        "none",
        "some",
        "missing",
        "missing_some",
        "var",
        "starts_with",
        "ends_with",
        "sem_ver",
    ]);
    let args: Json = match op {
        "==" | "===" | "!=" | "!==" | ">" | ">=" | "%" | "/" => dice.several(2, 2, inner).into(),
        "<" | "<=" => dice.several(2, 3, inner).into(),
        "!" | "!!" => json!([inner(dice)]),
        "-" => dice.several(1, 2, inner).into(),
        "and" | "or" | "+" | "*" | "max" | "min" | "cat" | "merge" => {
            dice.several(1, 3, inner).into()
        }
        "if" => dice.several(2, 5, inner).into(),
        "in" => json!([inner(dice), expr(dice, depth - 1)]),
        "substr" => {
            let mut args = vec![inner(dice), json!(dice.below(9) as i64 - 4)];
            args.extend(dice.chance(50).then(|| json!(dice.below(9) as i64 - 4)));
            args.into()
        }
        "map" | "filter" | "all" | "none" | "some" => json!([list(dice), item_rule(dice)]),
        "reduce" => {
            let current = json!({"var": "current"});
            let accumulator = json!({"var": "accumulator"});
            let by = dice.pick(&["+", "*", "cat", "max"]);
            json!([list(dice), {by: [accumulator, current]}, dice.number()])
        }
        "missing" => dice.several(0, 3, |dice| path(dice).to_owned()).into(),
        "missing_some" => json!([
            dice.below(3),
            dice.several(0, 3, |dice| path(dice).to_owned())
        ]),
        "var" => return var(dice),
        "starts_with" | "ends_with" => json!([text(dice), text(dice)]),
        _ => json!([
            version(dice),
            dice.pick(&["=", "!=", "<", "<=", ">", ">=", "^", "~"]),
            version(dice)
        ]),
    };
    json!({op: args})
}

fn expr(dice: &mut Dice, depth: usize) -> Json {
    match dice.below(10) {
        0..=3 if depth > 0 => operation(dice, depth),
        4..=7 => var(dice),
        8 if dice.chance(40) => dice.several(0, 3, Dice::scalar).into(),
        _ => dice.scalar(),
    }
}

fn path(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "number",
        "text",
        "version",
        "list",
        "objects",
        "object",
        "object.x",
        "object.y.z",
        "list.0",
        "list.7",
        "flag",
        "nothing",
        "missing",
        "missing.x",
        "empty",
        "text.0",
        "zero",
    ])
}

fn var(dice: &mut Dice) -> Json {
    let path = path(dice);
    match dice.below(5) {
        0 => json!({"var": [path, dice.scalar()]}),
        1 => json!({"var": [path]}),
        _ => json!({"var": path}),
    }
}

fn text(dice: &mut Dice) -> Json {
    if dice.chance(50) {
        var(dice)
    } else {
        dice.word().into()
    }
}

fn version(dice: &mut Dice) -> Json {
    if dice.chance(50) {
        json!({"var": "version"})
    } else {
        dice.version_text().into()
    }
}

fn list(dice: &mut Dice) -> Json {
    match dice.below(4) {
        0 => dice.several(0, 3, Dice::scalar).into(),
        1 => json!({"var": path(dice)}),
        2 => json!({"var": "objects"}),
        _ => json!({"var": "list"}),
    }
}

fn item_rule(dice: &mut Dice) -> Json {
    let item = json!({"var": dice.pick(&["", "x", "x.y"])});
    match dice.below(5) {
        0 => item,
        1 => json!({">": [item, dice.scalar()]}),
        2 => json!({"==": [item, dice.scalar()]}),
        3 => json!({"cat": ["-", item]}),
        _ => json!({"===": [item, dice.scalar()]}),
    }
}

pub(super) fn context(dice: &mut Dice) -> Map<String, Json> {
    let mut context = Map::new();
    for name in [
        "number", "text", "version", "list", "objects", "object", "flag", "nothing", "empty",
        "zero",
    ] {
        if !dice.chance(85) {
            continue;
        }
        let value: Json = match name {
            "number" => dice.number(),
            "text" => dice.any_text().into(),
            "version" => dice.version_text().into(),
            "list" => dice.several(0, 3, Dice::scalar).into(),
            "objects" => dice
                .several(0, 3, |dice| json!({"x": dice.scalar()}))
                .into(),
            "object" => json!({"x": dice.scalar(), "y": {"z": dice.scalar()}}),
            "flag" => dice.chance(50).into(),
            "nothing" => Json::Null,
            "empty" => dice.pick(&[&json!(""), &json!([]), &json!({})]).clone(),
            _ => json!(0),
        };
        context.insert(name.to_owned(), value);
    }
    context
}
