//! From a suite and what the caller gives to requests that can be sent.

pub(crate) mod curl;
pub(crate) mod request;
pub(crate) mod template;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT,
};
use nonevent_document::{Findings, Redactor};
use serde_json::Value as Json;

use crate::bind::request::{json_bytes, request_path};
use crate::bind::template::{Bindings, Piece, SecretName, Template};
use crate::codes;
use crate::judge::path::JsonPath;
use crate::net::exchange::Call;
use crate::options::Options;
use crate::suite::model::{
    BuildSource, Field, HeaderRule, JsonRule, JsonTemplate, Payload, Place, Retries, Suite, Test,
};
use crate::suite::status::StatusSet;
use crate::target::Target;

/// A test whose references are replaced.
pub(crate) struct Bound {
    /// Its place in the suite, from 0.
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) call: Call,
    pub(crate) curl: String,
    pub(crate) rules: Rules,
    pub(crate) total_ms: u64,
    pub(crate) retries: Retries,
    pub(crate) idempotent: bool,
}

/// What is asserted of an answer, without references.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) status: Option<StatusSet>,
    pub(crate) body_contains: Vec<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderWanted)>,
    pub(crate) json: Vec<(JsonPath, JsonWanted)>,
    pub(crate) build: Option<BuildWanted>,
}

#[derive(Debug)]
pub(crate) enum HeaderWanted {
    Equals(String),
    Contains(String),
    Absent,
}

#[derive(Debug)]
pub(crate) enum JsonWanted {
    Equals(Json),
    Exists(bool),
}

#[derive(Debug)]
pub(crate) struct BuildWanted {
    pub(crate) source: BuildSource,
    pub(crate) equals: String,
    pub(crate) connections: u32,
}

/// All selected tests, and the redactor that knows every secret in them.
pub(crate) struct Prepared {
    pub(crate) tests: Vec<Bound>,
    pub(crate) redactor: Redactor,
}

impl Suite {
    /// Everything that keeps the suite from being run like this: undefined variables, secrets
    /// that cannot be resolved, values that no request can carry, nothing selected.
    ///
    /// [`run`](crate::run()) makes the same check first.
    #[must_use]
    pub fn check(&self, target: &Target, options: &Options) -> Findings {
        prepare(self, target, options).err().unwrap_or_default()
    }
}

/// Selects, resolves and renders, or says everything that stands against it.
pub(crate) fn prepare(
    suite: &Suite,
    target: &Target,
    options: &Options,
) -> Result<Prepared, Findings> {
    let mut binder = Binder {
        target,
        options,
        bindings: Bindings::default(),
        findings: Findings::default(),
    };
    let selected = binder.select(suite);
    binder.bindings.variables.clone_from(&options.variables);
    let redactor = binder.resolve_secrets(&selected);
    let mut tests: Vec<Bound> = selected
        .into_iter()
        .filter_map(|(index, test)| binder.test(index, test))
        .collect();
    for test in &mut tests {
        test.name = redactor.apply(&test.name).into_owned();
    }
    if binder.findings.has_errors() {
        Err(binder.findings)
    } else {
        Ok(Prepared { tests, redactor })
    }
}

struct Binder<'a> {
    target: &'a Target,
    options: &'a Options,
    bindings: Bindings,
    findings: Findings,
}

