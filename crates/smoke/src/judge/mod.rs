//! Whether an answer is the expected one: a pure function of rules and answer.

pub(crate) mod capture;
pub(crate) mod excerpt;
pub(crate) mod path;

use http::header::{HeaderMap, HeaderName, LOCATION};
use nonevent_document::{Redactor, Timestamp};
use serde_json::Value as Json;

use crate::bind::rules::{BuildWanted, HeaderWanted, JsonWanted, Rules};
use crate::judge::excerpt::{head, nearest, visible};
use crate::judge::path::{JsonPath, same};
use crate::net::exchange::{Answer, Facts};
use crate::report::result::Failure;
use crate::suite::expectations::BuildSource;
use crate::trouble::Cause;

/// What was found wrong, and which build answered if that was asked.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) failures: Vec<Failure>,
    pub(crate) build: Option<String>,
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

/// Judges an answer. Every secret is masked before anything is cut out of the answer, so that no
/// half of one is left over.
pub(crate) fn judge(
    rules: &Rules,
    evidence: Evidence<'_>,
    redactor: &Redactor,
    excerpt_chars_max: usize,
) -> Judgement {
    let Some(answer) = evidence.answer else {
        return Judgement::default();
    };
    let body = String::from_utf8_lossy(&answer.body);
    let mut judge = Judge {
        answer,
        redactor,
        body: &body,
        chars_max: excerpt_chars_max,
        failures: Vec::new(),
    };
    judge.status(rules);
    for (name, wanted) in &rules.headers {
        judge.header(name, wanted);
    }
    for text in &rules.body_contains {
        judge.contains(text);
    }
    let mut build = None;
    let by_json = matches!(
        rules.build,
        Some(BuildWanted {
            source: BuildSource::Json(_),
            ..
        })
    );
    let json = if by_json || !rules.json.is_empty() {
        judge.json_body()
    } else {
        None
    };
    if let Some(json) = &json {
        for (path, wanted) in &rules.json {
            judge.json(json, path, wanted);
        }
    }
    if let Some(wanted) = &rules.build {
        build = judge.build(wanted, json.as_ref());
    }
    Judgement {
        failures: judge.failures,
        build,
    }
}

struct Judge<'a> {
    answer: &'a Answer,
    redactor: &'a Redactor,
    body: &'a str,
    chars_max: usize,
    failures: Vec<Failure>,
}

