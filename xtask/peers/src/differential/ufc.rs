//! Eppo's and Datadog's Universal Flag Configuration, with Eppo's core.

mod generate;

use super::{NOW_MS, Pair, Tally, caught, now};
use crate::engines;
use crate::random::Dice;
use eppo_core::ufc::AssignmentValue;
use eppo_core::{AttributeValue, Attributes, Configuration, Str};
use nonevent_flags::{Dialect, ErrorCode, FlagSet, Value};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// What a flag gives: a value, the caller's default, or an error.
#[derive(Debug, PartialEq)]
enum Answer {
    Value(Json),
    Default,
    Error,
}

/// Several flags, several contexts.
pub(super) fn round(dice: &mut Dice, tally: &mut Tally) {
    let definition = generate::definition(dice);
    let text = definition.to_string();
    let Some(configuration) = engines::eppo(&text) else {
        tally.leave_out("the peer does not read the file");
        return;
    };
    let set = engines::ours(&text, Dialect::Ufc);
    for _ in 0..8 {
        let (key, attributes) = generate::context(dice);
        let theirs_context = (
            Str::from(key.as_str()),
            Arc::new(attributes_of(&attributes)),
        );
        for flag in generate::FLAGS {
            let ours = ours(&set, flag, &key, &attributes);
            let theirs = caught(|| theirs(&configuration, flag, &theirs_context));
            if theirs.as_ref() == Some(&ours) {
                tally.same();
                continue;
            }
            let definition = &definition["flags"][flag];
            let context = Json::from(vec![Json::from(key.as_str()), attributes.clone().into()]);
            let theirs = theirs.map_or_else(|| "a panic".to_owned(), |it| format!("{it:?}"));
            let pair = Pair {
                definition,
                context: &context,
                ours: &format!("{ours:?}"),
                theirs: &theirs,
            };
            tally.differs(
                &pair,
                reason(definition, &attributes, &ours),
                &class(definition),
            );
        }
    }
}

fn ours(set: &FlagSet, flag: &str, key: &str, attributes: &Map<String, Json>) -> Answer {
    let context = nonevent_flags::Context::new(key).with(attributes).at(now());
    let found = set.evaluate(flag, &context);
    match (found.value, found.error_code) {
        (_, Some(ErrorCode::ParseError)) => Answer::Error,
        (Some(value), _) => Answer::Value(Value::from(value).to_json()),
        (None, _) => Answer::Default,
    }
}

fn theirs(from: &Configuration, flag: &str, of: &(Str, Arc<Attributes>)) -> Answer {
    let now = engines::chrono_time(NOW_MS);
    match eppo_core::eval::get_assignment(Some(from), flag, &of.0, &of.1, None, now) {
        Err(_) => Answer::Error,
        Ok(None) => Answer::Default,
        Ok(Some(assignment)) => Answer::Value(match &assignment.value {
            AssignmentValue::String(text) => Json::from(text.as_str()),
            AssignmentValue::Integer(number) => Json::from(*number),
            AssignmentValue::Numeric(number) => Value::from(&Json::from(*number)).to_json(),
            AssignmentValue::Boolean(value) => Json::from(*value),
            AssignmentValue::Json { parsed, .. } => Value::from(&**parsed).to_json(),
        }),
    }
}

fn attributes_of(attributes: &Map<String, Json>) -> Attributes {
    let value = |value: &Json| match value {
        Json::String(text) => AttributeValue::categorical(text.as_str()),
        Json::Bool(value) => AttributeValue::categorical(*value),
        Json::Number(number) => AttributeValue::from(number.as_f64().unwrap_or_default()),
        _ => AttributeValue::null(),
    };
    let all = attributes.iter();
    all.map(|(name, it)| (Str::from(name.as_str()), value(it)))
        .collect()
}

/// What explains a difference.
fn reason(flag: &Json, attributes: &Map<String, Json>, ours: &Answer) -> Option<&'static str> {
    let conditions: Vec<&Json> = items(&flag["allocations"])
        .flat_map(|allocation| items(&allocation["rules"]))
        .flat_map(|rule| items(&rule["conditions"]))
        .collect();
    let failed = *ours == Answer::Error;
    if failed && conditions.iter().any(|it| unreadable(it)) {
        return Some("the peer calls a condition false that it cannot read, and goes on");
    }
    let compares =
        |it: &&&Json| matches!(it["operator"].as_str(), Some("GTE" | "GT" | "LTE" | "LT"));
    let mut compared = conditions.iter().filter(compares);
    let word = |value: &Json| value.as_str().is_some_and(wordy);
    if compared.any(|it| {
        let attribute = it["attribute"]
            .as_str()
            .and_then(|name| attributes.get(name));
        failed && word(&it["value"]) || attribute.is_some_and(word)
    }) {
        return Some("the peer takes words such as inf and NaN for numbers");
    }
    let minus_zero = |value: &Json| {
        value
            .as_f64()
            .is_some_and(|it| it == 0.0 && it.is_sign_negative())
    };
    if attributes.values().any(minus_zero) {
        return Some("the peer writes the number -0 as -0, not as 0");
    }
    let mut numbers = Vec::new();
    whole_numbers(flag, &mut numbers);
    attributes
        .values()
        .for_each(|value| whole_numbers(value, &mut numbers));
    if numbers.iter().any(|number| number.unsigned_abs() > 1 << 53) {
        return Some("the peer holds whole numbers beyond 2^53 in doubles");
    }
    None
}

/// Whether this is a word that Rust reads as a number.
fn wordy(text: &str) -> bool {
    let letters = text
        .trim_start_matches(['+', '-'])
        .starts_with(|c: char| c.is_alphabetic());
    letters && text.parse::<f64>().is_ok()
}

/// Whether the peer cannot read this condition's value.
fn unreadable(condition: &Json) -> bool {
    let Some(text) = condition["value"].as_str() else {
        return false;
    };
    match condition["operator"].as_str() {
        Some("MATCHES" | "NOT_MATCHES") => regex::Regex::new(text).is_err(),
        _ => semver::Version::parse(text).is_err() && text.parse::<f64>().is_err(),
    }
}

/// What is in the flag, for differences that nothing explains.
fn class(flag: &Json) -> String {
    let mut words = vec![
        flag["variationType"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    ];
    for allocation in items(&flag["allocations"]) {
        for rule in items(&allocation["rules"]) {
            for condition in items(&rule["conditions"]) {
                words.push(
                    condition["operator"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
        }
        if !(allocation["startAt"].is_null() && allocation["endAt"].is_null()) {
            words.push("dated".to_owned());
        }
    }
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

fn items(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

fn whole_numbers(value: &Json, into: &mut Vec<i64>) {
    match value {
        Json::Number(number) => into.extend(number.as_i64()),
        Json::Array(items) => items.iter().for_each(|item| whole_numbers(item, into)),
        Json::Object(members) => members.values().for_each(|it| whole_numbers(it, into)),
        _ => {}
    }
}
