//! One test: its connections, its attempts, its verdict.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nonevent_document::Redactor;
use tokio::time::{Instant, sleep_until};

use crate::bind::Bound;
use crate::judge::{Judgement, judge};
use crate::limits::Limits;
use crate::net::connect::{Link, open};
use crate::net::deadline::{Clock, Deadline, budget_used_up};
use crate::net::exchange::{Answer, Facts, exchange};
use crate::net::tls::Tls;
use crate::net::wire::micros;
use crate::report::{Attempt, Failure, TestResult, Verdict};
use crate::suite::model::{Retries, RetryClass};
use crate::target::Target;
use crate::trouble::{Cause, Trouble};

/// Everything the tests of one run share.
pub(crate) struct Session<'a> {
    pub(crate) target: &'a Target,
    pub(crate) tls: Result<Option<Tls>, Trouble>,
    pub(crate) limits: Limits,
    pub(crate) run: Deadline,
    pub(crate) budget_ms: u64,
    pub(crate) reuse_connections: bool,
    pub(crate) redactor: Redactor,
    /// Open connections that wait for their next request.
    pub(crate) idle: Mutex<Vec<Link>>,
}

impl Session<'_> {
    /// Runs one test to its verdict.
    pub(crate) async fn test(&self, test: &Bound) -> TestResult {
        let start = Instant::now();
        let connections = test
            .rules
            .build
            .as_ref()
            .map_or(1, |build| build.connections);
        let mut attempts = Vec::new();
        let mut verdicts = Vec::new();
        for connection in 1..=connections {
            let (verdict, answered) = self.connection(test, connection, &mut attempts).await;
            verdicts.push(verdict);
            // Without an answer the mix of builds cannot become clearer, only later.
            if !answered {
                break;
            }
        }
        let mut builds = BTreeMap::new();
        if test.rules.build.is_some() {
            for attempt in attempts.iter().filter(|attempt| attempt.status.is_some()) {
                *builds
                    .entry(attempt.build.clone().unwrap_or_default())
                    .or_default() += 1;
            }
        }
        let mut result = TestResult {
            verdict: worst(&verdicts),
            attempts,
            builds,
            duration_us: micros(start.elapsed()),
            ..self.blank(test, None)
        };
        result.redact(&self.redactor);
        result
    }

    /// The result of a test that was never asked.
    pub(crate) fn not_asked(&self, test: &Bound, trouble: Trouble) -> TestResult {
        let mut result = self.blank(test, Some(failure(trouble)));
        result.redact(&self.redactor);
        result
    }

    fn blank(&self, test: &Bound, not_asked: Option<Failure>) -> TestResult {
        TestResult {
            index: test.index,
            name: test.name.clone(),
            method: test.call.method.to_string(),
            url: test.url.clone(),
            verdict: Verdict::Inconclusive,
            not_asked,
            attempts: Vec::new(),
            builds: BTreeMap::new(),
            duration_us: 0,
            curl: test.curl.clone(),
        }
    }

    /// Asks on one connection, again where the test says so; whether an answer came in the end.
    async fn connection(
        &self,
        test: &Bound,
        connection: u32,
        attempts: &mut Vec<Attempt>,
    ) -> (Verdict, bool) {
        let mut retry = 0;
        loop {
            let attempt = self.attempt(test, connection, retry).await;
            let verdict = attempt.verdict;
            let answered = verdict == Verdict::Passed
                || attempt
                    .failures
                    .iter()
                    .all(|failure| failure.cause == Cause::Assertion);
            let again = retry < test.retries.count && is_declared(&test.retries, &attempt);
            attempts.push(attempt);
            if verdict == Verdict::Passed && retry > 0 {
                return (Verdict::Flaky, answered);
            }
            if !again {
                return (verdict, answered);
            }
            let delay_ms = test.retries.delay_ms.saturating_mul(1 << retry.min(16));
            let wake = Instant::now() + Duration::from_millis(delay_ms.min(DELAY_MS_MAX));
            if wake >= self.run.at() {
                // No time for another try: what was found stands.
                return (verdict, answered);
            }
            sleep_until(wake).await;
            retry += 1;
        }
    }

    async fn attempt(&self, test: &Bound, connection: u32, retry: u32) -> Attempt {
        let mut facts = Facts::default();
        let clock = Clock::new(test.total_ms, self.run);
        let outcome = if clock.start >= self.run.at() {
            Err(budget_used_up(self.budget_ms))
        } else {
            self.ask(test, clock, &mut facts).await
        };
        let Judgement { failures, build } = match outcome {
            Ok(answer) => judge(
                &test.rules,
                &answer,
                &self.redactor,
                self.limits.excerpt_chars_max,
            ),
            Err(trouble) => Judgement {
                failures: vec![failure(trouble)],
                build: None,
            },
        };
        facts.timings.total_us = micros(clock.start.elapsed());
        let verdict = match failures.first() {
            None => Verdict::Passed,
            Some(first) if first.cause.is_answer() => Verdict::Failed,
            Some(_) => Verdict::Inconclusive,
        };
        Attempt {
            connection,
            retry,
            verdict,
            peer: facts.peer,
            reused: facts.reused,
            status: facts.status,
            build,
            body_bytes: facts.body_bytes,
            tls: facts.tls,
            timings: facts.timings,
            failures,
        }
    }

    async fn ask(&self, test: &Bound, clock: Clock, facts: &mut Facts) -> Result<Answer, Trouble> {
        let reuse = self.reuse_connections && test.rules.build.is_none();
        if reuse {
            while let Some(mut link) = self.take_idle() {
                if !link.settle().await {
                    continue;
                }
                facts.reused = true;
                let answer =
                    exchange(&mut link, &test.call, false, &self.limits, clock, facts).await;
                // A service may close an idle connection at the moment it is used again. Where
                // nothing came back and repeating does no harm, that says nothing about it.
                let stale = matches!(&answer, Err(trouble) if trouble.cause == Cause::Closed)
                    && !facts.received
                    && test.idempotent;
                if !stale {
                    return self.finish(link, answer?, true).await;
                }
                *facts = Facts::default();
            }
        }
        let tls = self.tls.as_ref().map_err(Clone::clone)?.as_ref();
        let mut link = open(self.target, tls, &self.limits, clock, facts).await?;
        let answer = exchange(&mut link, &test.call, !reuse, &self.limits, clock, facts).await?;
        self.finish(link, answer, reuse).await
    }

    /// Keeps or closes the connection after an answer, which must have been all that came.
    async fn finish(&self, mut link: Link, answer: Answer, reuse: bool) -> Result<Answer, Trouble> {
        if reuse && link.settle().await {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(link);
            return Ok(answer);
        }
        match link.close() {
            0 => Ok(answer),
            excess => {
                let message = format!("{excess} bytes came after the end of the answer");
                Err(Trouble::new(Cause::Protocol, message))
            }
        }
    }

    fn take_idle(&self) -> Option<Link> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }
}

/// Longest wait before a further try, after doubling.
const DELAY_MS_MAX: u64 = 60_000;

fn failure(trouble: Trouble) -> Failure {
    let Trouble { cause, message } = trouble;
    Failure {
        cause,
        message,
        expected: None,
        actual: None,
        excerpt: None,
    }
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
    retries.on.contains(&class)
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
