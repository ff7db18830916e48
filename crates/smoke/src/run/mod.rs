//! A whole run: tests side by side, within one budget, until done or cancelled.

pub(crate) mod attempt;
pub(crate) mod schedule;
pub(crate) mod session;

use core::future::Future;
use core::pin::pin;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::stream::{FuturesUnordered, StreamExt};
use nonevent_document::Findings;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::backends::{Backend, Backends};
use crate::bind::select::Case;
use crate::bind::{Prepared, prepare};
use crate::net::connect::{Reach, resolve};
use crate::net::deadline::{Clock, Deadline};
use crate::net::route::Route;
use crate::options::Options;
use crate::report::result::TestResult;
use crate::report::verdict::{SuiteVerdict, Tally, Verdict};
use crate::report::{BackendResult, Report, SuiteReference, Summary};
use crate::run::schedule::{Next, Schedule, Unit};
use crate::run::session::{Lane, Session, lock};
use crate::suite::model::{Suite, Test};
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
        /// The backend that is asked, if each is asked by itself.
        backend: Option<&'a str>,
        /// How many tests there are, on all backends together.
        total: usize,
    },
    /// A test has its verdict.
    Finished {
        /// The verdict and all that led to it.
        result: &'a TestResult,
        /// How many tests have theirs, this one included.
        done: usize,
        /// How many tests there are, on all backends together.
        total: usize,
    },
}

/// Runs a suite against a target, and keeps every result.
///
/// `cancel` ends the run early when it completes: what is under way is dropped and, like what was
/// not begun, inconclusive; the suite's teardown is still run, for at most
/// [`Limits::teardown_ms`](crate::Limits::teardown_ms). Use [`core::future::pending`] for a run that
/// nobody cancels. Dropping the returned future stops everything at once; no task is left behind.
/// `observe` is called as tests begin and end.
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
    observe: impl FnMut(Event<'_>) + Send,
) -> Result<Report, Findings> {
    let mut results = Vec::new();
    let keep = |result| results.push(result);
    let summary = drive(suite, target, options, cancel, observe, keep).await?;
    Ok(Report::new(summary, results))
}

