//! A suite as it is used, apart from how it is written.

use http::header::HeaderName;
use nonevent_document::{Digest, Document, Findings, Span};
use serde_json::Value as Json;

use crate::bind::template::Template;
use crate::judge::path::JsonPath;
use crate::suite::status::StatusSet;

/// A smoke suite: the tests of one file, read and checked.
///
/// ```
/// use nonevent_smoke::Suite;
///
/// let text = br#"{ "tests": [ { "path": "/health", "expected_body_contains": "ok" } ] }"#;
/// let suite = Suite::parse("smoke-tests.json", text)?;
/// assert_eq!(suite.tests()[0].name(), "GET /health");
///
/// let findings = Suite::parse("smoke-tests.json", br#"{ "tests": [] }"#).unwrap_err();
/// assert!(findings.has_errors());
/// # Ok::<(), nonevent_document::Findings>(())
/// ```
#[derive(Debug)]
pub struct Suite {
    pub(crate) document: Document,
    pub(crate) digest: Digest,
    pub(crate) tests: Vec<Test>,
    pub(crate) notes: Findings,
}

impl Suite {
    /// The suite of a service that has none: `GET /` must answer 200.
    #[must_use]
    pub fn default_suite() -> Suite {
        Suite::parse(
            "default suite",
            br#"{"tests":[{"method":"GET","path":"/"}]}"#,
        )
        .expect("a constant that a test reads")
    }

    /// The name it was read under, usually a file's.
    #[must_use]
    pub fn name(&self) -> &str {
        self.document.name()
    }

    /// The text it was read from, to render findings with their lines.
    #[must_use]
    pub fn text(&self) -> &str {
        self.document.text()
    }

    /// The SHA-256 of the bytes it was read from.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its tests in the order of the file; at least one.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// What was noticed and is no error, such as fields that this runner does not know.
    #[must_use]
    pub fn notes(&self) -> &Findings {
        &self.notes
    }
}

/// One test of a [`Suite`].
#[derive(Debug)]
pub struct Test {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) method: http::Method,
    pub(crate) path: Field<Template>,
    pub(crate) headers: Vec<(HeaderName, Field<Template>)>,
    pub(crate) body: Payload,
    pub(crate) expect: Expectations,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retries: Retries,
    pub(crate) idempotent: bool,
}

impl Test {
    /// Its name, or method and path where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Where something stands in the suite's text.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) span: Span,
}

/// A value and its place, for findings that are only known once variables are.
#[derive(Debug, Clone)]
pub(crate) struct Field<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) enum Payload {
    None,
    Text(Field<Template>),
    /// Sent as JSON; its texts are templates.
    Json(Field<JsonTemplate>),
}

/// A JSON value whose texts are templates.
#[derive(Debug, Clone)]
pub(crate) enum JsonTemplate {
    Fixed(Json),
    Text(Template),
    Array(Vec<JsonTemplate>),
    Object(Vec<(String, JsonTemplate)>),
}

/// What a test asserts of an answer.
#[derive(Debug)]
pub(crate) struct Expectations {
    pub(crate) status: Option<StatusSet>,
    pub(crate) body_contains: Vec<Field<Template>>,
    pub(crate) headers: Vec<(HeaderName, HeaderRule)>,
    pub(crate) json: Vec<(JsonPath, JsonRule)>,
    pub(crate) build: Option<Build>,
}

#[derive(Debug)]
pub(crate) enum HeaderRule {
    Equals(Field<Template>),
    Contains(Field<Template>),
    Absent,
}

#[derive(Debug)]
pub(crate) enum JsonRule {
    Equals(Field<JsonTemplate>),
    Exists(bool),
}

/// Build pinning: which build answers, on several fresh connections.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) source: BuildSource,
    pub(crate) equals: Field<Template>,
    /// 1 to [`CONNECTIONS_MAX`].
    pub(crate) connections: u32,
}

/// Where an answer names its build.
#[derive(Debug, Clone)]
pub(crate) enum BuildSource {
    Header(HeaderName),
    Json(JsonPath),
}

/// Which failures are tried again, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retries {
    /// Further tries after the first, 0 to [`RETRIES_MAX`].
    pub(crate) count: u32,
    pub(crate) on: Vec<RetryClass>,
    /// Before the first further try; doubled for each one after it.
    pub(crate) delay_ms: u64,
}

/// A class of failures that may pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryClass {
    /// No address or no connection.
    Connect,
    /// Connected, and then a deadline passed.
    Timeout,
    /// A complete answer with status 500 to 599.
    ServerError,
}

impl RetryClass {
    pub(crate) const ALL: [RetryClass; 3] = [
        RetryClass::Connect,
        RetryClass::Timeout,
        RetryClass::ServerError,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RetryClass::Connect => "connect",
            RetryClass::Timeout => "timeout",
            RetryClass::ServerError => "5xx",
        }
    }
}

/// Tests in one suite.
pub(crate) const TESTS_MAX: usize = 10_000;
/// Fresh connections of one build check.
pub(crate) const CONNECTIONS_MAX: u32 = 1_000;
/// Fresh connections of a build check that does not say.
pub(crate) const CONNECTIONS_DEFAULT: u32 = 5;
/// Further tries of one test.
pub(crate) const RETRIES_MAX: u32 = 10;
/// Wait before the first further try, where the suite does not say.
pub(crate) const RETRY_DELAY_MS_DEFAULT: u64 = 200;
/// Longest wait before a further try.
pub(crate) const RETRY_DELAY_MS_MAX: u64 = 60_000;
/// Longest time for one attempt that a suite may ask for.
pub(crate) const TIMEOUT_MS_MAX: u64 = 3_600_000;
