//! `flags eval`, `flags explain`, `flags check`, `flags diff`, `flags stage`,
//! `flags serve`.

mod diff;
mod serve;
mod stage;
mod usage;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nonevent::document::{Finding, Findings};
use nonevent::driver::Clock;
use nonevent::flags::{Context, DecryptionError, Dialect, FlagSet, LoadOptions, Loaded};
use serde_json::{Map, Value, json};

use crate::args::{FlagsCheck, FlagsCommand, FlagsEval, FlagsFile};
use crate::code::{NO, USAGE, fail, print, say};
use crate::planning::print_json;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// `nonevent flags`.
pub(crate) fn flags(command: &FlagsCommand) -> ExitCode {
    match command {
        FlagsCommand::Eval(arguments) => evaluate(arguments, false),
        FlagsCommand::Explain(arguments) => evaluate(arguments, true),
        FlagsCommand::Check(arguments) => check(arguments),
        FlagsCommand::Diff(arguments) => diff::diff(arguments),
        FlagsCommand::Stage(arguments) => stage::stage(arguments),
        FlagsCommand::Serve(arguments) => serve::serve(arguments),
    }
}

/// A flag file's text with what it was read as.
struct Read {
    name: String,
    text: String,
    loaded: Loaded,
}

fn read(arguments: &FlagsFile) -> Result<Read, ExitCode> {
    let name = arguments.flags.display().to_string();
    let bytes =
        fs::read(&arguments.flags).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let options = options(arguments.dialect, arguments.decryption_key_file.as_deref())
        .map_err(|error| fail(USAGE, error))?;
    match FlagSet::load(&name, &bytes, options) {
        Ok(loaded) => Ok(Read { name, text, loaded }),
        Err(findings) => {
            say(findings.render(&name, &text, false));
            Err(ExitCode::from(USAGE))
        }
    }
}

/// How a flag file is to be read.
fn options(dialect: Option<Dialect>, key: Option<&Path>) -> Result<LoadOptions, String> {
    let options = dialect.map_or_else(LoadOptions::default, LoadOptions::from);
    let Some(path) = key else {
        return Ok(options);
    };
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let key = text
        .parse()
        .map_err(|error: DecryptionError| format!("{name}: {error}"))?;
    Ok(options.decryption_key(key))
}

/// What `--context` says.
fn named(context: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(context).map_err(|error| {
        format!("--context: {error}; write a JSON object, as '{{\"plan\":\"pro\"}}'")
    })
}

fn evaluate(arguments: &FlagsEval, explain: bool) -> ExitCode {
    let read = match read(&arguments.file) {
        Ok(read) => read,
        Err(code) => return code,
    };
    if !read.loaded.findings.is_empty() {
        say(read.loaded.findings.render(&read.name, &read.text, false));
    }
    let set = if arguments.environment {
        read.loaded
            .set
            .overridden_by(FlagSet::from_environment(std::env::vars()).set)
    } else {
        read.loaded.set
    };
    let mut attributes = match named(&arguments.context) {
        Ok(attributes) => attributes,
        Err(error) => return fail(USAGE, error),
    };
    if let Some(key) = &arguments.targeting_key {
        attributes.insert("targetingKey".to_owned(), Value::from(key.as_str()));
    }
    let key = attributes
        .get("targetingKey")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let context = match &key {
        Some(key) => Context::new(key),
        None => Context::anonymous(),
    };
    let context = context.with(&attributes).at(Clock::new().now());
    let keys: Vec<String> = match &arguments.flag {
        Some(flag) => vec![flag.clone()],
        None => set.flags().map(|flag| flag.key().to_owned()).collect(),
    };
    let mut good = true;
    let mut documents = Vec::new();
    for key in &keys {
        let resolution = set.evaluate(key, &context);
        good &= resolution.error_code.is_none();
        if explain {
            let explanation = set.explain(key, &context);
            if arguments.file.json {
                documents.push(json!({ "flag": key, "explanation": explanation }));
            } else {
                print(format_args!("{explanation}\n"));
            }
        } else if arguments.file.json {
            documents.push(json!({ "flag": key, "resolution": resolution }));
        } else {
            let value = resolution
                .value
                .map_or("no value".to_owned(), Value::to_string);
            let variant = resolution
                .variant
                .map(|it| format!(", variant {it}"))
                .unwrap_or_default();
            let error = match (resolution.error_code, &resolution.error_message) {
                (Some(code), Some(message)) => format!(", {code}: {message}"),
                (Some(code), None) => format!(", {code}"),
                _ => String::new(),
            };
            print(format_args!(
                "{key} = {value} ({}{variant}{error})\n",
                resolution.reason
            ));
        }
    }
    if arguments.file.json {
        match (&arguments.flag, documents.pop()) {
            (Some(_), Some(document)) => print_json(&document),
            (_, last) => {
                documents.extend(last);
                print_json(&documents);
            }
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    }
}

fn check(arguments: &FlagsCheck) -> ExitCode {
    let read = match read(&arguments.file) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let mut findings: Findings = read.loaded.findings.clone();
    for finding in read.loaded.set.check(Clock::new().now()) {
        if !findings.iter().any(|known| *known == finding) {
            findings.push(finding);
        }
    }
    match of_use(arguments, &read.loaded.set) {
        Ok(of_use) => of_use
            .into_iter()
            .for_each(|finding| findings.push(finding)),
        Err(error) => return fail(USAGE, error),
    }
    if arguments.file.json {
        print_json(&json!({ "ok": !findings.has_errors(), "findings": findings }));
    } else if findings.is_empty() {
        print(format_args!("{}: nothing to say against it\n", read.name));
    } else {
        print(format_args!(
            "{}\n",
            findings.render(&read.name, &read.text, false)
        ));
    }
    if findings.has_errors() {
        ExitCode::from(NO)
    } else {
        ExitCode::SUCCESS
    }
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
