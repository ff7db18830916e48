//! Evaluating a gate: a pure function of policy, tree, evidence, subjects and time.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notice;
use crate::outcome::{CheckResult, Outcome};
use crate::policy::{Criterion, Gate, Weight};
use crate::tree::Tree;
use crate::verdict::{CriterionResult, Verdict};
use crate::waiver;
use crate::witness::{EvidenceSet, Witnesses};

/// What the gate is about, and when it is asked. A digest that is not known makes every criterion
/// that needs it unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The digest of the plan to be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// The plan's shape: its digest without versions, artifacts, environment name and counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Digest>,
    /// The digest of the rendered runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<Digest>,
    /// The digest of the artifact to be deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Digest>,
    /// The digest of the source that the project is at; for a git commit, the SHA-256 of its
    /// object id in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Digest>,
    /// The time of asking: evidence is aged by it, and evidence from after it is refused.
    #[serde(skip, default = "epoch")]
    pub now: Timestamp,
}

const fn epoch() -> Timestamp {
    Timestamp::from_unix_ms(0)
}

impl Context {
    /// A context that knows the time and nothing else.
    #[must_use]
    pub const fn at(now: Timestamp) -> Context {
        Context {
            plan: None,
            shape: None,
            runbook: None,
            artifact: None,
            commit: None,
            now,
        }
    }
}

/// All that a check may look at.
pub(crate) struct Sight<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) witnesses: Witnesses,
    pub(crate) context: &'a Context,
}

/// Evaluates `gate` over plain data.
///
/// The same arguments give the same verdict, byte for byte, on every machine. The gate is open
/// only if every blocking criterion that applies passes or is waived, and at least one applies.
#[must_use]
pub fn evaluate(
    gate: &Gate<'_>,
    tree: &Tree,
    evidence: &EvidenceSet,
    context: &Context,
) -> Verdict {
    let mut listed = Vec::new();
    for criterion in gate.criteria() {
        criterion.check.listed_keys(&mut listed);
    }
    let sight = Sight {
        tree,
        witnesses: Witnesses::of(evidence, gate.policy.keys(), &listed, context.now),
        context,
    };
    let mut criteria: Vec<CriterionResult> = gate
        .criteria()
        .map(|criterion| criterion_result(criterion, &sight))
        .collect();
    let mut notices = waiver::apply(&mut criteria, gate, &sight);
    notices.extend(notice::skipped(&sight.witnesses));
    Verdict::new(gate, criteria, notices, &sight)
}

fn criterion_result(criterion: &Criterion, sight: &Sight<'_>) -> CriterionResult {
    let check = match not_applicable(criterion, sight.tree) {
        Some(found) => CheckResult::new(Outcome::NotApplicable, criterion.check.asked(), found),
        None => criterion.check.evaluate(sight),
    };
    CriterionResult {
        id: criterion.id.clone(),
        title: criterion.title.clone(),
        why: criterion.why.clone(),
        weight: criterion.weight,
        owner: criterion.owner.clone(),
        remedy: criterion.remedy.clone(),
        check,
    }
}

/// Why the criterion does not apply, if it does not. Where a part of the tree that could make it
/// apply was not looked at, it applies.
fn not_applicable(criterion: &Criterion, tree: &Tree) -> Option<String> {
    let globs = criterion.applies_when.as_ref()?;
    let selection = tree.select(globs, true);
    let nothing =
        selection.files.is_empty() && selection.passed_over.is_empty() && selection.gaps.is_empty();
    let names: Vec<String> = globs.iter().map(ToString::to_string).collect();
    nothing.then(|| alloc::format!("no file {}", names.join(", ")))
}

impl CriterionResult {
    /// Whether this closes the gate.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.weight == Weight::Blocking && self.is_wanting()
    }
}

impl<'a> Sight<'a> {
    /// For the trial: no evidence at all.
    pub(crate) fn without_evidence(tree: &'a Tree, context: &'a Context) -> Sight<'a> {
        Sight {
            tree,
            witnesses: Witnesses::none(),
            context,
        }
    }
}
