//! What a test asserts, with its references replaced and its schema compiled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HeaderName;
use jsonschema::Validator;
use nonevent_document::{Document, Limits};
use serde_json::Value as Json;

use crate::bind::template::Template;
use crate::bind::{Binder, visit_json};
use crate::codes;
use crate::judge::excerpt::visible;
use crate::judge::path::JsonPath;
use crate::suite::assertions::compile;
use crate::suite::expectations::{
    BodyRule, BuildSource, CertificateRule, Expectations, HeaderRule, HttpSpoken, JsonRule, Phase,
    SchemaSource, Text, TextRule, TlsVersion, sha256_digits,
};
use crate::suite::model::{Field, JsonTemplate};
use crate::suite::status::StatusSet;

/// What is asserted, without references.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) status: Option<StatusSet>,
    pub(crate) headers: Vec<(HeaderName, HeaderRule<String>)>,
    pub(crate) body: Vec<BodyRule<String>>,
    pub(crate) json: Vec<(JsonPath, JsonRule<Json>)>,
    pub(crate) schema: Option<Arc<Validator>>,
    pub(crate) build: Option<BuildWanted>,
    pub(crate) location: Vec<TextRule<String>>,
    pub(crate) url: Vec<TextRule<String>>,
    pub(crate) latency: Vec<(Phase, u64)>,
    pub(crate) certificate: Vec<CertificateRule<String>>,
    pub(crate) tls: Option<TlsVersion>,
    pub(crate) http: Option<HttpSpoken>,
}

#[derive(Debug)]
pub(crate) struct BuildWanted {
    pub(crate) source: BuildSource,
    pub(crate) equals: String,
}

/// The schemas of files by the files' names, each compiled once.
pub(crate) type Schemas = Mutex<BTreeMap<String, Arc<Validator>>>;

/// What is read of a file with a schema.
const SCHEMA_LIMITS: Limits = Limits {
    bytes_max: 1024 * 1024,
    depth_max: 64,
    nodes_max: 100_000,
};

