//! `status`, `pause`, `unpause`, `promote`, `abort`, `cleanup`.

use std::process::ExitCode;

use nonevent::driver::{Asked, StateDir, Summary, clean_up, give_order, leftovers, outcome_text};
use nonevent::rollout::{Command, Input, Run};
use serde_json::json;

use crate::args;
use crate::asking;
use crate::code::{NO, UNASKED, USAGE, fail, failed, print, say};
use crate::deploy;
use crate::planning::print_json;

fn existing(place: &args::Place) -> Result<StateDir, ExitCode> {
    StateDir::existing(&place.state).map_err(|error| failed(&error))
}

/// Leaves an order for the process at work.
pub(crate) fn order(place: &args::Place, command: Command) -> ExitCode {
    let state = match existing(place) {
        Ok(state) => state,
        Err(code) => return code,
    };
    if !state.is_locked() {
        return fail(USAGE, "nobody is at work here; `nonevent resume` goes on");
    }
    match give_order(&state, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(UNASKED, error),
    }
}

/// Goes back: by the process at work, or, where it has ended, by this one.
pub(crate) fn abort(arguments: &args::Watching) -> ExitCode {
    let state = match existing(&arguments.place) {
        Ok(state) => state,
        Err(code) => return code,
    };
    if state.is_locked() {
        return order(&arguments.place, Command::Abort);
    }
    deploy::resume(arguments, Some(Input::Command(Command::Abort)))
}

/// Tells how the rollout stands.
pub(crate) fn status(arguments: &args::Status) -> ExitCode {
    let state = match existing(&arguments.place) {
        Ok(state) => state,
        Err(code) => return code,
    };
    let at_work = state.is_locked();
    let journal = state.journal();
    if !journal.exists() {
        if arguments.json {
            print_json(&json!({ "atWork": at_work, "rollout": null }));
        } else {
            print("no rollout has begun here\n");
        }
        return ExitCode::SUCCESS;
    }
    let told = std::fs::read(&journal)
        .map_err(|error| fail(UNASKED, format!("{}: {error}", journal.display())))
        .and_then(|bytes| {
            let summary = Summary::of(&bytes).map_err(|error| failed(&error))?;
            let (run, _) = Run::open(&bytes).map_err(|error| fail(UNASKED, error))?;
            Ok((summary, run))
        });
    let (summary, run) = match told {
        Ok(told) => told,
        Err(code) => return code,
    };
    let asked = Asked::of(&run);
    if arguments.json {
        print_json(&json!({ "atWork": at_work, "rollout": summary, "asked": asked }));
        return ExitCode::SUCCESS;
    }
    print(format_args!(
        "{} {} → {} in {} ({}), since {}\n{}\n{}\n",
        summary.service,
        summary.from,
        summary.to,
        summary.environment,
        summary.strategy,
        summary.started,
        outcome_text(&summary),
        match (summary.outcome, at_work) {
            (Some(_), _) => "it is over",
            (None, true) => "a process is at work on it",
            (None, false) => "nobody is at work on it: `nonevent resume` goes on",
        }
    ));
    match (asked, run.state().held) {
        (Some(asked), _) => {
            let text = asking::text(&asked, &arguments.place.state);
            print(format_args!("{text}\n"));
        }
        (None, Some(held)) => {
            let opens = run.state().shut_until_ms.map(|it| run.on_the_calendar(it));
            let opens = opens.map_or_else(String::new, |it| format!("; it opens at {it}"));
            print(format_args!("paused: {}{opens}\n", held.by));
        }
        (None, None) => {}
    }
    ExitCode::SUCCESS
}

/// Ends every process that was started under the state folder.
pub(crate) fn cleanup(place: &args::Place) -> ExitCode {
    let state = match existing(place) {
        Ok(state) => state,
        Err(code) => return code,
    };
    if state.is_locked() {
        return fail(
            NO,
            "a process is at work here: `nonevent abort` goes back first",
        );
    }
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(UNASKED, error),
    };
    match leftovers(&state) {
        Ok(found) => {
            for process in &found {
                say(format_args!(
                    "ends {} (process {})",
                    process.name,
                    process.process.pid()
                ));
            }
        }
        Err(error) => return failed(&error),
    }
    match runtime.block_on(clean_up(&state)) {
        Ok(count) => {
            let s = if count == 1 {
                "process was"
            } else {
                "processes were"
            };
            print(format_args!("{count} {s} ended\n"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}
