//! A whole run: tests side by side, within one budget, until done or cancelled.

pub(crate) mod attempt;

use core::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::stream::{FuturesUnordered, StreamExt};
use nonevent_document::Findings;
use tokio::time::Instant;

use crate::bind::{Bound, Prepared, prepare};
use crate::net::deadline::Clock;
use crate::net::tls::Tls;
use crate::options::Options;
use crate::report::{Head, Report, SuiteReference, TestResult};
use crate::run::attempt::Session;
use crate::suite::model::Suite;
use crate::target::Target;
use crate::trouble::{Cause, Trouble};

/// What happens while a suite runs, for whoever shows progress. Secrets are masked.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A test begins.
    Started {
        /// Its name.
        name: &'a str,
        /// How many tests there are.
        total: usize,
    },
    /// A test has its verdict.
    Finished {
        /// The verdict and all that led to it.
        result: &'a TestResult,
        /// How many tests have theirs, this one included.
        done: usize,
        /// How many tests there are.
        total: usize,
    },
}

/// Runs a suite against a target.
///
/// `cancel` ends the run early when it completes: what is under way is dropped and, like what was
/// not begun, inconclusive. Use [`core::future::pending`] for a run that nobody cancels. Dropping
/// the returned future stops everything too; no task is left behind. `observe` is called as tests
/// begin and end.
///
/// Names are resolved by the operating system on a thread of tokio's blocking pool. A resolver that
/// hangs does not delay the run, but it delays the end of a runtime that is dropped and not shut
/// down with `shutdown_background`.
///
/// # Errors
///
/// The findings of [`Suite::check`], before anything is sent.
///
/// # Panics
///
/// Outside a tokio runtime with its time and IO drivers on, as everything of tokio's.
pub async fn run(
    suite: &Suite,
    target: &Target,
    options: &Options,
    cancel: impl Future<Output = ()> + Send,
    observe: impl Fn(Event<'_>) + Send + Sync,
) -> Result<Report, Findings> {
    let start = Instant::now();
    let Prepared { tests, redactor } = prepare(suite, target, options)?;
    let release = options
        .variables
        .get("release")
        .map(|text| redactor.apply(text).into_owned());
    let session = Session {
        target,
        tls: Tls::for_target(target),
        limits: options.limits,
        run: Clock::run_deadline(start, options.budget_ms),
        budget_ms: options.budget_ms,
        reuse_connections: options.reuse_connections,
        redactor,
        idle: Mutex::new(Vec::new()),
    };
    let results = run_all(&session, &tests, options.jobs, cancel, &observe).await;
    let head = Head {
        suite: SuiteReference {
            name: suite.name().to_owned(),
            digest: suite.digest(),
            tests: suite.tests().len(),
        },
        target: target.url(),
        connect_to: target.connect_address(),
        release,
        started_at: options.started_at,
        duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        reuse_connections: options.reuse_connections,
    };
    Ok(Report::new(head, results))
}

async fn run_all(
    session: &Session<'_>,
    tests: &[Bound],
    jobs: usize,
    cancel: impl Future<Output = ()> + Send,
    observe: &(impl Fn(Event<'_>) + Send + Sync),
) -> Vec<TestResult> {
    let total = tests.len();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let slots: Mutex<Vec<Option<TestResult>>> = Mutex::new(vec![None; total]);
    let worker = async || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(test) = tests.get(at) else { return };
            observe(Event::Started {
                name: &test.name,
                total,
            });
            let result = session.test(test).await;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            observe(Event::Finished {
                result: &result,
                done,
                total,
            });
            if let Some(slot) = slots
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_mut(at)
            {
                *slot = Some(result);
            }
        }
    };
    {
        let mut workers: FuturesUnordered<_> =
            (0..jobs.clamp(1, total.max(1))).map(|_| worker()).collect();
        tokio::select! {
            biased;
            () = cancel => {}
            () = async { while workers.next().await.is_some() {} } => {}
        }
    }
    let results = slots.into_inner().unwrap_or_else(PoisonError::into_inner);
    let cancelled = || Trouble::new(Cause::Cancelled, "the run was cancelled before its end");
    results
        .into_iter()
        .zip(tests)
        .map(|(result, test)| result.unwrap_or_else(|| session.not_asked(test, cancelled())))
        .collect()
}
