//! `runbook run`: a runbook followed step by step.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use nonevent::document::format_duration_ms;
use nonevent::driver::follow::{
    Checklist, Following, Gone, StepTime, Ticked, Walked, go_through, write_down,
};
use nonevent::driver::{
    Clock, Order, PageFile, StateDir, forget_orders, forget_orders_to_go_on, outcome_text,
    take_orders,
};
use nonevent::page::escape::shell_word;
use nonevent::rollout::Outcome;
use nonevent::smoke::Target;
use nonevent::strategy::Plan;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::source::{source, still_about};
use super::terminal::Terminal;
use crate::args::Follow;
use crate::code::{INTERRUPTED, NO, STUCK, UNASKED, USAGE, fail, failed, say};
use crate::deploy::runtime;

/// What the key of a state folder says of itself, if it has to be made.
const KEY_LABEL: &str = "runbook run: trusted by nobody yet";

/// How far it is, for whoever hears a signal.
const BEFORE: u8 = 0;
const AT_WORK: u8 = 1;
const OVER: u8 = 2;

/// `nonevent runbook run`.
pub(super) fn run(arguments: &Follow) -> ExitCode {
    if let Some(url) = &arguments.url
        && let Err(error) = Target::parse(url)
    {
        return fail(USAGE, format!("--url {url}: {error}"));
    }
    match runtime() {
        Ok(runtime) => {
            let code = runtime.block_on(walk(arguments));
            runtime.shutdown_background();
            code.unwrap_or_else(|code| code)
        }
        Err(code) => code,
    }
}

async fn walk(arguments: &Follow) -> Result<ExitCode, ExitCode> {
    let page = PageFile::open(&arguments.page).map_err(|error| failed(&error))?;
    let phase = Arc::new(AtomicU8::new(BEFORE));
    let (to, mut orders) = mpsc::channel(16);
    tokio::spawn(interrupted(
        to.clone(),
        Arc::clone(&phase),
        [begins(arguments), goes_on(arguments)],
    ));
    let mut terminal = Terminal::new();
    let (mut following, state) = match left(arguments, &page)? {
        Some(left) => left,
        None => begin(arguments, &page, &mut terminal).await?,
    };
    if let Some(why) = following.flags_by_hand() {
        say(format_args!("flag files are replaced by hand: {why}"));
    }
    let automatic = following
        .automatic(arguments.url.as_deref(), arguments.yes_to_automated)
        .map_err(|error| failed(&error))?;
    let mut ticks = |ticked: &Ticked| write_down(page.path(), ticked);
    let by = by(arguments);
    phase.store(AT_WORK, Ordering::Relaxed);
    let hears = tokio::spawn(take_orders(state.clone(), to));
    let walked = following
        .follow(
            &mut terminal,
            &mut orders,
            &mut ticks,
            by.clone(),
            automatic,
        )
        .await;
    hears.abort();
    phase.store(OVER, Ordering::Relaxed);
    let walked = walked.map_err(|error| failed(&error))?;
    let code = told(&walked, following.plan(), &terminal, arguments);
    if walked.outcome == Some(Outcome::Promoted) {
        afterwards(page.path(), following.plan(), &mut terminal, by.as_deref()).await?;
    }
    Ok(code)
}

/// Who follows it: whoever was named, or whose terminal it is.
fn by(arguments: &Follow) -> Option<String> {
    let user = || std::env::var("USER").ok().filter(|it| !it.is_empty());
    arguments.by.clone().or_else(user)
}

/// The command that begins it once more, where nothing was begun.
fn begins(arguments: &Follow) -> String {
    let mut command = goes_on(arguments);
    for (option, value) in [
        (
            "-f",
            arguments.file.as_ref().map(|it| it.display().to_string()),
        ),
        ("--env", arguments.env.clone()),
    ] {
        if let Some(value) = value {
            command += &format!(" {option} {}", shell_word(&value));
        }
    }
    command
}

/// The command that goes on with it.
fn goes_on(arguments: &Follow) -> String {
    let mut command = format!(
        "nonevent runbook run {}",
        shell_word(&arguments.page.display().to_string())
    );
    if arguments.state != Path::new(".nonevent") {
        command += &format!(
            " --state {}",
            shell_word(&arguments.state.display().to_string())
        );
    }
    command
}

/// What was left before its end, if anything was.
fn left(arguments: &Follow, page: &PageFile) -> Result<Option<(Following, StateDir)>, ExitCode> {
    let Ok(state) = StateDir::existing(&arguments.state) else {
        return Ok(None);
    };
    let left = Following::resume(&state, page.path(), KEY_LABEL).map_err(|error| failed(&error))?;
    let Some(following) = left else {
        return Ok(None);
    };
    still_about(page, following.plan())?;
    say(format_args!(
        "going on with {} {} → {} where it was left",
        following.plan().service,
        following.plan().release.from,
        following.plan().release.to
    ));
    forget_orders_to_go_on(&state);
    Ok(Some((following, state)))
}

