//! Random features and contexts in Unleash's form.

use crate::random::Dice;
use serde_json::{Map, Value as Json, json};

/// A file: two parents, three features that may depend on them, and segments.
pub(super) fn definition(dice: &mut Dice) -> Json {
    let mut features = Vec::new();
    for name in ["parent-a", "parent-b"] {
        features.push(feature(dice, name));
    }
    for name in ["child", "plain", "grandchild"] {
        let mut feature = feature(dice, name);
        if name != "plain" && dice.chance(80) {
            feature["dependencies"] = dice.several(1, 2, |dice| dependency(dice, name)).into();
        }
        features.push(feature);
    }
    let segments: Vec<Json> = (1..=3)
        .map(|id| json!({"id": id, "constraints": dice.several(0, 2, constraint)}))
        .collect();
    json!({"version": 2, "features": features, "segments": segments})
}

fn dependency(dice: &mut Dice, of: &str) -> Json {
    let parent = match (of, dice.below(10)) {
        ("grandchild", 0..=1) => "child",
        (_, 2) => "missing",
        (_, at) if at % 2 == 0 => "parent-a",
        _ => "parent-b",
    };
    let mut dependency = json!({"feature": parent});
    if dice.chance(60) {
        dependency["enabled"] = dice.chance(70).into();
    }
    if dice.chance(40) {
        dependency["variants"] = dice
            .several(0, 2, |dice| {
                dice.pick(&["red", "blue", "green", "disabled"]).to_owned()
            })
            .into();
    }
    dependency
}

fn feature(dice: &mut Dice, name: &str) -> Json {
    let mut feature = json!({"name": name, "enabled": dice.chance(90)});
    if dice.chance(95) {
        feature["strategies"] = dice.several(0, 3, strategy).into();
    }
    if dice.chance(50) {
        let stickiness = dice.chance(50).then(|| stickiness(dice));
        let variant = |dice: &mut Dice| {
            let mut variant = variant(dice);
            if let Some(stickiness) = stickiness {
                variant["stickiness"] = stickiness.into();
            }
            if dice.chance(20) {
                variant["overrides"] = json!([{
                    "contextName": field(dice),
                    "values": dice.several(0, 3, Dice::any_text),
                }]);
            }
            variant
        };
        feature["variants"] = dice.several(0, 3, variant).into();
    }
    feature
}

fn variant(dice: &mut Dice) -> Json {
    let weight = match dice.below(10) {
        0 => 0,
        1 => 1,
        2 => 333,
        3 => 1000,
        _ => dice.below(1000),
    };
    let name = dice.pick(&["red", "blue", "green"]);
    let mut variant = json!({"name": name, "weight": weight});
    if dice.chance(40) {
        let kind = dice.pick(&["string", "json", "csv", "number"]);
        let value = dice.pick(&[
            "",
            "{}",
            "{\"a\": [1, 2]}",
            "1",
            "1.50",
            " 7 ",
            "a,b",
            "{broken",
            "null",
        ]);
        variant["payload"] = json!({"type": kind, "value": value});
    }
    variant
}

fn stickiness(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "default",
        "userId",
        "sessionId",
        "plan",
        "random",
        "environment",
        "appName",
        "remoteAddress",
    ])
}

