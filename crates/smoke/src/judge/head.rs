//! The head of an answer: status, redirect, URL, headers, build.

use fluent_uri::{Uri, UriRef};
use http::header::{HeaderName, LOCATION};
use serde_json::Value as Json;

use crate::bind::rules::{BuildWanted, Rules};
use crate::judge::{Judge, header};
use crate::net::exchange::Answer;
use crate::suite::expectations::{BuildSource, HeaderRule, TextRule};

impl Judge<'_> {
    pub(super) fn status(&mut self, rules: &Rules, answer: &Answer) {
        let status = answer.status;
        let wanted = rules.status.as_ref();
        let Some(wanted) = wanted.filter(|wanted| !wanted.contains(status)) else {
            return;
        };
        let mut message = format!("status is {status}, expected {wanted}");
        if (300..400).contains(&status)
            && let Some(location) = header(&answer.headers, &LOCATION).first()
        {
            let location = self.shown(location);
            message.push_str(&format!(
                "; it redirects to {location}, which is not followed"
            ));
        }
        let excerpt = self.body_head();
        self.fail(message, wanted.to_string(), status.to_string())
            .excerpt = excerpt;
    }

    /// Where it redirects to, as it is written or as the URL that it means.
    pub(super) fn location(&mut self, rules: &[TextRule<String>], answer: &Answer) {
        let written = header(&answer.headers, &LOCATION).into_iter().next();
        let meant = written
            .as_deref()
            .and_then(|written| resolved(written, &answer.url));
        for rule in rules {
            if written.iter().chain(&meant).any(|text| rule.holds(text)) {
                continue;
            }
            let expected = self.expected(rule);
            let actual = match &written {
                Some(written) => format!("`{}`", self.shown(written)),
                None => "absent".to_owned(),
            };
            let message = format!("location is {actual}, expected {expected}");
            self.fail(message, expected, actual);
        }
    }

    pub(super) fn url(&mut self, rules: &[TextRule<String>], answer: &Answer) {
        for rule in rules.iter().filter(|rule| !rule.holds(&answer.url)) {
            let expected = self.expected(rule);
            let actual = format!("`{}`", self.shown(&answer.url));
            let message = format!("the URL that answered is {actual}, expected {expected}");
            self.fail(message, expected, actual);
        }
    }

    pub(super) fn header(&mut self, name: &HeaderName, rule: &HeaderRule<String>, answer: &Answer) {
        let values = header(&answer.headers, name);
        let (holds, expected) = match rule {
            HeaderRule::Text(rule) => (
                values.iter().any(|value| rule.holds(value)),
                self.expected(rule),
            ),
            HeaderRule::Exists(true) => (!values.is_empty(), "to be there".to_owned()),
            HeaderRule::Exists(false) => (values.is_empty(), "to be absent".to_owned()),
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
        self.fail(message, expected, actual);
    }

    /// Which build answered; a failure if it is not the wanted one.
    pub(super) fn build(
        &mut self,
        wanted: &BuildWanted,
        body: Option<&Json>,
        answer: &Answer,
    ) -> Option<String> {
        let (place, found) = match &wanted.source {
            BuildSource::Header(name) => (
                format!("header {name}"),
                header(&answer.headers, name).into_iter().next(),
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
            self.fail(message, expected, actual);
        }
        shown
    }
}

/// The URL that a location means (RFC 9110, section 10.2.2).
fn resolved(location: &str, asked: &str) -> Option<String> {
    let base = Uri::parse(asked).ok()?;
    let location = UriRef::parse(location).ok()?;
    let meant = location.resolve_against(&base).ok()?;
    Some(meant.as_str().to_owned())
}
