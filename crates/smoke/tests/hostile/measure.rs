//! Runs cases one after another and holds verdict, time and memory of each.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nonevent_smoke::{Cause, Report};
use tokio::runtime::{Builder, Runtime};

use crate::case::{Case, Fixture};
use crate::server::run_suite;

/// What ending may take beyond a deadline.
const GRACE_MS: u64 = 100;
/// How often a case that took too long is measured. The promise is about this crate and not about
/// how busy the machine is, so the fastest counts; the verdict must be right each time.
const TRIES: usize = 3;
/// Resident memory by which the process, the servers in it included, may grow.
const GROWTH_KIB_MAX: u64 = 64 * 1024;
/// Characters of a failure's message, whatever the server said.
const MESSAGE_CHARS_MAX: usize = 1_500;

static TURN: Mutex<()> = Mutex::new(());

/// Tests that measure, or would disturb it, take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn client() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

pub(crate) fn hold(cases: Vec<Case>) {
    let _turn = turn();
    let mut builder = Builder::new_multi_thread();
    let servers = builder.worker_threads(1).enable_all().build();
    let servers = servers.expect("a runtime");
    let start_kib = memory_kib("VmRSS:");
    let mut wrong = Vec::new();
    for case in cases {
        let name = case.name.clone();
        if let Err(why) = hold_one(case, &servers, start_kib) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    servers.shutdown_background();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn hold_one(case: Case, servers: &Runtime, start_kib: Option<u64>) -> Result<(), String> {
    let Case {
        name,
        start,
        suite,
        options,
        wanted,
        deadline_ms,
        also,
    } = case;
    let fixture: Fixture = servers.block_on(start);
    let allowed = Duration::from_millis(deadline_ms + GRACE_MS);
    let mut fastest = Duration::MAX;
    let mut ended = None;
    reset_peak();
    for _ in 0..TRIES {
        let client = client();
        let begun = Instant::now();
        let report = client.block_on(run_suite(&suite, &fixture.target, &options));
        fastest = fastest.min(begun.elapsed());
        ended = Some(judged(&report, &wanted)?);
        if let Some(look) = also {
            look(&fixture, &report);
        }
        if fastest <= allowed {
            break;
        }
    }
    let mut line = format!("{name}: {fastest:.1?} of {allowed:?}");
    if let (Some(start), Some(peak)) = (start_kib, memory_kib("VmHWM:")) {
        let growth = peak.saturating_sub(start);
        let _infallible = write!(line, ", {growth} KiB");
        if growth > GROWTH_KIB_MAX {
            return Err(format!("{growth} KiB of memory, {GROWTH_KIB_MAX} allowed"));
        }
    }
    // Shown by `--nocapture`.
    println!("{line}: {}", ended.unwrap_or_default());
    if fastest > allowed {
        return Err(format!("took {fastest:?}, {allowed:?} allowed"));
    }
    if matches!(wanted.failure, Some((Cause::Timeout, _))) {
        let at_least = Duration::from_millis(deadline_ms);
        if fastest < at_least {
            return Err(format!("gave up after {fastest:?} of {at_least:?}"));
        }
    }
    Ok(())
}

/// The message of the failure, if all is as it should be.
fn judged(report: &Report, wanted: &crate::case::Wanted) -> Result<String, String> {
    let test = &report.tests[0];
    let failures: Vec<_> = test.failures().collect();
    let found = (test.verdict, report.summary.verdict);
    if found != (wanted.verdict, wanted.suite) {
        return Err(format!("{found:?}: {failures:#?}"));
    }
    let passes = wanted.failure.is_none();
    if (report.summary.exit_code() == 0) != passes {
        return Err(format!("exit code {}", report.summary.exit_code()));
    }
    match (wanted.failure, failures.as_slice()) {
        (None, []) => Ok("passed".to_owned()),
        (Some((cause, says)), [failure]) => {
            let said = &failure.message;
            let is_right =
                |(cause, says): (Cause, &str)| failure.cause == cause && said.contains(says);
            if !is_right((cause, says)) && !wanted.or.is_some_and(is_right) {
                return Err(format!("wanted {cause} and `{says}`, found {failure:?}"));
            }
            if said.chars().count() > MESSAGE_CHARS_MAX || said.chars().any(char::is_control) {
                return Err(format!("{} bytes of message: {said:.2000}", said.len()));
            }
            Ok(format!("{cause}: {said}"))
        }
        _ => Err(format!("{failures:#?}")),
    }
}

/// A figure of `/proc/self/status`; nothing where there is no such file.
fn memory_kib(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Lets the peak of each case be its own. Where that is not allowed it is that of all before too,
/// which only makes the assertion harder to meet.
fn reset_peak() {
    let _optional = std::fs::write("/proc/self/clear_refs", "5");
}
