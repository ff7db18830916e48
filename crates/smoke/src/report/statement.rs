//! A report as evidence: an in-toto test result, ready to be signed.

use core::fmt;

use nonevent_document::Digest;
use nonevent_evidence::{
    Predicate, ResourceDescriptor, SmokeFigures, SmokePhase, SmokeResult, Statement, Subject,
    TestResult,
};

use crate::report::Report;
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
        let names = |verdicts: &[Verdict]| {
            let of = self
                .tests
                .iter()
                .filter(|test| verdicts.contains(&test.verdict));
            of.map(|test| test.name.clone()).collect()
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
            }),
        });
        Ok(Statement {
            subjects,
            predicate,
        })
    }
}
