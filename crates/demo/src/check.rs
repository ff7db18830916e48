//! `check`: what there is to say against a document.

use std::process::ExitCode;

use nonevent::document::{Document, Findings, Limits, Rule, SarifRun, to_yaml};
use nonevent::{analysis, document, strategy};
use serde_json::json;

use crate::args::{self, CheckFormat};
use crate::code::{NO, USAGE, fail, print, say};
use crate::planning::{Read, counted, open, print_json};

/// `nonevent check`.
pub(crate) fn check(arguments: &args::Check) -> ExitCode {
    if arguments.resolved {
        return resolved(&arguments.source);
    }
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

/// The document as it is with profile and environment laid over it.
fn resolved(source: &args::Source) -> ExitCode {
    let name = source.file.display().to_string();
    let bytes = match std::fs::read(&source.file) {
        Ok(bytes) => bytes,
        Err(error) => return fail(USAGE, format!("{name}: {error}")),
    };
    let document = Document::parse(&name, &bytes, &Limits::default());
    let text = String::from_utf8_lossy(&bytes);
    let code = if document.is_ok() { NO } else { USAGE };
    let made = document.and_then(|it| strategy::resolved(&it, source.environment.as_deref()));
    let made = match made {
        Ok(made) => made,
        Err(findings) => {
            say(findings.render(&name, &text, false));
            return ExitCode::from(code);
        }
    };
    match to_yaml(made.root()) {
        Ok(yaml) => {
            print(yaml);
            ExitCode::SUCCESS
        }
        Err(error) => fail(USAGE, format!("{name}: {error}")),
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
    format!("{}\n{}\n", read.render(findings), counted(findings))
}
