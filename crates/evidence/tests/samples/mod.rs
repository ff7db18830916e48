//! One predicate of each type.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    AnalysisResult, AnalysisVerdict, Approval, ArmFigures, BreakGlass, BreakGlassReview,
    CriterionResult, CriterionStatus, Decision, FlagCheck, GateFigures, GateVerdict, PlanCheck,
    PolicyReference, Predicate, Proof, Rehearsal, RehearsalOutcome, ResourceDescriptor,
    RolloutOutcome, RolloutResult, RunbookRendered, RunbookReview, SignOff, SmokeFigures,
    SmokePhase, SmokeResult, StepFigures, TestResult, VerificationResult, Verifier, Waiver,
};

/// Who speaks in the samples, and in which roles.
pub(crate) const PERSON: &str = "R. Okafor <r@shop.example>";
pub(crate) const ROLES: [&str; 3] = ["release manager", "product owner", "on-call"];

pub(crate) fn plan() -> Digest {
    Digest::of(b"a plan")
}

pub(crate) fn shape() -> Digest {
    Digest::of(b"a shape")
}

/// Seconds after 2026-01-05T10:00:00Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_767_607_200_000).plus_ms(seconds * 1000)
}

pub(crate) fn proof() -> Proof {
    Proof {
        plan: plan(),
        shape: shape(),
        decided: true,
        holds: true,
        states: 9_000,
        transitions: 31_000,
        worst_recovery_ms: Some(42_000),
        faults: vec!["a canary instance crashes".into()],
        assumptions: vec!["the router applies a split within 5s".into()],
        at: at(0),
    }
}

fn figures(requests: u64, errors: u64) -> ArmFigures {
    ArmFigures {
        requests,
        errors,
        p99_ms: (requests > 0).then_some(31),
    }
}

pub(crate) fn all() -> Vec<Predicate> {
    let mut all = vec![
        Predicate::PlanCheck(PlanCheck {
            plan: plan(),
            shape: shape(),
            errors: 0,
            warnings: 2,
            checker: "nonevent 0.1.0".into(),
            at: at(0),
        }),
        Predicate::Proof(proof()),
        Predicate::Runbook(RunbookRendered {
            plan: plan(),
            page: Digest::of(b"a page"),
            at: at(1),
        }),
        rehearsal(),
        smoke(),
        Predicate::Analysis(AnalysisResult {
            plan: plan(),
            step: 2,
            policy: Digest::of(b"a policy"),
            started: at(10),
            ended: at(40),
            looks: 6,
            verdict: AnalysisVerdict::EnvironmentUnhealthy,
            reason: "stable fails 12% of its requests".into(),
            stable: figures(900, 108),
            canary: figures(0, 0),
        }),
        rollout(),
        verdict(),
        Predicate::Approval(Approval {
            plan: plan(),
            by: "R. Okafor".into(),
            role: "deploy lead".into(),
            at: at(5),
            comment: String::new(),
        }),
    ];
    all.extend(people());
    all.push(Predicate::Unknown {
        predicate_type: "https://slsa.dev/provenance/v1".into(),
        predicate: serde_json::json!({ "buildDefinition": { "buildType": "x" } }),
    });
    all
}

/// What people say, and the check of a flag file.
fn people() -> Vec<Predicate> {
    vec![
        Predicate::Waiver(Waiver {
            criterion: "testing/performance-tests".into(),
            reason: "the change touches a text only".into(),
            owner: "the team of the basket".into(),
            expires: at(86_400),
            role: "release manager".into(),
            person: PERSON.into(),
            plan: Some(plan()),
            at: at(5),
        }),
        Predicate::SignOff(SignOff {
            role: "product owner".into(),
            person: PERSON.into(),
            decision: Decision::Approved,
            comment: Some("as agreed".into()),
            at: at(5),
        }),
        Predicate::RunbookReview(RunbookReview {
            plan: plan(),
            page: Digest::of(b"a page"),
            role: "on-call".into(),
            person: PERSON.into(),
            decision: Decision::Rejected,
            lines: None,
            at: at(5),
        }),
        Predicate::BreakGlass(BreakGlass {
            reason: "the till is down".into(),
            person: PERSON.into(),
            gates: vec!["deployment/entry".into()],
            plan: Some(plan()),
            environment: Some("production".into()),
            at: at(5),
        }),
        Predicate::BreakGlassReview(BreakGlassReview {
            opened: Digest::of(b"an envelope"),
            person: PERSON.into(),
            finding: "it was right to".into(),
            at: at(9),
        }),
        Predicate::FlagCheck(FlagCheck {
            file: Digest::of(b"flags"),
            dialect: "flagd".into(),
            flags: 12,
            errors: 0,
            warnings: 1,
            checker: "nonevent 0.1.0".into(),
            at: at(5),
        }),
    ]
}

fn rehearsal() -> Predicate {
    Predicate::Rehearsal(Rehearsal {
        plan: plan(),
        shape: shape(),
        environment: "staging".into(),
        started: at(0),
        finished: at(9),
        detect_ms: Some(3000),
        decide_ms: Some(10),
        complete_ms: Some(900),
        verify_ms: Some(5000),
        outcome: RehearsalOutcome::Recovered,
        short_of: None,
    })
}

fn smoke() -> Predicate {
    Predicate::SmokeResult(SmokeResult {
        result: TestResult::Failed,
        configuration: vec![ResourceDescriptor::named("smoke-tests.json", &shape())],
        url: None,
        passed_tests: vec!["Health check".into()],
        warned_tests: vec![],
        failed_tests: vec!["Checkout".into()],
        nonevent: Some(SmokeFigures {
            plan: Some(plan()),
            phase: Some(SmokePhase::Direct),
            target: "http://127.0.0.1:8080".into(),
            started: at(0),
            finished: at(2),
            release: Some("1.5.0".into()),
            peers: vec!["127.0.0.1:8080".into()],
            certificates: vec![Digest::of(b"certificate")],
            attempts: 3,
        }),
    })
}

fn rollout() -> Predicate {
    Predicate::Rollout(RolloutResult {
        plan: plan(),
        outcome: RolloutOutcome::RolledBack,
        reason: "the analysis of step 2 failed".into(),
        from_version: "1.4.2".into(),
        to_version: "1.5.0".into(),
        started: at(0),
        finished: at(60),
        steps: vec![StepFigures {
            name: "traffic 5%".into(),
            canary_weight: 500,
            started: at(0),
            ended: at(20),
            stable: figures(9500, 1),
            canary: figures(500, 80),
        }],
        requests: 10_000,
        harmed: 81,
        lost: 0,
        detect_ms: Some(8000),
        recover_ms: Some(350),
        journal: Digest::of(b"a head"),
        journal_records: 44,
    })
}

fn verdict() -> Predicate {
    Predicate::GateVerdict(GateVerdict {
        verifier: Verifier {
            id: "urn:nonevent:gates".into(),
            version: [("nonevent".to_owned(), "0.1.0".to_owned())].into(),
        },
        time_verified: at(4),
        resource_uri: "urn:nonevent:service:shop".into(),
        policy: PolicyReference::of(Some("gates.yaml".into()), &shape()),
        input_attestations: vec![ResourceDescriptor::named("proof", &plan())],
        verification_result: VerificationResult::Failed,
        verified_levels: vec![],
        slsa_version: None,
        nonevent: Some(GateFigures {
            phase: "deployment".into(),
            criteria: vec![CriterionResult {
                id: "rollback-rehearsed".into(),
                status: CriterionStatus::NotEvaluated,
                reason: "no rehearsal of this shape".into(),
            }],
        }),
    })
}
