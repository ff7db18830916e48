//! Whether an answer and its connection are the expected ones: a pure function of rules and
//! evidence.

mod body;
pub(crate) mod capture;
mod connection;
mod diff;
pub(crate) mod excerpt;
mod head;
mod json;
mod names;
mod parse;
pub(crate) mod path;
mod schema;
#[cfg(test)]
mod tests;

use http::header::{HeaderMap, HeaderName};
use nonevent_document::{Redactor, Timestamp};
use serde_json::Value as Json;

use crate::bind::rules::Rules;
use crate::judge::excerpt::head;
use crate::net::exchange::{Answer, Facts};
use crate::report::result::Failure;
use crate::suite::expectations::{BuildSource, TextRule};
use crate::trouble::Cause;

/// What was found wrong, and what was found besides.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) failures: Vec<Failure>,
    /// Which build answered, if that was asked.
    pub(crate) build: Option<String>,
    /// Phases whose time is asserted and that there were none of.
    pub(crate) not_measured: Vec<&'static str>,
}

/// What came of a request, or of a connection that asked nothing.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// Nothing where only a connection or a handshake was asked for.
    pub(crate) answer: Option<&'a Answer>,
    pub(crate) facts: &'a Facts,
    /// When it came, by the caller's clock.
    pub(crate) now: Timestamp,
}

/// Judges an answer and its connection. Every secret is masked before anything is cut out of the
/// answer, so that no half of one is left over.
pub(crate) fn judge(
    rules: &Rules,
    evidence: Evidence<'_>,
    redactor: &Redactor,
    excerpt_chars_max: usize,
) -> Judgement {
    let body = evidence.answer.map(|answer| &answer.body[..]);
    let body = String::from_utf8_lossy(body.unwrap_or_default());
    let mut judge = Judge {
        redactor,
        body: &body,
        chars_max: excerpt_chars_max,
        judgement: Judgement::default(),
    };
    if let Some(answer) = evidence.answer {
        judge.answer(rules, answer);
    }
    judge.connection(rules, evidence);
    judge.judgement
}

struct Judge<'a> {
    redactor: &'a Redactor,
    body: &'a str,
    chars_max: usize,
    judgement: Judgement,
}

impl Judge<'_> {
    fn answer(&mut self, rules: &Rules, answer: &Answer) {
        self.status(rules, answer);
        self.location(&rules.location, answer);
        self.url(&rules.url, answer);
        for (name, rule) in &rules.headers {
            self.header(name, rule, answer);
        }
        for rule in &rules.body {
            self.body(rule, answer);
        }
        let in_body =
            |build: &crate::bind::rules::BuildWanted| matches!(build.source, BuildSource::Json(_));
        let needs_json = !rules.json.is_empty()
            || rules.schema.is_some()
            || rules.build.as_ref().is_some_and(in_body);
        let json = needs_json.then(|| self.json_body(answer)).flatten();
        if let Some(json) = &json {
            for (path, rule) in &rules.json {
                self.json(json, path, rule);
            }
            if let Some(schema) = &rules.schema {
                self.schema(json, schema);
            }
        }
        if let Some(wanted) = &rules.build {
            self.judgement.build = self.build(wanted, json.as_ref(), answer);
        }
    }

    /// Notes a failure, to which an excerpt or a diff may be added.
    fn fail(&mut self, message: String, expected: String, actual: String) -> &mut Failure {
        let failures = &mut self.judgement.failures;
        failures.push(Failure {
            cause: Cause::Assertion,
            message,
            expected: Some(expected),
            actual: Some(actual),
            diff: None,
            excerpt: None,
        });
        failures.last_mut().expect("one was just pushed")
    }

    /// Masked, on one line, and short.
    fn shown(&self, text: &str) -> String {
        head(&self.redactor.apply(text), self.chars_max)
    }

    fn shown_json(&self, value: &Json) -> String {
        self.shown(&value.to_string())
    }

    fn body_head(&self) -> Option<String> {
        (!self.body.is_empty()).then(|| self.shown(self.body))
    }

    /// What a condition on a text expects.
    fn expected(&self, rule: &TextRule<String>) -> String {
        match rule {
            TextRule::Equals(text) => format!("`{}`", self.shown(text)),
            TextRule::Contains(text) => format!("to contain `{}`", self.shown(text)),
            TextRule::Matches(regex) => format!("to match `{}`", self.shown(regex.as_str())),
        }
    }
}

impl TextRule<String> {
    fn holds(&self, text: &str) -> bool {
        match self {
            TextRule::Equals(wanted) => text.trim() == wanted.trim(),
            TextRule::Contains(wanted) => text.contains(wanted.as_str()),
            TextRule::Matches(regex) => regex.is_match(text),
        }
    }
}

/// All values of a header, as text.
fn header(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(name).iter().map(text).collect()
}
