//! `flags check`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nonevent::document::{self, Digest, Finding, Findings, Rule, SarifRun};
use nonevent::driver::{Clock, flag_check_statement};
use nonevent::flags::{self, FlagSet};
use serde_json::json;

use super::{Opened, open, usage};
use crate::args::{CheckFormat, FlagsCheck};
use crate::code::{NO, USAGE, fail, print};
use crate::planning::print_json;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Says what there is against a file, and against its flags.
pub(super) fn check(arguments: &FlagsCheck) -> ExitCode {
    let Opened {
        name,
        digest,
        text,
        loaded,
    } = match open(&arguments.file) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let is_read = loaded.is_ok();
    let findings = match loaded {
        Ok(loaded) => {
            let found = all(arguments, &loaded.set, loaded.findings).and_then(|findings| {
                write_statement(arguments, (&name, digest), &loaded.set, &findings)?;
                Ok(findings)
            });
            match found {
                Ok(findings) => findings,
                Err(error) => return fail(USAGE, error),
            }
        }
        Err(findings) => findings,
    };
    let format = if arguments.file.json {
        CheckFormat::Json
    } else {
        arguments.format
    };
    match format {
        CheckFormat::Text if findings.is_empty() => {
            print(format_args!("{name}: nothing to say against it\n"));
        }
        CheckFormat::Text => print(format_args!("{}\n", findings.render(&name, &text, false))),
        CheckFormat::Json => {
            print_json(&json!({ "ok": !findings.has_errors(), "findings": findings }));
        }
        CheckFormat::Sarif => print_json(&findings.sarif(&SarifRun {
            version: env!("CARGO_PKG_VERSION"),
            rules: &rules(),
            file_name: &name,
            text: &text,
        })),
    }
    match (is_read, findings.has_errors()) {
        (false, _) => ExitCode::from(USAGE),
        (true, true) => ExitCode::from(NO),
        (true, false) => ExitCode::SUCCESS,
    }
}

/// Writes the statement, if one is asked for.
fn write_statement(
    arguments: &FlagsCheck,
    (name, digest): (&str, Digest),
    set: &FlagSet,
    findings: &Findings,
) -> Result<(), String> {
    let Some(path) = &arguments.statement else {
        return Ok(());
    };
    let statement = flag_check_statement(name, digest, set, findings, Clock::new().now());
    let json = statement.to_json().map_err(|error| error.to_string())?;
    fs::write(path, json + "\n").map_err(|error| format!("{}: {error}", path.display()))
}

/// Every rule that a flag file is held against.
fn rules() -> Vec<Rule> {
    [document::RULES, flags::RULES].concat()
}

fn all(arguments: &FlagsCheck, set: &FlagSet, loading: Findings) -> Result<Findings, String> {
    let mut findings = loading;
    for finding in set.check(Clock::new().now()) {
        if !findings.iter().any(|known| *known == finding) {
            findings.push(finding);
        }
    }
    findings.extend(of_use(arguments, set)?);
    Ok(findings)
}

/// What the code that asks for the flags, and how often it does, say against them.
fn of_use(arguments: &FlagsCheck, set: &FlagSet) -> Result<Vec<Finding>, String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut found = Vec::new();
    if let Some(path) = &arguments.keys {
        let text = read(path)?;
        let keys = text.lines().map(str::trim).filter(|key| !key.is_empty());
        found.extend(set.check_keys(keys));
    }
    if let Some(path) = &arguments.usage {
        let usage = usage::read(path)?;
        let since = Clock::new()
            .now()
            .plus_ms(-i64::from(arguments.days) * DAY_MS);
        found.extend(set.check_usage(usage.counts_since(Some(since)), arguments.days));
    }
    Ok(found)
}
