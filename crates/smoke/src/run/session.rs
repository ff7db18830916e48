//! What the tests of one run share, and one case from its binding to its result.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nonevent_document::{Redactor, Secret, Timestamp};
use tokio::time::{Instant, sleep_until};

use crate::backends::Backend;
use crate::bind::curl;
use crate::bind::select::Case;
use crate::bind::{Bound, Context};
use crate::judge::capture::capture;
use crate::net::deadline::Deadline;
use crate::net::link::Link;
use crate::net::route::Route;
use crate::net::wire::micros;
use crate::report::result::{Attempt, Failure, TestResult};
use crate::report::verdict::Verdict;
use crate::run::attempt::Tried;
use crate::run::schedule::Unit;
use crate::suite::model::{Poll, Retries, RetryClass, Test};
use crate::trouble::{Cause, Trouble};

/// Everything the tests of one run share.
pub(crate) struct Session<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) begun: Instant,
    /// The run's own deadline; the teardown of a run that is over has another.
    pub(crate) run: Mutex<Deadline>,
    pub(crate) lanes: Vec<Lane>,
    /// It learns what tests capture as secrets.
    pub(crate) redactor: Mutex<Arc<Redactor>>,
}

/// The service, or one backend of it.
pub(crate) struct Lane {
    pub(crate) backend: Option<Backend>,
    pub(crate) base: Arc<Route>,
    pub(crate) captured: Mutex<Arc<BTreeMap<String, String>>>,
    /// Open connections that wait for their next request.
    pub(crate) idle: Mutex<Vec<(Arc<Route>, Link)>>,
}

impl Lane {
    pub(crate) fn new(backend: Option<Backend>, base: Route) -> Lane {
        Lane {
            backend,
            base: Arc::new(base),
            captured: Mutex::default(),
            idle: Mutex::default(),
        }
    }
}

/// Longest wait before a further try, after doubling.
const DELAY_MS_MAX: u64 = 60_000;
/// Attempts of one test that are kept; of more, the first and the last ones.
const ATTEMPTS_KEPT: usize = 100;

