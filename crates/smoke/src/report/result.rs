//! What came of one test, and of each of its attempts.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;

use nonevent_document::Redactor;
use serde::{Deserialize, Serialize};

use crate::net::certificate::TlsFacts;
use crate::net::exchange::Timings;
use crate::net::peer::Peer;
use crate::report::verdict::{Severity, Verdict};
use crate::trouble::Cause;

/// One thing that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// Its class.
    pub cause: Cause,
    /// The whole of it in one sentence.
    pub message: String,
    /// What was expected, for an assertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was there instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// Where expected and actual differ, line by line, each with `-`, `+` or a space before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// The part of the body that matters: bounded, control characters as escapes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// Its class and its sentence: `connect: no connection within 300ms (connect_ms)`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.message)
    }
}

/// One request, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attempt {
    /// Which of the connections that a build check asks for, from 1.
    pub connection: u32,
    /// 0 for the first try on this connection, then 1, 2, …
    pub retry: u32,
    /// Passed, failed or inconclusive.
    pub verdict: Verdict,
    /// What was connected to, or tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    /// Whether the connection was open already.
    pub reused: bool,
    /// The version of HTTP that was spoken: `HTTP/1.1` or `HTTP/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// The status of the answer, if its head came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Which build answered, if the test asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Bytes of the body that were read, after decoding.
    pub body_bytes: u64,
    /// The redirects that were followed, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<Redirect>,
    /// What TLS agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// How long each phase took.
    pub timings: Timings,
    /// Phases whose time the test asserts and that this attempt had none of, such as `connect` on
    /// a connection that was open already. They do not fail it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_measured: Vec<String>,
    /// What was wrong; empty if it passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redirect {
    /// The status that redirected, such as 302.
    pub status: u16,
    /// The URL it led to.
    pub to: String,
}

/// What a test is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Prepares the others; if it does not pass, they are not asked.
    Setup,
    /// Says something about the service.
    #[default]
    Test,
    /// Cleans up; runs whatever happened before.
    Teardown,
}

impl Part {
    fn is_test(&self) -> bool {
        *self == Part::Test
    }
}

/// One test of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestResult {
    /// Its place in the suite, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Part::is_test")]
    pub part: Part,
    /// What it means for the run if it does not pass.
    #[serde(default, skip_serializing_if = "Severity::is_critical")]
    pub severity: Severity,
    /// The backend that was asked, by its name in the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The method asked with; `TCP` or `TLS` where nothing of HTTP was asked.
    pub method: String,
    /// The URL asked for.
    pub url: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is inconclusive although nothing was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<Failure>,
    /// Every attempt in its order; of a long poll, the first and the last ones.
    pub attempts: Vec<Attempt>,
    /// How many attempts of a long poll are left out.
    #[serde(default, skip_serializing_if = "crate::report::is_zero")]
    pub attempts_left_out: u32,
    /// How often each build answered, for a build check; `""` where the answer named none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub builds: BTreeMap<String, u32>,
    /// Microseconds from the first attempt's start to the last one's end.
    pub duration_us: u64,
    /// A command that repeats the request, if it did not pass; secrets stand in it by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

impl TestResult {
    /// The failures that decided, of the last try on each connection.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let is_last = |at: usize| {
            self.attempts.get(at + 1).is_none_or(|next| {
                Some(next.connection) != self.attempts.get(at).map(|this| this.connection)
            })
        };
        self.attempts
            .iter()
            .enumerate()
            .filter(move |(at, _)| is_last(*at))
            .flat_map(|(_, attempt)| &attempt.failures)
            .chain(&self.not_asked)
    }

    /// Masks secrets wherever text came from outside.
    pub(crate) fn redact(&mut self, redactor: &Redactor) {
        let mask = |text: &mut String| {
            if let Cow::Owned(masked) = redactor.apply(text) {
                *text = masked;
            }
        };
        for text in [&mut self.name, &mut self.url] {
            mask(text);
        }
        self.curl.as_mut().map(mask);
        for attempt in &mut self.attempts {
            attempt.build.as_mut().map(mask);
            for redirect in &mut attempt.redirects {
                mask(&mut redirect.to);
            }
        }
        let builds = core::mem::take(&mut self.builds);
        for (mut build, count) in builds {
            mask(&mut build);
            *self.builds.entry(build).or_default() += count;
        }
        let failures = self
            .attempts
            .iter_mut()
            .flat_map(|attempt| &mut attempt.failures);
        for failure in failures.chain(&mut self.not_asked) {
            mask(&mut failure.message);
            failure.expected.as_mut().map(mask);
            failure.actual.as_mut().map(mask);
            failure.diff.as_mut().map(mask);
            failure.excerpt.as_mut().map(mask);
        }
    }
}
