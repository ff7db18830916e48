//! A report as evidence: an in-toto test result, ready to be signed.

use core::fmt;
use std::collections::BTreeSet;

use nonevent_document::Digest;
use nonevent_evidence::{
    Predicate, ResourceDescriptor, SmokeFigures, SmokePhase, SmokeResult, Statement, Subject,
    TestResult,
};

use crate::report::Report;
use crate::report::result::{Attempt, TestResult as Tested};
use crate::report::verdict::{SuiteVerdict, Verdict};

/// A run of a part of a suite, which is no evidence that the suite passed or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialRun {
    ran: usize,
    of: usize,
}

impl fmt::Display for PartialRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PartialRun { ran, of } = self;
        write!(
            f,
            "only {ran} of the suite's {of} tests were run: run all of them for evidence"
        )
    }
}

impl core::error::Error for PartialRun {}

impl Report {
    /// The report as an in-toto Statement about `subjects`: what was deployed, by digest.
    ///
    /// `plan` is the digest of the plan in whose rollout it ran, and must then be one of the
    /// subjects; `phase` says when in it. A flaky run is `WARNED`; every run that is no yes is
    /// `FAILED`, and tests that could not be asked are among the failed ones, since no gate may
    /// take them for passed.
    ///
    /// # Errors
    ///
    /// When only a part of the suite was selected.
    pub fn to_statement(
        &self,
        subjects: Vec<Subject>,
        plan: Option<Digest>,
        phase: Option<SmokePhase>,
    ) -> Result<Statement, PartialRun> {
        let suite = &self.summary.suite;
        if suite.unselected() > 0 {
            return Err(PartialRun {
                ran: suite.tests - suite.unselected(),
                of: suite.tests,
            });
        }
        let result = match self.summary.verdict {
            SuiteVerdict::Passed => TestResult::Passed,
            SuiteVerdict::Flaky | SuiteVerdict::Warned => TestResult::Warned,
            SuiteVerdict::Failed | SuiteVerdict::Unreachable | SuiteVerdict::Inconclusive => {
                TestResult::Failed
            }
        };
        // On several backends a name alone does not say which test it was.
        let name = |test: &Tested| match &test.backend {
            Some(backend) => format!("{} at {backend}", test.name),
            None => test.name.clone(),
        };
        let names = |verdicts: &[Verdict]| {
            let of = self
                .tests
                .iter()
                .filter(|test| verdicts.contains(&test.verdict));
            of.map(name).collect()
        };
        let duration_ms = i64::try_from(self.summary.duration_ms).unwrap_or(i64::MAX);
        let predicate = Predicate::SmokeResult(SmokeResult {
            result,
            configuration: vec![ResourceDescriptor::named(
                &*self.summary.suite.name,
                &self.summary.suite.digest,
            )],
            url: None,
            passed_tests: names(&[Verdict::Passed]),
            warned_tests: names(&[Verdict::Flaky]),
            failed_tests: names(&[Verdict::Failed, Verdict::Inconclusive]),
            nonevent: Some(SmokeFigures {
                plan,
                phase,
                target: self.summary.target.clone(),
                started: self.summary.started_at,
                finished: self.summary.started_at.plus_ms(duration_ms),
                release: self.summary.release.clone(),
                peers: distinct(self.answered().filter_map(|attempt| {
                    let peer = attempt.peer.as_ref()?;
                    Some(peer.to_string())
                })),
                certificates: distinct(
                    self.answered()
                        .filter_map(|attempt| attempt.tls.as_ref())
                        .map(|tls| tls.certificate),
                ),
                attempts: self.tests.iter().map(attempts).sum(),
            }),
        });
        Ok(Statement {
            subjects,
            predicate,
        })
    }

    /// The attempts in which something was connected to.
    fn answered(&self) -> impl Iterator<Item = &Attempt> {
        let attempts = self.tests.iter().flat_map(|test| &test.attempts);
        attempts.filter(|attempt| attempt.timings.connect_us.is_some() || attempt.reused)
    }
}

fn attempts(test: &Tested) -> u64 {
    test.attempts.len() as u64 + u64::from(test.attempts_left_out)
}

/// Each value once, in its order.
fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let values: BTreeSet<T> = values.collect();
    values.into_iter().collect()
}
