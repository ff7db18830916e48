//! A report as JUnit XML.

use core::fmt::Write;

use crate::judge::excerpt::visible;
use crate::report::Report;
use crate::report::result::{Failure, TestResult};
use crate::report::verdict::Verdict;

/// Which JUnit XML is written. There is no single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JunitDialect {
    /// Ant's, which the published `junit.xsd` describes. It has no word for a flaky test: one
    /// counts as a success, and the suite's output and property `flaky` name it.
    #[default]
    Ant,
    /// Maven Surefire's, in which a flaky test holds `flakyFailure` elements. `junit.xsd` does
    /// not know them.
    Surefire,
}

impl Report {
    /// The report as JUnit XML. A failed test is a `failure`, an inconclusive one an `error`.
    #[must_use]
    pub fn junit(&self, dialect: JunitDialect) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
        self.suite_element(&mut out, dialect);
        out.push_str("</testsuites>\n");
        out
    }

    fn suite_element(&self, out: &mut String, dialect: JunitDialect) {
        let name = token(&self.summary.suite.name, "smoke");
        push(
            out,
            format_args!(
                "  <testsuite package=\"smoke\" id=\"0\" name=\"{name}\" timestamp=\"{}\" \
                 hostname=\"localhost\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" \
                 time=\"{}\">\n",
                self.timestamp(),
                self.summary.counts.tests,
                self.summary.counts.failed,
                self.summary.counts.inconclusive,
                seconds(self.summary.duration_ms.saturating_mul(1_000)),
            ),
        );
        out.push_str("    <properties>\n");
        for (key, value) in self.properties() {
            push(
                out,
                format_args!(
                    "      <property name=\"{key}\" value=\"{}\"/>\n",
                    escape(&value)
                ),
            );
        }
        out.push_str("    </properties>\n");
        for test in &self.tests {
            case(out, test, &name, dialect);
        }
        let said = content(&self.text(false));
        push(
            out,
            format_args!("    <system-out>{said}</system-out>\n    <system-err/>\n"),
        );
        out.push_str("  </testsuite>\n");
    }

    fn properties(&self) -> Vec<(&'static str, String)> {
        let flaky: Vec<&str> = self
            .tests
            .iter()
            .filter(|test| test.verdict == Verdict::Flaky)
            .map(|test| test.name.as_str())
            .collect();
        let mut properties = vec![
            ("target", self.summary.target.clone()),
            ("suite.digest", self.summary.suite.digest.to_string()),
            ("verdict", self.summary.verdict.to_string()),
            (
                "reuse-connections",
                self.summary.reuse_connections.to_string(),
            ),
        ];
        properties.extend(
            self.summary
                .connect_to
                .map(|address| ("connect-to", address.to_string())),
        );
        properties.extend(
            self.summary
                .release
                .as_ref()
                .map(|release| ("release", release.clone())),
        );
        if !flaky.is_empty() {
            properties.push(("flaky", flaky.join(", ")));
        }
        properties
    }

    /// The start in UTC without zone and fraction, as the schema has it.
    fn timestamp(&self) -> String {
        self.summary
            .started_at
            .to_string()
            .chars()
            .take("2026-01-05T10:00:00".len())
            .collect()
    }
}

fn case(out: &mut String, test: &TestResult, suite: &str, dialect: JunitDialect) {
    let name = token(&test.name, "unnamed");
    let time = seconds(test.duration_us);
    push(
        out,
        format_args!("    <testcase name=\"{name}\" classname=\"{suite}\" time=\"{time}\""),
    );
    let element = match test.verdict {
        Verdict::Failed => Some("failure"),
        Verdict::Inconclusive => Some("error"),
        Verdict::Flaky if dialect == JunitDialect::Surefire => Some("flakyFailure"),
        Verdict::Passed | Verdict::Flaky => None,
    };
    let Some(element) = element else {
        out.push_str("/>\n");
        return;
    };
    out.push_str(">\n");
    let failures: Vec<&Failure> = if test.verdict == Verdict::Flaky {
        test.attempts
            .iter()
            .flat_map(|attempt| &attempt.failures)
            .collect()
    } else {
        test.failures().collect()
    };
    let message = failures
        .first()
        .map_or("", |failure| failure.message.as_str());
    let kind = failures
        .first()
        .map_or("unknown", |failure| failure.cause.as_str());
    let mut detail = String::new();
    for failure in &failures {
        let mut said = format!("{failure}\n");
        if let Some(excerpt) = &failure.excerpt {
            push(&mut said, format_args!("body: {excerpt}\n"));
        }
        if let Some(diff) = &failure.diff {
            push(&mut said, format_args!("{diff}\n"));
        }
        // What went wrong alike on several connections is said once.
        if !detail.contains(&said) {
            detail.push_str(&said);
        }
    }
    if let Some(curl) = &test.curl {
        push(&mut detail, format_args!("again: {curl}"));
    }
    push(
        out,
        format_args!(
            "      <{element} message=\"{}\" type=\"{kind}\">{}</{element}>\n",
            escape(message),
            content(&detail)
        ),
    );
    out.push_str("    </testcase>\n");
}

fn push(out: &mut String, what: core::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _infallible = out.write_fmt(what);
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// An attribute of the schema's type `token`: one line, and never empty.
fn token(text: &str, fallback: &str) -> String {
    let text = visible(text.trim());
    escape(if text.is_empty() { fallback } else { &text })
}

/// Text between tags, where lines may stay lines.
fn content(text: &str) -> String {
    escape(text).replace("&#10;", "\n").replace("&#9;", "\t")
}

/// Text for XML 1.0, in an attribute or between tags. Characters that XML cannot hold, even as references,
/// are written as the escapes that the rest of a report uses.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // As they are, a parser would turn them into spaces in an attribute.
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c if is_xml(c) => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// `Char` of XML 1.0 (fifth edition, section 2.2), without the discouraged controls.
fn is_xml(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{content, escape, token};

    proptest! {
        #[test]
        fn an_xml_parser_reads_back_what_was_escaped(text in any::<String>()) {
            let xml = format!("<a b=\"{}\">{}</a>", escape(&text), content(&text));
            let document = roxmltree::Document::parse(&xml).expect("well-formed");
            let shown: String = text
                .chars()
                .map(|c| match c {
                    '\n' | '\t' | '\r' => c.to_string(),
                    c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                        c.escape_unicode().to_string()
                    }
                    c => c.to_string(),
                })
                .collect();
            let element = document.root_element();
            prop_assert_eq!(element.attribute("b"), Some(shown.as_str()));
            prop_assert_eq!(element.text().unwrap_or_default(), shown.as_str());
        }
    }

    #[test]
    fn a_token_is_one_line_and_not_empty() {
        assert_eq!(token(" a\nb ", "x"), "a\\nb");
        assert_eq!(token("  ", "x"), "x");
    }
}
