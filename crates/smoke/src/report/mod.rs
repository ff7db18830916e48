//! What a run found.

pub(crate) mod github;
mod histogram;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
mod latency;
mod markdown;
pub(crate) mod result;
mod slowest;
pub(crate) mod statement;
pub(crate) mod text;
pub(crate) mod verdict;
mod wording;
pub(crate) mod writer;
mod xml;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::backends::Quorum;
use crate::report::junit::{JunitDialect, JunitWriter};
use crate::report::result::TestResult;
use crate::report::text::TextWriter;
use crate::report::verdict::{Counts, SuiteVerdict, Tally};
use crate::report::writer::ReportWriter;

/// The suite that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SuiteReference {
    /// The name it was read under.
    pub name: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many tests it holds, tables and repeats written out, setup and teardown included.
    pub tests: usize,
    /// How many of them were selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<usize>,
}

impl SuiteReference {
    /// How many of the suite's tests were left out.
    #[must_use]
    pub fn unselected(&self) -> usize {
        self.selected
            .map_or(0, |selected| self.tests.saturating_sub(selected))
    }
}

/// One backend of the service, and how the suite ended there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackendResult {
    /// What the caller or the router calls it; its address where it has no name.
    pub name: String,
    /// Where it was asked.
    pub address: SocketAddr,
    /// The verdict on the suite there.
    pub verdict: SuiteVerdict,
    /// How many tests ended how there.
    pub counts: Counts,
    /// How often each build answered there; `""` where an answer named none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub builds: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum ApiVersion {
    #[default]
    #[serde(rename = "nonevent/v1")]
    V1,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[default]
    SmokeReport,
}

/// What a run found, but for the single tests: what it is about, and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Summary {
    /// The verdict on the whole.
    pub verdict: SuiteVerdict,
    /// How many tests ended how.
    pub counts: Counts,
    /// What was run.
    pub suite: SuiteReference,
    /// The target's base URL.
    pub target: String,
    /// The address connected to instead of the URL's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<SocketAddr>,
    /// The backends, if each was asked by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<BackendResult>,
    /// How many backends had to pass, if each was asked by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<Quorum>,
    /// The variable `release`, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// When the run began, as the caller said.
    pub started_at: Timestamp,
    /// Milliseconds the run took.
    pub duration_ms: u64,
    /// Whether connections were kept open between tests.
    pub reuse_connections: bool,
    /// How often each build answered over all build checks; `""` where an answer named none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub builds: BTreeMap<String, u32>,
    /// What [`Summary::exit_code`] gives.
    #[serde(skip)]
    pub(crate) exit_code: u8,
}

impl Summary {
    /// The exit status that says this: 0 for yes; 1 where the service answered wrong, could not
    /// be reached, or was not asked within the run's time; 3 where only this side was at fault;
    /// 130 where the run was cancelled before a test failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

/// What a run found, whole. As JSON (`serde`) it is a document of `apiVersion: nonevent/v1`,
/// `kind: SmokeReport`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Wire")]
#[non_exhaustive]
pub struct Report {
    api_version: ApiVersion,
    kind: Kind,
    /// What it is about, and what the tests add up to.
    #[serde(flatten)]
    pub summary: Summary,
    /// The selected tests in the order of the suite, backend by backend.
    pub tests: Vec<TestResult>,
}

impl Report {
    /// The report of a run whose results the caller kept, as [`stream`](crate::stream()) shows them; they are
    /// put in the order of the suite, backend by backend.
    #[must_use]
    pub fn new(summary: Summary, mut tests: Vec<TestResult>) -> Report {
        // They come in the order in which they ended.
        let place = |name: &Option<String>| {
            let backends = &summary.backends;
            backends
                .iter()
                .position(|backend| Some(&backend.name) == name.as_ref())
        };
        tests.sort_by_cached_key(|test| (place(&test.backend), test.index));
        Report {
            api_version: ApiVersion::V1,
            kind: Kind::SmokeReport,
            summary,
            tests,
        }
    }

    /// Writes the report in another form, its tests in their order.
    ///
    /// # Errors
    ///
    /// When what is written to fails.
    pub fn write_to(&self, writer: &mut impl ReportWriter) -> io::Result<()> {
        for test in &self.tests {
            writer.test(test)?;
        }
        writer.finish(&self.summary)
    }

    /// The report as plain lines, with colours if `color`; see [`TextWriter`].
    #[must_use]
    pub fn text(&self, color: bool) -> String {
        let mut out = Vec::new();
        let written = self.write_to(&mut TextWriter::new(&mut out).color(color));
        text(&out, written)
    }

    /// The report as JUnit XML; see [`JunitWriter`].
    #[must_use]
    pub fn junit(&self, dialect: JunitDialect) -> String {
        let (mut out, spool) = (Vec::new(), io::Cursor::new(Vec::new()));
        let suite = &self.summary.suite.name;
        let written = self.write_to(&mut JunitWriter::new(&mut out, spool, suite, dialect));
        text(&out, written)
    }
}

fn text(out: &[u8], written: io::Result<()>) -> String {
    written.expect("memory can be written to");
    String::from_utf8_lossy(out).into_owned()
}

/// Whether a count is left out of the document.
fn is_zero<N: Default + PartialEq>(count: &N) -> bool {
    *count == N::default()
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(rename = "apiVersion")]
    _api_version: ApiVersion,
    #[serde(rename = "kind")]
    _kind: Kind,
    verdict: SuiteVerdict,
    counts: Counts,
    suite: SuiteReference,
    target: String,
    #[serde(default)]
    connect_to: Option<SocketAddr>,
    #[serde(default)]
    backends: Vec<BackendResult>,
    #[serde(default)]
    quorum: Option<Quorum>,
    #[serde(default)]
    release: Option<String>,
    started_at: Timestamp,
    duration_ms: u64,
    reuse_connections: bool,
    #[serde(default)]
    builds: BTreeMap<String, u32>,
    tests: Vec<TestResult>,
}

impl From<Wire> for Report {
    fn from(wire: Wire) -> Report {
        let mut tally = Tally::default();
        for test in &wire.tests {
            tally.add(test);
        }
        let summary = Summary {
            verdict: wire.verdict,
            counts: wire.counts,
            suite: wire.suite,
            target: wire.target,
            connect_to: wire.connect_to,
            backends: wire.backends,
            quorum: wire.quorum,
            release: wire.release,
            started_at: wire.started_at,
            duration_ms: wire.duration_ms,
            reuse_connections: wire.reuse_connections,
            builds: wire.builds,
            exit_code: tally.exit_code(wire.verdict),
        };
        Report::new(summary, wire.tests)
    }
}
