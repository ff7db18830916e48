//! A report as one self-contained page.

use std::io::{self, Write};

use nonevent_page::{Html, Inline, Page, Section, Table, Tone, escape};

use crate::report::latency::Latency;
use crate::report::result::TestResult;
use crate::report::slowest::Slowest;
use crate::report::verdict::{SuiteVerdict, Verdict};
use crate::report::wording::{
    asked, clipped, conditions, marks, mix, name, quorum, shown, status, story, tally, time, took,
    word,
};
use crate::report::writer::ReportWriter;
use crate::report::{BackendResult, Summary};

/// Tests that did not pass and are shown with all that is known of them.
const PROBLEMS_MAX: usize = 200;
/// Flaky tests shown with all that is known of them.
const FLAKY_MAX: usize = 100;
/// Of either, those that are shown unfolded.
const UNFOLDED_MAX: usize = 10;
/// Rows of the table of tests, which are the first that ended.
const TESTS_MAX: usize = 1_000;
/// Rows of the table of slowest tests.
const SLOWEST_MAX: usize = 20;
/// Backends shown, those that did not pass first.
const BACKENDS_MAX: usize = 1_000;
/// Lines of what is said of one test.
const LINES_MAX: usize = 200;
/// Characters of one such line.
const LINE_CHARS_MAX: usize = 2_000;
/// Characters of a name or a URL in a table.
const CELL_CHARS_MAX: usize = 300;

/// Writes one HTML page at the end of the run: it loads nothing, runs nothing and can be mailed.
///
/// It holds the verdict and its conditions, the backends, up to 200 tests that did not pass and up
/// to 100 flaky ones each with its whole story, how long each phase of a request took, the 20
/// slowest tests and the first 1 000 tests in a table. What is left out is counted.
#[derive(Debug)]
pub struct HtmlWriter<W> {
    out: W,
    problems: Stories,
    flaky: Stories,
    latency: Latency,
    slowest: Slowest<[String; 2]>,
    tests: Option<Table>,
    listed: usize,
}

impl<W: Write> HtmlWriter<W> {
    /// Writes to `out`, nothing before the end.
    pub fn new(out: W) -> HtmlWriter<W> {
        let tests = Table::new("Tests in the order in which they ended")
            .column("Test")
            .column("Verdict")
            .number_column("Status")
            .number_column("Took")
            .column("Asked");
        HtmlWriter {
            out,
            problems: Stories::new("What went wrong", PROBLEMS_MAX),
            flaky: Stories::new("Passed only after a further try", FLAKY_MAX),
            latency: Latency::default(),
            slowest: Slowest::new(SLOWEST_MAX),
            tests: Some(tests),
            listed: 0,
        }
    }

    fn page(&mut self, summary: &Summary) -> Page {
        let title = format!("Smoke of {}", shown(&summary.target, CELL_CHARS_MAX));
        let (tally, time) = (tally(&summary.counts), time(summary));
        let verdict = summary.verdict;
        let mut page = Page::new(title)
            .summary(
                Inline::new()
                    .badge(suite_tone(verdict), &verdict.to_string())
                    .plain(&format!(": {tally} in {time}")),
            )
            .section(facts(summary));
        if !summary.backends.is_empty() {
            page = page.section(backends(summary));
        }
        for stories in [&mut self.problems, &mut self.flaky] {
            if let Some(section) = stories.take() {
                page = page.section(section);
            }
        }
        if let Some(section) = self.latency.section() {
            page = page.section(section);
        }
        page = page.section(self.tests(summary));
        let version = env!("CARGO_PKG_VERSION");
        page.footer(format!("nonevent-smoke {version}"))
    }

    fn tests(&mut self, summary: &Summary) -> Section {
        let mut section = Section::new("Tests");
        let slowest = self.slowest.take();
        if self.listed > SLOWEST_MAX {
            let mut table = Table::new("Slowest tests")
                .column("Test")
                .number_column("Took")
                .column("Asked");
            for (us, [name, asked]) in slowest {
                table = table.row([name.into(), took(us).into(), Inline::new().code(&asked)]);
            }
            section = section.table(&table);
        }
        if let Some(table) = self.tests.take() {
            section = section.table(&table);
        }
        let more = summary.counts.tests.saturating_sub(self.listed);
        if more > 0 {
            let listed = self.listed;
            let notice = format!(
                "The first {listed} tests are listed; {more} more are in the counts, and in the \
                 JSON report."
            );
            section = section.paragraph(notice);
        }
        section
    }
}

impl<W: Write> ReportWriter for HtmlWriter<W> {
    fn test(&mut self, test: &TestResult) -> io::Result<()> {
        match test.verdict {
            Verdict::Passed => {}
            Verdict::Flaky => self.flaky.add(test),
            Verdict::Failed | Verdict::Inconclusive => self.problems.add(test),
        }
        self.latency.add(test);
        let name = || clipped(&name(test), CELL_CHARS_MAX);
        let url = || clipped(&asked(test), CELL_CHARS_MAX);
        self.slowest.offer(test.duration_us, || [name(), url()]);
        if self.listed < TESTS_MAX {
            let row = [
                name().into(),
                badge(test),
                status(test).into(),
                took(test.duration_us).into(),
                Inline::new().code(&url()),
            ];
            self.tests = self.tests.take().map(|table| table.row(row));
            self.listed += 1;
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let page = self.page(summary);
        self.out.write_all(page.render().as_bytes())?;
        self.out.flush()
    }
}

/// Tests with all that is known of them, up to a number.
#[derive(Debug)]
struct Stories {
    section: Option<Section>,
    shown: usize,
    most: usize,
    more: usize,
}

impl Stories {
    fn new(heading: &str, most: usize) -> Stories {
        Stories {
            section: Some(Section::new(heading)),
            shown: 0,
            most,
            more: 0,
        }
    }

