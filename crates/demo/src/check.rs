//! `check`: what there is to say against a document.

use std::process::ExitCode;

use nonevent::document::{Findings, Rule, SarifRun, Severity};
use nonevent::{analysis, document, strategy};
use serde_json::json;

use crate::args::{self, CheckFormat};
use crate::code::{NO, USAGE, print};
use crate::planning::{Read, open, print_json};

/// `nonevent check`.
pub(crate) fn check(arguments: &args::Check) -> ExitCode {
    let read = match open(&arguments.source.file, &arguments.source.wanted()) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let findings = read.findings();
    let format = if arguments.json {
        CheckFormat::Json
    } else {
        arguments.format
    };
    match format {
        CheckFormat::Text => print(text(&read, findings)),
        CheckFormat::Json => {
            print_json(&json!({ "ok": !findings.has_errors(), "findings": findings }));
        }
        CheckFormat::Sarif => print_json(&findings.sarif(&SarifRun {
            version: env!("CARGO_PKG_VERSION"),
            rules: &rules(),
            file_name: read.name(),
            text: read.text(),
        })),
    }
    match (read.is_text(), findings.has_errors()) {
        (false, _) => ExitCode::from(USAGE),
        (true, true) => ExitCode::from(NO),
        (true, false) => ExitCode::SUCCESS,
    }
}

/// Every rule that a deployment document is held against.
fn rules() -> Vec<Rule> {
    [document::RULES, strategy::RULES, analysis::bounds::RULES].concat()
}

fn text(read: &Read, findings: &Findings) -> String {
    if findings.is_empty() {
        return format!("{}: nothing to say against it\n", read.name());
    }
    let counted = |severity, name: &str| {
        let of_it = findings.iter().filter(|it| it.severity == severity);
        match of_it.count() {
            1 => format!("1 {name}"),
            other => format!("{other} {name}s"),
        }
    };
    format!(
        "{}\n{}, {}, {}\n",
        read.render(findings),
        counted(Severity::Error, "error"),
        counted(Severity::Warning, "warning"),
        counted(Severity::Note, "note")
    )
}
