//! The verdict: what was asked, what was found, and a digest that binds both to their inputs.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp, digest_of};
use serde::Serialize;

use crate::changes::{self, Change};
use crate::evaluate::{Context, Sight};
use crate::notice::Notice;
use crate::outcome::{CheckResult, Outcome};
use crate::policy::{Gate, Side, Weight};
use crate::tree::Gap;
use crate::witness::EvidenceRecord;

/// Whether the gate is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum GateResult {
    /// Every blocking criterion that applies passes or is waived, and there is at least one.
    Passed,
    /// Anything else.
    Blocked,
}

/// The result of one criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CriterionResult {
    /// The criterion's id within its phase.
    pub id: String,
    /// What is asked, for people.
    pub title: String,
    /// Why it is asked.
    pub why: String,
    /// Whether its lack closes the gate.
    #[serde(rename = "severity")]
    pub weight: Weight,
    /// Who sees to it.
    pub owner: String,
    /// What to do if it is not met.
    pub remedy: String,
    /// What was asked, the figure found, and the inputs it rests on.
    #[serde(flatten)]
    pub check: CheckResult,
}

impl CriterionResult {
    /// What came out.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.check.outcome
    }

    /// Whether somebody has something to do about it.
    pub(crate) const fn is_wanting(&self) -> bool {
        !matches!(
            self.check.outcome,
            Outcome::Pass | Outcome::Waived | Outcome::NotApplicable
        )
    }
}

/// The answer of a gate. See [`evaluate`](crate::evaluate()).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    api_version: &'static str,
    kind: &'static str,
    policy: PolicyName,
    phase: String,
    side: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    result: GateResult,
    met: u32,
    asked: u32,
    criteria: Vec<CriterionResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) to_open: Vec<Change>,
    evaluated_at: Timestamp,
    subjects: Context,
    tree: Digest,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
    evidence: Vec<EvidenceRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice>,
    digest: Digest,
}

/// Which policy a verdict is by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PolicyName {
    name: String,
    digest: Digest,
}

impl Verdict {
    pub(crate) fn new(
        gate: &Gate<'_>,
        criteria: Vec<CriterionResult>,
        notices: Vec<Notice>,
        sight: &Sight<'_>,
    ) -> Verdict {
        let asked = applicable(&criteria).count();
        let passes = |result: &&CriterionResult| result.outcome() == Outcome::Pass;
        let met = applicable(&criteria).filter(passes).count();
        // Zero checks is no pass.
        let open = asked > 0 && !criteria.iter().any(CriterionResult::closes);
        let mut verdict = Verdict {
            api_version: crate::wire::API_VERSION,
            kind: "GateVerdict",
            policy: PolicyName {
                name: gate.policy.name().to_owned(),
                digest: gate.policy.digest(),
            },
            phase: gate.phase.id().to_owned(),
            side: gate.side,
            label: sight.witnesses.label(),
            result: if open {
                GateResult::Passed
            } else {
                GateResult::Blocked
            },
            met: u32::try_from(met).unwrap_or(u32::MAX),
            asked: u32::try_from(asked).unwrap_or(u32::MAX),
            to_open: changes::to_open(&criteria),
            criteria,
            evaluated_at: sight.context.now,
            subjects: *sight.context,
            tree: sight.tree.digest(),
            gaps: sight.tree.gaps().to_vec(),
            evidence: sight.witnesses.records().to_vec(),
            notices,
            digest: Digest::from_bytes([0; 32]),
        };
        verdict.digest = digest_of(&verdict)
            .expect("texts, small whole numbers and digests have a canonical form");
        verdict
    }

    /// Whether the gate is open.
    #[must_use]
    pub const fn result(&self) -> GateResult {
        self.result
    }

    /// Whether the gate is open.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.result == GateResult::Passed
    }

    /// Blocking criteria that apply and pass.
    #[must_use]
    pub const fn met(&self) -> u32 {
        self.met
    }

    /// Blocking criteria that apply.
    #[must_use]
    pub const fn asked(&self) -> u32 {
        self.asked
    }

    /// The phase that was asked for.
    #[must_use]
    pub fn phase(&self) -> &str {
        &self.phase
    }

    /// Which of the phase's gates.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The name of the policy.
    #[must_use]
    pub fn policy_name(&self) -> &str {
        &self.policy.name
    }

    /// The digest of the policy.
    #[must_use]
    pub const fn policy_digest(&self) -> Digest {
        self.policy.digest
    }

    /// The result of each criterion, in the policy's order.
    #[must_use]
    pub fn criteria(&self) -> &[CriterionResult] {
        &self.criteria
    }

    /// The criteria that close the gate.
    pub fn closing(&self) -> impl Iterator<Item = &CriterionResult> {
        self.criteria.iter().filter(|result| result.closes())
    }

    /// What the gate was about.
    #[must_use]
    pub const fn subjects(&self) -> &Context {
        &self.subjects
    }

    /// The digest of the tree that was looked at.
    #[must_use]
    pub const fn tree(&self) -> Digest {
        self.tree
    }

    /// What of the project was not looked at.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Every piece of evidence that was handed in, and what became of it.
    #[must_use]
    pub fn evidence(&self) -> &[EvidenceRecord] {
        &self.evidence
    }

    /// What else people should see to: waivers that did nothing, gates that were skipped.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// When the gate was asked.
    #[must_use]
    pub const fn evaluated_at(&self) -> Timestamp {
        self.evaluated_at
    }

    /// The warning that a verdict by demonstration keys carries.
    #[must_use]
    pub const fn label(&self) -> Option<&'static str> {
        self.label
    }

    /// The digest of all the verdict says: policy, subjects, tree, evidence, results and time.
    ///
    /// It is the digest of the verdict's canonical JSON with 64 zeros in its own place.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The verdict as pretty-printed JSON (`apiVersion: nonevent/v1`, `kind: GateVerdict`).
    ///
    /// Characters that a terminal would act on are written as `\u` escapes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self)
            .expect("a verdict holds texts, whole numbers and lists only");
        let mut text = crate::path::json_visible(&json);
        text.push('\n');
        text
    }
}

fn applicable(criteria: &[CriterionResult]) -> impl Iterator<Item = &CriterionResult> {
    criteria.iter().filter(|result| {
        result.weight == Weight::Blocking && result.outcome() != Outcome::NotApplicable
    })
}
