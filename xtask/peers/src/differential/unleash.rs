//! Unleash's features, with Yggdrasil.

mod explain;
mod generate;

use super::{Pair, Tally, caught, now};
use crate::engines;
use crate::random::Dice;
use explain::Seen;
use nonevent_flags::{Dialect, FlagSet};
use serde_json::{Map, Value as Json, json};
use unleash_yggdrasil::{Context, EngineState};

/// What a feature is for a context.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) enabled: bool,
    pub(super) variant: Option<String>,
    pub(super) payload: Option<Json>,
}

/// Several features, several contexts.
pub(super) fn round(dice: &mut Dice, tally: &mut Tally) {
    let definition = generate::definition(dice);
    let text = definition.to_string();
    let Some((engine, warnings)) = engines::yggdrasil(&text) else {
        tally.leave_out("the peer does not read the file");
        return;
    };
    let set = engines::ours(&text, Dialect::Unleash);
    let refused: Vec<&str> = warnings.iter().map(|it| it.toggle_name.as_str()).collect();
    for _ in 0..6 {
        let context = generate::context(dice);
        for feature in definition["features"].as_array().into_iter().flatten() {
            let name = feature["name"].as_str().unwrap_or_default();
            let seen = Seen {
                definition: &definition,
                feature,
                context: &context,
                refused: &refused,
            };
            if seen.draws_lots() {
                tally.leave_out("the peer draws lots");
                continue;
            }
            compare(&engine, &set, name, &seen, tally);
        }
    }
}

fn compare(engine: &EngineState, set: &FlagSet, name: &str, seen: &Seen<'_>, tally: &mut Tally) {
    let theirs = caught(|| theirs(engine, name, seen.context));
    let ours = ours(set, name, seen.context);
    if theirs.as_ref() == Some(&ours) {
        tally.same();
        return;
    }
    let told = theirs
        .as_ref()
        .map_or_else(|| "a panic".to_owned(), |it| format!("{it:?}"));
    let reason = seen.reason(&ours, theirs.as_ref());
    let class = seen.class();
    let pair = Pair {
        definition: &seen.told(),
        context: seen.context,
        ours: &format!("{ours:?}"),
        theirs: &told,
    };
    tally.differs(&pair, reason, &class);
}

fn ours(set: &FlagSet, name: &str, context: &Json) -> Answer {
    let none = Map::new();
    let fields = context.as_object().unwrap_or(&none);
    let context = nonevent_flags::Context::anonymous().with(fields).at(now());
    let found = set.evaluate(name, &context);
    let variant = found.variant.filter(|name| !matches!(*name, "on" | "off"));
    Answer {
        enabled: set.bool(name, false, &context).value,
        variant: variant.map(str::to_owned),
        payload: variant.and(found.value).cloned(),
    }
}

/// With the payload read as its type says, and true without one.
fn theirs(engine: &EngineState, name: &str, context: &Json) -> Answer {
    let context: Context = context_of(context);
    let enabled = engine.is_enabled(name, &context, &None);
    let variant = engine.get_variant(name, &context, &None);
    let payload = variant.enabled.then(|| match &variant.payload {
        None => json!(true),
        Some(payload) => {
            let read: Option<Json> = match payload.payload_type.as_str() {
                "json" => serde_json::from_str(&payload.value).ok(),
                "number" => serde_json::from_str::<serde_json::Number>(payload.value.trim())
                    .ok()
                    .map(Json::Number),
                _ => None,
            };
            read.unwrap_or_else(|| payload.value.as_str().into())
        }
    });
    Answer {
        enabled,
        variant: variant.enabled.then_some(variant.name),
        payload,
    }
}

fn context_of(context: &Json) -> Context {
    let field = |name: &str| context[name].as_str().map(str::to_owned);
    let properties = context["properties"].as_object().map(|all| {
        let text = |(name, value): (&String, &Json)| {
            (name.clone(), value.as_str().unwrap_or_default().to_owned())
        };
        all.iter().map(text).collect()
    });
    Context {
        user_id: field("userId"),
        session_id: field("sessionId"),
        environment: field("environment"),
        app_name: field("appName"),
        current_time: field("currentTime"),
        remote_address: field("remoteAddress"),
        properties,
    }
}