/// Begins a new one, once its checklist holds.
async fn begin(
    arguments: &Follow,
    page: &PageFile,
    terminal: &mut Terminal,
) -> Result<(Following, StateDir), ExitCode> {
    let prepared = source(arguments, page)?;
    let plan = &prepared.plan;
    say(format_args!(
        "{} {} → {} in {} ({}), {} steps; plan {}",
        plan.service,
        plan.release.from,
        plan.release.to,
        plan.environment,
        plan.strategy,
        plan.steps.len(),
        prepared.digest.short()
    ));
    let clock = Clock::new();
    let by = by(arguments);
    let now = || clock.now();
    let list = Checklist::Before;
    let gone = go_through(list, page.path(), plan, terminal, by.as_deref(), &now).await;
    match gone.map_err(|error| failed(&error))? {
        Gone::Through(0) => {}
        Gone::Through(_) => {
            say("nothing was begun: an item of the checklist does not hold");
            return Err(ExitCode::from(NO));
        }
        Gone::Left => return Err(nothing_begun(terminal, arguments)),
    }
    let state = StateDir::open(&arguments.state).map_err(|error| failed(&error))?;
    let following = Following::begin(&state, &prepared, page.path(), KEY_LABEL)
        .map_err(|error| failed(&error))?;
    forget_orders(&state);
    Ok((following, state))
}

fn nothing_begun(terminal: &Terminal, arguments: &Follow) -> ExitCode {
    say(format_args!(
        "nothing was begun; `{}` goes on with the checklist",
        begins(arguments)
    ));
    ExitCode::from(if terminal.ended() {
        UNASKED
    } else {
        INTERRUPTED
    })
}

/// What must hold after the last step; the rollout is over, whatever is said.
async fn afterwards(
    page: &Path,
    plan: &Plan,
    terminal: &mut Terminal,
    by: Option<&str>,
) -> Result<(), ExitCode> {
    let clock = Clock::new();
    let now = || clock.now();
    let gone = go_through(Checklist::After, page, plan, terminal, by, &now).await;
    match gone.map_err(|error| failed(&error))? {
        Gone::Through(0) => {}
        Gone::Through(fail) => say(format_args!("{fail} items of the verification do not hold")),
        Gone::Left => say("what is left of the verification is not ticked on the page"),
    }
    Ok(())
}

/// Tells how it ended, with the time of each step.
fn told(walked: &Walked, plan: &Plan, terminal: &Terminal, arguments: &Follow) -> ExitCode {
    say("");
    for (step, time) in &walked.steps {
        say(line(*step, time, plan));
    }
    let Some(outcome) = walked.outcome else {
        say(format_args!(
            "left as it is, {}; `{}` goes on",
            outcome_text(&walked.summary),
            goes_on(arguments)
        ));
        return ExitCode::from(if terminal.ended() {
            UNASKED
        } else {
            INTERRUPTED
        });
    };
    let took_ms = walked.summary.finished.ms_since(walked.summary.started);
    say(format_args!(
        "{}, after {}; the evidence is in {}",
        outcome_text(&walked.summary),
        format_duration_ms(u64::try_from(took_ms).unwrap_or(0)),
        arguments.state.join("evidence").display()
    ));
    match outcome {
        Outcome::Promoted => ExitCode::SUCCESS,
        Outcome::RolledBack { .. } => ExitCode::from(NO),
        Outcome::Stuck { .. } => {
            say(format_args!(
                "once somebody has taken care of it, `{}` goes on",
                goes_on(arguments)
            ));
            ExitCode::from(STUCK)
        }
    }
}

fn line(step: u16, time: &StepTime, plan: &Plan) -> String {
    let name = plan.steps.get(usize::from(step));
    let name = name.map_or("", |it| it.id.as_str());
    let took = match time.took_ms() {
        Some(ms) => format_duration_ms(ms),
        None => "not done".to_owned(),
    };
    let seen = time.seen.as_deref().unwrap_or("");
    format!("{:>4}  {name:<20} {took:>12}  {seen}", u32::from(step) + 1)
        .trim_end()
        .to_owned()
}

/// Leaves it as it is on any signal; a second one ends this process at once, which changes no more.
async fn interrupted(
    to: mpsc::Sender<Order>,
    phase: Arc<AtomicU8>,
    [begins, goes_on]: [String; 2],
) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return;
    };
    let mut told = false;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        match phase.load(Ordering::Relaxed) {
            AT_WORK if !told => {
                told = true;
                say("");
                drop(to.send(Order::Detach).await);
            }
            // The rollout is over and told.
            OVER => std::process::exit(0),
            at => {
                let command = if at == BEFORE { &begins } else { &goes_on };
                say(format_args!("\nstopped; `{command}` goes on"));
                std::process::exit(i32::from(INTERRUPTED));
            }
        }
    }
}
