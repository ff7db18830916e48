//! The words for how a test and a run ended, and the rules that lead from one to the other.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::report::result::TestResult;
use crate::trouble::Cause;

/// The verdict on one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The first answer was the expected one, on every connection that was asked for.
    Passed,
    /// It was only after a further try.
    Flaky,
    /// The service was reached, and what it did was wrong.
    Failed,
    /// It could not be asked.
    Inconclusive,
}

impl Verdict {
    /// Whether the service did what was expected, some maybe only after a further try.
    #[must_use]
    pub const fn is_yes(self) -> bool {
        matches!(self, Verdict::Passed | Verdict::Flaky)
    }

    /// The word used in reports, such as `inconclusive`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Flaky => "flaky",
            Verdict::Failed => "failed",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// What it means for the run that a test does not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The run is no yes.
    #[default]
    Critical,
    /// The run says so and may still be a yes.
    Warning,
}

impl Severity {
    pub(crate) fn is_critical(&self) -> bool {
        *self == Severity::Critical
    }
}

/// The verdict on the whole run, or on one backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuiteVerdict {
    /// Every test passed.
    Passed,
    /// Every test passed, at least one only after a further try.
    Flaky,
    /// Every critical test passed; at least one of severity `warning` did not, or a backend that
    /// the quorum can do without.
    Warned,
    /// At least one critical test failed: the service answered wrong.
    Failed,
    /// None failed, but for at least one there was no connection to the target.
    Unreachable,
    /// None failed, but at least one could not be asked for a reason on this side: time used up,
    /// cancelled, an address that is refused.
    Inconclusive,
}

impl SuiteVerdict {
    /// Whether a deployment may go on: all that is critical passed, some maybe only after a
    /// further try.
    #[must_use]
    pub const fn is_yes(self) -> bool {
        matches!(
            self,
            SuiteVerdict::Passed | SuiteVerdict::Flaky | SuiteVerdict::Warned
        )
    }
}

impl fmt::Display for SuiteVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SuiteVerdict::Passed => "passed",
            SuiteVerdict::Flaky => "flaky",
            SuiteVerdict::Warned => "warned",
            SuiteVerdict::Failed => "failed",
            SuiteVerdict::Unreachable => "unreachable",
            SuiteVerdict::Inconclusive => "inconclusive",
        })
    }
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counts {
    /// Tests that were selected, setup and teardown included, on each backend once.
    pub tests: usize,
    /// [`Verdict::Passed`].
    pub passed: usize,
    /// [`Verdict::Flaky`].
    pub flaky: usize,
    /// [`Verdict::Failed`].
    pub failed: usize,
    /// [`Verdict::Inconclusive`].
    pub inconclusive: usize,
    /// Those of the failed and inconclusive ones that are of severity `warning`.
    #[serde(default, skip_serializing_if = "crate::report::is_zero")]
    pub warned: usize,
}

/// What the results so far add up to, without keeping them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    failed: bool,
    unreachable: bool,
    inconclusive: bool,
    cancelled: bool,
    local: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, test: &TestResult) {
        self.counts.tests += 1;
        match test.verdict {
            Verdict::Passed => self.counts.passed += 1,
            Verdict::Flaky => self.counts.flaky += 1,
            Verdict::Failed => self.counts.failed += 1,
            Verdict::Inconclusive => self.counts.inconclusive += 1,
        }
        if test.verdict.is_yes() {
            return;
        }
        let has = |is: &dyn Fn(Cause) -> bool| test.failures().any(|failure| is(failure.cause));
        // Whatever its severity, a test that was cancelled says that the run was.
        self.cancelled |= has(&|cause| cause == Cause::Cancelled);
        if !test.severity.is_critical() {
            self.counts.warned += 1;
            return;
        }
        self.local |= has(&|cause| cause == Cause::Local);
        match test.verdict {
            Verdict::Failed => self.failed = true,
            _ if has(&Cause::is_unreachable) => self.unreachable = true,
            _ => self.inconclusive = true,
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    pub(crate) fn verdict(&self) -> SuiteVerdict {
        if self.failed {
            SuiteVerdict::Failed
        } else if self.unreachable {
            SuiteVerdict::Unreachable
        } else if self.inconclusive || self.cancelled || self.counts.tests == 0 {
            SuiteVerdict::Inconclusive
        } else if self.counts.warned > 0 {
            SuiteVerdict::Warned
        } else if self.counts.flaky > 0 {
            SuiteVerdict::Flaky
        } else {
            SuiteVerdict::Passed
        }
    }

    pub(crate) fn exit_code(&self, verdict: SuiteVerdict) -> u8 {
        match verdict {
            verdict if verdict.is_yes() => 0,
            SuiteVerdict::Inconclusive if self.cancelled => 130,
            SuiteVerdict::Inconclusive if self.local => 3,
            _ => 1,
        }
    }
}
