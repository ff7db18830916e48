//! The verdict for a pull request.

use alloc::string::String;
use core::fmt::Write as _;

use nonevent_page::escape::{markdown_text, table_cell};

use crate::outcome::{CheckResult, Outcome};
use crate::path::visible;
use crate::policy::Weight;
use crate::verdict::{CriterionResult, Verdict};

impl Verdict {
    /// The verdict as Markdown: the result, a table of the criteria, and what to do about those
    /// that are not met. Nothing in it is taken for markup that came from a file or a policy.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        self.write_markdown(&mut text)
            .expect("writing to a String cannot fail");
        text
    }

    fn write_markdown(&self, text: &mut String) -> core::fmt::Result {
        let phase = markdown_text(self.phase());
        writeln!(text, "## Gate: {phase} {}\n", self.side().word())?;
        if let Some(label) = self.label() {
            writeln!(text, "**{}**\n", markdown_text(label))?;
        }
        writeln!(text, "**{}**\n", markdown_text(&self.result_line()))?;
        writeln!(text, "| | criterion | found | owner |\n|---|---|---|---|")?;
        for result in self.criteria() {
            writeln!(
                text,
                "| {} | {} | {} | {} |",
                mark(result),
                cell(&result.title),
                cell(&found(&result.check)),
                cell(&result.owner),
            )?;
        }
        let open: &mut dyn Iterator<Item = &CriterionResult> = &mut self.closing();
        let mut heading = "\nTo open this gate:\n\n";
        for result in open {
            let (title, remedy) = (visible(&result.title), visible(&result.remedy));
            writeln!(
                text,
                "{heading}- {}: {}",
                markdown_text(&title),
                markdown_text(&remedy)
            )?;
            heading = "";
        }
        let mut heading = "\nTo be seen to:\n\n";
        for notice in self.notices() {
            let (message, help) = (visible(&notice.message), visible(&notice.help));
            writeln!(
                text,
                "{heading}- {}: {}; {}",
                notice.code,
                markdown_text(&message),
                markdown_text(&help)
            )?;
            heading = "";
        }
        writeln!(
            text,
            "\nPolicy {} `{}`, verdict `{}`, asked at {}.",
            markdown_text(&visible(self.policy_name())),
            self.policy_digest().short(),
            self.digest().short(),
            self.evaluated_at()
        )
    }
}

fn mark(result: &CriterionResult) -> &'static str {
    match (result.outcome(), result.weight) {
        (Outcome::Pass, _) => "pass",
        (Outcome::NotApplicable, _) => "n/a",
        (Outcome::Waived, _) => "waived",
        (_, Weight::Warning) => "warning",
        (Outcome::Fail, _) => "**fail**",
        (Outcome::Unknown, _) => "**unknown**",
        (Outcome::Error, _) => "**error**",
    }
}

fn cell(text: &str) -> String {
    table_cell(&visible(text))
}

/// The figure of a check; of a composed one, the figures of the parts that decided against it.
fn found(check: &CheckResult) -> String {
    let mut text = check.found.clone();
    for part in check
        .parts
        .iter()
        .filter(|part| part.outcome != Outcome::Pass)
    {
        text.push_str("; ");
        text.push_str(&found(part));
    }
    text
}
