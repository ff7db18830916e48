//! LaunchDarkly's flags and segments, with the evaluation of its SDK for Rust.

mod explain;
mod generate;

use super::{Pair, Tally, caught, now};
use crate::engines::{self, LaunchDarklyStore};
use crate::random::Dice;
use explain::Seen;
use launchdarkly_server_sdk_evaluation as ld;
use nonevent_flags::{Context, Dialect, ErrorCode, FlagSet, Reason, Value};
use serde_json::{Map, Value as Json};

/// What a flag gives: the variation's number and value, neither, or an error.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Served(String, Json, Why),
    Default(Why),
    Error,
}

/// Why, as far as both say it alike.
#[derive(Debug, PartialEq)]
pub(super) enum Why {
    /// The flag is off, or a prerequisite is not met.
    Off,
    /// Anything else.
    On,
}

/// Several flags, several contexts.
pub(super) fn round(dice: &mut Dice, tally: &mut Tally) {
    let definition = generate::definition(dice);
    let text = definition.to_string();
    let store: LaunchDarklyStore = match serde_json::from_str(&text) {
        Ok(store) => store,
        Err(_) => {
            tally.leave_out("the peer does not read the file");
            return;
        }
    };
    let set = engines::ours(&text, Dialect::LaunchDarkly);
    for _ in 0..8 {
        let context = generate::context(dice);
        let Ok(their_context) = serde_json::from_value::<ld::Context>(context.clone()) else {
            tally.leave_out("the peer does not read the context");
            continue;
        };
        for flag in generate::FLAGS {
            let ours = ours(&set, flag, &context);
            let theirs = caught(|| theirs(&store, flag, &their_context));
            if theirs.as_ref() == Some(&ours) {
                tally.same();
                continue;
            }
            let seen = Seen {
                definition: &definition,
                flag,
                context: &context,
            };
            let told = theirs
                .as_ref()
                .map_or_else(|| "a panic".to_owned(), |it| format!("{it:?}"));
            let pair = Pair {
                definition: &seen.told(),
                context: &context,
                ours: &format!("{ours:?}"),
                theirs: &told,
            };
            tally.differs(&pair, seen.reason(&ours, theirs.as_ref()), &seen.class());
        }
    }
}

fn ours(set: &FlagSet, flag: &str, context: &Json) -> Answer {
    let none = Map::new();
    let fields = context.as_object().unwrap_or(&none);
    let context = Context::anonymous().with(fields).at(now());
    let found = set.evaluate(flag, &context);
    let why = match found.reason {
        Reason::Disabled => Why::Off,
        _ => Why::On,
    };
    match (found.value, found.variant, found.error_code) {
        (_, _, Some(ErrorCode::ParseError)) => Answer::Error,
        (Some(value), Some(variant), _) => Answer::Served(variant.to_owned(), plain(value), why),
        // That a prerequisite was not met is not told apart where there is no off variation.
        _ => Answer::Default(Why::Off),
    }
}

fn theirs(store: &LaunchDarklyStore, flag: &str, context: &ld::Context) -> Answer {
    let Some(flag) = store.flags.get(flag) else {
        return Answer::Error;
    };
    let found = ld::evaluate(store, flag, context, None);
    let why = match found.reason {
        ld::Reason::Error { .. } => return Answer::Error,
        ld::Reason::Off | ld::Reason::PrerequisiteFailed { .. } => Why::Off,
        _ => Why::On,
    };
    match (found.value, found.variation_index) {
        (Some(value), Some(index)) => {
            let value = serde_json::to_value(value).unwrap_or_default();
            Answer::Served(index.to_string(), plain(&value), why)
        }
        _ => Answer::Default(why),
    }
}

/// With `1.0` written as `1`, which are the same number.
fn plain(value: &Json) -> Json {
    Value::from(value).to_json()
}
