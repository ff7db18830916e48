//! `flags diff`.

use std::fs;
use std::process::ExitCode;

use nonevent::driver::Clock;
use nonevent::flags::{Context, FlagsDiff};
use serde_json::{Map, Value, json};

use super::{named, read};
use crate::args::{FlagsDiffArguments, FlagsFile};
use crate::code::{NO, USAGE, fail, print};
use crate::planning::print_json;

type Attributes = Map<String, Value>;

/// Says who would get another value, and whether those are more than allowed.
pub(super) fn diff(arguments: &FlagsDiffArguments) -> ExitCode {
    match compared(arguments) {
        Ok(code) | Err(code) => code,
    }
}

fn compared(arguments: &FlagsDiffArguments) -> Result<ExitCode, ExitCode> {
    let new = read(&arguments.file)?;
    let old = read(&FlagsFile {
        flags: arguments.since.clone(),
        dialect: arguments.file.dialect,
        decryption_key_file: arguments.file.decryption_key_file.clone(),
        json: false,
    })?;
    let subjects = subjects(arguments).map_err(|error| fail(USAGE, error))?;
    let now = Clock::new().now();
    let contexts = subjects.iter().map(|attributes| {
        let key = attributes.get("targetingKey").and_then(Value::as_str);
        let context = key.map_or_else(Context::anonymous, Context::new);
        context.with(attributes).at(now)
    });
    let diff = old.loaded.set.diff(&new.loaded.set, contexts);
    let too_much = too_much(arguments, &diff);
    if arguments.file.json {
        print_json(&json!({ "ok": too_much.is_empty(), "tooMuch": too_much, "diff": diff }));
    } else {
        print(&diff);
        for what in &too_much {
            print(format_args!("more than allowed: {what}\n"));
        }
    }
    Ok(if too_much.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}

/// What goes beyond the bounds that were given, in words.
fn too_much(arguments: &FlagsDiffArguments, diff: &FlagsDiff) -> Vec<String> {
    let mut found = Vec::new();
    for flag in &diff.flags {
        if arguments.nobody_loses && flag.losing > 0 {
            found.push(format!(
                "{} of {} lose {}",
                flag.losing, diff.population, flag.flag
            ));
        }
        if let Some(percent) = arguments.changed_at_most {
            // In integers: 100 * changed > percent * population.
            let most = u128::from(percent) * diff.population as u128;
            if 100 * flag.changed as u128 > most {
                found.push(format!(
                    "{} of {} get another value of {}, and {percent} % may",
                    flag.changed, diff.population, flag.flag
                ));
            }
        }
    }
    found
}

/// The contexts of the population.
fn subjects(arguments: &FlagsDiffArguments) -> Result<Vec<Attributes>, String> {
    let shared = named(&arguments.context)?;
    let Some(path) = &arguments.population else {
        let subject = |number: u32| {
            let mut attributes = shared.clone();
            let key = format!("subject-{number}");
            attributes.insert("targetingKey".to_owned(), key.into());
            attributes
        };
        return Ok((0..arguments.sample).map(subject).collect());
    };
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let values: Vec<Value> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{name}: {error}"))?;
    // One list of contexts, or a context after another.
    let values = match <[Value; 1]>::try_from(values) {
        Ok([Value::Array(values)]) => values,
        Ok([one]) => vec![one],
        Err(values) => values,
    };
    if values.is_empty() {
        return Err(format!(
            "{name}: there is no context in it; write one JSON object a line"
        ));
    }
    let context = |(number, value): (usize, Value)| match value {
        Value::Object(own) => {
            let mut attributes = shared.clone();
            attributes.extend(own);
            Ok(attributes)
        }
        other => Err(format!(
            "{name}: context {} is {other}, not an object",
            number + 1
        )),
    };
    values.into_iter().enumerate().map(context).collect()
}
