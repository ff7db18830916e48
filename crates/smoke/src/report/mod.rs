//! What a run found.

pub(crate) mod junit;
pub(crate) mod statement;
pub(crate) mod text;

use core::fmt;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use nonevent_document::{Digest, Redactor, Timestamp};
use serde::{Deserialize, Serialize};

use crate::net::exchange::Timings;
use crate::net::tls::TlsFacts;
use crate::trouble::Cause;

/// The verdict on one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The first answer was the expected one, on every connection that was asked for.
    Passed,
    /// It was only after a further try.
    Flaky,
    /// The service was reached, and what it did was wrong.
    Failed,
    /// It could not be asked.
    Inconclusive,
}

/// The verdict on the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuiteVerdict {
    /// Every test passed.
    Passed,
    /// Every test passed, at least one only after a further try.
    Flaky,
    /// At least one test failed: the service answered wrong.
    Failed,
    /// None failed, but for at least one there was no connection to the target.
    Unreachable,
    /// None failed, but at least one could not be asked for a reason on this side: time used up,
    /// cancelled, an address that is refused.
    Inconclusive,
}

impl SuiteVerdict {
    /// Whether a deployment may go on: all passed, some maybe only after a further try.
    #[must_use]
    pub const fn is_yes(self) -> bool {
        matches!(self, SuiteVerdict::Passed | SuiteVerdict::Flaky)
    }
}

impl fmt::Display for SuiteVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SuiteVerdict::Passed => "passed",
            SuiteVerdict::Flaky => "flaky",
            SuiteVerdict::Failed => "failed",
            SuiteVerdict::Unreachable => "unreachable",
            SuiteVerdict::Inconclusive => "inconclusive",
        })
    }
}

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
    /// The address connected to, or tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
    /// Whether the connection was open already.
    pub reused: bool,
    /// The status of the answer, if its head came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Which build answered, if the test asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Bytes of the body that were read.
    pub body_bytes: u64,
    /// What TLS agreed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// How long each phase took.
    pub timings: Timings,
    /// What was wrong; empty if it passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

/// One test of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestResult {
    /// Its place in the suite, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// The method asked with.
    pub method: String,
    /// The URL asked for.
    pub url: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is inconclusive although nothing was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<Failure>,
    /// Every attempt in its order.
    pub attempts: Vec<Attempt>,
    /// How often each build answered, for a build check; `""` where the answer named none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub builds: BTreeMap<String, u32>,
    /// Microseconds from the first attempt's start to the last one's end.
    pub duration_us: u64,
    /// A command that repeats the request; secrets stand in it by name.
    pub curl: String,
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
            let masked = redactor.apply(text).into_owned();
            *text = masked;
        };
        for text in [&mut self.name, &mut self.url, &mut self.curl] {
            mask(text);
        }
        for attempt in &mut self.attempts {
            attempt.build.as_mut().map(mask);
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
            failure.excerpt.as_mut().map(mask);
        }
    }
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counts {
    /// Tests that were selected.
    pub tests: usize,
    /// [`Verdict::Passed`].
    pub passed: usize,
    /// [`Verdict::Flaky`].
    pub flaky: usize,
    /// [`Verdict::Failed`].
    pub failed: usize,
    /// [`Verdict::Inconclusive`].
    pub inconclusive: usize,
}

/// The suite that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuiteReference {
    /// The name it was read under.
    pub name: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many tests it holds; [`Counts::tests`] of them were selected.
    pub tests: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ApiVersion {
    #[serde(rename = "nonevent/v1")]
    V1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    SmokeReport,
}

/// What a run found. As JSON (`serde`) it is a document of `apiVersion: nonevent/v1`, `kind:
/// SmokeReport`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Report {
    api_version: ApiVersion,
    kind: Kind,
    /// The verdict on the whole.
    pub verdict: SuiteVerdict,
    /// How many tests ended how.
    pub counts: Counts,
    /// What was run.
    pub suite: SuiteReference,
    /// The target's base URL.
    pub target: String,
    /// The address connected to instead of the URL's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<SocketAddr>,
    /// The variable `release`, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// When the run began, as the caller said.
    pub started_at: Timestamp,
    /// Milliseconds the run took.
    pub duration_ms: u64,
    /// Whether connections were kept open between tests.
    pub reuse_connections: bool,
    /// The selected tests in the order of the suite.
    pub tests: Vec<TestResult>,
}

/// The parts of a report that the run itself knows.
pub(crate) struct Head {
    pub(crate) suite: SuiteReference,
    pub(crate) target: String,
    pub(crate) connect_to: Option<SocketAddr>,
    pub(crate) release: Option<String>,
    pub(crate) started_at: Timestamp,
    pub(crate) duration_ms: u64,
    pub(crate) reuse_connections: bool,
}

impl Report {
    pub(crate) fn new(head: Head, tests: Vec<TestResult>) -> Report {
        let Head {
            suite,
            target,
            connect_to,
            release,
            started_at,
            duration_ms,
            reuse_connections,
        } = head;
        Report {
            api_version: ApiVersion::V1,
            kind: Kind::SmokeReport,
            verdict: verdict(&tests),
            counts: counts(&tests),
            suite,
            target,
            connect_to,
            release,
            started_at,
            duration_ms,
            reuse_connections,
            tests,
        }
    }

    /// The exit status that says this: 0 for yes; 1 where the service answered wrong, could not
    /// be reached, or was not asked within the run's time; 3 where only this side was at fault;
    /// 130 where the run was cancelled before a test failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let has = |cause: Cause| {
            self.tests
                .iter()
                .flat_map(TestResult::failures)
                .any(|failure| failure.cause == cause)
        };
        match self.verdict {
            SuiteVerdict::Passed | SuiteVerdict::Flaky => 0,
            SuiteVerdict::Inconclusive if has(Cause::Cancelled) => 130,
            SuiteVerdict::Inconclusive if has(Cause::Local) => 3,
            SuiteVerdict::Failed | SuiteVerdict::Unreachable | SuiteVerdict::Inconclusive => 1,
        }
    }
}

fn counts(tests: &[TestResult]) -> Counts {
    let count = |verdict| tests.iter().filter(|test| test.verdict == verdict).count();
    Counts {
        tests: tests.len(),
        passed: count(Verdict::Passed),
        flaky: count(Verdict::Flaky),
        failed: count(Verdict::Failed),
        inconclusive: count(Verdict::Inconclusive),
    }
}

fn verdict(tests: &[TestResult]) -> SuiteVerdict {
    let any = |verdict| tests.iter().any(|test| test.verdict == verdict);
    let unreachable = |test: &TestResult| {
        test.verdict == Verdict::Inconclusive
            && test
                .failures()
                .any(|failure| failure.cause.is_unreachable())
    };
    if any(Verdict::Failed) {
        SuiteVerdict::Failed
    } else if tests.iter().any(unreachable) {
        SuiteVerdict::Unreachable
    } else if any(Verdict::Inconclusive) || tests.is_empty() {
        SuiteVerdict::Inconclusive
    } else if any(Verdict::Flaky) {
        SuiteVerdict::Flaky
    } else {
        SuiteVerdict::Passed
    }
}
