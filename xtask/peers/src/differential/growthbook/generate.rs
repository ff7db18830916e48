//! Random features and contexts in GrowthBook's form.

use crate::random::Dice;
use serde_json::{Map, Value as Json, json};

/// The features that every file has.
pub(super) const FEATURES: [&str; 3] = ["one", "two", "three"];

const ATTRIBUTES: &[&str] = &[
    "id",
    "plan",
    "country",
    "email",
    "version",
    "age",
    "tags",
    "user",
    "user.plan",
    "tags.0",
    "tags.length",
    "missing",
];

const GROUPS: &[&str] = &["old", "list", "rule", "loop", "odd", "nobody"];

pub(super) fn definition(dice: &mut Dice) -> Json {
    let features: Map<String, Json> = FEATURES
        .iter()
        .map(|key| ((*key).to_owned(), feature(dice, key)))
        .collect();
    json!({"features": features, "savedGroups": {
        "old": dice.several(0, 4, Dice::scalar),
        "list": {"type": "list", "attributeKey": attribute(dice), "values": dice.several(0, 4, Dice::scalar)},
        "rule": {"type": "condition", "condition": condition(dice, 2)},
        "loop": {"type": "condition", "condition": {"$savedGroup": {"id": dice.pick(&["loop", "rule", "list"])}}},
        "odd": dice.pick(&[&json!({"type": "next"}), &json!({"type": "list"}), &json!(7)]),
    }})
}

fn feature(dice: &mut Dice, key: &str) -> Json {
    let mut at = 0;
    let rules = dice.several(0, 3, |dice| {
        at += 1;
        rule(dice, &format!("{key}-{at}"))
    });
    let mut feature = json!({"rules": rules});
    if dice.chance(90) {
        feature["defaultValue"] = match dice.below(4) {
            0 => Json::Null,
            1 => dice.number(),
            _ => format!("{key}-default").into(),
        };
    }
    feature
}

/// One rule; every value it can give says where it is from.
fn rule(dice: &mut Dice, name: &str) -> Json {
    let mut rule = json!({});
    if dice.chance(60) {
        rule["condition"] = match dice.below(40) {
            0 => dice.scalar(),
            _ => condition(dice, 3),
        };
    }
    if dice.chance(20) {
        rule["parentConditions"] = dice.several(1, 2, parent).into();
    }
    if dice.chance(15) {
        rule["filters"] = dice.several(0, 2, filter).into();
    }
    if dice.chance(70) {
        rule["hashAttribute"] = hashed(dice).into();
    }
    if dice.chance(20) {
        rule["fallbackAttribute"] = hashed(dice).into();
    }
    if dice.chance(20) {
        rule["disableStickyBucketing"] = dice.chance(50).into();
    }
    if dice.chance(50) {
        rule["seed"] = dice.pick(&["", "s", "seed", "Ünïcode"]).into();
    }
    if dice.chance(60) {
        rule["hashVersion"] = json!(dice.pick(&[&1, &1, &2, &2, &2, &0, &3]));
    }
    if dice.chance(50) {
        forces(dice, &mut rule, name);
    } else {
        runs(dice, &mut rule, name);
    }
    rule
}

fn forces(dice: &mut Dice, rule: &mut Json, name: &str) {
    rule["force"] = match dice.below(20) {
        0 => Json::Null,
        1 => dice.scalar(),
        _ => name.into(),
    };
    if dice.chance(40) {
        rule["coverage"] = share(dice);
    }
    if dice.chance(15) {
        rule["range"] = match dice.below(20) {
            0 => json!([0.5]),
            _ => range(dice),
        };
    }
}

