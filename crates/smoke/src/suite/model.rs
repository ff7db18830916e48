//! A suite as it is used, apart from how it is written.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use http::header::HeaderName;
use nonevent_document::{Digest, Findings, Span};
use serde_json::Value as Json;

use crate::bind::template::Template;
use crate::judge::path::JsonPath;
use crate::net::route::HttpVersion;
use crate::report::result::Part;
use crate::report::verdict::Severity;
use crate::suite::expectations::Expectations;

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
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) digest: Digest,
    /// What `${name}` stands for where the caller does not say.
    pub(crate) variables: BTreeMap<String, String>,
    /// Setup, tests and teardown, in this order.
    pub(crate) tests: Vec<Test>,
    /// Where the list `tests` is.
    pub(crate) place: Place,
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
        &self.name
    }

    /// The text it was read from, to render findings with their lines.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the bytes it was read from.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its tests: setup, then the tests proper, of which there is at least one, then teardown, each
    /// in the order of the file.
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
    /// The name where it differs between the rows of its table.
    pub(crate) name_template: Option<Box<Template>>,
    pub(crate) place: Place,
    pub(crate) part: Part,
    pub(crate) severity: Severity,
    pub(crate) tags: Vec<String>,
    pub(crate) probe: Probe,
    pub(crate) connection: Option<Box<Connection>>,
    pub(crate) expect: Expectations,
    pub(crate) captures: Vec<Capture>,
    /// Indices of the tests that must have passed before.
    pub(crate) needs: Vec<usize>,
    /// One run of the test for each; none where there is no table, and the test is run once.
    pub(crate) rows: Vec<Row>,
    /// How often each row is asked, at least once.
    pub(crate) repeat: u32,
    pub(crate) poll: Option<Box<Poll>>,
    pub(crate) compare: Option<Box<CompareTest>>,
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

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str)
    }

    /// How often it is asked: rows of its table times repeats.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.rows.len().max(1) * self.repeat as usize
    }

    pub(crate) fn http(&self) -> Option<&HttpProbe> {
        match &self.probe {
            Probe::Http(http) => Some(http),
            Probe::Tcp(_) | Probe::Tls(_) => None,
        }
    }
}

/// How a test is compared between two versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CompareTest {
    /// Whether it is sent to both; if not said, where its method is safe.
    pub(crate) wanted: Option<bool>,
    /// Places where the versions may differ, such as `$.version`.
    pub(crate) ignored: Vec<String>,
}

/// One row of a table: names and values, `${name}` in the test.
pub(crate) type Row = Vec<(String, String)>;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Probe {
    Http(Box<HttpProbe>),
    Tcp(Box<TcpProbe>),
    Tls(TlsProbe),
}

impl Probe {
    /// What reports write in the place of a method.
    pub(crate) fn word(&self) -> &str {
        match self {
            Probe::Http(http) => http.method.as_str(),
            Probe::Tcp(_) => "TCP",
            Probe::Tls(_) => "TLS",
        }
    }
}

/// An HTTP request.
#[derive(Debug)]
pub(crate) struct HttpProbe {
    pub(crate) method: http::Method,
    pub(crate) path: Field<Template>,
    /// Appended to the path's own, percent-encoded.
    pub(crate) query: Vec<(String, Field<Template>)>,
    pub(crate) headers: Vec<(HeaderName, Field<Template>)>,
    pub(crate) auth: Option<Box<Auth>>,
    pub(crate) cookies: Vec<(String, Field<Template>)>,
    pub(crate) body: Payload,
    /// How many redirects are followed; none if 0.
    pub(crate) redirects_max: u32,
}

/// A connection to a port, without HTTP.
#[derive(Debug)]
pub(crate) struct TcpProbe {
    /// Another port of the target's host.
    pub(crate) port: Option<u16>,
    pub(crate) send: Option<Field<Template>>,
    /// The service must say this, after what was sent, or by itself.
    pub(crate) expect: Option<Field<Template>>,
}

/// A TLS handshake, without HTTP.
#[derive(Debug)]
pub(crate) struct TlsProbe {
    pub(crate) port: Option<u16>,
}

/// Who asks.
#[derive(Debug)]
pub(crate) enum Auth {
    Basic {
        user: Field<Template>,
        password: Field<Template>,
    },
    Bearer(Field<Template>),
}

/// The way to the target where a test has one of its own; what is not said is the target's.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) connect_to: Option<SocketAddr>,
    pub(crate) resolve: Vec<IpAddr>,
    pub(crate) unix_socket: Option<Field<Template>>,
    pub(crate) proxy: Option<Field<Template>>,
    pub(crate) proxy_authorization: Option<Field<Template>>,
    pub(crate) server_name: Option<Field<Template>>,
    /// A file of certificates, PEM.
    pub(crate) trust: Option<Field<Template>>,
    pub(crate) client: Option<ClientFiles>,
    pub(crate) http: Option<HttpVersion>,
}

