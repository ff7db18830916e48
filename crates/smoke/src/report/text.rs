//! A report as lines for a person.

use core::fmt::Write;

use nonevent_document::format_duration_ms;

use crate::judge::excerpt::visible;
use crate::report::Report;
use crate::report::result::TestResult;
use crate::report::verdict::{SuiteVerdict, Verdict};

impl Report {
    /// The report as plain lines, with colours if `color`; ends with a line break.
    ///
    /// Whatever a server sent stands in it with control characters written as escapes.
    #[must_use]
    pub fn text(&self, color: bool) -> String {
        let paint = Paint { color };
        let mut out = String::new();
        let suite = visible(&self.summary.suite.name);
        let target = visible(&self.summary.target);
        line(
            &mut out,
            format_args!(
                "{suite} ({}) against {target}",
                self.summary.suite.digest.short()
            ),
        );
        if let Some(address) = self.summary.connect_to {
            line(&mut out, format_args!("asked at {address}"));
        }
        if self.summary.suite.unselected() > 0 {
            let all = self.summary.suite.tests;
            let selected = all - self.summary.suite.unselected();
            line(
                &mut out,
                format_args!("only {selected} of its {all} tests are selected"),
            );
        }
        if self.summary.reuse_connections {
            let note = "connections were kept open between tests: a backend that takes no new \
                        ones may look well";
            line(&mut out, format_args!("{note}"));
        }
        for test in &self.tests {
            test_lines(&mut out, &paint, test);
        }
        let verdict = paint.suite(self.summary.verdict);
        line(
            &mut out,
            format_args!("{verdict}: {} in {}", self.tally(), self.time()),
        );
        out
    }

    /// `2 passed, 1 failed`; what there is none of is left out.
    fn tally(&self) -> String {
        let counts = [
            (self.summary.counts.passed, "passed"),
            (self.summary.counts.flaky, "flaky"),
            (self.summary.counts.failed, "failed"),
            (self.summary.counts.inconclusive, "inconclusive"),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!(
            "{} of {} tests",
            parts.join(", "),
            self.summary.counts.tests
        )
    }

    fn time(&self) -> String {
        format_duration_ms(self.summary.duration_ms)
    }
}

fn line(out: &mut String, what: core::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _infallible = writeln!(out, "{what}");
}

fn test_lines(out: &mut String, paint: &Paint, test: &TestResult) {
    let last = test.attempts.last();
    let status = last
        .and_then(|attempt| attempt.status)
        .map_or("-".into(), |s| s.to_string());
    let time = milliseconds(test.duration_us);
    let verdict = paint.verdict(test.verdict);
    let (name, url) = (visible(&test.name), visible(&test.url));
    line(
        out,
        format_args!(
            "  {verdict} {time:>9} {status:>4}  {name}  ({} {url})",
            test.method
        ),
    );
    let mut shown: Vec<String> = Vec::new();
    for failure in test.failures() {
        let mut lines = vec![visible(&failure.to_string())];
        lines.extend(
            failure
                .excerpt
                .as_ref()
                .map(|text| format!("body: {}", visible(text))),
        );
        lines.extend(failure.diff.as_ref().map(|text| {
            // One whole: a line of it says nothing without the others.
            let lines: Vec<String> = text.lines().map(visible).collect();
            format!("  {}", lines.join("\n        "))
        }));
        // A body is shown once, and so is what went wrong on several connections alike.
        shown.extend(
            lines
                .into_iter()
                .filter(|line| !shown.contains(line))
                .collect::<Vec<_>>(),
        );
    }
    for text in &shown {
        line(out, format_args!("      {text}"));
    }
    if test.verdict == Verdict::Flaky {
        let tries = test.attempts.len();
        let why = test
            .attempts
            .iter()
            .flat_map(|attempt| &attempt.failures)
            .next();
        let why = why.map_or(String::new(), |failure| visible(&failure.message));
        line(
            out,
            format_args!("      passed only after {tries} attempts; before: {why}"),
        );
    }
    if let Some(last) = last.filter(|attempt| !attempt.not_measured.is_empty()) {
        let phases = last.not_measured.join(", ");
        line(out, format_args!("      not measured: {phases}"));
    }
    if !test.builds.is_empty() {
        let mix: Vec<String> = test
            .builds
            .iter()
            .map(|(build, count)| build_count(build, *count))
            .collect();
        line(out, format_args!("      builds: {}", mix.join(", ")));
    }
    if let Some(peer) = last.and_then(|attempt| attempt.peer.as_ref())
        && !matches!(test.verdict, Verdict::Passed | Verdict::Flaky)
    {
        line(out, format_args!("      asked: {peer}"));
    }
    if let Some(curl) = &test.curl {
        line(out, format_args!("      again: {}", visible(curl)));
    }
}

fn build_count(build: &str, count: u32) -> String {
    let build = if build.is_empty() {
        "none named".into()
    } else {
        visible(build)
    };
    format!("{build} x{count}")
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

struct Paint {
    color: bool,
}

impl Paint {
    fn verdict(&self, verdict: Verdict) -> String {
        let (word, code) = match verdict {
            Verdict::Passed => ("passed", 32),
            Verdict::Flaky => ("flaky", 33),
            Verdict::Failed => ("FAILED", 31),
            Verdict::Inconclusive => ("INCONCLUSIVE", 35),
        };
        self.paint(&format!("{word:<12}"), code)
    }

    fn suite(&self, verdict: SuiteVerdict) -> String {
        let code = match verdict {
            SuiteVerdict::Passed => 32,
            SuiteVerdict::Flaky | SuiteVerdict::Warned => 33,
            SuiteVerdict::Failed | SuiteVerdict::Unreachable => 31,
            SuiteVerdict::Inconclusive => 35,
        };
        self.paint(&verdict.to_string(), code)
    }

    fn paint(&self, text: &str, code: u8) -> String {
        if self.color {
            format!("\u{1b}[1;{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
