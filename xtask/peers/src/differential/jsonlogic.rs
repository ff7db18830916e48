//! JsonLogic, which flagd's targeting is written in, with datalogic-rs.
//!
//! Our engine gives variants, not values. So the peer is asked first, and ours whether the rule is
//! strictly equal to what the peer said; lists are compared by their elements' texts.

mod explain;
mod generate;

use super::{Pair, Tally, caught, now};
use crate::engines;
use crate::random::Dice;
use datalogic_rs::{Engine, EvaluationConfig, Session};
use nonevent_flags::{Context, Dialect};
use serde_json::{Map, Value as Json, json};

/// What the peer makes of a rule.
#[derive(Clone)]
pub(super) enum Theirs {
    Value(Json),
    Error(String),
    Panic,
}

/// One rule, several contexts.
pub(super) fn round(dice: &mut Dice, tally: &mut Tally) {
    let rule = generate::rule(dice);
    let contexts: Vec<Map<String, Json>> = (0..6).map(|_| generate::context(dice)).collect();
    let config = EvaluationConfig::default().with_loose_equality_errors(false);
    let engine = Engine::builder().with_config(config).build();
    let mut session = engine.session();
    let theirs: Vec<Theirs> = contexts
        .iter()
        .map(|context| theirs(&engine, &mut session, &rule, context))
        .collect();
    let flags: Map<String, Json> = theirs
        .iter()
        .enumerate()
        .map(|(at, theirs)| (at.to_string(), flag(&rule, theirs)))
        .collect();
    let set = engines::ours(&json!({"flags": flags}).to_string(), Dialect::Flagd);
    for (at, (context, theirs)) in contexts.iter().zip(&theirs).enumerate() {
        let key = at.to_string();
        let ours = Context::anonymous().with(context).at(now());
        let found = set.evaluate(&key, &ours);
        if found.variant == Some("same") {
            tally.same();
            continue;
        }
        let told = match theirs {
            Theirs::Value(value) => value.to_string(),
            Theirs::Error(why) => format!("an error: {why}"),
            Theirs::Panic => "a panic".to_owned(),
        };
        let explanation = set.explain(&key, &ours).to_string();
        let fields = Json::from(context.clone());
        let pair = Pair {
            definition: &rule,
            context: &fields,
            ours: &explanation,
            theirs: &told,
        };
        tally.differs(
            &pair,
            explain::reason(&rule, context, theirs),
            &explain::class(&rule),
        );
    }
}

fn theirs(
    engine: &Engine,
    session: &mut Session<'_>,
    rule: &Json,
    context: &Map<String, Json>,
) -> Theirs {
    let evaluated = caught(|| {
        let compiled = engine
            .compile(&rule.to_string())
            .map_err(|why| why.to_string())?;
        let data = Json::from(context.clone()).to_string();
        let result = session
            .eval_str(&compiled, &data)
            .map_err(|why| why.to_string())?;
        serde_json::from_str(&result).map_err(|why| format!("{result}: {why}"))
    });
    session.reset();
    match evaluated {
        Some(Ok(value)) => Theirs::Value(value),
        Some(Err(why)) => Theirs::Error(why),
        None => Theirs::Panic,
    }
}

/// A flag that serves `same` if the rule's value is the peer's.
fn flag(rule: &Json, theirs: &Theirs) -> Json {
    let equal = match theirs {
        Theirs::Value(value @ Json::Array(_)) => json!({"===": [joined(rule), joined(value)]}),
        Theirs::Value(value @ Json::Object(_)) => json!({"===": [{"cat": rule}, {"cat": [value]}]}),
        Theirs::Value(value) => json!({"===": [rule, value]}),
        // Only so that the rule is evaluated, and explained.
        Theirs::Error(_) | Theirs::Panic => json!({"===": [rule, "an error"]}),
    };
    json!({
        "state": "ENABLED", "variants": {"same": 1, "differs": 0}, "defaultVariant": "differs",
        "targeting": {"if": [equal, "same", "differs"]},
    })
}

fn joined(list: &Json) -> Json {
    json!({"reduce": [list, {"cat": [{"var": "accumulator"}, "|", {"var": "current"}]}, "list"]})
}
