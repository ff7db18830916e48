//! A report as lines for a person.

use std::io::{self, Write};

use crate::judge::excerpt::visible;
use crate::report::result::TestResult;
use crate::report::slowest::Slowest;
use crate::report::verdict::{SuiteVerdict, Verdict};
use crate::report::wording::{
    clipped, conditions, marks, mix, name, quorum, status, story, tally, time, took, word,
};
use crate::report::writer::ReportWriter;
use crate::report::{BackendResult, Summary};

/// Backends shown in lines of their own, those that did not pass first.
const BACKENDS_MAX: usize = 20;
/// Slowest tests named at the end, of a run so long that they are not seen at once.
const SLOWEST_MAX: usize = 5;
/// Tests of a run that can be looked over.
const FEW_TESTS: usize = 12;
/// Characters of a name that is kept until the end.
const NAME_CHARS_MAX: usize = 120;

/// Writes plain lines: one for each test with what went wrong below it, then the backends, the
/// slowest tests and the verdict. Whatever a server sent stands in it with control characters
/// written as escapes, on lines that begin with a word of this writer's.
#[derive(Debug)]
pub struct TextWriter<W> {
    out: W,
    paint: Paint,
    only_problems: bool,
    slowest: Slowest<String>,
}

impl<W: Write> TextWriter<W> {
    /// Without colours, and with every test.
    pub fn new(out: W) -> TextWriter<W> {
        TextWriter {
            out,
            paint: Paint { color: false },
            only_problems: false,
            slowest: Slowest::new(SLOWEST_MAX),
        }
    }

    /// With colours (ANSI), for a terminal.
    #[must_use]
    pub fn color(mut self, color: bool) -> TextWriter<W> {
        self.paint.color = color;
        self
    }

    /// Leaves out the lines of tests that passed at the first try.
    #[must_use]
    pub fn only_problems(mut self, only_problems: bool) -> TextWriter<W> {
        self.only_problems = only_problems;
        self
    }

    fn backends(&mut self, summary: &Summary) -> io::Result<()> {
        let out = &mut self.out;
        let mut backends: Vec<&BackendResult> = summary.backends.iter().collect();
        backends.sort_by_key(|backend| backend.verdict.is_yes());
        for backend in backends.iter().take(BACKENDS_MAX) {
            let verdict = self.paint.suite(backend.verdict, 12);
            let name = visible(&backend.name);
            let at = match backend.address.to_string() {
                address if address == name => String::new(),
                address => format!(" ({address})"),
            };
            let tally = tally(&backend.counts);
            write!(out, "  {verdict}  {name}{at}: {tally}")?;
            if !backend.builds.is_empty() {
                write!(out, "; builds: {}", mix(&backend.builds))?;
            }
            writeln!(out)?;
        }
        let more = backends.get(BACKENDS_MAX..).unwrap_or_default();
        if !more.is_empty() {
            let bad = more.iter().filter(|it| !it.verdict.is_yes()).count();
            let count = more.len();
            writeln!(out, "  and {count} more, of which {bad} did not pass")?;
        }
        if let Some(quorum) = quorum(summary) {
            writeln!(out, "{quorum}")?;
        }
        Ok(())
    }
}

impl<W: Write> ReportWriter for TextWriter<W> {
    fn test(&mut self, test: &TestResult) -> io::Result<()> {
        let slowest = &mut self.slowest;
        slowest.offer(test.duration_us, || clipped(&name(test), NAME_CHARS_MAX));
        if self.only_problems && test.verdict == Verdict::Passed {
            return Ok(());
        }
        let verdict = self.paint.verdict(test);
        let time = took(test.duration_us);
        let (status, name) = (status(test), name(test));
        let url = visible(&test.url);
        let marks: String = marks(test).iter().map(|mark| format!("; {mark}")).collect();
        let method = &test.method;
        writeln!(
            self.out,
            "  {verdict} {time:>9} {status:>4}  {name}  ({method} {url}{marks})"
        )?;
        for line in story(test) {
            writeln!(self.out, "      {}", self.paint.detail(&line))?;
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let suite = visible(&summary.suite.name);
        let digest = summary.suite.digest.short();
        let target = visible(&summary.target);
        writeln!(self.out, "suite {suite} ({digest}) against {target}")?;
        for line in conditions(summary) {
            writeln!(self.out, "{line}")?;
        }
        self.backends(summary)?;
        if !summary.builds.is_empty() {
            writeln!(self.out, "builds: {}", mix(&summary.builds))?;
        }
        let slowest = self.slowest.take();
        if summary.counts.tests > FEW_TESTS {
            writeln!(self.out, "slowest:")?;
            for (us, name) in slowest {
                let time = took(us);
                writeln!(self.out, "  {time:>12}  {name}")?;
            }
        }
        let verdict = self.paint.suite(summary.verdict, 0);
        let (tally, time) = (tally(&summary.counts), time(summary));
        writeln!(self.out, "{verdict}: {tally} in {time}")?;
        self.out.flush()
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) color: bool,
}

impl Paint {
    /// In capitals where it means that the run is no yes.
    fn verdict(self, test: &TestResult) -> String {
        let word = word(test.verdict);
        if !test.severity.is_critical() && !test.verdict.is_yes() {
            return self.paint(&format!("{word:<12}"), "1;33");
        }
        match test.verdict {
            Verdict::Passed => self.paint(&format!("{word:<12}"), "1;32"),
            Verdict::Flaky => self.paint(&format!("{word:<12}"), "1;33"),
            Verdict::Failed => self.paint(&format!("{:<12}", word.to_uppercase()), "1;31"),
            Verdict::Inconclusive => self.paint(&format!("{:<12}", word.to_uppercase()), "1;35"),
        }
    }

    fn suite(self, verdict: SuiteVerdict, width: usize) -> String {
        let code = match verdict {
            SuiteVerdict::Passed => "1;32",
            SuiteVerdict::Flaky | SuiteVerdict::Warned => "1;33",
            SuiteVerdict::Failed | SuiteVerdict::Unreachable => "1;31",
            SuiteVerdict::Inconclusive => "1;35",
        };
        let word = verdict.to_string();
        self.paint(&format!("{word:<width$}"), code)
    }

    /// Lines of a diff in the colours that diffs have.
    fn detail(self, line: &str) -> String {
        match line.get(..3) {
            Some("| -") => self.paint(line, "31"),
            Some("| +") => self.paint(line, "32"),
            _ => line.to_owned(),
        }
    }

    pub(crate) fn paint(self, text: &str, code: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
