//! JSON: structure, types and values.

pub(super) mod compare;
pub(super) mod learn;

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::differential::form::{Clock, Form};
use crate::differential::tokens::words;

/// Levels that are looked at; below, values are compared as a whole.
const DEPTH_MAX: usize = 64;
/// Entries of each answer that are held against each other where they come and go.
const ENTRIES_MAX: usize = 20;
/// Elements of a list whose order is looked into.
const ORDERED_MAX: usize = 5_000;

/// Members that measure: two answers may have the same by chance.
const MEASURES: [&str; 18] = [
    "age",
    "duration",
    "elapsed",
    "expires",
    "goroutine",
    "goroutines",
    "latency",
    "memory",
    "now",
    "nonce",
    "remaining",
    "requests",
    "rss",
    "timestamp",
    "took",
    "ts",
    "ttl",
    "uptime",
];

fn is_measure(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    let mut words = vec![String::new()];
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.iter().any(|word| MEASURES.contains(&word.as_str()))
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// What identifies each element of a list among the others, whatever of it is noise: its words.
fn keys(list: &[Json]) -> Option<Vec<String>> {
    (list.len() <= ORDERED_MAX).then(|| list.iter().map(key).collect())
}

fn key(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let inner = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", key(value)));
            format!("{{{}}}", inner.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!("[{}]", items.len().min(1)),
        // A sentence by what of it is no number, time or id.
        Json::String(text) if Form::of(text) == Form::Words => {
            words(text).map(key_of_word).collect()
        }
        Json::String(text) => format!("{:?}", Form::of(text)),
        Json::Number(_) => "#".to_owned(),
        Json::Bool(_) | Json::Null => kind(value).to_owned(),
    }
}

fn key_of_word(word: &str) -> Cow<'_, str> {
    match Form::of(word) {
        Form::Words | Form::Empty => Cow::Borrowed(word),
        form => Cow::Owned(format!("{form:?}")),
    }
}

fn says(clock: Clock, value: &Json) -> bool {
    match value {
        Json::String(text) => clock.says(text),
        Json::Number(number) => number
            .as_f64()
            .is_some_and(|number| clock.says_number(number)),
        _ => false,
    }
}

fn member(path: &str, name: &str) -> String {
    format!("{path}.{name}")
}

/// The place of all elements of a list, or of all entries of a map that come and go.
fn element(path: &str) -> String {
    format!("{path}[*]")
}