impl Judge<'_> {
    fn fail(&mut self, message: String, expected: String, actual: String, excerpt: Option<String>) {
        self.failures.push(Failure {
            cause: Cause::Assertion,
            message,
            expected: Some(expected),
            actual: Some(actual),
            diff: None,
            excerpt,
        });
    }

    /// Masked, on one line, and short.
    fn shown(&self, text: &str) -> String {
        head(&self.redactor.apply(text), self.chars_max)
    }

    fn body_head(&self) -> Option<String> {
        (!self.body.is_empty()).then(|| self.shown(self.body))
    }

    fn status(&mut self, rules: &Rules) {
        let status = self.answer.status;
        let Some(wanted) = rules
            .status
            .as_ref()
            .filter(|wanted| !wanted.contains(status))
        else {
            return;
        };
        let mut message = format!("status is {status}, expected {wanted}");
        if (300..400).contains(&status)
            && let Some(location) = header(&self.answer.headers, &LOCATION).first()
        {
            let location = self.shown(location);
            message.push_str(&format!(
                "; it redirects to {location}, which is not followed"
            ));
        }
        let excerpt = self.body_head();
        self.fail(message, wanted.to_string(), status.to_string(), excerpt);
    }

    fn header(&mut self, name: &HeaderName, wanted: &HeaderWanted) {
        let values = header(&self.answer.headers, name);
        let (holds, expected) = match wanted {
            HeaderWanted::Equals(text) => (
                values.iter().any(|v| v.trim() == text.trim()),
                format!("`{}`", self.shown(text)),
            ),
            HeaderWanted::Contains(text) => (
                values.iter().any(|v| v.contains(text.as_str())),
                format!("to contain `{}`", self.shown(text)),
            ),
            HeaderWanted::Absent => (values.is_empty(), "to be absent".to_owned()),
        };
        if holds {
            return;
        }
        let actual = if values.is_empty() {
            "absent".to_owned()
        } else {
            format!("`{}`", self.shown(&values.join(", ")))
        };
        let message = format!("header {name} is {actual}, expected {expected}");
        self.fail(message, expected, actual, None);
    }

    fn contains(&mut self, wanted: &str) {
        if self.body.contains(wanted) {
            return;
        }
        // The wanted text is masked too, or its nearest match could show a part of a secret.
        let masked = self.redactor.apply(self.body);
        let wanted = self.redactor.apply(wanted);
        let (excerpt, found) = nearest(&masked, &wanted, self.chars_max);
        let expected = format!("to contain `{}`", self.shown(&wanted));
        let actual = if self.body.is_empty() {
            "empty".to_owned()
        } else {
            match wanted.get(..found).filter(|prefix| !prefix.is_empty()) {
                Some(prefix) => format!("one that has only `{}` of it", self.shown(prefix)),
                None => "one without it".to_owned(),
            }
        };
        let mut message = format!("body is {actual}, expected {expected}");
        if let Some(coding) = &self.answer.coding {
            let coding = visible(coding);
            message.push_str(&format!("; it is {coding} coded, which is not decoded"));
        }
        let excerpt = (!self.body.is_empty()).then_some(excerpt);
        self.fail(message, expected, actual, excerpt);
    }

    fn json_body(&mut self) -> Option<Json> {
        match serde_json::from_slice(&self.answer.body) {
            Ok(json) => Some(json),
            Err(error) => {
                let excerpt = self.body_head();
                let actual = if self.body.is_empty() {
                    "empty"
                } else {
                    "not JSON"
                };
                let message = format!("body is {actual}, expected JSON: {error}");
                self.fail(message, "JSON".into(), actual.into(), excerpt);
                None
            }
        }
    }

    fn json(&mut self, body: &Json, path: &JsonPath, wanted: &JsonWanted) {
        let found = path.find(body);
        match wanted {
            JsonWanted::Exists(exists) if *exists != found.is_empty() => {}
            JsonWanted::Exists(exists) => {
                let expected = if *exists { "something" } else { "nothing" }.to_owned();
                let actual = found
                    .first()
                    .map_or("nothing".to_owned(), |v| self.shown_json(v));
                let message = format!("{path} is {actual}, expected {expected}");
                let excerpt = self.body_head();
                self.fail(message, expected, actual, excerpt);
            }
            JsonWanted::Equals(value) => {
                let differing = found.iter().find(|found| !same(found, value));
                if differing.is_none() && !found.is_empty() {
                    return;
                }
                let expected = self.shown_json(value);
                let actual = differing.map_or("nothing".to_owned(), |v| self.shown_json(v));
                let message = format!("{path} is {actual}, expected {expected}");
                let excerpt = self.body_head();
                self.fail(message, expected, actual, excerpt);
            }
        }
    }

    fn shown_json(&self, value: &Json) -> String {
        self.shown(&value.to_string())
    }

    /// Which build answered; a failure if it is not the wanted one.
    fn build(&mut self, wanted: &BuildWanted, body: Option<&Json>) -> Option<String> {
        let (place, found) = match &wanted.source {
            BuildSource::Header(name) => (
                format!("header {name}"),
                header(&self.answer.headers, name).into_iter().next(),
            ),
            BuildSource::Json(path) => {
                // A body that is no JSON was said already.
                let first = path.find(body?).first().map(|value| match value {
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                });
                (path.to_string(), first)
            }
        };
        let shown = found.as_deref().map(|found| self.shown(found));
        if found.as_deref() != Some(wanted.equals.as_str()) {
            let expected = format!("`{}`", self.shown(&wanted.equals));
            let actual = shown
                .as_ref()
                .map_or("absent".to_owned(), |found| format!("`{found}`"));
            let message = format!("build ({place}) is {actual}, expected {expected}");
            self.fail(message, expected, actual, None);
        }
        shown
    }
}

/// All values of a header, as text.
fn header(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(name).iter().map(text).collect()
}
