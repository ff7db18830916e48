//! The kinds of evidence a policy can ask for: their names, their fields, and what each must say
//! to be in favour.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use nonevent_document::Digest;
use nonevent_evidence::{
    AnalysisVerdict, Decision, Predicate, RehearsalOutcome, RolloutOutcome, TestResult,
    VerificationResult,
};

/// A kind of evidence. A waiver is none: it excuses a criterion and never meets one; nor is that a
/// gate was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PredicateKind {
    PlanCheck,
    Proof,
    Runbook,
    Rehearsal,
    SmokeResult,
    Analysis,
    Rollout,
    GateVerdict,
    Approval,
    SignOff,
    RunbookReview,
    FlagCheck,
}

use PredicateKind as Kind;

const KINDS: [Kind; 12] = [
    Kind::PlanCheck,
    Kind::Proof,
    Kind::Runbook,
    Kind::Rehearsal,
    Kind::SmokeResult,
    Kind::Analysis,
    Kind::Rollout,
    Kind::GateVerdict,
    Kind::Approval,
    Kind::SignOff,
    Kind::RunbookReview,
    Kind::FlagCheck,
];

impl PredicateKind {
    pub(crate) fn of_name(name: &str) -> Option<Kind> {
        KINDS.into_iter().find(|kind| kind.name() == name)
    }

    pub(crate) const fn of(predicate: &Predicate) -> Option<Kind> {
        Some(match predicate {
            Predicate::PlanCheck(_) => Kind::PlanCheck,
            Predicate::Proof(_) => Kind::Proof,
            Predicate::Runbook(_) => Kind::Runbook,
            Predicate::Rehearsal(_) => Kind::Rehearsal,
            Predicate::SmokeResult(_) => Kind::SmokeResult,
            Predicate::Analysis(_) => Kind::Analysis,
            Predicate::Rollout(_) => Kind::Rollout,
            Predicate::GateVerdict(_) => Kind::GateVerdict,
            Predicate::Approval(_) => Kind::Approval,
            Predicate::SignOff(_) => Kind::SignOff,
            Predicate::RunbookReview(_) => Kind::RunbookReview,
            Predicate::FlagCheck(_) => Kind::FlagCheck,
            _ => return None,
        })
    }

    pub(crate) fn names() -> String {
        let names: Vec<String> = KINDS.iter().map(|kind| format!("`{kind}`")).collect();
        names.join(", ")
    }

    const fn name(self) -> &'static str {
        match self {
            Kind::PlanCheck => "plan-check",
            Kind::Proof => "proof",
            Kind::Runbook => "runbook",
            Kind::Rehearsal => "rehearsal",
            Kind::SmokeResult => "smoke-result",
            Kind::Analysis => "analysis",
            Kind::Rollout => "rollout",
            Kind::GateVerdict => "gate-verdict",
            Kind::Approval => "approval",
            Kind::SignOff => "sign-off",
            Kind::RunbookReview => "runbook-review",
            Kind::FlagCheck => "flag-check",
        }
    }

    /// What a statement of this kind must say whatever the policy adds.
    pub(crate) const fn must_say(self) -> &'static str {
        match self {
            Kind::PlanCheck => "there are no errors",
            Kind::Proof => "the search was finished and every promise holds",
            Kind::Runbook => "it was rendered",
            Kind::Rehearsal => "stable was recovered",
            Kind::SmokeResult => "tests passed and none failed or warned",
            Kind::Analysis => "the analysis passed",
            Kind::Rollout => "it was promoted",
            Kind::GateVerdict => "it was passed",
            Kind::Approval | Kind::SignOff | Kind::RunbookReview => "it is approved",
            Kind::FlagCheck => "it declares flags and has no errors",
        }
    }

    /// The fields of the kind, by JSON Pointer without the first slash; the fields within a field
    /// are listed only where conditions on them make sense.
    const fn fields(self) -> &'static str {
        match self {
            Kind::PlanCheck => "plan shape errors warnings checker at",
            Kind::Proof => {
                "plan shape decided holds states transitions worst_recovery_ms faults assumptions \
                 at"
            }
            Kind::Runbook => "plan page at",
            Kind::Rehearsal => {
                "plan shape environment started finished detect_ms decide_ms complete_ms \
                 verify_ms outcome"
            }
            Kind::SmokeResult => {
                "result configuration url passedTests warnedTests failedTests nonevent \
                 nonevent/plan nonevent/phase nonevent/target nonevent/started nonevent/finished"
            }
            Kind::Analysis => {
                "plan step policy started ended looks verdict reason stable stable/requests \
                 stable/errors stable/p99_ms canary canary/requests canary/errors canary/p99_ms"
            }
            Kind::Rollout => {
                "plan outcome reason from_version to_version started finished steps requests \
                 harmed lost detect_ms recover_ms journal journal_records"
            }
            Kind::GateVerdict => {
                "verifier verifier/id timeVerified resourceUri policy inputAttestations \
                 verificationResult verifiedLevels slsaVersion nonevent nonevent/phase \
                 nonevent/criteria"
            }
            Kind::Approval => "plan by role at comment",
            Kind::SignOff => "role person decision comment at",
            Kind::RunbookReview => "plan page role person decision at",
            Kind::FlagCheck => "file dialect flags errors warnings checker at",
        }
    }

    pub(crate) fn has_field(self, pointer: &str) -> bool {
        let name = pointer.strip_prefix('/').unwrap_or(pointer);
        self.fields().split(' ').any(|field| field == name)
    }

    pub(crate) fn fields_in_words(self) -> String {
        let fields: Vec<String> = self
            .fields()
            .split(' ')
            .map(|f| format!("`/{f}`"))
            .collect();
        format!("its fields are {}", fields.join(", "))
    }
}