    fn add(&mut self, test: &TestResult) {
        if self.shown >= self.most {
            self.more += 1;
            return;
        }
        let lines = story(test);
        let mut text: Vec<String> = lines
            .iter()
            .take(LINES_MAX)
            .map(|line| clipped(line, LINE_CHARS_MAX))
            .collect();
        if lines.len() > LINES_MAX {
            text.push(format!("{} more lines", lines.len() - LINES_MAX));
        }
        let said = lines_of(&text);
        let status = match status(test) {
            none if none == "-" => String::new(),
            status => format!(" with status {status}"),
        };
        let marks: String = marks(test).iter().map(|mark| format!(", {mark}")).collect();
        let took = took(test.duration_us);
        let heading = badge(test)
            .plain(" ")
            .strong(&clipped(&name(test), CELL_CHARS_MAX))
            .plain(&format!("{marks}{status} in {took}: "))
            .code(&clipped(&asked(test), CELL_CHARS_MAX));
        let unfolded = self.shown < UNFOLDED_MAX;
        let add = |section: Section| {
            if unfolded {
                section.paragraph(heading).html(&said)
            } else {
                section.folded(heading, &Section::new("").html(&said))
            }
        };
        self.section = self.section.take().map(add);
        self.shown += 1;
    }

    fn take(&mut self) -> Option<Section> {
        let section = self.section.take().filter(|_| self.shown > 0)?;
        if self.more == 0 {
            return Some(section);
        }
        let (shown, more) = (self.shown, self.more);
        let notice = format!("The first {shown} are shown; {more} more are in the JSON report.");
        Some(section.notice(Tone::Warning, notice))
    }
}

/// Lines that wrap, with those of a diff in colour; the signs say the same.
fn lines_of(lines: &[String]) -> Html {
    let line = |line: &String| {
        let text = escape::text(line);
        match line.get(..3) {
            Some("| -") => format!("<span class=\"bad\">{text}</span>"),
            Some("| +") => format!("<span class=\"good\">{text}</span>"),
            _ => text,
        }
    };
    let lines: Vec<String> = lines.iter().map(line).collect();
    let style = "white-space:pre-wrap;overflow-wrap:anywhere";
    let lines = lines.join("\n");
    Html::trusted(format!(
        "<pre style=\"{style}\"><code style=\"{style}\">{lines}</code></pre>"
    ))
}

fn facts(summary: &Summary) -> Section {
    let suite = &summary.suite;
    let suite_name = shown(&suite.name, CELL_CHARS_MAX);
    let mut facts = vec![
        (
            "Target",
            Inline::new().code(&shown(&summary.target, CELL_CHARS_MAX)),
        ),
        (
            "Suite",
            Inline::new()
                .code(&suite_name)
                .plain(" ")
                .plain(&suite.digest.short().to_string()),
        ),
        ("Started", summary.started_at.to_string().into()),
    ];
    if let Some(release) = &summary.release {
        facts.push((
            "Release",
            Inline::new().code(&shown(release, CELL_CHARS_MAX)),
        ));
    }
    if !summary.builds.is_empty() {
        facts.push(("Builds that answered", mix(&summary.builds).into()));
    }
    if let Some(quorum) = quorum(summary) {
        facts.push(("Quorum", quorum.into()));
    }
    let section = Section::new("The run").facts(facts);
    conditions(summary)
        .into_iter()
        .fold(section, |section, line| section.notice(Tone::Neutral, line))
}

fn backends(summary: &Summary) -> Section {
    let mut backends: Vec<&BackendResult> = summary.backends.iter().collect();
    backends.sort_by_key(|backend| backend.verdict.is_yes());
    let mut table = Table::new("Each backend by itself")
        .column("Backend")
        .column("Verdict")
        .column("Tests")
        .column("Builds that answered")
        .column("Address");
    for backend in backends.iter().take(BACKENDS_MAX) {
        let verdict = backend.verdict;
        table = table.row([
            shown(&backend.name, CELL_CHARS_MAX).into(),
            Inline::new().badge(suite_tone(verdict), &verdict.to_string()),
            tally(&backend.counts).into(),
            mix(&backend.builds).into(),
            Inline::new().code(&backend.address.to_string()),
        ]);
    }
    Section::new("Backends").table(&table)
}

fn badge(test: &TestResult) -> Inline {
    let tone = match test.verdict {
        Verdict::Passed => Tone::Good,
        Verdict::Flaky => Tone::Warning,
        Verdict::Failed | Verdict::Inconclusive if !test.severity.is_critical() => Tone::Warning,
        Verdict::Failed | Verdict::Inconclusive => Tone::Bad,
    };
    Inline::new().badge(tone, word(test.verdict))
}

fn suite_tone(verdict: SuiteVerdict) -> Tone {
    match verdict {
        SuiteVerdict::Passed => Tone::Good,
        SuiteVerdict::Flaky | SuiteVerdict::Warned => Tone::Warning,
        SuiteVerdict::Failed | SuiteVerdict::Unreachable | SuiteVerdict::Inconclusive => Tone::Bad,
    }
}
