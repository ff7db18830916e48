//! A verdict at the moment of its use: it still is about what is about to happen, and still young
//! enough.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Digest;

use crate::checks::{EvidenceCheck, GateName, Signers, SubjectKind};
use crate::evaluate::{Context, Sight};
use crate::policy::{Policy, Side};
use crate::predicate::PredicateKind;
use crate::tree::Tree;
use crate::witness::{EvidenceSet, Witnesses};

/// What is about to happen, and which verdict lets it.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// The policy that the verdict must be by, to the byte of its meaning.
    pub policy: &'a Policy,
    /// The phase that is about to begin: its entry gate, or both, must have been passed.
    pub phase: &'a str,
    /// What is about to happen, and when. The plan must be known. The verdict must be about every
    /// digest here, and about no plan, artifact or commit that is not known here.
    pub subjects: Context,
    /// How old the verdict may be, in milliseconds.
    pub age_ms_max: u64,
}

/// A verdict that lets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The digest of the signed envelope.
    pub verdict: Digest,
    /// By whom and how old, in words.
    pub found: String,
}

/// No verdict lets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAdmitted {
    reason: String,
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl core::error::Error for NotAdmitted {}

impl Admission<'_> {
    /// Looks for the verdict among the evidence. Of several, the newest decides: an older pass does
    /// not outweigh a newer block.
    ///
    /// # Errors
    ///
    /// [`NotAdmitted`]: there is none, it was blocked, it is about something else, too old or from
    /// the future, or not signed by a key that may say so.
    pub fn look(&self, evidence: &EvidenceSet) -> Result<Admitted, NotAdmitted> {
        let refused = |reason: String| NotAdmitted { reason };
        if self.policy.gate(self.phase, Side::Entry).is_none() {
            let (name, phase) = (self.policy.name(), self.phase);
            return Err(refused(format!("the policy {name} has no phase {phase}")));
        }
        if self.subjects.plan.is_none() {
            return Err(refused("the plan is not known".to_owned()));
        }
        let known = [
            (SubjectKind::Plan, self.subjects.plan),
            (SubjectKind::Artifact, self.subjects.artifact),
            (SubjectKind::Commit, self.subjects.commit),
            (SubjectKind::Runbook, self.subjects.runbook),
        ];
        let subjects = known
            .into_iter()
            .filter(|(_, digest)| digest.is_some())
            .map(|(kind, _)| kind);
        let check = EvidenceCheck {
            subjects: subjects.collect(),
            gate: Some(GateName {
                policy: self.policy.digest(),
                phase: self.phase.to_owned(),
                sides: [Side::Entry, Side::Both],
            }),
            ..EvidenceCheck::of(
                PredicateKind::GateVerdict,
                Signers::Policy,
                i64::try_from(self.age_ms_max).unwrap_or(i64::MAX),
            )
        };
        let tree = Tree::new();
        let witnesses = Witnesses::of(evidence, self.policy.keys(), &[], self.subjects.now);
        let sight = Sight {
            tree: &tree,
            witnesses,
            context: &self.subjects,
        };
        let (found, inputs) = check
            .evaluate(&sight)
            .map_err(|unmet| refused(unmet.found))?;
        let [input] = &inputs[..] else {
            return Err(refused(format!(
                "{} verdicts of the same moment were found",
                inputs.len()
            )));
        };
        let unknown = self.unknown_subjects(&sight, &input.digest);
        if !unknown.is_empty() {
            return Err(refused(format!(
                "the verdict is about {}, which is not known here",
                unknown.join(" and ")
            )));
        }
        Ok(Admitted {
            verdict: input.digest,
            found,
        })
    }

    /// What the verdict is about by name and nobody here can compare.
    fn unknown_subjects(&self, sight: &Sight<'_>, verdict: &Digest) -> Vec<String> {
        let accepted = &sight.witnesses.by_policy().accepted;
        let Some(witness) = accepted.iter().find(|witness| witness.digest == *verdict) else {
            return Vec::new();
        };
        let missing = [
            ("artifact", self.subjects.artifact),
            ("commit", self.subjects.commit),
        ];
        let subjects = witness.statement.subjects.iter();
        subjects
            .filter(|subject| {
                let mut missing = missing.iter();
                missing.any(|(name, known)| subject.name == *name && known.is_none())
            })
            .map(|subject| format!("{} {}", subject.name, subject.digest.short()))
            .collect()
    }
}
