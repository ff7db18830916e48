//! What the comparison of two versions found.

use core::fmt;

use nonevent_document::Timestamp;
use serde::{Deserialize, Serialize};

use crate::differential::Difference;
use crate::latency::{LatencyFigures, LatencyVerdict};
use crate::report::SuiteReference;

/// The verdict on one test, or on the whole comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompareVerdict {
    /// The new version answers as the old one does, and is not slower if that was asked.
    Same,
    /// It answers otherwise, does not answer, or is slower.
    Different,
    /// One of them could not be asked, or latencies were not decided.
    Inconclusive,
    /// Not compared: it could act, or asks nothing by HTTP. Of the whole: nothing was compared.
    Skipped,
}

impl CompareVerdict {
    /// The word used in reports, such as `different`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CompareVerdict::Same => "same",
            CompareVerdict::Different => "different",
            CompareVerdict::Inconclusive => "inconclusive",
            CompareVerdict::Skipped => "skipped",
        }
    }
}

impl fmt::Display for CompareVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the latencies of two versions compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComparedLatency {
    /// What was decided.
    pub verdict: LatencyVerdict,
    /// Requests to the old version that had no usable answer.
    pub old_troubles: u32,
    /// Requests to the new version that had no usable answer.
    pub new_troubles: u32,
    /// The pairs.
    pub figures: LatencyFigures,
}

/// One test of a comparison. Texts are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compared {
    /// The test's name.
    pub name: String,
    /// The method asked with.
    pub method: String,
    /// The URL asked of the new version.
    pub url: String,
    /// What was found.
    pub verdict: CompareVerdict,
    /// Why, where the differences do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the new version answers otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// What differs between the old version's own answers, such as `$.id: its value differs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<String>,
    /// Latencies, if they were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<ComparedLatency>,
    /// A command that asks the new version again, where it answers otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ApiVersion {
    #[serde(rename = "nonevent/v1")]
    V1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    SmokeComparison,
}

/// What the comparison of two versions found. As JSON (`serde`) it is a document of `apiVersion:
/// nonevent/v1`, `kind: SmokeComparison`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Comparison {
    api_version: ApiVersion,
    kind: Kind,
    /// The verdict on the whole: the worst of its tests, the skipped ones left out.
    pub verdict: CompareVerdict,
    /// Whether it was cancelled before its end.
    pub is_cancelled: bool,
    /// What was asked.
    pub suite: SuiteReference,
    /// The old version's base URL, and the address it was asked at if one was given.
    pub old: String,
    /// The new version's.
    pub new: String,
    /// How often the old version was asked for each test.
    pub samples: usize,
    /// When it began, as the caller said.
    pub started_at: Timestamp,
    /// Milliseconds it took.
    pub duration_ms: u64,
    /// The tests, in the order of the suite.
    pub tests: Vec<Compared>,
}

/// The parts that the comparison itself knows.
pub(crate) struct ComparisonHead {
    pub(crate) suite: SuiteReference,
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) samples: usize,
    pub(crate) started_at: Timestamp,
    pub(crate) duration_ms: u64,
    pub(crate) is_cancelled: bool,
}

impl Comparison {
    pub(crate) fn new(head: ComparisonHead, tests: Vec<Compared>) -> Comparison {
        let any = |verdict| tests.iter().any(|test| test.verdict == verdict);
        let verdict = if any(CompareVerdict::Different) {
            CompareVerdict::Different
        } else if any(CompareVerdict::Inconclusive) || head.is_cancelled {
            CompareVerdict::Inconclusive
        } else if any(CompareVerdict::Same) {
            CompareVerdict::Same
        } else {
            CompareVerdict::Skipped
        };
        Comparison {
            api_version: ApiVersion::V1,
            kind: Kind::SmokeComparison,
            verdict,
            is_cancelled: head.is_cancelled,
            suite: head.suite,
            old: head.old,
            new: head.new,
            samples: head.samples,
            started_at: head.started_at,
            duration_ms: head.duration_ms,
            tests,
        }
    }

    /// How many tests ended so.
    #[must_use]
    pub fn count(&self, verdict: CompareVerdict) -> usize {
        let of = |test: &&Compared| test.verdict == verdict;
        self.tests.iter().filter(of).count()
    }

    /// The exit status that says this: 0 where the new version answers as the old one does; 1 where
    /// it does not, or it is not known, since nothing that was not compared is the same; 130 where
    /// it was cancelled before a difference was found.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            CompareVerdict::Same => 0,
            CompareVerdict::Inconclusive if self.is_cancelled => 130,
            CompareVerdict::Different | CompareVerdict::Inconclusive | CompareVerdict::Skipped => 1,
        }
    }
}
