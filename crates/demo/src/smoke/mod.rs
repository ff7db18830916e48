//! `smoke`.

mod against;
mod arguments;
mod backends;
mod kept;
mod live;
mod outputs;
mod paced;

use std::fs;
use std::future::pending;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nonevent::document::Findings;
use nonevent::driver::Clock;
use nonevent::smoke::{Event, Options, Suite, Summary, Target, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

pub(crate) use self::arguments::Smoke;
use self::kept::Keeper;
use self::live::{Live, Manner};
use self::outputs::Outputs;
use crate::code::{INTERRUPTED, UNASKED, USAGE, fail, say};

/// How often the live view is drawn while nothing happens.
const TICK: Duration = Duration::from_millis(250);

/// `nonevent smoke`.
pub(crate) fn smoke(arguments: &Smoke) -> ExitCode {
    run(arguments).unwrap_or_else(|code| code)
}

fn run(arguments: &Smoke) -> Result<ExitCode, ExitCode> {
    let usage = |error: String| fail(USAGE, error);
    let suite = read(arguments)?;
    let target = arguments.target().map_err(usage)?;
    let options = arguments.options(Clock::new().now()).map_err(usage)?;
    if let Some(against) = &arguments.against.against {
        return against::run(arguments, against, &suite, &target, &options);
    }
    let keeper = arguments.kept.keeper().map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| fail(UNASKED, error))?;
    let outputs = Outputs::open(arguments, &suite, arguments.is_coloured());
    let shown = Mutex::new(Shown {
        live: Live::new(Manner::here(arguments.json)),
        outputs: outputs.map_err(|error| fail(UNASKED, error))?,
        keeper,
    });
    let ended = runtime.block_on(watch(&suite, &target, &options, &shown));
    runtime.shutdown_background();
    let shown = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Shown {
        mut live,
        outputs,
        keeper,
    } = shown;
    let summary = match ended {
        Ended::Done(summary) => summary,
        Ended::Refused(findings) => {
            say(findings.render(suite.name(), suite.text(), false));
            return Ok(ExitCode::from(USAGE));
        }
        Ended::AtOnce => {
            live.wipe();
            say("ended at once: no report was written, and what was prepared may be left behind");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    live.wipe();
    let mut failed = outputs.finish(&summary);
    live.close(&summary);
    if let Some(keeper) = keeper {
        let (changed, written) = keeper.finish(&summary);
        failed.extend(written.err());
        if let Some(changed) = changed {
            // Standard output may be one JSON document.
            say(changed.trim_end());
        }
    }
    for error in &failed {
        say(format_args!("error: {error}"));
    }
    Ok(ExitCode::from(match summary.exit_code() {
        0 if !failed.is_empty() => UNASKED,
        code => code,
    }))
}

/// Who is told what happens.
struct Shown {
    live: Live,
    outputs: Outputs,
    keeper: Option<Keeper>,
}

impl Shown {
    fn event(&mut self, event: &Event<'_>) {
        self.live.event(event);
        if let Event::Finished { result, .. } = event {
            // Standard output may be the same screen.
            self.live.wipe();
            self.outputs.test(result);
            if let Some(keeper) = &mut self.keeper {
                keeper.test(result);
            }
        }
        self.live.draw();
    }
}

fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a run ended.
enum Ended {
    Done(Box<Summary>),
    /// Before anything was asked.
    Refused(Findings),
    /// At the second signal.
    AtOnce,
}

async fn watch(suite: &Suite, target: &Target, options: &Options, shown: &Mutex<Shown>) -> Ended {
    let (cancel, cancelled) = oneshot::channel();
    let cancelled = async {
        if cancelled.await.is_err() {
            pending::<()>().await;
        }
    };
    let observe = |event: Event<'_>| lock(shown).event(&event);
    tokio::select! {
        biased;
        ended = stream(suite, target, options, cancelled, observe) => match ended {
            Ok(summary) => Ended::Done(Box::new(summary)),
            Err(findings) => Ended::Refused(findings),
        },
        () = signals(cancel, || lock(shown).live.cancelled()) => Ended::AtOnce,
        () = ticks(shown) => Ended::AtOnce,
    }
}

/// The first signal cancels the run; ends at the second one.
async fn signals(cancel: oneshot::Sender<()>, told: impl FnOnce()) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        say("signals cannot be heard here: the run ends by itself");
        return pending().await;
    };
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    next().await;
    told();
    // The run may have ended meanwhile.
    let _ended = cancel.send(());
    next().await;
}

/// Keeps the live view going; never ends.
async fn ticks(shown: &Mutex<Shown>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        lock(shown).live.draw();
    }
}

fn read(arguments: &Smoke) -> Result<Suite, ExitCode> {
    let Some(path) = &arguments.config else {
        return Ok(Suite::default_suite());
    };
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let suite = Suite::parse(&name, &bytes).map_err(|findings| {
        say(findings.render(&name, &String::from_utf8_lossy(&bytes), false));
        ExitCode::from(USAGE)
    })?;
    if !suite.notes().is_empty() {
        say(suite.notes().render(&name, suite.text(), false));
    }
    Ok(suite)
}
