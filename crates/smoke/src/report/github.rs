//! A report for a step of GitHub Actions: annotations, and the step's summary.
//!
//! The commands are those of the runner (`actions/toolkit`, "workflow commands"): a line
//! `::error title=…,file=…::message`, in which `%`, CR and LF are written `%25`, `%0D` and `%0A`, and
//! in a property also `:` and `,` as `%3A` and `%2C`.

use std::io::{self, Write};

use crate::report::Summary;
use crate::report::markdown::JobSummary;
use crate::report::result::TestResult;
use crate::report::verdict::Verdict;
use crate::report::wording::{clipped, name, shown, story, tally, time};
use crate::report::writer::ReportWriter;
use crate::suite::model::{Suite, Test};

/// Annotations of one level that GitHub shows of one step.
const ANNOTATIONS_MAX: usize = 10;
/// Characters of a message; no more than a screen of it is looked at.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// Characters of a title.
const TITLE_CHARS_MAX: usize = 200;

/// Writes annotations (workflow commands) and a summary in Markdown, both at the end of the run.
///
/// Critical tests that did not pass are errors; those of severity `warning` and flaky ones are
/// warnings. GitHub shows ten of each in a step, so no more are written, and how many there are
/// besides is said in a notice.
#[derive(Debug)]
pub struct GithubWriter<C, M> {
    commands: C,
    markdown: M,
    errors: Annotations,
    warnings: Annotations,
    summary: JobSummary,
    place: Option<SuitePlace>,
}

#[derive(Debug, Default)]
struct Annotations {
    lines: Vec<String>,
    more: usize,
}

#[derive(Debug)]
struct SuitePlace {
    file: String,
    /// The first case of each test, and the test's line.
    lines: Vec<(usize, u32)>,
}

impl<C: Write, M: Write> GithubWriter<C, M> {
    /// Writes the commands to `commands`, the step's output, and the summary to `markdown`, the
    /// file that `$GITHUB_STEP_SUMMARY` names, opened to append; or [`std::io::sink`]. The summary
    /// is at most 1 MiB, which is as much as GitHub takes of one step.
    pub fn new(commands: C, markdown: M) -> GithubWriter<C, M> {
        GithubWriter {
            commands,
            markdown,
            errors: Annotations::default(),
            warnings: Annotations::default(),
            summary: JobSummary::default(),
            place: None,
        }
    }

    /// Puts each annotation at its test in the suite's file, `file` relative to the repository.
    #[must_use]
    pub fn suite(mut self, file: &str, suite: &Suite) -> GithubWriter<C, M> {
        let mut first = 0;
        let line = |test: &Test| {
            let place = (first, test.place.span.start.line);
            first += test.cases();
            place
        };
        self.place = Some(SuitePlace {
            file: file.to_owned(),
            lines: suite.tests().iter().map(line).collect(),
        });
        self
    }

    fn annotation(&self, level: &str, test: &TestResult) -> String {
        let title = clipped(&name(test), TITLE_CHARS_MAX);
        let mut properties = vec![("title", title)];
        if let Some(place) = &self.place {
            properties.push(("file", place.file.clone()));
            let at = place
                .lines
                .partition_point(|(first, _)| *first <= test.index);
            let line = at.checked_sub(1).and_then(|at| place.lines.get(at));
            properties.extend(line.map(|(_, line)| ("line", line.to_string())));
        }
        let message = clipped(&story(test).join("\n"), MESSAGE_CHARS_MAX);
        command(level, &properties, &message)
    }
}

impl<C: Write, M: Write> ReportWriter for GithubWriter<C, M> {
    fn test(&mut self, test: &TestResult) -> io::Result<()> {
        self.summary.test(test);
        let is_error = !test.verdict.is_yes() && test.severity.is_critical();
        let level = match test.verdict {
            Verdict::Passed => return Ok(()),
            _ if is_error => "error",
            _ => "warning",
        };
        let kept = if is_error {
            &self.errors
        } else {
            &self.warnings
        };
        let line = (kept.lines.len() < ANNOTATIONS_MAX).then(|| self.annotation(level, test));
        let kept = if is_error {
            &mut self.errors
        } else {
            &mut self.warnings
        };
        match line {
            Some(line) => kept.lines.push(line),
            None => kept.more += 1,
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        for kept in [&self.errors, &self.warnings] {
            for line in &kept.lines {
                writeln!(self.commands, "{line}")?;
            }
        }
        let (tally, time) = (tally(&summary.counts), time(summary));
        let mut message = format!("{}: {tally} in {time}", summary.verdict);
        for (more, what) in [
            (self.errors.more, "errors"),
            (self.warnings.more, "warnings"),
        ] {
            if more > 0 {
                message.push_str(&format!("\n{more} more {what} are not shown here"));
            }
        }
        let title = format!("smoke {}", shown(&summary.suite.name, TITLE_CHARS_MAX));
        let notice = command("notice", &[("title", title)], &message);
        writeln!(self.commands, "{notice}")?;
        self.commands.flush()?;
        self.markdown
            .write_all(self.summary.markdown(summary).as_bytes())?;
        self.markdown.flush()
    }
}

/// One workflow command, without its line break.
fn command(name: &str, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(key, value)| format!("{key}={}", property(value)))
        .collect();
    format!("::{name} {}::{}", properties.join(","), data(message))
}

/// The text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::command;

    /// Name, properties, message.
    type Read = (String, Vec<(String, String)>, String);

    /// What the runner makes of a command.
    fn read(line: &str) -> Option<Read> {
        let decode = |text: &str| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n");
            text.replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%25", "%")
        };
        let (head, message) = line.strip_prefix("::")?.split_once("::")?;
        let (name, properties) = head.split_once(' ')?;
        let properties = properties.split(',').map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_owned(), decode(value)))
        });
        let message = message.replace("%0D", "\r").replace("%0A", "\n");
        let message = message.replace("%25", "%");
        let properties = properties.collect::<Option<_>>()?;
        Some((name.to_owned(), properties, message))
    }

    proptest! {
        #[test]
        fn a_command_is_one_line_and_is_read_back(
            title in any::<String>(),
            file in "[%:,\r\n0-9A-F=a ]{0,20}",
            message in any::<String>(),
        ) {
            let properties = [("title", title), ("file", file)];
            let line = command("error", &properties, &message);
            prop_assert!(!line.contains(['\r', '\n']));
            let wanted: Vec<_> = properties.map(|(key, value)| (key.to_owned(), value)).into();
            prop_assert_eq!(read(&line), Some(("error".to_owned(), wanted, message)));
        }
    }

    #[test]
    fn what_ends_a_value_is_escaped() {
        let line = command("error", &[("title", "a: b, 5%".into())], "one\ntwo: 5%, ::");
        assert_eq!(line, "::error title=a%3A b%2C 5%25::one%0Atwo: 5%25, ::");
    }
}