fn runs(dice: &mut Dice, rule: &mut Json, name: &str) {
    let count = 1 + dice.below(4);
    let variation = |at: usize| Json::from(format!("{name}/{at}"));
    rule["variations"] = (0..count).map(variation).collect();
    if dice.chance(40) {
        rule["key"] = dice.pick(&["", "one", "two", "run"]).into();
    }
    if dice.chance(40) {
        rule["coverage"] = share(dice);
    }
    if dice.chance(50) {
        let other = dice.below(8) == 0;
        let weights = (0..count + usize::from(other)).map(|_| dice.below(5));
        let weights: Vec<usize> = weights.collect();
        let sum = weights.iter().sum::<usize>().max(1) as f64;
        rule["weights"] = weights.iter().map(|it| json!(*it as f64 / sum)).collect();
    }
    if dice.chance(15) {
        rule["ranges"] = dice.several(0, count + 1, range).into();
    }
    if dice.chance(20) {
        rule["namespace"] = match dice.below(10) {
            0 => json!(["shop", 0.1]),
            _ => {
                let range = range(dice);
                json!(["shop", range[0], range[1]])
            }
        };
    }
    if dice.chance(20) {
        let through = dice.chance(50);
        rule["meta"] = (0..count)
            .map(|at| json!({"key": format!("v{at}"), "passthrough": through && at == 0}))
            .collect();
    }
    for field in ["bucketVersion", "minBucketVersion"] {
        if dice.chance(20) {
            rule[field] = dice.below(3).into();
        }
    }
}

fn hashed(dice: &mut Dice) -> &'static str {
    dice.pick(&["id", "id", "id", "email", "age", "plan", "missing", ""])
}

fn share(dice: &mut Dice) -> Json {
    match dice.below(12) {
        0 => json!(1.5),
        1 => json!(-0.5),
        2 => json!(0),
        3 => json!(1),
        _ => json!(dice.below(1001) as f64 / 1000.0),
    }
}

fn range(dice: &mut Dice) -> Json {
    let (one, other) = (dice.below(101), dice.below(101));
    match dice.below(10) {
        0 => json!([0, 1]),
        1 => json!([one.max(other) as f64 / 100.0, one.min(other) as f64 / 100.0]),
        _ => json!([one.min(other) as f64 / 100.0, one.max(other) as f64 / 100.0]),
    }
}

fn filter(dice: &mut Dice) -> Json {
    let mut filter = json!({"seed": dice.pick(&["", "f"]), "ranges": dice.several(0, 2, range)});
    if dice.chance(50) {
        filter["attribute"] = hashed(dice).into();
    }
    if dice.chance(50) {
        filter["hashVersion"] = json!(dice.pick(&[&1, &2, &2, &0, &3]));
    }
    filter
}

fn parent(dice: &mut Dice) -> Json {
    let mut parent = json!({"id": dice.pick(&["one", "two", "three", "none"])});
    parent["condition"] = match dice.below(4) {
        0 => json!({"value": {"$exists": dice.chance(50)}}),
        1 => json!({"value": {"$ne": null}}),
        2 => condition(dice, 1),
        _ => json!({"value": {"$regex": dice.pick(&["-default$", "-1", "/0$"])}}),
    };
    if dice.chance(50) {
        parent["gate"] = dice.chance(50).into();
    }
    parent
}

fn attribute(dice: &mut Dice) -> &'static str {
    dice.pick(ATTRIBUTES)
}

/// Parts joined by "and", with others in them.
fn condition(dice: &mut Dice, depth: usize) -> Json {
    let mut parts = Map::new();
    for _ in 0..1 + usize::from(dice.chance(20)) {
        let (key, value) = part(dice, depth);
        parts.insert(key.to_owned(), value);
    }
    match dice.below(40) {
        0 => json!({}),
        _ => parts.into(),
    }
}

fn part(dice: &mut Dice, depth: usize) -> (&'static str, Json) {
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        6 | 7 => {
            let joined = dice.pick(&["$or", "$and", "$nor"]);
            let parts = match dice.below(12) {
                0 => dice.scalar(),
                _ => dice.several(0, 3, |dice| condition(dice, depth - 1)).into(),
            };
            (joined, parts)
        }
        8 => match dice.below(12) {
            0 => ("$not", dice.scalar()),
            _ => ("$not", condition(dice, depth - 1)),
        },
        9 => ("$savedGroup", reference(dice)),
        _ => {
            let asked = asked(dice, depth);
            (attribute(dice), asked)
        }
    }
}

fn reference(dice: &mut Dice) -> Json {
    let mut reference = json!({"id": dice.pick(GROUPS)});
    if dice.chance(30) {
        reference["attributeKey"] = attribute(dice).into();
    }
    reference
}

