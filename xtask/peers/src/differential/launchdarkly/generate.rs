//! Random flags, segments and contexts in LaunchDarkly's form.

use crate::random::Dice;
use serde_json::{Map, Value as Json, json};

/// The flags that every file has.
pub(super) const FLAGS: [&str; 4] = ["one", "two", "three", "four"];
const SEGMENTS: [&str; 3] = ["staff", "beta", "nested"];

pub(super) fn definition(dice: &mut Dice) -> Json {
    let flags: Map<String, Json> = FLAGS
        .iter()
        .map(|key| ((*key).to_owned(), flag(dice, key)))
        .collect();
    let segments: Map<String, Json> = SEGMENTS
        .iter()
        .map(|key| ((*key).to_owned(), segment(dice, key)))
        .collect();
    json!({"flags": flags, "segments": segments})
}

fn flag(dice: &mut Dice, key: &str) -> Json {
    let mut flag = json!({
        "key": key, "version": 1, "on": dice.chance(88), "salt": dice.pick(&["salt", "", "Ünï"]),
        "variations": variations(dice), "targets": [], "contextTargets": [], "prerequisites": [],
        "rules": dice.several(0, 3, rule), "fallthrough": serve(dice), "offVariation": null,
    });
    if dice.chance(80) {
        flag["offVariation"] = variation(dice);
    }
    if dice.chance(30) {
        flag["targets"] = dice.several(0, 2, |dice| target(dice, false)).into();
    }
    if dice.chance(20) {
        flag["contextTargets"] = dice.several(0, 2, |dice| target(dice, true)).into();
    }
    if dice.chance(30) {
        // Mostly flags further on, so that few go round in circles.
        let after = FLAGS.iter().position(|it| *it == key).unwrap_or_default() + 1;
        flag["prerequisites"] = dice
            .several(0, 2, |dice| {
                let of = match FLAGS.get(after..) {
                    Some(later) if !later.is_empty() && dice.chance(85) => dice.pick(later),
                    _ => dice.pick(&["one", "two", "three", "four", "missing"]),
                };
                json!({"key": of, "variation": dice.below(3)})
            })
            .into();
    }
    flag
}

fn variations(dice: &mut Dice) -> Json {
    match dice.below(3) {
        0 => json!([true, false, "third"]),
        1 => json!(["red", "blue", {"a": [1, 2.5, null]}]),
        _ => json!([0, 1.5, null]),
    }
}

fn variation(dice: &mut Dice) -> Json {
    match dice.below(60) {
        0 => json!(7),
        1 => json!(-1),
        _ => json!(dice.below(3)),
    }
}

fn target(dice: &mut Dice, with_kind: bool) -> Json {
    let mut target = json!({"variation": variation(dice), "values": dice.several(0, 4, key)});
    if with_kind {
        target["contextKind"] = kind(dice).into();
    }
    target
}

fn key(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 => dice.any_text(),
        _ => format!("user-{}", dice.below(30)),
    }
}

fn kind(dice: &mut Dice) -> &'static str {
    dice.pick(&["user", "user", "org", "device", "other"])
}

fn serve(dice: &mut Dice) -> Json {
    match dice.below(20) {
        0 => json!({}),
        1..=11 => json!({"variation": variation(dice)}),
        _ => json!({"rollout": rollout(dice)}),
    }
}

fn rollout(dice: &mut Dice) -> Json {
    let mut left = 100_000;
    let arms = dice.several(0, 3, |dice| {
        let weight = dice.below(left + 1);
        left -= weight;
        let mut arm = json!({"variation": variation(dice), "weight": weight});
        if dice.chance(10) {
            arm["untracked"] = true.into();
        }
        arm
    });
    let mut rollout = json!({"variations": arms});
    if dice.chance(30) {
        rollout["kind"] = dice.pick(&["experiment", "rollout"]).into();
    }
    if dice.chance(30) {
        rollout["contextKind"] = kind(dice).into();
    }
    if dice.chance(40) {
        rollout["bucketBy"] = attribute(dice).into();
    }
    if dice.chance(20) {
        rollout["seed"] = dice.below(1000).into();
    }
    rollout
}

fn attribute(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "key",
        "name",
        "anonymous",
        "kind",
        "plan",
        "country",
        "email",
        "version",
        "age",
        "since",
        "groups",
        "address",
        "/address/street",
        "/address/zip",
        "/address",
        "a/b",
        "/a~1b",
        "//",
        "/",
        "",
        "/address/",
        "/~2",
        "missing",
    ])
}

fn rule(dice: &mut Dice) -> Json {
    let mut rule = serve(dice);
    rule["id"] = "rule".into();
    rule["trackEvents"] = false.into();
    rule["clauses"] = dice.several(0, 2, clause).into();
    rule
}

