//! What is said of a test and of a run, in the same words in every form. All of it is harmless on a
//! terminal, and one line each.

use std::collections::BTreeMap;

use nonevent_document::format_duration_ms;

use crate::judge::excerpt::visible;
use crate::report::Summary;
use crate::report::result::{Failure, Part, TestResult};
use crate::report::verdict::{Counts, Verdict};

/// Builds named in one mix.
const BUILDS_MAX: usize = 10;

/// What is to be said of one test, line by line; nothing where it simply passed.
pub(crate) fn story(test: &TestResult) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if test.verdict == Verdict::Flaky {
        let tries = attempts(test);
        lines.push(format!("passed only after {tries} attempts; before:"));
    }
    let mut told: Vec<Vec<String>> = Vec::new();
    for failure in failures(test) {
        let mut block = block(failure);
        // What went wrong on several connections alike is said once, and a body is shown once.
        if told.contains(&block) {
            continue;
        }
        told.push(block.clone());
        let is_shown = |line: &String| line.starts_with("body: ") && lines.contains(line);
        block.retain(|line| !is_shown(line));
        lines.append(&mut block);
    }
    let last = test.attempts.last();
    if let Some(last) = last.filter(|attempt| !attempt.not_measured.is_empty()) {
        lines.push(format!("not measured: {}", last.not_measured.join(", ")));
    }
    if !test.builds.is_empty() {
        lines.push(format!("builds: {}", mix(&test.builds)));
    }
    if test.verdict == Verdict::Passed {
        return lines;
    }
    if test.attempts_left_out > 0 {
        let left_out = test.attempts_left_out;
        lines.push(format!("{left_out} more attempts are left out"));
    }
    if let Some(last) = last {
        for redirect in &last.redirects {
            let to = visible(&redirect.to);
            lines.push(format!("redirected: {} to {to}", redirect.status));
        }
        if let Some(peer) = last.peer.as_ref().filter(|_| !test.verdict.is_yes()) {
            let http = last.http.as_ref().filter(|http| *http != "HTTP/1.1");
            let over = http.map_or(String::new(), |http| format!(" over {}", visible(http)));
            lines.push(format!("asked: {}{over}", visible(&peer.to_string())));
        }
    }
    if let Some(curl) = &test.curl {
        lines.push(format!("again: {}", visible(curl)));
    }
    lines
}

/// The failures that decided; of a flaky test those that were got over.
pub(crate) fn failures(test: &TestResult) -> Vec<&Failure> {
    if test.verdict == Verdict::Flaky {
        let attempts = test.attempts.iter();
        return attempts.flat_map(|attempt| &attempt.failures).collect();
    }
    test.failures().collect()
}

/// The first of them in one line.
pub(crate) fn reason(test: &TestResult) -> String {
    let failures = failures(test);
    let first = failures.first();
    first.map_or(String::new(), |first| visible(&first.message))
}

fn block(failure: &Failure) -> Vec<String> {
    let mut lines = vec![visible(&failure.to_string())];
    if let Some(diff) = &failure.diff {
        // The bar keeps a line of the diff from beginning with what something on the way to the
        // reader takes for a command, such as `::error::` in a log of GitHub's.
        lines.extend(diff.lines().map(|line| format!("| {}", visible(line))));
    } else {
        // A message that was not cut short says both.
        for (word, value) in [("expected", &failure.expected), ("actual", &failure.actual)] {
            if let Some(value) = value.as_ref().filter(|it| !failure.message.contains(*it)) {
                lines.push(format!("{word}: {}", visible(value)));
            }
        }
    }
    let excerpt = failure.excerpt.as_ref();
    lines.extend(excerpt.map(|text| format!("body: {}", visible(text))));
    lines
}

fn attempts(test: &TestResult) -> usize {
    test.attempts.len() + test.attempts_left_out as usize
}

/// Its name, and the backend that was asked: `Health check at shop-2`.
pub(crate) fn name(test: &TestResult) -> String {
    let name = match test.name.trim() {
        "" => "unnamed".to_owned(),
        name => visible(name),
    };
    match &test.backend {
        Some(backend) => format!("{name} at {}", visible(backend)),
        None => name,
    }
}

