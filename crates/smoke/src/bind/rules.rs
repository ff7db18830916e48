//! What a test asserts, with its references replaced.

use http::header::HeaderName;
use serde_json::Value as Json;

use crate::bind::template::Template;
use crate::bind::{Binder, visit_json};
use crate::judge::path::JsonPath;
use crate::suite::expectations::{BuildSource, Expectations, HeaderRule, JsonRule};

use crate::suite::status::StatusSet;

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
}

impl Binder<'_> {
    pub(crate) fn rules(&mut self, expect: &Expectations) -> Option<Rules> {
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
            });
        }
        Some(rules)
    }
}

/// Every template of the assertions.
pub(crate) fn visit(expect: &Expectations, each: &mut impl FnMut(&Template)) {
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
