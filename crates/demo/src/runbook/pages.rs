//! `runbook diff` and `runbook update`.

use std::process::ExitCode;

use nonevent::driver::{Clock, PageFile};
use nonevent::runbook::{Facts, Runbook, Updated, compare, update as updated};
use serde_json::json;

use super::render::markdown;
use super::source::prepared;
use crate::args::{DiffPages, UpdatePage};
use crate::code::{NO, USAGE, fail, failed, print};
use crate::planning::print_json;

/// `nonevent runbook diff`.
pub(super) fn diff(arguments: &DiffPages) -> ExitCode {
    compared(arguments).unwrap_or_else(|code| code)
}

fn compared(arguments: &DiffPages) -> Result<ExitCode, ExitCode> {
    let (path, origin) = (&arguments.page.page, &arguments.page.origin);
    let page = PageFile::open(path).map_err(|error| failed(&error))?;
    let (name, other) = match &arguments.other {
        Some(other) => {
            let read = PageFile::open(other).map_err(|error| failed(&error))?;
            (other.display().to_string(), read.text().to_owned())
        }
        None => {
            let plan = prepared(path, page.text(), origin, None)?.plan;
            let runbook = Runbook::of(&plan, &Facts::at(Clock::new().now()));
            let runbook = runbook.map_err(|error| fail(USAGE, error))?;
            ("the plan".to_owned(), runbook.to_markdown())
        }
    };
    let differences = compare(page.text(), &other);
    if arguments.json {
        print_json(&json!({ "same": differences.is_empty(), "differences": differences }));
    } else if differences.is_empty() {
        print(format_args!("{} says what {name} says\n", path.display()));
    } else {
        for it in &differences {
            print(format_args!("{}:{}: {it}\n", it.at.line, it.at.column));
        }
    }
    Ok(if differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}

/// `nonevent runbook update`.
pub(super) fn update(arguments: &UpdatePage) -> ExitCode {
    brought_up(arguments).unwrap_or_else(|code| code)
}

fn brought_up(arguments: &UpdatePage) -> Result<ExitCode, ExitCode> {
    let (path, origin) = (&arguments.page.page, &arguments.page.origin);
    let mut page = PageFile::open(path).map_err(|error| failed(&error))?;
    let plan = prepared(path, page.text(), origin, None)?.plan;
    let runbook = Runbook::of(&plan, &Facts::at(Clock::new().now()));
    let runbook = runbook.map_err(|error| fail(USAGE, error))?;
    let done = updated(page.text(), &markdown(&runbook, &arguments.templates)?);
    if !arguments.dry_run {
        page.replace(done.page.clone())
            .map_err(|error| failed(&error))?;
    }
    if arguments.json {
        print_json(&done);
    } else {
        print(in_words(
            &path.display().to_string(),
            &done,
            arguments.dry_run,
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(name: &str, done: &Updated, dry: bool) -> String {
    if !done.changed {
        return format!("{name}: nothing has changed\n");
    }
    let mut text = match dry {
        true => format!("{name} would be brought up to the plan\n"),
        false => format!("{name} is brought up to the plan\n"),
    };
    if !done.base_known {
        text.push_str(
            "the comment at its end is lost, so what was rendered cannot be told from what people \
             wrote: look through it\n",
        );
    }
    let told = [
        (
            "ticks taken away, since what they stood beside is another now",
            &done.cleared,
        ),
        ("new", &done.added),
        ("gone", &done.removed),
        ("reworded", &done.reworded),
        (
            "people's words without a place, at the end of the page: about",
            &done.kept,
        ),
    ];
    for (what, ids) in told.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        text.push_str(&format!("{what}: {}\n", without_parts(ids).join(", ")));
    }
    text
}

/// Ids without the parts of an item that is among them too.
fn without_parts(ids: &[String]) -> Vec<&str> {
    let whole = |id: &&str| {
        let of = id.rsplit_once('/').map(|(of, _)| of);
        of.is_none_or(|of| !ids.iter().any(|it| it == of))
    };
    ids.iter().map(String::as_str).filter(whole).collect()
}
