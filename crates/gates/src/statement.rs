//! A verdict as evidence: a SLSA verification summary in an in-toto statement.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use nonevent_evidence::{
    CriterionResult, CriterionStatus, GateFigures, GateVerdict, PolicyReference, Predicate,
    ResourceDescriptor, Statement, Subject, VerificationResult, Verifier,
};

use crate::checks::GateName;
use crate::outcome::Outcome;
use crate::policy::Side;
use crate::verdict::{GateResult, Verdict};

impl Verdict {
    /// The verdict as a statement to be signed, by a verifier whom a URI names.
    ///
    /// Its subjects are the tree and whatever else the gate was about; its predicate names the
    /// policy by digest, the evidence that was accepted, and in `resourceUri` the verdict itself.
    #[must_use]
    pub fn to_statement(&self, verifier: &str) -> Statement {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let verifier = Verifier {
            id: verifier.to_owned(),
            version: BTreeMap::from([("nonevent".to_owned(), version)]),
        };
        let passed = self.result() == GateResult::Passed;
        let predicate = GateVerdict {
            verifier,
            time_verified: self.evaluated_at(),
            resource_uri: format!("{}{}", gate_uri(self.phase(), self.side()), self.digest()),
            policy: PolicyReference::of(
                Some(format!("urn:nonevent:gate-policy:{}", self.policy_digest())),
                &self.policy_digest(),
            ),
            input_attestations: self.accepted_evidence(),
            verification_result: if passed {
                VerificationResult::Passed
            } else {
                VerificationResult::Failed
            },
            verified_levels: if passed {
                vec![format!("nonevent:{}:{}", self.phase(), self.side().word())]
            } else {
                Vec::new()
            },
            slsa_version: None,
            nonevent: Some(GateFigures {
                phase: self.phase().to_owned(),
                criteria: self.figures(),
            }),
        };
        Statement {
            subjects: self.statement_subjects(),
            predicate: Predicate::GateVerdict(predicate),
        }
    }

    fn statement_subjects(&self) -> Vec<Subject> {
        let about = self.subjects();
        let known = [
            ("tree", Some(self.tree())),
            ("plan", about.plan),
            ("runbook", about.runbook),
            ("artifact", about.artifact),
            ("commit", about.commit),
        ];
        known
            .into_iter()
            .filter_map(|(name, digest)| {
                digest.map(|digest| Subject {
                    name: name.to_owned(),
                    digest,
                })
            })
            .collect()
    }

    fn accepted_evidence(&self) -> Vec<ResourceDescriptor> {
        let accepted = self
            .evidence()
            .iter()
            .filter(|record| record.refused.is_none());
        accepted
            .map(|record| {
                let name = record.predicate_type.clone().unwrap_or_default();
                ResourceDescriptor::named(name, &record.digest)
            })
            .collect()
    }

    fn figures(&self) -> Vec<CriterionResult> {
        let figure = |result: &crate::verdict::CriterionResult| CriterionResult {
            id: result.id.clone(),
            status: match result.outcome() {
                Outcome::Pass => CriterionStatus::Met,
                Outcome::Fail => CriterionStatus::NotMet,
                Outcome::Waived => CriterionStatus::Waived,
                Outcome::NotApplicable => CriterionStatus::NotApplicable,
                Outcome::Unknown | Outcome::Error => CriterionStatus::NotEvaluated,
            },
            reason: result.check.found.clone(),
        };
        self.criteria().iter().map(figure).collect()
    }
}

/// How the URI of every verdict of a gate begins; the verdict's digest follows.
fn gate_uri(phase: &str, side: Side) -> String {
    format!("urn:nonevent:gate:{phase}:{}:", side.word())
}

/// Whether `predicate` is a verdict, passed or not, of the gate `gate`.
pub(crate) fn is_verdict_of(predicate: &Predicate, gate: &GateName) -> bool {
    let Predicate::GateVerdict(verdict) = predicate else {
        return false;
    };
    let phase = verdict.nonevent.as_ref().map(|figures| &figures.phase);
    let policy = PolicyReference::of(None, &gate.policy).digest;
    let uris = gate.sides.map(|side| gate_uri(&gate.phase, side));
    phase == Some(&gate.phase)
        && verdict.policy.digest == policy
        && uris.iter().any(|uri| verdict.resource_uri.starts_with(uri))
}
