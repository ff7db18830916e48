//! `approve`, `confirm`, `skip`: what people say of the step that waits for them.

use std::collections::BTreeSet;
use std::process::ExitCode;

use nonevent::driver::{Asked, Clock, Says, StateDir, Wants, Word, give_word};
use nonevent::rollout::{Mode, Run};
use nonevent::strategy::{Action, Task};

use crate::args;
use crate::asking;
use crate::code::{UNASKED, USAGE, fail, failed, print};
use crate::day_two::idle;

/// How long it counts that something is done: it is taken within a moment.
const CONFIRMED_MS: u64 = 5 * 60 * 1_000;

/// `nonevent approve`.
pub(crate) fn approve(arguments: &args::Approve) -> ExitCode {
    let says = if arguments.deny {
        Says::Denies
    } else {
        Says::Agrees
    };
    let by = Some(arguments.by.clone());
    leave(&arguments.about, by, says, arguments.counts_for)
}

/// `nonevent confirm`.
pub(crate) fn confirm(arguments: &args::Confirm) -> ExitCode {
    let says = if arguments.failed {
        Says::Failed
    } else {
        Says::Done
    };
    leave(&arguments.about, arguments.by.clone(), says, None)
}

/// `nonevent skip`.
pub(crate) fn skip(arguments: &args::Skip) -> ExitCode {
    leave(&arguments.about, arguments.by.clone(), Says::Skipped, None)
}

/// Leaves a word for the process at work, if it would count now.
fn leave(
    about: &args::About,
    by: Option<String>,
    says: Says,
    counts_for_ms: Option<u64>,
) -> ExitCode {
    let state = match StateDir::existing(&about.place.state) {
        Ok(state) => state,
        Err(error) => return failed(&error),
    };
    if !state.is_locked() {
        return fail(USAGE, idle(&state));
    }
    let bytes = match std::fs::read(state.journal()) {
        Ok(bytes) => bytes,
        Err(_) => return fail(USAGE, "no rollout has begun here: nothing waits for a word"),
    };
    let run = match Run::open(&bytes) {
        Ok((run, _)) => run,
        Err(error) => return fail(UNASKED, error),
    };
    let word = match word(about, &run, by, says, counts_for_ms) {
        Ok(word) => word,
        Err(text) => return fail(USAGE, text),
    };
    if let Err(refused) = word.input(&run, word.said, &BTreeSet::new()) {
        let more = "`nonevent status` tells what is waited for";
        return fail(USAGE, format!("this would not count: {refused}; {more}"));
    }
    if says == Says::Agrees
        && let Some(told) = agreed_already(&run, word.by.as_deref())
    {
        print(format_args!("{told}\n"));
        return ExitCode::SUCCESS;
    }
    match give_word(&state, &word) {
        Ok(()) => {
            let step = run.plan().steps.get(usize::from(word.step));
            let step = step.map_or("", |it| it.id.as_str());
            let text = asking::said(step, word.by.as_deref(), says);
            print(format_args!("{text}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(UNASKED, error),
    }
}

/// That somebody has agreed before, if they have: a second word adds nothing to the first.
fn agreed_already(run: &Run, by: Option<&str>) -> Option<String> {
    let asked = Asked::of(run)?;
    let Wants::Approval {
        agreed,
        words_until,
        ..
    } = &asked.wants
    else {
        return None;
    };
    let by = agreed.iter().find(|it| Some(it.as_str()) == by)?;
    let until = words_until.map_or_else(String::new, |it| {
        format!("; what was said counts until {it}")
    });
    Some(format!("{by} has agreed to {} already{until}", asked.step))
}

fn word(
    about: &args::About,
    run: &Run,
    by: Option<String>,
    says: Says,
    counts_for_ms: Option<u64>,
) -> Result<Word, String> {
    let plan = run.plan();
    let named = about.step.as_ref().map(|name| {
        let place = plan.steps.iter().position(|it| it.id == *name);
        let place = place.and_then(|it| u16::try_from(it).ok());
        place.ok_or_else(|| format!("the plan has no step {name:?}"))
    });
    let step = match (named.transpose()?, run.state().mode) {
        (Some(step), _) | (None, Mode::Forward { step, .. }) => step,
        (None, _) => return Err("the rollout goes forward no more".to_owned()),
    };
    let asks = match plan.steps.get(usize::from(step)).map(|it| &it.action) {
        Some(Action::Task(Task::Approve { approval })) => plan.approvals.get(approval),
        _ => None,
    };
    let asks = asks.filter(|_| matches!(says, Says::Agrees | Says::Denies));
    let counts_for_ms = counts_for_ms.or(asks.map(|it| it.timeout_ms));
    let counts_for_ms = i64::try_from(counts_for_ms.unwrap_or(CONFIRMED_MS)).unwrap_or(i64::MAX);
    let said = Clock::new().now();
    // No later than a time that JSON carries exactly.
    let until = said.plus_ms(counts_for_ms.min(1 << 52));
    Ok(Word {
        plan: run.digest(),
        attempt: run.attempt(),
        step,
        by,
        said,
        until,
        says,
    })
}