/// What sets it apart from a critical test of the service: `setup`, `warning`.
pub(crate) fn marks(test: &TestResult) -> Vec<&'static str> {
    let mut marks = Vec::new();
    match test.part {
        Part::Setup => marks.push("setup"),
        Part::Test => {}
        Part::Teardown => marks.push("teardown"),
    }
    if !test.severity.is_critical() {
        marks.push("warning");
    }
    marks
}

/// `passed`, `flaky`, `failed` or `inconclusive`.
pub(crate) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Flaky => "flaky",
        Verdict::Failed => "failed",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// The status of the last answer, or `-`.
pub(crate) fn status(test: &TestResult) -> String {
    let status = test.attempts.last().and_then(|attempt| attempt.status);
    status.map_or("-".to_owned(), |status| status.to_string())
}

/// `2 passed, 1 failed of 3 tests`; what there is none of is left out.
pub(crate) fn tally(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.passed, "passed"),
        (counts.flaky, "flaky"),
        (counts.failed, "failed"),
        (counts.inconclusive, "inconclusive"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if parts.is_empty() {
        return "no test was run".to_owned();
    }
    let of = if counts.tests == 1 { "test" } else { "tests" };
    let warned = match counts.warned {
        0 => String::new(),
        1 => " (1 only a warning)".to_owned(),
        warned => format!(" ({warned} only warnings)"),
    };
    format!("{} of {} {of}{warned}", parts.join(", "), counts.tests)
}

/// What the run was about and under which conditions, one sentence each.
pub(crate) fn conditions(summary: &Summary) -> Vec<String> {
    let suite = &summary.suite;
    let mut lines = Vec::new();
    if let Some(address) = summary.connect_to {
        lines.push(format!("asked at {address}"));
    }
    if suite.unselected() > 0 {
        let selected = suite.tests - suite.unselected();
        let all = suite.tests;
        lines.push(format!("only {selected} of its {all} tests are selected"));
    }
    if summary.reuse_connections {
        let note = "connections were kept open between tests: a backend that takes no new ones \
                    may look well";
        lines.push(note.to_owned());
    }
    lines
}

/// `2 of 3 backends passed, and 2 had to (quorum 50%)`.
pub(crate) fn quorum(summary: &Summary) -> Option<String> {
    let quorum = summary.quorum?;
    let backends = summary.backends.len();
    let passed = summary.backends.iter().filter(|it| it.verdict.is_yes());
    let passed = passed.count();
    let of = if backends == 1 { "backend" } else { "backends" };
    let needed = quorum.needed(backends);
    let had = if needed == backends && backends > 0 {
        "all had to".to_owned()
    } else {
        format!("{needed} had to")
    };
    Some(format!(
        "{passed} of {backends} {of} passed, and {had} (quorum {quorum})"
    ))
}

/// `1.4.2 x2, 1.5.0 x3`, at most a few of them.
pub(crate) fn mix(builds: &BTreeMap<String, u32>) -> String {
    let named = |(build, count): (&String, &u32)| match build.as_str() {
        "" => format!("none named x{count}"),
        build => format!("{} x{count}", visible(build)),
    };
    let mut parts: Vec<String> = builds.iter().take(BUILDS_MAX).map(named).collect();
    if builds.len() > BUILDS_MAX {
        parts.push(format!("and {} more", builds.len() - BUILDS_MAX));
    }
    parts.join(", ")
}

/// How long the run took.
pub(crate) fn time(summary: &Summary) -> String {
    format_duration_ms(summary.duration_ms)
}

/// `1.2 ms`, and from ten seconds on `12.3 s`.
pub(crate) fn took(us: u64) -> String {
    if us >= 10_000_000 {
        return format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000);
    }
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

/// At most `chars_max` characters, with an ellipsis where something is cut off.
pub(crate) fn clipped(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Foreign text, harmless and at most so long.
pub(crate) fn shown(text: &str, chars_max: usize) -> String {
    clipped(&visible(text), chars_max)
}

/// What was asked: `GET https://shop.example.com/health`.
pub(crate) fn asked(test: &TestResult) -> String {
    visible(&format!("{} {}", test.method, test.url))
}
