//! The summary of a step in Markdown, as GitHub shows it below a job.

use nonevent_page::escape::{code_block, table_cell, table_code};

use crate::report::Summary;
use crate::report::result::TestResult;
use crate::report::verdict::{SuiteVerdict, Verdict};
use crate::report::wording::{
    clipped, conditions, mix, name, quorum, reason, shown, status, story, tally, time, took, word,
};

/// Bytes of a step's summary that GitHub takes.
pub(crate) const SUMMARY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that single tests may take of it; what is left is enough for the rest.
const TESTS_BYTES_MAX: usize = 512 * 1024;
/// Backends shown, those that did not pass first.
const BACKENDS_MAX: usize = 200;
/// Characters of one line of what a test came to, or of a cell.
const LINE_CHARS_MAX: usize = 2_000;

/// Gathers what the summary says of single tests.
#[derive(Debug, Default)]
pub(crate) struct JobSummary {
    rows: String,
    details: String,
    left_out: usize,
}

impl JobSummary {
    pub(crate) fn test(&mut self, test: &TestResult) {
        if test.verdict == Verdict::Passed {
            return;
        }
        let cell = |text: &str| table_cell(&clipped(text, LINE_CHARS_MAX));
        let verdict = word(test.verdict);
        let mark = if test.severity.is_critical() {
            ""
        } else {
            " (warning)"
        };
        let (name, status) = (name(test), status(test));
        let time = took(test.duration_us);
        let why = cell(&reason(test));
        let row = format!(
            "| {verdict}{mark} | {} | {status} | {time} | {why} |\n",
            cell(&name)
        );
        let story: Vec<String> = story(test)
            .iter()
            .map(|line| clipped(line, LINE_CHARS_MAX))
            .collect();
        let heading = nonevent_page::escape::text(&clipped(&name, LINE_CHARS_MAX));
        let detail = format!(
            "<details><summary>{verdict}: {heading}</summary>\n\n{}\n</details>\n\n",
            code_block("", &story.join("\n"))
        );
        let held = self.rows.len() + self.details.len();
        if held + row.len() + detail.len() > TESTS_BYTES_MAX {
            self.left_out += 1;
            return;
        }
        self.rows.push_str(&row);
        self.details.push_str(&detail);
    }

    /// The whole, at most [`SUMMARY_BYTES_MAX`].
    pub(crate) fn markdown(&self, summary: &Summary) -> String {
        let sign = match summary.verdict {
            SuiteVerdict::Passed => "✅",
            SuiteVerdict::Flaky | SuiteVerdict::Warned => "⚠️",
            SuiteVerdict::Failed | SuiteVerdict::Unreachable | SuiteVerdict::Inconclusive => "❌",
        };
        let suite = table_cell(&shown(&summary.suite.name, LINE_CHARS_MAX));
        let (tally, time) = (tally(&summary.counts), time(summary));
        let mut out = format!(
            "## {sign} Smoke {suite}: {}\n\n{tally} in {time}, against {}.\n\n",
            summary.verdict,
            nonevent_page::escape::code_span(&shown(&summary.target, LINE_CHARS_MAX))
        );
        for line in conditions(summary) {
            out.push_str(&format!("- {}\n", table_cell(&line)));
        }
        if !summary.builds.is_empty() {
            let mix = clipped(&mix(&summary.builds), LINE_CHARS_MAX);
            out.push_str(&format!("- builds: {}\n", table_cell(&mix)));
        }
        backends(&mut out, summary);
        if !self.rows.is_empty() {
            out.push_str("\n| verdict | test | status | took | why |\n|---|---|--:|--:|---|\n");
            out.push_str(&self.rows);
            out.push('\n');
            out.push_str(&self.details);
        }
        if self.left_out > 0 {
            let left_out = self.left_out;
            out.push_str(&format!(
                "\n{left_out} more tests that did not pass at the first try are left out here.\n"
            ));
        }
        bounded(out)
    }
}

fn backends(out: &mut String, summary: &Summary) {
    if summary.backends.is_empty() {
        return;
    }
    out.push_str("\n| backend | address | verdict | tests | builds |\n|---|---|---|---|---|\n");
    let mut backends: Vec<_> = summary.backends.iter().collect();
    backends.sort_by_key(|backend| backend.verdict.is_yes());
    for backend in backends.iter().take(BACKENDS_MAX) {
        let cell = |text: &str| table_cell(&clipped(text, 300));
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            cell(&shown(&backend.name, 300)),
            table_code(&backend.address.to_string()),
            backend.verdict,
            tally(&backend.counts),
            cell(&mix(&backend.builds)),
        ));
    }
    let more = backends.len().saturating_sub(BACKENDS_MAX);
    if more > 0 {
        out.push_str(&format!("\n{more} more backends are left out here.\n"));
    }
    if let Some(quorum) = quorum(summary) {
        out.push_str(&format!("\n{}.\n", table_cell(&quorum)));
    }
}

/// Cut where GitHub would refuse the whole.
fn bounded(mut out: String) -> String {
    const CUT: &str = "\n\nThe rest is left out: a summary has at most 1 MiB.\n";
    if out.len() > SUMMARY_BYTES_MAX {
        let mut end = SUMMARY_BYTES_MAX - CUT.len();
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push_str(CUT);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{SUMMARY_BYTES_MAX, bounded};

    #[test]
    fn a_summary_that_is_too_long_is_cut_between_characters() {
        let long = bounded("é".repeat(SUMMARY_BYTES_MAX));
        assert!(long.len() <= SUMMARY_BYTES_MAX && long.ends_with("1 MiB.\n"));
        assert_eq!(bounded("short".into()), "short");
    }
}
