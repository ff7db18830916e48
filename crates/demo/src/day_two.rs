//! `status`, `pause`, `unpause`, `promote`, `abort`, `cleanup`.

use std::process::ExitCode;

use nonevent::driver::follow::followed_page;
use nonevent::driver::{
    Asked, Clock, StateDir, Summary, clean_up, give_order, leftovers, outcome_text,
};
use nonevent::page::escape::shell_word;
use nonevent::rollout::{Command, HeldBy, Input, Mode, Run};
use nonevent::strategy::Action;
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
        return fail(USAGE, idle(&state));
    }
    let told = match told(&state, command) {
        Ok(told) => told,
        Err(why) => return fail(USAGE, why),
    };
    match give_order(&state, command) {
        Ok(()) => {
            print(format_args!("{told}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(UNASKED, error),
    }
}

/// Why nobody hears an order here.
pub(crate) fn idle(state: &StateDir) -> String {
    match Summary::read(&state.journal()) {
        Ok(summary) if summary.outcome.is_some() => {
            "the rollout here is over; `nonevent status` tells how it ended".to_owned()
        }
        Ok(_) => format!("nobody is at work here; `{}` goes on", goes_on(state)),
        Err(_) => "nobody is at work here, and no rollout has begun".to_owned(),
    }
}

/// The command that goes on with what was left.
fn goes_on(state: &StateDir) -> String {
    match followed_page(state) {
        Some(page) => format!(
            "nonevent runbook run {}",
            shell_word(&page.display().to_string())
        ),
        None => "nonevent resume".to_owned(),
    }
}

/// What an order will do, as far as the journal says, or why it can do nothing.
fn told(state: &StateDir, command: Command) -> Result<String, String> {
    let bytes = std::fs::read(state.journal()).unwrap_or_default();
    let Ok((run, _)) = Run::open(&bytes) else {
        return match command {
            Command::Abort => Ok("told to stop; no rollout has begun yet".to_owned()),
            _ => {
                Err("no rollout has begun yet; `nonevent abort` ends what is under way".to_owned())
            }
        };
    };
    let Mode::Forward { step, .. } = run.state().mode else {
        return match command {
            Command::Abort => Ok("it goes back already, or is over".to_owned()),
            _ => Err("the rollout goes forward no more".to_owned()),
        };
    };
    let planned = run.plan().steps.get(usize::from(step));
    let name = planned.map_or("", |it| it.id.as_str());
    let watches = planned.is_some_and(|it| matches!(it.action, Action::Watch { .. }));
    let held = run.state().held.map(|held| held.by);
    match (command, held) {
        (Command::Promote, _) if !watches => Err(format!(
            "nothing is watched at {name}, so there is no watch to end; `nonevent status` tells what \
             it waits for"
        )),
        (Command::Promote, Some(by)) => Err(format!(
            "the rollout is paused ({by}): `nonevent unpause` first"
        )),
        (Command::Promote, None) => Ok(format!("told to end the watch at {name}")),
        (Command::Pause, Some(by)) => Ok(format!("it is paused already, at {name}: {by}")),
        (Command::Pause, None) => Ok(format!(
            "told to pause at {name}, for an hour at most; `nonevent unpause` goes on"
        )),
        (Command::Resume, Some(HeldBy::Window)) => {
            Err("the change window is closed; it goes on by itself when that opens".to_owned())
        }
        (Command::Resume, Some(_)) => Ok(format!("told to go on at {name}")),
        (Command::Resume, None) => Ok(format!("told to go on; it is not paused, at {name}")),
        (Command::Abort, _) => {
            Ok("told to go back; `nonevent status` tells how it stands".to_owned())
        }
        (Command::Skip, _) => Ok(format!("told to leave {name} out")),
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
            (Some(_), _) => "it is over".to_owned(),
            (None, true) => "a process is at work on it".to_owned(),
            (None, false) => format!("nobody is at work on it: `{}` goes on", goes_on(&state)),
        }
    ));
    match (asked, run.state().held) {
        (Some(asked), _) => {
            let text = asking::text(&asked, &arguments.place.state, Some(Clock::new().now()));
            print(format_args!("{text}\n"));
        }
        (None, Some(held)) => {
            let opens = run.state().shut_until_ms.map(|it| run.on_the_calendar(it));
            let opens = opens.map_or_else(String::new, |it| format!("; it opens at {it}"));
            print(format_args!("paused: {}{opens}\n", held.by));
        }
        (None, None) => {
            if let Some(text) = watching(&run) {
                print(format_args!("{text}\n"));
            }
        }
    }
    ExitCode::SUCCESS
}

/// What a watch waits for, where nobody is asked for anything.
fn watching(run: &Run) -> Option<String> {
    let Mode::Forward {
        step,
        deadline_ms,
        watch_until_ms: Some(watch_until_ms),
        ..
    } = run.state().mode
    else {
        return None;
    };
    let planned = run.plan().steps.get(usize::from(step))?;
    let Action::Watch { analyse, .. } = &planned.action else {
        return None;
    };
    let passes = match analyse {
        true => ", and then until the analysis passes",
        false => "",
    };
    Some(format!(
        "{} watches until {}{passes}, at the latest until {}; nonevent promote ends the watch",
        planned.id,
        run.on_the_calendar(watch_until_ms),
        run.on_the_calendar(deadline_ms),
    ))
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