impl fmt::Display for PredicateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether `predicate` is in favour; if not, what it says instead.
pub(crate) fn favours(predicate: &Predicate) -> Result<(), String> {
    let said = match predicate {
        Predicate::PlanCheck(check) if check.errors > 0 => {
            format!("there are {} errors", check.errors)
        }
        Predicate::Proof(proof) if !proof.decided => "the search was not finished".to_string(),
        Predicate::Proof(proof) if !proof.holds => "a promise does not hold".to_string(),
        Predicate::Proof(proof) if proof.states == 0 => "no state was visited".to_string(),
        Predicate::Rehearsal(rehearsal) => {
            if rehearsal.outcome != RehearsalOutcome::Recovered {
                "stable was not recovered".to_string()
            } else if rehearsal.complete_ms.is_none() || rehearsal.verify_ms.is_none() {
                "recovery was not measured to its end".to_string()
            } else if rehearsal.started > rehearsal.finished {
                "it ended before it began".to_string()
            } else {
                return Ok(());
            }
        }
        Predicate::SmokeResult(smoke) => {
            let (failed, warned) = (smoke.failed_tests.len(), smoke.warned_tests.len());
            if smoke.result != TestResult::Passed || failed > 0 || warned > 0 {
                format!("{failed} tests failed and {warned} warned, or the whole did")
            } else if smoke.passed_tests.iter().all(|name| is_blank(name))
                || smoke.configuration.is_empty()
            {
                "no test ran, or from no suite".to_string()
            } else {
                return Ok(());
            }
        }
        Predicate::Analysis(analysis) if analysis.verdict != AnalysisVerdict::Passed => {
            "the analysis did not pass".to_string()
        }
        Predicate::Rollout(rollout) => match rollout.outcome {
            RolloutOutcome::Promoted if rollout.journal_records > 0 => return Ok(()),
            RolloutOutcome::Promoted => "it was promoted without a record of it".to_string(),
            RolloutOutcome::RolledBack => "it was rolled back".to_string(),
            RolloutOutcome::Stuck => "it is stuck".to_string(),
        },
        Predicate::GateVerdict(verdict)
            if verdict.verification_result != VerificationResult::Passed =>
        {
            "the gate was blocked".to_string()
        }
        Predicate::Approval(approval) if is_blank(&approval.by) => "nobody approved".to_string(),
        Predicate::SignOff(sign_off) if sign_off.decision != Decision::Approved => {
            "it was rejected".to_string()
        }
        Predicate::RunbookReview(review) if review.decision != Decision::Approved => {
            "it was rejected".to_string()
        }
        Predicate::FlagCheck(check) if check.errors > 0 => {
            format!("there are {} errors", check.errors)
        }
        Predicate::FlagCheck(check) if check.flags == 0 => "there are no flags".to_string(),
        Predicate::Waiver(_)
        | Predicate::BreakGlass(_)
        | Predicate::BreakGlassReview(_)
        | Predicate::Unknown { .. } => "nothing that is known".to_string(),
        _ => return Ok(()),
    };
    Err(said)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// The digests that a predicate itself names, beside the statement's subjects.
pub(crate) fn shape_of(predicate: &Predicate) -> Option<Digest> {
    match predicate {
        Predicate::PlanCheck(check) => Some(check.shape),
        Predicate::Proof(proof) => Some(proof.shape),
        Predicate::Rehearsal(rehearsal) => Some(rehearsal.shape),
        _ => None,
    }
}

/// The digest of the file that a predicate names.
pub(crate) const fn file_of(predicate: &Predicate) -> Option<Digest> {
    match predicate {
        Predicate::FlagCheck(check) => Some(check.file),
        _ => None,
    }
}

/// The digest of the rendered runbook that a predicate names.
pub(crate) const fn page_of(predicate: &Predicate) -> Option<Digest> {
    match predicate {
        Predicate::Runbook(runbook) => Some(runbook.page),
        Predicate::RunbookReview(review) => Some(review.page),
        _ => None,
    }
}
