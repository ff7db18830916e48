//! JsonLogic, which flagd's targeting is written in, with datalogic-rs.
//!
//! Our engine gives variants, not values. So the peer is asked first, and ours whether the rule is
//! strictly equal to what the peer said; lists are compared by their elements' texts.

mod explain;
mod generate;

use super::{Pair, Tally, caught, now};
use crate::engines;
use crate::random::Dice;
use datalogic_rs::{Engine, EvaluationConfig};
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
    let both = Both::new();
    let theirs: Vec<Theirs> = contexts
        .iter()
        .map(|context| both.theirs(&rule, context))
        .collect();
    let flags: Map<String, Json> = theirs
        .iter()
        .enumerate()
        .map(|(at, theirs)| (at.to_string(), flag(&rule, theirs)))
        .collect();
    let set = engines::ours(&json!({"flags": flags}).to_string(), Dialect::Flagd);
    for (at, (fields, theirs)) in contexts.iter().zip(&theirs).enumerate() {
        let key = at.to_string();
        let context = Context::anonymous().with(fields).at(now());
        if matches!(theirs, Theirs::Value(value) if has_objects(value)) {
            tally.leave_out("the value has an object in it, which is no constant in a rule");
            continue;
        }
        if set.evaluate(&key, &context).variant == Some("same") {
            tally.same();
            continue;
        }
        let blamed = both.blame(&rule, fields);
        let told = match theirs {
            Theirs::Value(value) => value.to_string(),
            Theirs::Error(why) => format!("an error: {why}"),
            Theirs::Panic => "a panic".to_owned(),
        };
        // The last two values that met are the rule's and the peer's.
        let explanation = set.explain(&key, &context).to_string();
        let met = explanation.lines().rfind(|line| line.contains("compared"));
        let pair = Pair {
            definition: &json!({"rule": rule, "blamed": blamed}),
            context: &Json::from(fields.clone()),
            ours: met.unwrap_or(&explanation).trim(),
            theirs: &told,
        };
        let reason = explain::reason(blamed, fields, theirs, &both);
        tally.differs(&pair, reason, &explain::class(blamed));
    }
}

/// Both engines, to ask them for parts of a rule.
pub(super) struct Both(Engine);

impl Both {
    fn new() -> Self {
        let config = EvaluationConfig::default().with_loose_equality_errors(false);
        Self(Engine::builder().with_config(config).build())
    }

    /// What the peer makes of a rule.
    pub(super) fn theirs(&self, rule: &Json, context: &Map<String, Json>) -> Theirs {
        let data = Json::from(context.clone()).to_string();
        let evaluated = caught(|| {
            let result = self
                .0
                .eval_str(&rule.to_string(), &data)
                .map_err(|why| why.to_string())?;
            serde_json::from_str(&result).map_err(|why| format!("{result}: {why}"))
        });
        match evaluated {
            Some(Ok(value)) => Theirs::Value(value),
            Some(Err(why)) => Theirs::Error(why),
            None => Theirs::Panic,
        }
    }

    fn agree(&self, rule: &Json, context: &Map<String, Json>) -> bool {
        let theirs = self.theirs(rule, context);
        let definition = json!({"flags": {"f": flag(rule, &theirs)}}).to_string();
        let set = engines::ours(&definition, Dialect::Flagd);
        let context = Context::anonymous().with(context).at(now());
        set.evaluate("f", &context).variant == Some("same")
    }

    /// The innermost part of a rule on which they differ while they agree on all within it.
    fn blame<'r>(&self, rule: &'r Json, context: &Map<String, Json>) -> &'r Json {
        let parts = explain::parts(rule);
        let differing = parts.into_iter().find(|part| !self.agree(part, context));
        differing.map_or(rule, |part| self.blame(part, context))
    }
}

fn has_objects(value: &Json) -> bool {
    match value {
        Json::Object(_) => true,
        Json::Array(items) => items.iter().any(has_objects),
        _ => false,
    }
}

/// A flag that serves `same` if the rule's value is the peer's.
fn flag(rule: &Json, theirs: &Theirs) -> Json {
    let equal = match theirs {
        // An object is no constant in a rule: all that can be told is that it is no false.
        Theirs::Value(value) if has_objects(value) => json!({"!!": [rule]}),
        Theirs::Value(Json::Array(items)) if items.is_empty() => {
            json!({"and": [{"!": [rule]}, {"!": [{"in": [rule, [null, false, 0, ""]]}]}]})
        }
        Theirs::Value(value @ Json::Array(_)) => json!({"===": [joined(rule), joined(value)]}),
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
