//! Runs cases one after another and holds verdict, time and memory of each.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nonevent_smoke::{Cause, Limits, Report, TestResult};
use tokio::runtime::{Builder, Runtime};

use crate::case::{Case, Fixture, Wanted};
use crate::server::run_suite;

/// What ending may take beyond a deadline.
const GRACE_MS: u64 = 100;
/// How often a case that took too long is measured. The promise is about this crate and not about
/// how busy the machine is: the fastest counts, without what its threads waited for a processor,
/// and a timeout that nobody wanted is a try that took too long. Any other verdict must be right
/// each time.
const TRIES: u32 = 4;
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
    let (mut held, mut wrong) = (Vec::new(), Vec::new());
    for case in cases {
        let name = case.name.clone();
        match hold_one(case, &servers, start_kib) {
            Ok(line) => held.push(line),
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    servers.shutdown_background();
    // What failed is said alone: among hundreds of lines nobody finds it.
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // Shown by `--nocapture`.
    println!("{}", held.join("\n"));
}

/// What it took, and what was found.
fn hold_one(case: Case, servers: &Runtime, start_kib: Option<u64>) -> Result<String, String> {
    let Case {
        name,
        start,
        suite,
        mut options,
        wanted,
        deadline_ms,
        also,
    } = case;
    let fixture: Fixture = servers.block_on(start);
    let allowed = Duration::from_millis(deadline_ms + GRACE_MS);
    let (mut fastest, mut shortest) = (Duration::MAX, Duration::MAX);
    let mut ended = None;
    reset_peak();
    for attempt in 1..=TRIES {
        let client = client();
        let (begun, waited_ns) = (Instant::now(), waited_ns());
        let report = client.block_on(run_suite(&suite, &fixture.target, &options));
        let waited = Duration::from_nanos(self::waited_ns().saturating_sub(waited_ns));
        if attempt < TRIES && timed_out_unwanted(&report, &wanted) {
            options.limits = with_more_time(options.limits);
            continue;
        }
        let took = begun.elapsed();
        fastest = fastest.min(took.saturating_sub(waited));
        shortest = shortest.min(took);
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
    let _infallible = write!(line, ": {}", ended.unwrap_or_default());
    if fastest > allowed {
        return Err(format!("took {fastest:?}, {allowed:?} allowed"));
    }
    if matches!(wanted.failure, Some((Cause::Timeout, _))) {
        let at_least = Duration::from_millis(deadline_ms);
        if shortest < at_least {
            return Err(format!("gave up after {shortest:?} of {at_least:?}"));
        }
    }
    Ok(line)
}

/// Whether a test ran into a deadline where something else should have ended it.
fn timed_out_unwanted(report: &Report, wanted: &Wanted) -> bool {
    let is_timeout = |cause: Cause, message: &str| {
        cause == Cause::Timeout || cause == Cause::Connect && message.contains("timeout_ms")
    };
    let is_wanted = |(cause, says): (Cause, &str)| is_timeout(cause, says);
    let mut all = [wanted.failure, wanted.or].into_iter().flatten();
    let mut failures = report.tests.iter().flat_map(TestResult::failures);
    !all.any(is_wanted) && failures.any(|it| is_timeout(it.cause, &it.message))
}

fn with_more_time(limits: Limits) -> Limits {
    Limits {
        total_ms: 4 * limits.total_ms,
        connect_ms: 4 * limits.connect_ms,
        tls_ms: 4 * limits.tls_ms,
        first_byte_ms: 4 * limits.first_byte_ms,
        idle_ms: 4 * limits.idle_ms,
        ..limits
    }
}

/// How long the threads of this process have been ready and had no processor; nothing where the
/// system does not say it.
fn waited_ns() -> u64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| -> Option<u64> {
        let said = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        said.split(' ').nth(1)?.parse().ok()
    };
    threads.filter_map(of_thread).sum()
}

/// The message of the failure, if all is as it should be.
fn judged(report: &Report, wanted: &Wanted) -> Result<String, String> {
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