/// What is asked of a value.
fn asked(dice: &mut Dice, depth: usize) -> Json {
    match dice.below(8) {
        0 => dice.scalar(),
        1 => match dice.below(4) {
            0 => dice.several(0, 2, Dice::scalar).into(),
            1 => json!({"plan": dice.scalar()}),
            _ => dice.any_text().into(),
        },
        _ => {
            let mut operators = Map::new();
            for _ in 0..1 + usize::from(dice.chance(15)) {
                let (name, argument) = operator(dice, depth);
                operators.insert(name.to_owned(), argument);
            }
            operators.into()
        }
    }
}

fn operator(dice: &mut Dice, depth: usize) -> (&'static str, Json) {
    let name = dice.pick(&[
        "$eq",
        "$ne",
        "$lt",
        "$lte",
        "$gt",
        "$gte",
        "$in",
        "$nin",
        "$ini",
        "$nini",
        "$exists",
        "$type",
        "$regex",
        "$regexi",
        "$notRegex",
        "$notRegexi",
        "$size",
        "$all",
        "$alli",
        "$elemMatch",
        "$veq",
        "$vne",
        "$vlt",
        "$vlte",
        "$vgt",
        "$vgte",
        "$inGroup",
        "$notInGroup",
        "$not",
        "$next",
        "$or",
    ]);
    let argument = match name {
        "$in" | "$nin" | "$ini" | "$nini" | "$all" | "$alli" if dice.chance(95) => {
            dice.several(0, 4, Dice::scalar).into()
        }
        "$exists" if dice.chance(90) => dice.chance(50).into(),
        "$type" => dice
            .pick(&[
                "null", "boolean", "number", "string", "array", "object", "list",
            ])
            .into(),
        "$regex" | "$regexi" | "$notRegex" | "$notRegexi" if dice.chance(95) => {
            dice.pattern().into()
        }
        "$size" if depth > 0 && dice.chance(50) => asked(dice, depth - 1),
        "$size" => dice.below(4).into(),
        "$elemMatch" | "$not" if depth > 0 => match dice.below(3) {
            0 => condition(dice, depth - 1),
            _ => asked(dice, depth - 1),
        },
        "$inGroup" | "$notInGroup" => dice.pick(GROUPS).into(),
        "$veq" | "$vne" | "$vlt" | "$vlte" | "$vgt" | "$vgte" if dice.chance(85) => {
            dice.version_text().into()
        }
        _ => dice.scalar(),
    };
    (name, argument)
}

/// Attributes, the id among them, and now and then what the caller forces or remembers.
pub(super) fn context(dice: &mut Dice) -> Map<String, Json> {
    let mut all = Map::new();
    if dice.chance(90) {
        let id = match dice.below(12) {
            0 => dice.scalar(),
            _ => format!("user-{}", dice.below(1000)).into(),
        };
        all.insert("id".to_owned(), id);
    }
    for name in ["plan", "country", "email", "version", "age", "tags", "user"] {
        if dice.chance(25) {
            continue;
        }
        let value = match (name, dice.below(8)) {
            (_, 0) => dice.scalar(),
            ("version", _) => dice.version_text().into(),
            ("age", _) => dice.number(),
            ("tags", _) => dice.several(0, 3, Dice::scalar).into(),
            ("user", 1) => dice
                .several(0, 2, |dice| json!({"plan": dice.word()}))
                .into(),
            ("user", _) => json!({"plan": dice.scalar()}),
            _ => dice.any_text().into(),
        };
        all.insert(name.to_owned(), value);
    }
    let mut settings = Map::new();
    if dice.chance(10) {
        let forced = json!({dice.pick(&["one", "two", "run"]): dice.below(4)});
        settings.insert("forcedVariations".to_owned(), forced);
    }
    if dice.chance(20) {
        let id = all.get("id").and_then(Json::as_str).unwrap_or("none");
        let key = format!("{}||{id}", dice.pick(&["id", "id", "email"]));
        let assigned = format!("{}__{}", dice.pick(&["one", "two", "run"]), dice.below(3));
        let variation = dice.pick(&["0", "1", "v0", "v1", "7"]);
        let documents = json!({key: {"assignments": {assigned: variation}}});
        settings.insert("stickyBuckets".to_owned(), documents);
    }
    if !settings.is_empty() {
        all.insert("__gb".to_owned(), settings.into());
    }
    all
}