impl Connection {
    /// Whether it leads past the backends that a run may ask one by one.
    pub(crate) fn leaves_the_backend(&self) -> bool {
        self.connect_to.is_some()
            || !self.resolve.is_empty()
            || self.unix_socket.is_some()
            || self.proxy.is_some()
    }
}

/// Where a client certificate is: two files, PEM.
#[derive(Debug)]
pub(crate) struct ClientFiles {
    pub(crate) certificate: Field<Template>,
    pub(crate) key: Field<Template>,
}

/// A value of an answer that later tests use as `${name}`.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) source: CaptureSource,
    /// Masked in every output.
    pub(crate) secret: bool,
}

/// Where an answer has the value.
#[derive(Debug)]
pub(crate) enum CaptureSource {
    Header(HeaderName),
    /// The value of a cookie that is set.
    Cookie(String),
    /// The first value found; text as it is, anything else as JSON.
    Json(JsonPath),
    /// The first group of the first match in the body, or the whole match.
    Regex(Box<regex::Regex>),
    Status,
    Body,
}

/// Asks until the test passes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Poll {
    /// In all, from the first attempt's start.
    pub(crate) within_ms: u64,
    /// Before the second attempt; grows by the factor up to the largest.
    pub(crate) interval_ms: u64,
    pub(crate) factor: f64,
    pub(crate) interval_ms_max: u64,
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
    Text(Box<Field<Template>>),
    /// Sent as JSON; its texts are templates.
    Json(Box<Field<JsonTemplate>>),
    /// The bytes of a file, by its name.
    File(Box<Field<Template>>),
    /// `application/x-www-form-urlencoded`, or `multipart/form-data` if a field is a file.
    Form(Vec<(String, FormValue)>),
}

/// The value of a field of a form.
#[derive(Debug)]
pub(crate) enum FormValue {
    Text(Field<Template>),
    File {
        file: Field<Template>,
        content_type: Option<String>,
    },
}

impl FormValue {
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, FormValue::File { .. })
    }
}

/// A JSON value whose texts are templates.
#[derive(Debug, Clone)]
pub(crate) enum JsonTemplate {
    Fixed(Json),
    Text(Template),
    Array(Vec<JsonTemplate>),
    Object(Vec<(String, JsonTemplate)>),
}

/// Which failures are tried again, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retries {
    /// Further tries after the first, 0 to [`RETRIES_MAX`].
    pub(crate) count: u32,
    pub(crate) on: RetryClasses,
    /// Before the first further try; doubled for each one after it.
    pub(crate) delay_ms: u64,
}

/// Which classes of failures are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryClasses {
    pub(crate) connect: bool,
    pub(crate) timeout: bool,
    pub(crate) server_error: bool,
}

impl RetryClasses {
    pub(crate) const ALL: RetryClasses = RetryClasses {
        connect: true,
        timeout: true,
        server_error: true,
    };

    pub(crate) fn contains(self, class: RetryClass) -> bool {
        match class {
            RetryClass::Connect => self.connect,
            RetryClass::Timeout => self.timeout,
            RetryClass::ServerError => self.server_error,
        }
    }
}

impl FromIterator<RetryClass> for RetryClasses {
    fn from_iter<I: IntoIterator<Item = RetryClass>>(classes: I) -> RetryClasses {
        let mut all = RetryClasses {
            connect: false,
            timeout: false,
            server_error: false,
        };
        for class in classes {
            match class {
                RetryClass::Connect => all.connect = true,
                RetryClass::Timeout => all.timeout = true,
                RetryClass::ServerError => all.server_error = true,
            }
        }
        all
    }
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
/// Further tries of one test.
pub(crate) const RETRIES_MAX: u32 = 10;
/// Wait before the first further try, where the suite does not say.
pub(crate) const RETRY_DELAY_MS_DEFAULT: u64 = 200;
/// Longest wait before a further try.
pub(crate) const RETRY_DELAY_MS_MAX: u64 = 60_000;
/// Longest time for one attempt that a suite may ask for.
pub(crate) const TIMEOUT_MS_MAX: u64 = 3_600_000;
/// Rows of one table.
pub(crate) const ROWS_MAX: usize = 10_000;
/// Repeats of one test.
pub(crate) const REPEAT_MAX: u32 = 10_000;
/// Tests of one suite, tables and repeats written out.
pub(crate) const CASES_MAX: usize = 100_000;
/// Longest time that a test may poll.
pub(crate) const POLL_MS_MAX: u64 = 3_600_000;