impl Binder<'_> {
    fn select<'s>(&mut self, suite: &'s Suite) -> Vec<(usize, &'s Test)> {
        let only = &self.options.only;
        let root = suite.document.root();
        let whole = Place::of(root.get("tests").unwrap_or(root), "tests");
        for name in only
            .iter()
            .filter(|name| !suite.tests.iter().any(|t| t.name == **name))
        {
            let message = format!("no test is called `{name}`");
            let help = "select a test by the whole of its name";
            self.findings
                .push(whole.error(codes::NO_TEST, message, help));
        }
        let selected: Vec<_> = suite
            .tests
            .iter()
            .enumerate()
            .filter(|(_, test)| only.is_empty() || only.contains(&test.name))
            .collect();
        if selected.is_empty() && !self.findings.has_errors() {
            let help = "select at least one";
            self.findings
                .push(whole.error(codes::NO_TEST, "no test is selected", help));
        }
        selected
    }

    /// Asks for each secret once.
    fn resolve_secrets(&mut self, selected: &[(usize, &Test)]) -> Redactor {
        let mut wanted = BTreeSet::new();
        for (_, test) in selected {
            visit(test, &mut |template| template.secrets_into(&mut wanted));
        }
        let mut redactor = Redactor::default();
        for name in wanted {
            if let Some(secret) = self.options.secrets.resolve(&name.scheme, &name.name)
                && !secret.expose().is_empty()
            {
                redactor.add(&secret);
                self.bindings.secrets.insert(name, secret);
            }
        }
        redactor
    }

    fn test(&mut self, index: usize, test: &Test) -> Option<Bound> {
        let path = self.text(&test.path);
        let headers = self.headers(test);
        let body = self.body(&test.body);
        let rules = self.rules(test);
        let path = path?;
        let uri = match request_path(self.target.base_path(), &path) {
            Ok(uri) => uri,
            Err(problem) => {
                // A path with a secret in it is not shown.
                let shown = if test.path.value.has_secret() {
                    "***"
                } else {
                    &path
                };
                self.findings.push(problem.finding(&test.path.place, shown));
                return None;
            }
        };
        let total_ms = test
            .timeout_ms
            .or(self.options.timeout_ms)
            .unwrap_or(self.options.limits.total_ms);
        let base = self.target.url();
        let origin = base.strip_suffix(self.target.base_path()).unwrap_or(&base);
        Some(Bound {
            index,
            name: test.name.clone(),
            url: format!("{origin}{uri}"),
            call: Call {
                method: test.method.clone(),
                uri,
                headers: headers?,
                body: body?,
            },
            curl: curl::command(test, self.target, &self.bindings, total_ms),
            rules: rules?,
            total_ms,
            retries: test.retries.clone(),
            idempotent: test.idempotent,
        })
    }

    fn headers(&mut self, test: &Test) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &test.headers {
            let text = self.text(value)?;
            let Ok(mut parsed) = HeaderValue::from_bytes(text.as_bytes()) else {
                let message = format!("the value of `{name}` has control characters in it");
                let help = "a header is one line of text: remove line breaks";
                self.findings
                    .push(value.place.error(codes::BAD_VALUE, message, help));
                return None;
            };
            parsed.set_sensitive(value.value.has_secret());
            headers.append(name.clone(), parsed);
        }
        let kind = match &test.body {
            Payload::None => None,
            Payload::Text(_) => Some(curl::TEXT),
            Payload::Json(_) => Some(curl::JSON),
        };
        if let Some(kind) = kind {
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static(kind));
        }
        if !headers.contains_key(HOST) {
            // The authority of a parsed URL is always a header's value.
            headers.insert(HOST, HeaderValue::from_str(self.target.authority()).ok()?);
        }
        let agent = concat!("nonevent-smoke/", env!("CARGO_PKG_VERSION"));
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(agent));
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("*/*"));
        headers
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("identity"));
        Some(headers)
    }

    fn body(&mut self, body: &Payload) -> Option<Bytes> {
        match body {
            Payload::None => Some(Bytes::new()),
            Payload::Text(text) => self.text(text).map(Bytes::from),
            Payload::Json(value) => self.json(value).map(|value| json_bytes(&value)),
        }
    }

    fn rules(&mut self, test: &Test) -> Option<Rules> {
        let expect = &test.expect;
        let mut rules = Rules {
            status: expect.status.clone(),
            ..Rules::default()
        };
        for text in &expect.body_contains {
            rules.body_contains.push(self.text(text)?);
        }
        for (name, rule) in &expect.headers {
            let wanted = match rule {
                HeaderRule::Equals(text) => HeaderWanted::Equals(self.text(text)?),
                HeaderRule::Contains(text) => HeaderWanted::Contains(self.text(text)?),
                HeaderRule::Absent => HeaderWanted::Absent,
            };
            rules.headers.push((name.clone(), wanted));
        }
        for (path, rule) in &expect.json {
            let wanted = match rule {
                JsonRule::Equals(value) => JsonWanted::Equals(self.json(value)?),
                JsonRule::Exists(exists) => JsonWanted::Exists(*exists),
            };
            rules.json.push((path.clone(), wanted));
        }
        if let Some(build) = &expect.build {
            rules.build = Some(BuildWanted {
                source: build.source.clone(),
                equals: self.text(&build.equals)?,
                connections: build.connections,
            });
        }
        Some(rules)
    }

    fn text(&mut self, field: &Field<Template>) -> Option<String> {
        let rendered = field.value.render(&self.bindings);
        self.bound(rendered, &field.place)
    }

    fn json(&mut self, field: &Field<JsonTemplate>) -> Option<Json> {
        let rendered = field.value.render(&self.bindings);
        self.bound(rendered, &field.place)
    }

    fn bound<T>(&mut self, rendered: Result<T, Piece>, place: &Place) -> Option<T> {
        let finding = match rendered {
            Ok(value) => return Some(value),
            Err(Piece::Secret(SecretName { scheme, name })) => place.error(
                codes::UNRESOLVED_SECRET,
                format!("the secret `{scheme}:{name}` is not there, or empty"),
                "set it where the runner looks for it",
            ),
            Err(Piece::Variable(name) | Piece::Text(name)) => {
                let given: Vec<&str> = self.bindings.variables.keys().map(String::as_str).collect();
                let help = if given.is_empty() {
                    "give it a value; none was given at all".to_owned()
                } else {
                    format!("give it a value; given are: {}", given.join(", "))
                };
                let message = format!("the variable `{name}` is not defined");
                place.error(codes::UNDEFINED_VARIABLE, message, &help)
            }
        };
        self.findings.push(finding);
        None
    }
}

/// Every template of a test.
fn visit(test: &Test, each: &mut impl FnMut(&Template)) {
    each(&test.path.value);
    test.headers
        .iter()
        .for_each(|(_, field)| each(&field.value));
    match &test.body {
        Payload::None => {}
        Payload::Text(text) => each(&text.value),
        Payload::Json(value) => visit_json(&value.value, each),
    }
    let expect = &test.expect;
    expect
        .body_contains
        .iter()
        .for_each(|field| each(&field.value));
    for (_, rule) in &expect.headers {
        match rule {
            HeaderRule::Equals(text) | HeaderRule::Contains(text) => each(&text.value),
            HeaderRule::Absent => {}
        }
    }
    for (_, rule) in &expect.json {
        if let JsonRule::Equals(value) = rule {
            visit_json(&value.value, each);
        }
    }
    if let Some(build) = &expect.build {
        each(&build.equals.value);
    }
}

fn visit_json(value: &JsonTemplate, each: &mut impl FnMut(&Template)) {
    match value {
        JsonTemplate::Fixed(_) => {}
        JsonTemplate::Text(text) => each(text),
        JsonTemplate::Array(items) => items.iter().for_each(|item| visit_json(item, each)),
        JsonTemplate::Object(members) => {
            members
                .iter()
                .for_each(|(_, value)| visit_json(value, each));
        }
    }
}
