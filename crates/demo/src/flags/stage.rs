//! `flags stage`.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use nonevent::flags::{LoadOptions, StagePlan, Staged, stage as staged_at};
use serde_json::json;
use similar::TextDiff;

use crate::args::FlagsStage;
use crate::code::{NO, UNASKED, USAGE, fail, print, say};
use crate::place::Place;
use crate::planning::print_json;

/// Lines that are shown around a change.
const CONTEXT_LINES: usize = 3;

/// Shows what a stage changes in the file, or changes it.
pub(super) fn stage(arguments: &FlagsStage) -> ExitCode {
    match made(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(code) => code,
    }
}

fn made(arguments: &FlagsStage) -> Result<(), ExitCode> {
    let name = arguments.flags.display().to_string();
    let bytes =
        fs::read(&arguments.flags).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let old = String::from_utf8_lossy(&bytes);
    let options = arguments
        .dialect
        .map_or_else(LoadOptions::default, LoadOptions::from);
    let mut plan = StagePlan::default();
    if let Some(internal) = &arguments.internal {
        plan = plan.internal(internal.clone());
    }
    if let Some(on) = &arguments.on {
        plan = plan.on(on.as_str());
    }
    let staged = staged_at(&name, &bytes, options, &arguments.flag, &plan, arguments.at);
    let staged = staged.map_err(|findings| {
        say(findings.render(&name, &old, false));
        ExitCode::from(NO)
    })?;
    if arguments.write && !staged.edits.is_empty() {
        written(arguments, &bytes, &staged).map_err(|error| fail(UNASKED, error))?;
    }
    let (flag, at) = (&arguments.flag, staged.stage);
    if arguments.json {
        print_json(&json!({ "flag": flag, "written": arguments.write, "staged": staged }));
    } else if staged.edits.is_empty() {
        print(format_args!("{name}: {flag} is at {at} already\n"));
    } else if arguments.write {
        print(format_args!("{name}: {flag} is at {at} now\n"));
    } else {
        print(diff(&name, &old, &staged.text));
    }
    Ok(())
}

/// What `patch` takes.
fn diff(name: &str, old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(name, name)
        .to_string()
}

fn written(arguments: &FlagsStage, old: &[u8], staged: &Staged) -> Result<(), String> {
    let path = &arguments.flags;
    let refused = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let (place, mut file) = Place::open(path)?;
    file.write_all(staged.text.as_bytes())
        .and_then(|()| file.flush())
        .map_err(|error| refused(&error))?;
    drop::<BufWriter<_>>(file);
    let now = fs::read(path).map_err(|error| refused(&error))?;
    if now != old {
        return Err(refused(
            &"it was changed meanwhile, and is left as it is: run this again",
        ));
    }
    place.put().map_err(|error| refused(&error))
}
