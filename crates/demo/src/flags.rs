//! `flags eval`, `flags explain`, `flags check`, `flags diff`, `flags stage`,
//! `flags serve`.

mod check;
mod diff;
mod serve;
mod stage;
mod usage;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nonevent::document::{Digest, Findings};
use nonevent::driver::Clock;
use nonevent::flags::{Context, DecryptionError, Dialect, FlagSet, LoadOptions, Loaded};
use serde_json::{Map, Value, json};

use crate::args::{FlagsCommand, FlagsEval, FlagsFile};
use crate::code::{NO, USAGE, fail, print, say};
use crate::planning::print_json;

/// `nonevent flags`.
pub(crate) fn flags(command: &FlagsCommand) -> ExitCode {
    match command {
        FlagsCommand::Eval(arguments) => evaluate(arguments, false),
        FlagsCommand::Explain(arguments) => evaluate(arguments, true),
        FlagsCommand::Check(arguments) => check::check(arguments),
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

/// A flag file, and what it was read as, if it could be.
struct Opened {
    name: String,
    /// Of its bytes.
    digest: Digest,
    text: String,
    loaded: Result<Loaded, Findings>,
}

fn read(arguments: &FlagsFile) -> Result<Read, ExitCode> {
    let Opened {
        name, text, loaded, ..
    } = open(arguments)?;
    match loaded {
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

fn open(arguments: &FlagsFile) -> Result<Opened, ExitCode> {
    let name = arguments.flags.display().to_string();
    let bytes =
        fs::read(&arguments.flags).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let options = options(arguments.dialect, arguments.decryption_key_file.as_deref())
        .map_err(|error| fail(USAGE, error))?;
    let loaded = FlagSet::load(&name, &bytes, options);
    Ok(Opened {
        name,
        digest: Digest::of(&bytes),
        text,
        loaded,
    })
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
