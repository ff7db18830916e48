//! A body as JSON, place by place.

use core::cmp::Ordering;

use serde_json::Value as Json;

use crate::judge::Judge;
use crate::judge::diff::diff;
use crate::judge::parse::parse;
use crate::judge::path::{JsonPath, order, same};
use crate::net::exchange::Answer;
use crate::suite::expectations::{JsonRule, JsonType};
use crate::trouble::{Cause, Trouble};

/// Bytes of a value that is compared line by line: written out, each of its values has a line of
/// its own, indented by up to 250 characters.
const BYTES_COMPARED_MAX: usize = 256 * 1024;

impl Judge<'_> {
    pub(super) fn json_body(&mut self, answer: &Answer) -> Option<Json> {
        match parse(&answer.body) {
            Ok(json) => Some(json),
            Err(trouble) if trouble.cause != Cause::Assertion => {
                self.judgement.failures.push(trouble.into());
                None
            }
            Err(Trouble { message: error, .. }) => {
                let excerpt = self.body_head();
                let actual = if self.body.is_empty() {
                    "empty"
                } else {
                    "not JSON"
                };
                let message = format!("body is {actual}, expected JSON: {error}");
                self.fail(message, "JSON".into(), actual.into()).excerpt = excerpt;
                None
            }
        }
    }

    pub(super) fn json(&mut self, body: &Json, path: &JsonPath, rule: &JsonRule<Json>) {
        let found = path.find(body);
        let differing = match rule {
            JsonRule::Exists(exists) if *exists != found.is_empty() => return,
            JsonRule::Exists(_) => found.first().copied(),
            JsonRule::Count(bounds) => {
                let count = found.len() as u64;
                if !bounds.contain(count) {
                    let (expected, actual) = (format!("{bounds} values"), format!("{count}"));
                    let message = format!("{path} finds {actual} values, expected {bounds}");
                    let excerpt = self.body_head();
                    self.fail(message, expected, actual).excerpt = excerpt;
                }
                return;
            }
            rule => {
                let differing = found.iter().find(|value| !holds(rule, value)).copied();
                if differing.is_none() && !found.is_empty() {
                    return;
                }
                differing
            }
        };
        let expected = self.wanted(rule);
        let text = differing.map(ToString::to_string);
        let is_short = |text: &String| text.len() <= BYTES_COMPARED_MAX;
        let is_compared = text.as_ref().is_some_and(is_short);
        let actual = text.map_or("nothing".to_owned(), |text| self.shown(&text));
        let message = format!("{path} is {actual}, expected {expected}");
        let (mut differs, mut excerpt) = (None, None);
        match (rule, differing) {
            (JsonRule::Equals(wanted), Some(value))
                if is_compared && is_nested(wanted) && is_nested(value) =>
            {
                let pretty = |value: &Json| self.redactor.apply(&format!("{value:#}")).into_owned();
                differs = diff(&pretty(wanted), &pretty(value));
            }
            _ => excerpt = self.body_head(),
        }
        let failure = self.fail(message, expected, actual);
        failure.diff = differs;
        failure.excerpt = excerpt;
    }

    /// What a condition expects.
    fn wanted(&self, rule: &JsonRule<Json>) -> String {
        match rule {
            JsonRule::Exists(true) => "something".to_owned(),
            JsonRule::Exists(false) => "nothing".to_owned(),
            JsonRule::Equals(value) => self.shown_json(value),
            JsonRule::NotEquals(value) => format!("anything but {}", self.shown_json(value)),
            JsonRule::Contains(value) => {
                format!("text or a list with {} in it", self.shown_json(value))
            }
            JsonRule::Matches(regex) => {
                format!("text that matches `{}`", self.shown(regex.as_str()))
            }
            JsonRule::Type(kind) => format!("the type {}", kind.as_str()),
            JsonRule::Count(bounds) => format!("{bounds} values"),
            JsonRule::Min(number) => format!("a number of at least {number}"),
            JsonRule::Max(number) => format!("a number of at most {number}"),
        }
    }
}

/// Whether a value that was found meets a condition on single values.
fn holds(rule: &JsonRule<Json>, value: &Json) -> bool {
    match (rule, value) {
        (JsonRule::Equals(wanted), value) => same(value, wanted),
        (JsonRule::NotEquals(unwanted), value) => !same(value, unwanted),
        (JsonRule::Contains(Json::String(wanted)), Json::String(text)) => text.contains(wanted),
        (JsonRule::Contains(wanted), Json::Array(items)) => {
            items.iter().any(|item| same(item, wanted))
        }
        (JsonRule::Matches(regex), Json::String(text)) => regex.is_match(text),
        (JsonRule::Type(kind), value) => is_of(*kind, value),
        (JsonRule::Min(min), Json::Number(number)) => order(number, min) != Ordering::Less,
        (JsonRule::Max(max), Json::Number(number)) => order(number, max) != Ordering::Greater,
        (JsonRule::Exists(_) | JsonRule::Count(_), _) => true,
        (JsonRule::Contains(_) | JsonRule::Matches(_) | JsonRule::Min(_) | JsonRule::Max(_), _) => {
            false
        }
    }
}

fn is_of(kind: JsonType, value: &Json) -> bool {
    match kind {
        JsonType::String => value.is_string(),
        JsonType::Number => value.is_number(),
        JsonType::Integer => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        JsonType::Boolean => value.is_boolean(),
        JsonType::Null => value.is_null(),
        JsonType::Array => value.is_array(),
        JsonType::Object => value.is_object(),
    }
}

fn is_nested(value: &Json) -> bool {
    value.is_array() || value.is_object()
}