/// Runs a suite against a target as [`run`] does, and keeps no result: `observe` is shown each one
/// as its test ends, so that a report of any length can be written in constant memory.
///
/// # Errors
///
/// The findings of [`Suite::check`], before anything is sent.
///
/// # Panics
///
/// As [`run`] does.
pub async fn stream(
    suite: &Suite,
    target: &Target,
    options: &Options,
    cancel: impl Future<Output = ()> + Send,
    observe: impl FnMut(Event<'_>) + Send,
) -> Result<Summary, Findings> {
    drive(suite, target, options, cancel, observe, drop).await
}

async fn drive(
    suite: &Suite,
    target: &Target,
    options: &Options,
    cancel: impl Future<Output = ()> + Send,
    observe: impl FnMut(Event<'_>) + Send,
    keep: impl FnMut(TestResult) + Send,
) -> Result<Summary, Findings> {
    let begun = Instant::now();
    let (session, cases) = open_session(suite, target, options, begun).await?;
    let tests = suite.tests();
    let total = cases.len() * session.lanes.len();
    let crew = Crew {
        session: &session,
        schedule: Mutex::new(Schedule::new(tests, &cases, session.lanes.len())),
        ended: Notify::new(),
        running: Mutex::default(),
        ledger: Mutex::new(Ledger {
            total,
            tally: Tally::default(),
            lanes: session.lanes.iter().map(|_| Default::default()).collect(),
            builds: BTreeMap::new(),
            observe,
            keep,
        }),
    };
    crew.work(cancel, options.jobs.clamp(1, total.max(1))).await;
    let ledger = crew.ledger.into_inner();
    let ledger = ledger.unwrap_or_else(std::sync::PoisonError::into_inner);
    let backends = backend_results(&session.lanes, ledger.lanes);
    let is_expanded = options.backends != Backends::Any;
    let mut tally = ledger.tally;
    let verdict = verdict(&mut tally, &backends, is_expanded, options);
    Ok(Summary {
        verdict,
        counts: tally.counts,
        suite: SuiteReference {
            name: suite.name().to_owned(),
            digest: suite.digest(),
            tests: tests.iter().map(Test::cases).sum(),
            selected: Some(cases.len()),
        },
        target: target.url(),
        connect_to: target.connect_address(),
        backends,
        quorum: is_expanded.then_some(options.quorum),
        release: session.release(),
        started_at: options.started_at,
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        reuse_connections: options.reuse_connections,
        builds: ledger.builds,
        exit_code: tally.exit_code(verdict),
    })
}

/// Prepares a run: nothing is asked yet, but names are resolved where each address is a backend.
pub(crate) async fn open_session<'a>(
    suite: &'a Suite,
    target: &'a Target,
    options: &'a Options,
    begun: Instant,
) -> Result<(Session<'a>, Vec<Case>), Findings> {
    let Prepared {
        context,
        cases,
        redactor,
    } = prepare(suite, target, options)?;
    let deadline = Clock::run_deadline(begun, options.budget_ms);
    let lanes = lanes(target, options, deadline).await;
    let session = Session {
        context,
        begun,
        run: Mutex::new(deadline),
        lanes,
        redactor: Mutex::new(Arc::new(redactor)),
    };
    Ok((session, cases))
}

/// One lane for the target, or one for each of its backends.
async fn lanes(target: &Target, options: &Options, run: Deadline) -> Vec<Lane> {
    let base = || Route::new(target.origin().clone(), target.access().clone());
    let mut found = match &options.backends {
        Backends::Any => return vec![Lane::new(None, base())],
        Backends::Listed(backends) => backends.clone(),
        Backends::EveryAddress => every_address(target, options, run).await,
    };
    found.truncate(options.limits.backends_max);
    if found.is_empty() {
        // The name has no address, which the tests find out and say.
        return vec![Lane::new(None, base())];
    }
    let lane = |backend: Backend| {
        let mut access = target.access().clone();
        access.connect_to = Some(backend.address);
        let route = Route::new(target.origin().clone(), access);
        Lane::new(Some(backend), route)
    };
    found.into_iter().map(lane).collect()
}

async fn every_address(target: &Target, options: &Options, run: Deadline) -> Vec<Backend> {
    let access = target.access();
    let origin = target.origin();
    if let Some(address) = access.connect_to {
        return vec![Backend::at(address)];
    }
    if !access.resolve.is_empty() {
        let at = |ip: &std::net::IpAddr| Backend::at((*ip, origin.port).into());
        return access.resolve.iter().map(at).collect();
    }
    let mut limits = options.limits;
    limits.addresses_max = limits.backends_max;
    let reach = Reach {
        transport: options.transport.as_ref(),
        limits: &limits,
    };
    let phase = Deadline::after(Instant::now(), limits.connect_ms, "connect_ms");
    let resolving = resolve(reach, &origin.host, origin.port);
    let clock = Clock::new(limits.total_ms, run);
    let found = clock
        .within(phase, Cause::Resolve, "address", resolving)
        .await;
    let mut addresses = found.and_then(|found| found).unwrap_or_default();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().map(Backend::at).collect()
}

/// What one lane has come to.
type LaneTally = (Tally, BTreeMap<String, u32>);

fn backend_results(lanes: &[Lane], tallies: Vec<LaneTally>) -> Vec<BackendResult> {
    lanes
        .iter()
        .zip(tallies)
        .filter_map(|(lane, (tally, builds))| {
            let backend = lane.backend.as_ref()?;
            Some(BackendResult {
                name: backend.name.clone(),
                address: backend.address,
                verdict: tally.verdict(),
                counts: tally.counts,
                builds,
            })
        })
        .collect()
}

/// The verdict on the whole: that of all tests, unless enough backends passed without some.
fn verdict(
    tally: &mut Tally,
    backends: &[BackendResult],
    is_expanded: bool,
    options: &Options,
) -> SuiteVerdict {
    let of_tests = tally.verdict();
    if !is_expanded {
        return of_tests;
    }
    let passed = backends.iter().filter(|backend| backend.verdict.is_yes());
    let enough = passed.count() >= options.quorum.needed(backends.len());
    match (enough, of_tests.is_yes()) {
        (true, true) | (false, false) => of_tests,
        (true, false) if tally.is_cancelled() => of_tests,
        (true, false) => SuiteVerdict::Warned,
        // All that were there passed, and there were too few.
        (false, true) => SuiteVerdict::Failed,
    }
}

/// What is known of the run so far, and who is told.
struct Ledger<O, K> {
    total: usize,
    tally: Tally,
    lanes: Vec<LaneTally>,
    builds: BTreeMap<String, u32>,
    observe: O,
    keep: K,
}

impl<O: FnMut(Event<'_>), K: FnMut(TestResult)> Ledger<O, K> {
    fn enter(&mut self, lane: usize, result: TestResult) {
        self.tally.add(&result);
        if let Some((tally, builds)) = self.lanes.get_mut(lane) {
            tally.add(&result);
            for (build, count) in &result.builds {
                *builds.entry(build.clone()).or_default() += count;
                *self.builds.entry(build.clone()).or_default() += count;
            }
        }
        (self.observe)(Event::Finished {
            result: &result,
            done: self.tally.counts.tests,
            total: self.total,
        });
        (self.keep)(result);
    }
}

/// Those who ask, side by side, and what they share.
struct Crew<'c, 'a, O, K> {
    session: &'c Session<'a>,
    schedule: Mutex<Schedule<'a>>,
    /// Told whenever something has ended.
    ended: Notify,
    /// What is being asked at this moment.
    running: Mutex<Vec<Unit>>,
    ledger: Mutex<Ledger<O, K>>,
}

impl<O: FnMut(Event<'_>) + Send, K: FnMut(TestResult) + Send> Crew<'_, '_, O, K> {
    async fn work(&self, cancel: impl Future<Output = ()> + Send, jobs: usize) {
        let is_cancelled = {
            let mut workers: FuturesUnordered<_> = (0..jobs).map(|_| self.worker()).collect();
            let work = async { while workers.next().await.is_some() {} };
            tokio::select! {
                biased;
                () = cancel => true,
                () = work => false,
            }
        };
        if !is_cancelled {
            return;
        }
        let given_up = core::mem::take(&mut *lock(&self.running));
        let unasked = lock(&self.schedule).cancel();
        for unit in given_up.into_iter().chain(unasked) {
            let message = "the run was cancelled before its end";
            self.refuse(unit, Trouble::new(Cause::Cancelled, message));
        }
        // What was made is cleaned up all the same, within a time of its own.
        let teardown_ms = self.session.context.options.limits.teardown_ms;
        *lock(&self.session.run) = Deadline::after(Instant::now(), teardown_ms, "teardown_ms");
        self.worker().await;
    }

    async fn worker(&self) {
        loop {
            let mut ended = pin!(self.ended.notified());
            ended.as_mut().enable();
            let next = lock(&self.schedule).next();
            match next {
                Next::Ask(unit) => {
                    self.started(unit);
                    lock(&self.running).push(unit);
                    let result = self.session.ask(unit).await;
                    lock(&self.running).retain(|running| *running != unit);
                    if let Some(result) = result {
                        self.finish(unit, result);
                    }
                }
                Next::Refuse(unit, needed) => {
                    let tests = self.session.context.suite.tests();
                    let needed = tests.get(needed).map_or("a test", Test::name);
                    let message = format!("`{needed}`, which it needs, did not pass");
                    self.refuse(unit, Trouble::new(Cause::Dependency, message));
                }
                Next::Wait => ended.await,
                Next::Done => return,
            }
        }
    }

    fn started(&self, unit: Unit) {
        let session = self.session;
        let Some(test) = session.context.test(unit.case) else {
            return;
        };
        let name = session.context.name(test, unit.case);
        let name = session.redactor().apply(&name).into_owned();
        let lane = session.lanes.get(unit.lane);
        let backend = lane.and_then(|lane| lane.backend.as_ref());
        let mut ledger = lock(&self.ledger);
        let total = ledger.total;
        (ledger.observe)(Event::Started {
            name: &name,
            backend: backend.map(|backend| backend.name.as_str()),
            total,
        });
    }

    fn refuse(&self, unit: Unit, trouble: Trouble) {
        if let Some(result) = self.session.not_asked(unit, trouble) {
            self.finish(unit, result);
        }
    }

    fn finish(&self, unit: Unit, result: TestResult) {
        let passed = matches!(result.verdict, Verdict::Passed | Verdict::Flaky);
        lock(&self.ledger).enter(unit.lane, result);
        lock(&self.schedule).finish(unit, passed);
        self.ended.notify_waiters();
    }
}
