//! A report as JUnit XML.

use core::fmt;
use std::io::{self, BufWriter, Read, Seek, Write};

use crate::report::Summary;
use crate::report::result::{Attempt, TestResult};
use crate::report::verdict::Verdict;
use crate::report::wording::{conditions, failures, mix, name, quorum, reason, story, tally, time};
use crate::report::writer::ReportWriter;
use crate::report::xml::{content, escape, token};

/// Flaky tests named in the head.
const FLAKY_NAMES_MAX: usize = 100;

/// Which JUnit XML is written. There is no single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JunitDialect {
    /// Ant's, which the published `junit.xsd` describes. It has no word for a flaky test: one
    /// counts as a success, and the suite's property `flaky` names it.
    #[default]
    Ant,
    /// Maven Surefire's, in which a flaky test holds a `flakyFailure` for each try that was got
    /// over. `junit.xsd` does not know them.
    Surefire,
}

/// Writes JUnit XML. A failed test is a `failure`, an inconclusive one an `error`; one of severity
/// `warning` too, with a message that begins with `warning:`, so that nothing is hidden. The exit
/// status says whether the run is a yes.
///
/// The counts stand before the cases, so the cases wait in a spool, usually a file, until the end.
/// No more than [a hundred names](JunitDialect::Ant) of flaky tests are held.
#[derive(Debug)]
pub struct JunitWriter<W, S: Write> {
    out: W,
    spool: BufWriter<S>,
    dialect: JunitDialect,
    suite: String,
    flaky: Vec<String>,
    flaky_more: usize,
}

impl<W: Write, S: Read + Write + Seek> JunitWriter<W, S> {
    /// Writes to `out` at the end and to `spool`, which is empty and can be read again, before.
    /// `suite` is the suite's name, which every case carries as its class.
    pub fn new(out: W, spool: S, suite: &str, dialect: JunitDialect) -> JunitWriter<W, S> {
        JunitWriter {
            out,
            spool: BufWriter::new(spool),
            dialect,
            suite: token(suite, "smoke"),
            flaky: Vec::new(),
            flaky_more: 0,
        }
    }

    /// The start of the file up to the cases.
    fn head(&mut self, summary: &Summary) -> io::Result<()> {
        let out = &mut self.out;
        let name = token(&summary.suite.name, "smoke");
        let counts = &summary.counts;
        writeln!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite \
             package=\"smoke\" id=\"0\" name=\"{name}\" timestamp=\"{}\" hostname=\"localhost\" \
             tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{}\">",
            timestamp(summary),
            counts.tests,
            counts.failed,
            counts.inconclusive,
            Seconds(summary.duration_ms.saturating_mul(1_000)),
        )?;
        writeln!(out, "    <properties>")?;
        let mut flaky = self.flaky.join(", ");
        if self.flaky_more > 0 {
            flaky.push_str(&format!(" and {} more", self.flaky_more));
        }
        let flaky = (!flaky.is_empty()).then_some(("flaky", flaky));
        for (key, value) in properties(summary).into_iter().chain(flaky) {
            let value = escape(&value);
            writeln!(out, "      <property name=\"{key}\" value=\"{value}\"/>")?;
        }
        writeln!(out, "    </properties>")
    }
}

impl<W: Write, S: Read + Write + Seek> ReportWriter for JunitWriter<W, S> {
    fn test(&mut self, test: &TestResult) -> io::Result<()> {
        if test.verdict == Verdict::Flaky {
            if self.flaky.len() < FLAKY_NAMES_MAX {
                self.flaky.push(name(test));
            } else {
                self.flaky_more += 1;
            }
        }
        let name = token(&name(test), "unnamed");
        let (suite, time) = (&self.suite, Seconds(test.duration_us));
        let out = &mut self.spool;
        write!(
            out,
            "    <testcase name=\"{name}\" classname=\"{suite}\" time=\"{time}\""
        )?;
        match (test.verdict, self.dialect) {
            (Verdict::Passed, _) | (Verdict::Flaky, JunitDialect::Ant) => {
                return writeln!(out, "/>");
            }
            (Verdict::Flaky, JunitDialect::Surefire) => {
                writeln!(out, ">")?;
                for attempt in &test.attempts {
                    flaky_failure(out, attempt)?;
                }
            }
            (Verdict::Failed, _) => problem(out, test, "failure")?,
            (Verdict::Inconclusive, _) => problem(out, test, "error")?,
        }
        writeln!(out, "    </testcase>")
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        self.head(summary)?;
        self.spool.flush()?;
        let spool = self.spool.get_mut();
        spool.rewind()?;
        io::copy(spool, &mut self.out)?;
        let said = content(&said(summary));
        write!(
            self.out,
            "    <system-out>{said}</system-out>\n    <system-err/>\n  </testsuite>\n\
             </testsuites>\n"
        )?;
        self.out.flush()
    }
}

fn problem(out: &mut impl Write, test: &TestResult, element: &str) -> io::Result<()> {
    let severity = if test.severity.is_critical() {
        ""
    } else {
        "warning: "
    };
    let kind = failures(test)
        .first()
        .map_or("unknown", |it| it.cause.as_str());
    let message = escape(&format!("{severity}{}", reason(test)));
    let story = content(&story(test).join("\n"));
    writeln!(
        out,
        ">\n      <{element} message=\"{message}\" type=\"{kind}\">{story}</{element}>"
    )
}

/// One for each try that did not pass.
fn flaky_failure(out: &mut impl Write, attempt: &Attempt) -> io::Result<()> {
    let Some(first) = attempt.failures.first() else {
        return Ok(());
    };
    let (message, kind) = (escape(&first.message), first.cause.as_str());
    let lines: Vec<String> = attempt.failures.iter().map(ToString::to_string).collect();
    let lines = content(&lines.join("\n"));
    writeln!(
        out,
        "      <flakyFailure message=\"{message}\" type=\"{kind}\"><stackTrace>{lines}\
         </stackTrace></flakyFailure>"
    )
}

fn properties(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut properties = vec![
        ("target", summary.target.clone()),
        ("suite.digest", summary.suite.digest.to_string()),
        ("verdict", summary.verdict.to_string()),
        ("reuse-connections", summary.reuse_connections.to_string()),
    ];
    let address = summary.connect_to.map(|address| address.to_string());
    properties.extend(address.map(|address| ("connect-to", address)));
    let release = summary.release.clone();
    properties.extend(release.map(|release| ("release", release)));
    let quorum = summary.quorum.map(|quorum| quorum.to_string());
    properties.extend(quorum.map(|quorum| ("quorum", quorum)));
    properties
}

/// The run in a few lines. What each test came to stands with the tests.
fn said(summary: &Summary) -> String {
    let mut lines = conditions(summary);
    lines.extend(quorum(summary));
    if !summary.builds.is_empty() {
        lines.push(format!("builds: {}", mix(&summary.builds)));
    }
    let (tally, time) = (tally(&summary.counts), time(summary));
    lines.push(format!("{}: {tally} in {time}", summary.verdict));
    lines.join("\n")
}

/// The start in UTC without zone and fraction, as the schema has it.
fn timestamp(summary: &Summary) -> String {
    let length = "2026-01-05T10:00:00".len();
    summary
        .started_at
        .to_string()
        .chars()
        .take(length)
        .collect()
}

/// Microseconds as seconds.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}
