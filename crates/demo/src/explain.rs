//! `explain`: what the code of a finding stands for.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::args;
use crate::code::{USAGE, fail, print};
use crate::planning::print_json;
use crate::wrap::wrapped;

/// Every rule with its page, as a test of the facade writes them from the code.
const PAGES: &str = include_str!("../../../docs/findings/findings.json");

/// One rule and its example.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    code: String,
    severity: String,
    rule: String,
    why: String,
    /// The good document that was edited; without one, `edit` is the whole text.
    good: Option<String>,
    edit: Option<String>,
    printed: Option<String>,
    help: Option<String>,
}

/// `nonevent explain`.
pub(crate) fn explain(arguments: &args::Explain) -> ExitCode {
    let pages = pages();
    let Some(code) = &arguments.code else {
        if arguments.json {
            print_json(&pages);
        } else {
            pages.iter().for_each(|page| print(row(page)));
        }
        return ExitCode::SUCCESS;
    };
    let is_asked = |page: &&Page| page.code.eq_ignore_ascii_case(code);
    let Some(page) = pages.iter().find(is_asked) else {
        let text =
            format!("no page is about {code}; `nonevent explain` lists those that are there");
        return fail(USAGE, text);
    };
    if arguments.json {
        print_json(page);
    } else {
        print(page.text());
    }
    ExitCode::SUCCESS
}

fn pages() -> Vec<Page> {
    serde_json::from_str(PAGES).expect("a test reads the pages that are built in")
}

fn row(page: &Page) -> String {
    format!("{} {:7} {}\n", page.code, page.severity, page.rule)
}

impl Page {
    fn text(&self) -> String {
        let head = format!("{} ({}): {}", self.code, self.severity, self.rule);
        let mut text = wrapped(&head);
        if !self.why.is_empty() {
            text += &format!("\n{}", wrapped(&self.why));
        }
        if let (Some(edit), Some(printed)) = (&self.edit, &self.printed) {
            text += &match &self.good {
                Some(good) => format!("\nFor example, {good} with this edit:\n\n"),
                None => "\nFor example:\n\n".to_owned(),
            };
            for line in edit.lines() {
                text += &format!("    {line}\n");
            }
            text += &format!("\nis answered by\n\n{printed}");
        }
        if let Some(help) = &self.help {
            text += &format!("\nTo do here: {help}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_read_and_fits_a_terminal() {
        let pages = pages();
        assert!(pages.len() > nonevent::strategy::RULES.len());
        for rule in nonevent::strategy::RULES {
            let page = pages.iter().find(|it| it.code == rule.code.as_str());
            let text = page.map(Page::text).unwrap_or_default();
            assert!(text.contains(&wrapped(rule.why)), "{}", rule.code);
            assert!(text.contains("To do here: "), "{}", rule.code);
        }
    }
}
