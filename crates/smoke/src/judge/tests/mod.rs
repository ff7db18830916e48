//! Every condition, on evidence that meets it and on evidence that does not.

mod answers;
mod connections;
mod json;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use nonevent_document::{Digest, Secret, Timestamp};
use serde_json::{Value as Json, json};

use super::{Evidence, Judgement, judge};
use crate::bind::prepare;
use crate::net::certificate::TlsFacts;
use crate::net::exchange::{Answer, Facts, Timings};
use crate::net::route::Route;
use crate::options::{Files, Options, Secrets};
use crate::suite::model::Suite;
use crate::target::Target;

const NOW: &str = "2026-01-05T10:00:00Z";
const BODY: &str = r#"{"state":"ready","count":3,"ratio":0.5,"tags":["a","b"],"none":null,
"items":[{"id":1,"name":"a"},{"id":2,"name":"b"}],"token":"hunter2"}"#;

fn answer() -> Answer {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("location", "/login?next=/"),
    ] {
        headers.append(name, value.parse().expect("a value"));
    }
    Answer {
        status: 302,
        url: "https://shop.example.com/end?x=1".to_owned(),
        headers,
        body: Bytes::from_static(BODY.as_bytes()),
        coding: None,
    }
}

fn facts() -> Facts {
    Facts {
        http: Some("HTTP/1.1"),
        tls: Some(TlsFacts {
            version: "TLSv1_2".to_owned(),
            certificate: Digest::of(b"certificate"),
            not_before: None,
            not_after: Some("2026-01-20T10:00:00Z".parse().expect("a time")),
            names: vec![
                "shop.example.com".to_owned(),
                "*.cdn.example.com".to_owned(),
            ],
            issuer: Some("CN=ours,O=Example".to_owned()),
        }),
        timings: Timings {
            resolve_us: Some(500),
            connect_us: None,
            tls_us: Some(12_000),
            first_byte_us: Some(80_250),
            body_us: Some(1_000),
            total_us: 100_001,
        },
        ..Facts::default()
    }
}

fn options() -> Options {
    Options {
        variables: [("state".to_owned(), "ready".to_owned())].into(),
        secrets: Secrets::from_fn(|_, name| (name == "TOKEN").then(|| Secret::new("hunter2"))),
        files: Files::from_fn(|name| match name {
            "good.json" => Ok(br#"{ "type": "object", "required": ["state"] }"#.to_vec()),
            "other.yaml" => Ok(b"required: [absent]".to_vec()),
            _ => Err(std::io::Error::other("there is no such file")),
        }),
        ..Options::started_at(NOW.parse().expect("a time"))
    }
}

/// Judges evidence by a test of these fields.
fn judged(fields: &Json, answer: Option<&Answer>, facts: &Facts) -> Judgement {
    let mut test = json!({ "name": "t", "headers": { "x": "${env:TOKEN}" } });
    if answer.is_some() {
        test["expected_status"] = json!("100-599");
    } else {
        test = json!({ "name": "t", "tls": {} });
    }
    let members = fields.as_object().expect("fields");
    test.as_object_mut()
        .expect("fields")
        .extend(members.clone());
    let text = json!({ "tests": [test] }).to_string();
    let suite = Suite::parse("suite.json", text.as_bytes())
        .unwrap_or_else(|findings| panic!("{fields}: {findings}"));
    let target = Target::parse("https://shop.example.com").expect("a URL");
    let options = options();
    let prepared = prepare(&suite, &target, &options)
        .unwrap_or_else(|findings| panic!("{fields}: {findings}"));
    let base = Arc::new(Route::new(target.origin().clone(), target.access().clone()));
    let bound = prepared
        .context
        .bind(prepared.cases[0], &base, &BTreeMap::new())
        .expect("it was bound before");
    let evidence = Evidence {
        answer,
        facts,
        now: NOW.parse::<Timestamp>().expect("a time"),
    };
    judge(&bound.rules, evidence, &prepared.redactor, 60)
}

fn messages(judgement: &Judgement) -> Vec<&str> {
    let failures = judgement.failures.iter();
    failures.map(|failure| failure.message.as_str()).collect()
}

/// Fields of a test, and what is wrong: nothing where it passes.
fn check(cases: &[(Json, &str)]) {
    for (fields, wanted) in cases {
        let judgement = judged(fields, Some(&answer()), &facts());
        assert_eq!(messages(&judgement).join("\n"), *wanted, "{fields}");
        for failure in &judgement.failures {
            let shown = format!("{failure:?}");
            assert!(!shown.contains("hunter2"), "a secret is shown: {shown}");
            assert!(
                failure.expected.is_some() && failure.actual.is_some(),
                "{shown}"
            );
        }
    }
}