fn strategy(dice: &mut Dice) -> Json {
    let name = dice.pick(&[
        "default",
        "default",
        "flexibleRollout",
        "flexibleRollout",
        "flexibleRollout",
        "userWithId",
        "remoteAddress",
        "gradualRolloutUserId",
        "gradualRolloutSessionId",
        "gradualRolloutRandom",
        "custom",
    ]);
    let mut parameters = Map::new();
    let mut set = |name: &str, value: String| parameters.insert(name.to_owned(), value.into());
    let group = ["a", "group", "Ünïcode", "a b"];
    match name {
        "userWithId" => {
            let ids = dice.several(0, 3, Dice::any_text).join(", ");
            set("userIds", ids);
        }
        "remoteAddress" => {
            set("IPs", dice.several(0, 3, Dice::address).join(", "));
        }
        "flexibleRollout" => {
            let stickiness = stickiness(dice);
            // What draws lots is all or nothing, so that there is something to compare.
            let percentage = match stickiness {
                "random" => dice.pick(&["0", "100"]).to_owned(),
                _ => percentage(dice),
            };
            set("rollout", percentage);
            if dice.chance(80) {
                set("stickiness", stickiness.to_owned());
            }
            if dice.chance(60) {
                set("groupId", dice.pick(&group).to_owned());
            }
        }
        "gradualRolloutRandom" => {
            set("percentage", dice.pick(&["0", "100"]).to_owned());
        }
        "gradualRolloutUserId" | "gradualRolloutSessionId" => {
            set("percentage", percentage(dice));
            if dice.chance(90) {
                set("groupId", dice.pick(&group).to_owned());
            }
        }
        _ => {}
    }
    let mut strategy = json!({"name": name, "parameters": parameters});
    if dice.chance(60) {
        strategy["constraints"] = dice.several(0, 2, constraint).into();
    }
    if dice.chance(15) {
        // The last of these is no segment.
        strategy["segments"] = dice
            .several(0, 2, |dice| 1 + dice.below(100) * 3 / 97)
            .into();
    }
    if dice.chance(20) {
        strategy["variants"] = dice.several(0, 3, variant).into();
    }
    strategy
}

fn percentage(dice: &mut Dice) -> String {
    match dice.below(40) {
        0 => dice
            .pick(&["", "50 ", "050", "101", "-1", "12.5", "half", "+5"])
            .to_owned(),
        1..=4 => "100".to_owned(),
        5..=6 => "0".to_owned(),
        _ => dice.below(101).to_string(),
    }
}

fn field(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "userId",
        "sessionId",
        "environment",
        "appName",
        "currentTime",
        "remoteAddress",
        "plan",
        "country",
        "email",
        "version",
        "age",
    ])
}

fn constraint(dice: &mut Dice) -> Json {
    let operator = dice.pick(&[
        "IN",
        "NOT_IN",
        "STR_STARTS_WITH",
        "STR_ENDS_WITH",
        "STR_CONTAINS",
        "NUM_EQ",
        "NUM_GT",
        "NUM_GTE",
        "NUM_LT",
        "NUM_LTE",
        "DATE_AFTER",
        "DATE_BEFORE",
        "SEMVER_EQ",
        "SEMVER_GT",
        "SEMVER_GTE",
        "SEMVER_LT",
        "SEMVER_LTE",
        "REGEX",
        "IN_CIDR",
    ]);
    let mut constraint = json!({"contextName": field(dice), "operator": operator});
    if dice.chance(25) {
        constraint["inverted"] = true.into();
    }
    if dice.chance(25) {
        constraint["caseInsensitive"] = true.into();
    }
    let value = match operator.split('_').next() {
        Some("NUM") => dice.number_text(),
        Some("DATE") => dice.time_text(),
        Some("SEMVER") => dice.version_text(),
        Some("REGEX") => dice.pattern(),
        _ => {
            let text = if operator == "IN_CIDR" {
                Dice::address
            } else {
                Dice::any_text
            };
            constraint["values"] = dice.several(0, 4, text).into();
            return constraint;
        }
    };
    constraint["value"] = value.into();
    constraint
}

/// A context, with nothing in it that is not a text.
pub(super) fn context(dice: &mut Dice) -> Json {
    let mut context = Map::new();
    let mut set = |name: &str, value: String| context.insert(name.to_owned(), value.into());
    if dice.chance(85) {
        let id = if dice.chance(80) {
            format!("user-{}", dice.below(1000))
        } else {
            dice.any_text()
        };
        set("userId", id);
    }
    if dice.chance(60) {
        set("sessionId", dice.below(1000).to_string());
    }
    for name in ["environment", "appName"] {
        if dice.chance(50) {
            set(name, dice.word());
        }
    }
    if dice.chance(30) {
        set("currentTime", dice.time_text());
    }
    if dice.chance(60) {
        set("remoteAddress", dice.address());
    }
    let mut properties = Map::new();
    for name in ["plan", "country", "email", "version", "age"] {
        if dice.chance(70) {
            let value = match name {
                "version" => dice.version_text(),
                "age" => dice.number_text(),
                _ => dice.any_text(),
            };
            properties.insert(name.to_owned(), value.into());
        }
    }
    if dice.chance(95) {
        context.insert("properties".to_owned(), properties.into());
    }
    context.into()
}