fn clause(dice: &mut Dice) -> Json {
    let op = dice.pick(&[
        "in",
        "in",
        "startsWith",
        "endsWith",
        "contains",
        "matches",
        "lessThan",
        "lessThanOrEqual",
        "greaterThan",
        "greaterThanOrEqual",
        "before",
        "after",
        "semVerEqual",
        "semVerGreaterThan",
        "semVerLessThan",
        "segmentMatch",
        "unheardOf",
    ]);
    let values = dice.several(0, 3, |dice| match op {
        _ if dice.chance(15) => any(dice),
        "segmentMatch" => dice.pick(&["staff", "beta", "nested", "missing"]).into(),
        "lessThan" | "lessThanOrEqual" | "greaterThan" | "greaterThanOrEqual" => dice.number(),
        "before" | "after" if dice.chance(30) => dice.number(),
        "before" | "after" => dice.time_text().into(),
        "semVerEqual" | "semVerGreaterThan" | "semVerLessThan" => dice.version_text().into(),
        "matches" => dice.pattern().into(),
        _ => any(dice),
    });
    let mut clause = json!({"op": op, "attribute": attribute(dice), "values": values});
    if dice.chance(25) {
        clause["negate"] = true.into();
    }
    if dice.chance(40) {
        clause["contextKind"] = kind(dice).into();
    }
    clause
}

fn segment(dice: &mut Dice, key: &str) -> Json {
    let mut segment = json!({
        "key": key, "version": 1, "salt": "salt", "rules": dice.several(0, 2, segment_rule),
        "included": dice.several(0, 2, self::key), "excluded": dice.several(0, 2, self::key),
    });
    for field in ["includedContexts", "excludedContexts"] {
        if dice.chance(20) {
            segment[field] = dice
                .several(0, 2, |dice| json!({"contextKind": kind(dice), "values": dice.several(0, 3, self::key)}))
                .into();
        }
    }
    segment
}

fn segment_rule(dice: &mut Dice) -> Json {
    let mut rule = json!({"id": "rule", "clauses": dice.several(0, 2, clause)});
    if dice.chance(30) {
        rule["weight"] = dice.below(100_001).into();
        if dice.chance(40) {
            rule["bucketBy"] = attribute(dice).into();
        }
        if dice.chance(30) {
            rule["rolloutContextKind"] = kind(dice).into();
        }
    }
    rule
}

/// Any value, lists and objects among them.
fn any(dice: &mut Dice) -> Json {
    match dice.below(12) {
        0 => dice.several(0, 3, Dice::scalar).into(),
        1 => json!({"street": dice.word(), "zip": dice.number()}),
        _ => dice.scalar(),
    }
}

/// A context of one kind, of the user's old form, or of several kinds.
pub(super) fn context(dice: &mut Dice) -> Json {
    match dice.below(6) {
        0 => {
            let mut context = json!({"kind": "multi"});
            for kind in ["user", "org", "device"] {
                if dice.chance(60) {
                    context[kind] = single(dice).into();
                }
            }
            context
        }
        1 => {
            let mut context = single(dice);
            context.insert("kind".to_owned(), dice.pick(&["org", "device"]).into());
            context.into()
        }
        2 => {
            let mut custom = single(dice);
            let mut context = Map::new();
            for field in ["key", "name", "anonymous", "email", "country"] {
                // Of the old form's own fields these are texts, and the last is not.
                let value = custom
                    .remove(field)
                    .filter(|it| it.is_string() != (field == "anonymous"));
                context.extend(value.map(|value| (field.to_owned(), value)));
            }
            context.insert("custom".to_owned(), custom.into());
            context.into()
        }
        _ => {
            let mut context = single(dice);
            context.insert("kind".to_owned(), "user".into());
            context.into()
        }
    }
}

fn single(dice: &mut Dice) -> Map<String, Json> {
    let mut context = Map::new();
    context.insert("key".to_owned(), key(dice).into());
    if dice.chance(30) {
        context.insert("name".to_owned(), dice.word().into());
    }
    if dice.chance(20) {
        context.insert("anonymous".to_owned(), dice.chance(50).into());
    }
    for name in [
        "plan", "country", "email", "version", "age", "since", "groups", "address", "a/b",
    ] {
        if !dice.chance(60) {
            continue;
        }
        let value: Json = match (name, dice.below(6)) {
            (_, 0) => any(dice),
            ("version", _) => dice.version_text().into(),
            ("age", _) => dice.number(),
            ("since", 1) => dice.number(),
            ("since", _) => dice.time_text().into(),
            ("groups", _) => dice.several(0, 3, any).into(),
            ("address", _) => json!({"street": dice.word(), "zip": dice.scalar()}),
            _ => dice.any_text().into(),
        };
        context.insert(name.to_owned(), value);
    }
    context
}