impl Binder<'_> {
    pub(crate) fn rules(&mut self, expect: &Expectations) -> Option<Rules> {
        let mut rules = Rules {
            status: expect.status.clone(),
            latency: expect.latency.clone(),
            tls: expect.tls,
            http: expect.http,
            location: self.texts(&expect.location)?,
            url: self.texts(&expect.url)?,
            ..Rules::default()
        };
        for (name, rule) in &expect.headers {
            let wanted = match rule {
                HeaderRule::Text(rule) => HeaderRule::Text(self.rule(rule)?),
                HeaderRule::Exists(exists) => HeaderRule::Exists(*exists),
            };
            rules.headers.push((name.clone(), wanted));
        }
        for rule in &expect.body {
            rules.body.push(self.body_rule(rule)?);
        }
        for (path, rule) in &expect.json {
            rules.json.push((path.clone(), self.json_rule(rule)?));
        }
        for rule in &expect.certificate {
            rules.certificate.push(self.certificate_rule(rule)?);
        }
        rules.schema = match expect.schema.as_deref() {
            None => None,
            Some(SchemaSource::Inline(schema)) => Some(Arc::clone(schema)),
            Some(SchemaSource::File(file)) => Some(self.schema(file)?),
        };
        if let Some(build) = &expect.build {
            rules.build = Some(BuildWanted {
                source: build.source.clone(),
                equals: self.text(&build.equals)?,
            });
        }
        Some(rules)
    }

    fn texts(&mut self, rules: &[TextRule<Text>]) -> Option<Vec<TextRule<String>>> {
        rules.iter().map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, rule: &TextRule<Text>) -> Option<TextRule<String>> {
        Some(match rule {
            TextRule::Equals(text) => TextRule::Equals(self.text(text)?),
            TextRule::Contains(text) => TextRule::Contains(self.text(text)?),
            TextRule::Matches(regex) => TextRule::Matches(regex.clone()),
        })
    }

    fn body_rule(&mut self, rule: &BodyRule<Text>) -> Option<BodyRule<String>> {
        Some(match rule {
            BodyRule::Equals(text) => BodyRule::Equals(self.text(text)?),
            BodyRule::Contains(text) => BodyRule::Contains(self.text(text)?),
            BodyRule::NotContains(text) => BodyRule::NotContains(self.text(text)?),
            BodyRule::Matches(regex) => BodyRule::Matches(regex.clone()),
            BodyRule::NotMatches(regex) => BodyRule::NotMatches(regex.clone()),
            BodyRule::Bytes(bounds) => BodyRule::Bytes(*bounds),
            BodyRule::Sha256(text) => BodyRule::Sha256(self.sha256(text)?),
        })
    }

    fn json_rule(&mut self, rule: &JsonRule<Field<JsonTemplate>>) -> Option<JsonRule<Json>> {
        Some(match rule {
            JsonRule::Exists(exists) => JsonRule::Exists(*exists),
            JsonRule::Equals(value) => JsonRule::Equals(self.json(value)?),
            JsonRule::NotEquals(value) => JsonRule::NotEquals(self.json(value)?),
            JsonRule::Contains(value) => JsonRule::Contains(self.json(value)?),
            JsonRule::Matches(regex) => JsonRule::Matches(regex.clone()),
            JsonRule::Type(kind) => JsonRule::Type(*kind),
            JsonRule::Count(bounds) => JsonRule::Count(*bounds),
            JsonRule::Min(number) => JsonRule::Min(number.clone()),
            JsonRule::Max(number) => JsonRule::Max(number.clone()),
        })
    }

    fn certificate_rule(
        &mut self,
        rule: &CertificateRule<Text>,
    ) -> Option<CertificateRule<String>> {
        Some(match rule {
            CertificateRule::DaysLeft(days) => CertificateRule::DaysLeft(*days),
            CertificateRule::Name(text) => CertificateRule::Name(self.text(text)?),
            CertificateRule::Issuer(rule) => CertificateRule::Issuer(self.rule(rule)?),
            CertificateRule::Sha256(text) => CertificateRule::Sha256(self.sha256(text)?),
        })
    }

    fn sha256(&mut self, field: &Text) -> Option<String> {
        let text = self.text(field)?;
        let digits = sha256_digits(&text);
        if digits.is_none() {
            let message = format!("`{}` is no SHA-256", visible(&text));
            let help = "give 64 hexadecimal digits";
            let finding = field.place.error(codes::BAD_VALUE, message, help);
            self.findings.push(finding);
        }
        digits
    }

    fn schema(&mut self, file: &Text) -> Option<Arc<Validator>> {
        let name = self.text(file)?;
        if let Some(known) = self.schemas().get(&name) {
            return Some(Arc::clone(known));
        }
        let bytes = self.file(file)?;
        let read = Document::parse(&name, &bytes, &SCHEMA_LIMITS)
            .map_err(|findings| match findings.iter().next() {
                Some(first) => first.message.to_string(),
                None => "it cannot be read".to_owned(),
            })
            .and_then(|document| {
                compile(&document.root().to_json())
                    .map_err(|no| format!("{}{}", at(&no.at), no.why))
            });
        match read {
            Ok(schema) => {
                self.schemas().insert(name, Arc::clone(&schema));
                Some(schema)
            }
            Err(why) => {
                let shown = visible(&name);
                let message = format!("the file `{shown}` is no JSON Schema: {}", visible(&why));
                let help = "correct it; a reference must lead to a part of the same schema";
                let finding = file.place.error(codes::BAD_VALUE, message, help);
                self.findings.push(finding);
                None
            }
        }
    }

    fn schemas(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Validator>>> {
        let schemas = &self.context.schemas;
        schemas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(pointer: &str) -> String {
    if pointer.is_empty() {
        String::new()
    } else {
        format!("at {pointer}: ")
    }
}

fn of_rule(rule: &TextRule<Text>) -> Option<&Text> {
    match rule {
        TextRule::Equals(text) | TextRule::Contains(text) => Some(text),
        TextRule::Matches(_) => None,
    }
}

/// Every template of the assertions.
pub(crate) fn visit(expect: &Expectations, each: &mut impl FnMut(&Template)) {
    let mut texts: Vec<&Text> = Vec::new();
    for (_, rule) in &expect.headers {
        if let HeaderRule::Text(rule) = rule {
            texts.extend(of_rule(rule));
        }
    }
    for rule in &expect.body {
        match rule {
            BodyRule::Equals(text)
            | BodyRule::Contains(text)
            | BodyRule::NotContains(text)
            | BodyRule::Sha256(text) => texts.push(text),
            BodyRule::Matches(_) | BodyRule::NotMatches(_) | BodyRule::Bytes(_) => {}
        }
    }
    for rule in expect.location.iter().chain(&expect.url) {
        texts.extend(of_rule(rule));
    }
    for rule in &expect.certificate {
        match rule {
            CertificateRule::Name(text) | CertificateRule::Sha256(text) => texts.push(text),
            CertificateRule::Issuer(rule) => texts.extend(of_rule(rule)),
            CertificateRule::DaysLeft(_) => {}
        }
    }
    if let Some(SchemaSource::File(file)) = expect.schema.as_deref() {
        texts.push(file);
    }
    texts.extend(expect.build.as_ref().map(|build| &build.equals));
    texts.into_iter().for_each(|text| each(&text.value));
    for (_, rule) in &expect.json {
        if let JsonRule::Equals(value) | JsonRule::NotEquals(value) | JsonRule::Contains(value) =
            rule
        {
            visit_json(&value.value, each);
        }
    }
}
