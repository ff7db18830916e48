//! A rule as a page, as an entry for programs, and as a row of the index.

use nonevent::document::Rule;
use serde_json::{Value, json};

use crate::Table;
use crate::example::Example;

const NOTICE: &str = "<!-- generated from the code (cargo xtask bless) -->\n";

/// The page of one rule.
pub(crate) fn page(rule: &Rule, example: Option<&Example>) -> String {
    let mut page = format!(
        "{NOTICE}\n# {}: {}\n\n{}\n",
        rule.code, rule.severity, rule.rule
    );
    if !rule.why.is_empty() {
        page += &format!("\n## Why\n\n{}\n", rule.why);
    }
    if let Some(example) = example {
        page += "\n## Example\n\n";
        page += &match &example.good {
            Some(good) => format!(
                "`{good}`, broken by one edit:\n\n{}",
                block("diff", &example.edit)
            ),
            None => block("text", &example.edit),
        };
        page += &format!("\nis answered by\n\n{}", block("text", &example.printed));
        page += &format!("\n## What to do\n\n{}\n", sentence(&example.help));
    }
    page
}

/// The same for programs.
pub(crate) fn entry(rule: &Rule, example: Option<&Example>) -> Value {
    json!({
        "code": rule.code,
        "severity": rule.severity,
        "rule": rule.rule,
        "why": rule.why,
        "good": example.and_then(|it| it.good.as_deref()),
        "help": example.map(|it| sentence(&it.help)),
        "edit": example.map(|it| &it.edit),
        "printed": example.map(|it| &it.printed),
    })
}

/// All rules of all tables.
pub(crate) fn index(tables: &[Table]) -> String {
    let mut index = format!(
        "{NOTICE}\n# Findings\n\nEvery rule that a document is held against, by its code, with a \
         page that says why it is there and how it is broken. A code keeps its meaning for good. \
         `nonevent explain NE1014` prints a page; `findings.json` has them for programs.\n\n\
         An *error* keeps a document from being used. A *warning* says that something is likely \
         wrong. A *note* is worth knowing, such as that something could not be evaluated.\n\n\
         The codes of gate policies (NE30…), smoke suites (NE50…) and trust in evidence (NE70…) are \
         explained on their crates' pages.\n"
    );
    for table in tables {
        index += &format!(
            "\n## {}\n\n| code | severity | rule |\n|---|---|---|\n",
            table.title
        );
        for rule in table.rules {
            let code = rule.code;
            index += &format!(
                "| [{code}]({code}.md) | {} | {} |\n",
                rule.severity, rule.rule
            );
        }
    }
    index
}

/// Advice as a sentence of its own.
fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if help.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

/// A fenced block.
fn block(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}
