//! The verdict for a terminal.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write as _;

use crate::outcome::{CheckResult, Outcome};
use crate::path::visible;
use crate::policy::Weight;
use crate::verdict::{CriterionResult, GateResult, Verdict};

impl Verdict {
    /// The verdict as plain text: every criterion with its reason, then the result line.
    ///
    /// Whatever file names and policies contain, the text holds no control character but the line
    /// feed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_text(&mut text)
            .expect("writing to a String cannot fail");
        text
    }

    /// `Result: BLOCKED (3/4 criteria met)`.
    #[must_use]
    pub fn result_line(&self) -> String {
        let word = match self.result() {
            GateResult::Passed => "PASSED",
            GateResult::Blocked => "BLOCKED",
        };
        let mut line = format!(
            "Result: {word} ({}/{} criteria met",
            self.met(),
            self.asked()
        );
        let count = |wanted: fn(&CriterionResult) -> bool| {
            self.criteria()
                .iter()
                .filter(|result| wanted(result))
                .count()
        };
        let idle = count(|result| result.outcome() == Outcome::NotApplicable);
        let waived = count(|result| {
            result.weight == Weight::Blocking && result.outcome() == Outcome::Waived
        });
        let warnings = count(|result| result.weight == Weight::Warning && result.is_wanting());
        for (number, what) in [
            (waived, "waived"),
            (idle, "not applicable"),
            (warnings, "with a warning"),
        ] {
            if number > 0 {
                line.push_str(&format!(", {number} {what}"));
            }
        }
        line.push(')');
        if self.asked() == 0 {
            line.push_str(": nothing was asked, which is no pass");
        }
        line
    }

    fn write_text(&self, text: &mut String) -> core::fmt::Result {
        writeln!(
            text,
            "Gate: {} {}, policy {} ({})",
            self.phase(),
            self.side().word(),
            visible(self.policy_name()),
            self.policy_digest().short()
        )?;
        if let Some(label) = self.label() {
            writeln!(text, "{label}")?;
        }
        writeln!(text, "Asked at {}", self.evaluated_at())?;
        let subjects = self.subjects();
        for (name, digest) in [
            ("Plan", subjects.plan),
            ("Runbook", subjects.runbook),
            ("Artifact", subjects.artifact),
            ("Commit", subjects.commit),
        ] {
            if let Some(digest) = digest {
                writeln!(text, "{name}: {digest}")?;
            }
        }
        writeln!(text)?;
        for result in self.criteria() {
            write_criterion(text, result)?;
        }
        self.write_changes(text)?;
        for record in self.evidence() {
            if let Some(why) = &record.refused {
                writeln!(
                    text,
                    "Not accepted: evidence {}: {}",
                    record.digest.short(),
                    visible(why)
                )?;
            }
        }
        for gap in self.gaps() {
            let place = gap
                .path
                .as_ref()
                .map_or_else(|| "the project".to_string(), ToString::to_string);
            writeln!(text, "Not looked at: {place}: {}", visible(&gap.why))?;
        }
        for notice in self.notices() {
            let (message, help) = (visible(&notice.message), visible(&notice.help));
            writeln!(text, "Notice {}: {message}; {help}", notice.code)?;
        }
        writeln!(text, "{}", self.result_line())
    }
}

impl Verdict {
    /// Where a part would do, which; what each criterion needs is said with it otherwise.
    fn write_changes(&self, text: &mut String) -> core::fmt::Result {
        if self.changes().is_empty() {
            return Ok(());
        }
        let count = self.changes().len();
        writeln!(text, "\nThe fewest changes that open it: {count}")?;
        for change in self.changes() {
            let (criterion, asked) = (visible(&change.criterion), visible(&change.asked));
            writeln!(text, "        {criterion}: {asked}")?;
        }
        writeln!(text)
    }
}

fn write_criterion(text: &mut String, result: &CriterionResult) -> core::fmt::Result {
    let mark = match (result.outcome(), result.weight) {
        (Outcome::Pass, _) => "PASS",
        (Outcome::NotApplicable, _) => "N/A",
        (Outcome::Waived, _) => "WAIVED",
        (_, Weight::Warning) => "WARN",
        (Outcome::Fail, _) => "FAIL",
        (Outcome::Unknown, _) => "UNKNOWN",
        (Outcome::Error, _) => "ERROR",
    };
    writeln!(
        text,
        "{mark:<8}{} ({})",
        visible(&result.title),
        visible(&result.id)
    )?;
    write_check(text, &result.check, 8)?;
    if result.is_wanting() {
        writeln!(
            text,
            "        do:    {} [{}]",
            visible(&result.remedy),
            visible(&result.owner)
        )?;
    }
    Ok(())
}

fn write_check(text: &mut String, check: &CheckResult, indent: usize) -> core::fmt::Result {
    if check.outcome != Outcome::Pass {
        writeln!(text, "{:indent$}asked: {}", "", visible(&check.asked))?;
    }
    writeln!(text, "{:indent$}found: {}", "", visible(&check.found))?;
    for part in &check.parts {
        writeln!(text, "{:indent$}- {}", "", part.outcome)?;
        write_check(text, part, indent + 2)?;
    }
    Ok(())
}