impl Session<'_> {
    /// Runs one case to its result.
    pub(crate) async fn ask(&self, unit: Unit) -> Option<TestResult> {
        let test = self.context.test(unit.case)?;
        let lane = self.lanes.get(unit.lane)?;
        let captured = Arc::clone(&lock(&lane.captured));
        let bound = match self.context.bind(unit.case, &lane.base, &captured) {
            Ok(bound) => bound,
            Err(findings) => {
                // It was bound once with something in the place of what is captured.
                let why: Vec<String> = findings.iter().map(|f| f.message.to_string()).collect();
                let message = format!("a captured value does not fit: {}", why.join("; "));
                return self.not_asked(unit, Trouble::new(Cause::Dependency, message));
            }
        };
        let start = Instant::now();
        let mut work = Work {
            session: self,
            lane,
            test,
            bound: &bound,
            attempts: Vec::new(),
            left_out: 0,
        };
        let verdict = match &test.poll {
            Some(poll) => work.poll(poll).await,
            None => work.connections().await,
        };
        let Work {
            attempts, left_out, ..
        } = work;
        let mut result = TestResult {
            verdict,
            builds: builds(test, &attempts),
            attempts,
            attempts_left_out: left_out,
            duration_us: micros(start.elapsed()),
            ..self.blank(unit, test, bound.url.clone(), None)
        };
        if !verdict.is_yes() {
            let bindings = self.context.bindings(unit.case, &captured);
            result.curl = curl::command(test, &bound, &bindings);
        }
        result.redact(&self.redactor());
        Some(result)
    }

    /// Asks one case once, without further tries; nothing if a captured value does not fit.
    pub(crate) async fn once(&self, case: Case) -> Option<Tried> {
        let (test, lane) = (self.context.test(case)?, self.lanes.first()?);
        let captured = Arc::clone(&lock(&lane.captured));
        let bound = self.context.bind(case, &lane.base, &captured).ok()?;
        let mut tried = self.attempt(lane, test, &bound, 1, 0).await;
        if tried.attempt.verdict == Verdict::Passed {
            self.keep(lane, test, &mut tried);
        }
        Some(tried)
    }

    /// What a case asks, as far as that is known by now.
    pub(crate) fn url(&self, case: Case) -> String {
        let bound = self.lanes.first().and_then(|lane| {
            let captured = Arc::clone(&lock(&lane.captured));
            self.context.bind(case, &lane.base, &captured).ok()
        });
        bound.map_or_else(|| self.context.target.url(), |bound| bound.url)
    }

    /// A command that asks a case again, with references in the place of secrets.
    pub(crate) fn curl(&self, case: Case) -> Option<String> {
        let (test, lane) = (self.context.test(case)?, self.lanes.first()?);
        let captured = Arc::clone(&lock(&lane.captured));
        let bound = self.context.bind(case, &lane.base, &captured).ok()?;
        let bindings = self.context.bindings(case, &captured);
        curl::command(test, &bound, &bindings)
    }

    /// The result of a case that was never asked.
    pub(crate) fn not_asked(&self, unit: Unit, trouble: Trouble) -> Option<TestResult> {
        let test = self.context.test(unit.case)?;
        let url = self.context.target.url();
        let mut result = self.blank(unit, test, url, Some(trouble.into()));
        result.redact(&self.redactor());
        Some(result)
    }

    fn blank(
        &self,
        unit: Unit,
        test: &Test,
        url: String,
        not_asked: Option<Failure>,
    ) -> TestResult {
        let lane = self.lanes.get(unit.lane);
        let backend = lane.and_then(|lane| lane.backend.as_ref());
        TestResult {
            index: unit.case.index,
            name: self.context.name(test, unit.case),
            part: test.part,
            severity: test.severity,
            backend: backend.map(|backend| backend.name.clone()),
            method: test.probe.word().to_owned(),
            url,
            verdict: Verdict::Inconclusive,
            not_asked,
            attempts: Vec::new(),
            attempts_left_out: 0,
            builds: BTreeMap::new(),
            duration_us: 0,
            curl: None,
        }
    }

    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&lock(&self.redactor))
    }

    /// The variable `release`, masked.
    pub(crate) fn release(&self) -> Option<String> {
        let release = self.context.options.variables.get("release")?;
        Some(self.redactor().apply(release).into_owned())
    }

    pub(crate) fn deadline(&self) -> Deadline {
        *lock(&self.run)
    }

    /// The time by the caller's clock.
    pub(crate) fn now(&self) -> Timestamp {
        let ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.context.options.started_at.plus_ms(ms)
    }

    /// Keeps what a test that passed says is to be kept; what is missing is a failure.
    fn keep(&self, lane: &Lane, test: &Test, tried: &mut Tried) {
        let Some(answer) = tried.answer.as_ref().filter(|_| !test.captures.is_empty()) else {
            return;
        };
        let redactor = self.redactor();
        let mut found = BTreeMap::new();
        for wanted in &test.captures {
            match capture(wanted, answer, &redactor) {
                Ok(value) => {
                    if wanted.secret {
                        let mut redactor = lock(&self.redactor);
                        Arc::make_mut(&mut redactor).add(&Secret::new(value.clone()));
                    }
                    found.insert(wanted.name.clone(), value);
                }
                Err(failure) => {
                    tried.attempt.verdict = Verdict::Failed;
                    tried.attempt.failures.push(*failure);
                }
            }
        }
        Arc::make_mut(&mut lock(&lane.captured)).extend(found);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often each build answered.
fn builds(test: &Test, attempts: &[Attempt]) -> BTreeMap<String, u32> {
    let mut builds = BTreeMap::new();
    if test.expect.build.is_some() {
        for attempt in attempts.iter().filter(|attempt| attempt.status.is_some()) {
            *builds
                .entry(attempt.build.clone().unwrap_or_default())
                .or_default() += 1;
        }
    }
    builds
}

/// One case while it is being asked.
struct Work<'w, 'a> {
    session: &'w Session<'a>,
    lane: &'w Lane,
    test: &'w Test,
    bound: &'w Bound,
    attempts: Vec<Attempt>,
    left_out: u32,
}

impl Work<'_, '_> {
    /// One connection, or as many as a build check asks for.
    async fn connections(&mut self) -> Verdict {
        let build = self.test.expect.build.as_ref();
        let connections = build.map_or(1, |build| build.connections);
        let mut verdicts = Vec::new();
        for connection in 1..=connections {
            let (verdict, answered) = self.connection(connection).await;
            verdicts.push(verdict);
            // Without an answer the mix of builds cannot become clearer, only later.
            if !answered {
                break;
            }
        }
        worst(&verdicts)
    }

    /// Asks on one connection, again where the test says so; whether an answer came in the end.
    async fn connection(&mut self, connection: u32) -> (Verdict, bool) {
        let retries = &self.test.retries;
        let mut retry = 0;
        loop {
            let attempt = self.attempt(connection, retry).await;
            let verdict = attempt.verdict;
            let answered = attempt
                .failures
                .iter()
                .all(|failure| failure.cause == Cause::Assertion);
            let again = retry < retries.count && is_declared(retries, &attempt);
            self.note(attempt);
            if verdict == Verdict::Passed && retry > 0 {
                return (Verdict::Flaky, answered);
            }
            if !again {
                return (verdict, answered);
            }
            let delay_ms = retries.delay_ms.saturating_mul(1 << retry.min(16));
            let wake = Instant::now() + Duration::from_millis(delay_ms.min(DELAY_MS_MAX));
            if wake >= self.session.deadline().at() {
                // No time for another try: what was found stands.
                return (verdict, answered);
            }
            sleep_until(wake).await;
            retry += 1;
        }
    }

    /// Asks until it passes. That it did not at first is what a poll is for, and not flaky.
    async fn poll(&mut self, poll: &Poll) -> Verdict {
        let start = Instant::now();
        let end = start + Duration::from_millis(poll.within_ms);
        let mut interval_ms = poll.interval_ms;
        for retry in 0.. {
            let mut attempt = self.attempt(1, retry).await;
            let verdict = attempt.verdict;
            let wake = Instant::now() + Duration::from_millis(interval_ms);
            let over = wake >= end || wake >= self.session.deadline().at();
            if verdict == Verdict::Passed || over {
                if let Some(last) = attempt.failures.last_mut() {
                    let within = nonevent_document::format_duration_ms(poll.within_ms);
                    let said = format!("; asked {} times within {within}", retry + 1);
                    last.message.push_str(&said);
                }
                self.note(attempt);
                return verdict;
            }
            self.note(attempt);
            sleep_until(wake).await;
            interval_ms = grown(interval_ms, poll);
        }
        Verdict::Inconclusive
    }

    async fn attempt(&mut self, connection: u32, retry: u32) -> Attempt {
        let mut tried = self
            .session
            .attempt(self.lane, self.test, self.bound, connection, retry)
            .await;
        if tried.attempt.verdict == Verdict::Passed {
            self.session.keep(self.lane, self.test, &mut tried);
        }
        tried.attempt
    }

    fn note(&mut self, attempt: Attempt) {
        if self.attempts.len() >= ATTEMPTS_KEPT && self.test.poll.is_some() {
            self.attempts.remove(ATTEMPTS_KEPT / 2);
            self.left_out += 1;
        }
        self.attempts.push(attempt);
    }
}

/// The next interval of a poll.
fn grown(interval_ms: u64, poll: &Poll) -> u64 {
    // Both are bounded by an hour and the factor by 10, far inside what a float holds exactly.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an interval is at most an hour, and the factor 1 to 10"
    )]
    let grown = (interval_ms as f64 * poll.factor) as u64;
    grown.min(poll.interval_ms_max).max(1)
}

/// Whether a failed attempt is of a class that the test declares.
fn is_declared(retries: &Retries, attempt: &Attempt) -> bool {
    let Some(first) = attempt.failures.first() else {
        return false;
    };
    let class = match first.cause {
        Cause::Resolve | Cause::Connect => RetryClass::Connect,
        Cause::Timeout => RetryClass::Timeout,
        Cause::Assertion if attempt.status.is_some_and(|s| (500..600).contains(&s)) => {
            RetryClass::ServerError
        }
        _ => return false,
    };
    retries.on.contains(class)
}

/// A test is as bad as its worst connection.
fn worst(verdicts: &[Verdict]) -> Verdict {
    let any = |verdict| verdicts.contains(&verdict);
    if any(Verdict::Failed) {
        Verdict::Failed
    } else if any(Verdict::Inconclusive) || verdicts.is_empty() {
        Verdict::Inconclusive
    } else if any(Verdict::Flaky) {
        Verdict::Flaky
    } else {
        Verdict::Passed
    }
}
