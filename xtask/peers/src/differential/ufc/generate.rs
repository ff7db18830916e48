//! Random flags and contexts in UFC.

use crate::random::Dice;
use serde_json::{Map, Value as Json, json};

/// The flags that every file has.
pub(super) const FLAGS: [&str; 3] = ["one", "two", "three"];

pub(super) fn definition(dice: &mut Dice) -> Json {
    let flags: Map<String, Json> = FLAGS
        .iter()
        .map(|key| ((*key).to_owned(), flag(dice, key)))
        .collect();
    json!({
        "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER",
        "environment": {"name": "test"}, "flags": flags,
    })
}

fn flag(dice: &mut Dice, key: &str) -> Json {
    let kind = dice.pick(&["STRING", "INTEGER", "NUMERIC", "BOOLEAN", "JSON"]);
    let variations: Map<String, Json> = ["a", "b", "c"]
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!({"key": name, "value": value(dice, kind)}),
            )
        })
        .collect();
    let total = match dice.below(4) {
        0 => 100,
        1 => dice.below(1000) + 1,
        _ => 10_000,
    };
    json!({
        "key": key, "enabled": dice.chance(95), "variationType": kind, "variations": variations,
        "totalShards": total, "allocations": dice.several(0, 3, |dice| allocation(dice, total)),
    })
}

fn value(dice: &mut Dice, kind: &str) -> Json {
    match kind {
        "STRING" => dice.any_text().into(),
        "INTEGER" => match dice.below(4) {
            0 => json!(-7),
            1 => json!(3.0),
            _ => json!(dice.below(100)),
        },
        "NUMERIC" => dice.number(),
        "BOOLEAN" => dice.chance(50).into(),
        _ => dice
            .pick(&[
                "{}",
                "{\"a\": [1, 2.5, null]}",
                "[]",
                "\"text\"",
                "7",
                "null",
            ])
            .into(),
    }
}

fn allocation(dice: &mut Dice, total: usize) -> Json {
    let mut allocation = json!({
        "key": dice.word(), "doLog": dice.chance(50),
        "splits": dice.several(0, 3, |dice| split(dice, total)),
    });
    if dice.chance(70) {
        allocation["rules"] = dice
            .several(
                0,
                2,
                |dice| json!({"conditions": dice.several(0, 3, condition)}),
            )
            .into();
    }
    for field in ["startAt", "endAt"] {
        if dice.chance(15) {
            allocation[field] = dice
                .pick(&[
                    "2020-01-01T00:00:00Z",
                    "2020-01-01T00:00:00.123Z",
                    "2020-01-01T00:00:00+02:00",
                    "2026-01-01T00:00:00Z",
                    "2026-01-01T00:00:00.000Z",
                    "2026-01-01T01:00:00+01:00",
                    "2045-06-30T12:00:00Z",
                ])
                .into();
        }
    }
    allocation
}

fn split(dice: &mut Dice, total: usize) -> Json {
    let shards = dice.several(0, 2, |dice| {
        let ranges = dice.several(0, 2, |dice| {
            let (one, other) = (dice.below(total + 1), dice.below(total + 1));
            match dice.below(4) {
                0 => json!({"start": 0, "end": total}),
                _ => json!({"start": one.min(other), "end": one.max(other)}),
            }
        });
        json!({"salt": dice.pick(&["s", "salt", "", "Ünïcode", "a-b"]), "ranges": ranges})
    });
    json!({"variationKey": dice.pick(&["a", "b", "c"]), "shards": shards})
}

fn attribute(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "plan", "country", "email", "version", "age", "id", "flag", "a.b",
    ])
}

fn condition(dice: &mut Dice) -> Json {
    let operator = dice.pick(&[
        "ONE_OF",
        "NOT_ONE_OF",
        "MATCHES",
        "NOT_MATCHES",
        "GTE",
        "GT",
        "LTE",
        "LT",
        "IS_NULL",
    ]);
    let value: Json = match operator {
        "ONE_OF" | "NOT_ONE_OF" => dice.several(0, 4, Dice::any_text).into(),
        "MATCHES" | "NOT_MATCHES" => dice.pattern().into(),
        "IS_NULL" => dice.chance(50).into(),
        _ => match dice.below(4) {
            0 => dice.number(),
            1 => dice.number_text().into(),
            _ => dice.version_text().into(),
        },
    };
    json!({"attribute": attribute(dice), "operator": operator, "value": value})
}

/// A subject's key and its attributes.
pub(super) fn context(dice: &mut Dice) -> (String, Map<String, Json>) {
    let key = if dice.chance(90) {
        format!("user-{}", dice.below(1000))
    } else {
        dice.any_text()
    };
    let mut attributes = Map::new();
    for name in [
        "plan", "country", "email", "version", "age", "id", "flag", "a.b",
    ] {
        if dice.chance(70) {
            let value = match (name, dice.below(4)) {
                (_, 0) => dice.scalar(),
                ("version", _) => dice.version_text().into(),
                ("age", 1) => dice.number_text().into(),
                ("age", _) => dice.number(),
                ("id", _) => continue,
                _ => dice.any_text().into(),
            };
            attributes.insert(name.to_owned(), value);
        }
    }
    (key, attributes)
}
