//! A project whose deployment gate is open: policy, tree, evidence and keys, all in memory.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Approval, Envelope, PlanCheck, Predicate, Proof, Rehearsal, RehearsalOutcome,
    ResourceDescriptor, RolloutOutcome, RolloutResult, RunbookRendered, SigningKey, SmokeFigures,
    SmokePhase, SmokeResult, Statement, Subject, TestResult, TrustPolicy, TrustedKey,
    predicate_type,
};
use nonevent_gates::{Context, EvidenceSet, Policy, Side, Tree, Verdict, evaluate};
use serde_json::Value;

pub const NOW: Timestamp = Timestamp::from_unix_ms(1_770_000_000_000);
const MINUTE: i64 = 60_000;

/// The deployment phase of the built-in policy, without the phases before it.
pub struct Project {
    pub policy: Policy,
    pub statements: Vec<Statement>,
    pub key: SigningKey,
    pub context: Context,
}

impl Project {
    pub fn whole() -> Project {
        let context = Context {
            plan: Some(Digest::of(b"plan")),
            shape: Some(Digest::of(b"shape")),
            runbook: Some(Digest::of(b"runbook")),
            artifact: None,
            commit: None,
            now: NOW,
        };
        Project {
            policy: policy(),
            statements: statements(),
            key: SigningKey::from_seed([7; 32]),
            context,
        }
    }

    pub fn tree(&self) -> Tree {
        let runbook = "Deployment runbook. ".repeat(20);
        Tree::new().with_file("docs/deployment-runbook.md", runbook.as_bytes())
    }

    pub fn tree_without(&self, gone: &[u8]) -> Tree {
        let mut tree = Tree::new();
        for (path, entry) in self.tree().iter().filter(|(path, _)| path.as_bytes() != gone) {
            tree.insert(path.clone(), entry.clone());
        }
        tree
    }

    pub fn trust(&self) -> TrustPolicy {
        TrustPolicy::new(vec![self.trusted_key()])
    }

    fn trusted_key(&self) -> TrustedKey {
        TrustedKey {
            key: self.key.verifying_key(),
            may: predicate_type::ALL.map(String::from).to_vec(),
            not_before: None,
            not_after: None,
            label: "release pipeline".to_string(),
        }
    }

    pub fn envelopes(&self) -> Vec<Envelope> {
        let sign = |statement| Envelope::sign(statement, &self.key).expect("signed");
        self.statements.iter().map(sign).collect()
    }

    pub fn evidence(&self) -> EvidenceSet {
        self.evidence_where(&|_| {})
    }

    /// The evidence, judged by a trust policy that was changed.
    pub fn evidence_where(&self, change: &dyn Fn(&mut TrustedKey)) -> EvidenceSet {
        let mut key = self.trusted_key();
        change(&mut key);
        let mut evidence = EvidenceSet::new(TrustPolicy::new(vec![key]));
        self.envelopes().into_iter().for_each(|envelope| evidence.add(envelope));
        evidence
    }

    /// The evidence with one piece replaced.
    pub fn evidence_with(
        &self,
        index: usize,
        replaced: &dyn Fn(&Statement) -> Vec<Envelope>,
    ) -> EvidenceSet {
        let mut evidence = EvidenceSet::new(self.trust());
        for (other, envelope) in self.envelopes().into_iter().enumerate() {
            if other == index {
                let envelopes = replaced(&self.statements[index]);
                envelopes.into_iter().for_each(|envelope| evidence.add(envelope));
            } else {
                evidence.add(envelope);
            }
        }
        evidence
    }

    pub fn verdict(&self, side: Side) -> Verdict {
        self.verdict_with(side, &self.evidence())
    }

    pub fn verdict_with(&self, side: Side, evidence: &EvidenceSet) -> Verdict {
        let gate = self.policy.gate("deployment", side).expect("a phase");
        evaluate(&gate, &self.tree(), evidence, &self.context)
    }

    pub fn opens_with(&self, evidence: &EvidenceSet) -> bool {
        self.verdict_with(Side::Both, evidence).is_passed()
    }
}

/// The built-in policy's deployment phase alone.
fn policy() -> Policy {
    let text = Policy::builtin_text();
    let head = &text[..text.find("  - id: requirements").expect("the first phase")];
    let start = text.find("  - id: deployment").expect("the phase");
    let end = text.find("  - id: monitoring").expect("the phase after");
    let phase = text[start..end]
        .replace("    after: [uat]\n", "")
        .replace("      previous_verdicts: { subjects: [commit], max_age: 90d }\n", "");
    Policy::parse("deployment.yaml", format!("{head}{phase}").as_bytes())
        .unwrap_or_else(|findings| panic!("{findings}"))
}

fn ago(minutes: i64) -> Timestamp {
    NOW.plus_ms(-minutes * MINUTE)
}

fn statements() -> Vec<Statement> {
    let plan = Digest::of(b"plan");
    let shape = Digest::of(b"shape");
    let page = Digest::of(b"runbook");
    let about = |predicate| Statement::about("plan", plan, predicate);
    let subjects = vec![
        Subject { name: "plan".to_string(), digest: plan },
        Subject { name: "runbook".to_string(), digest: page },
    ];
    let approval = |role: &str| Statement {
        subjects: subjects.clone(),
        predicate: Predicate::Approval(Approval {
            plan,
            by: "robin".to_string(),
            role: role.to_string(),
            at: ago(50),
            comment: "read it".to_string(),
        }),
    };
    let smoke = |phase, minutes| about(Predicate::SmokeResult(SmokeResult {
        result: TestResult::Passed,
        configuration: vec![ResourceDescriptor::named("smoke-tests.json", &Digest::of(b"suite"))],
        url: None,
        passed_tests: vec!["Health check".to_string()],
        warned_tests: Vec::new(),
        failed_tests: Vec::new(),
        nonevent: Some(SmokeFigures {
            plan: Some(plan),
            phase: Some(phase),
            target: "http://127.0.0.1:8080".to_string(),
            started: ago(minutes + 1),
            finished: ago(minutes),
        }),
    }));
    vec![
        about(Predicate::PlanCheck(PlanCheck {
            plan,
            shape,
            errors: 0,
            warnings: 1,
            checker: "nonevent 0.1.0".to_string(),
            at: ago(90),
        })),
        about(Predicate::Proof(Proof {
            plan,
            shape,
            decided: true,
            holds: true,
            states: 1200,
            transitions: 4800,
            worst_recovery_ms: Some(30_000),
            faults: vec!["instance crashes".to_string()],
            assumptions: vec!["the router applies what it confirms".to_string()],
            at: ago(80),
        })),
        Statement {
            subjects: subjects.clone(),
            predicate: Predicate::Runbook(RunbookRendered { plan, page, at: ago(70) }),
        },
        about(Predicate::Rehearsal(Rehearsal {
            plan,
            shape,
            environment: "staging".to_string(),
            started: ago(66),
            finished: ago(60),
            detect_ms: Some(1000),
            decide_ms: Some(1000),
            complete_ms: Some(1000),
            verify_ms: Some(1000),
            outcome: RehearsalOutcome::Recovered,
        })),
        approval("deploy-lead"),
        approval("on-call"),
        smoke(SmokePhase::Before, 40),
        about(Predicate::Rollout(RolloutResult {
            plan,
            outcome: RolloutOutcome::Promoted,
            reason: "every step passed".to_string(),
            from_version: "1.4.2".to_string(),
            to_version: "1.5.0".to_string(),
            started: ago(38),
            finished: ago(8),
            steps: Vec::new(),
            requests: 10_000,
            harmed: 0,
            lost: 0,
            detect_ms: None,
            recover_ms: None,
            journal: Digest::of(b"journal"),
            journal_records: 40,
        })),
        smoke(SmokePhase::After, 5),
    ]
}

pub fn json(statement: &Statement) -> Value {
    serde_json::from_str(&statement.to_json().expect("written")).expect("JSON")
}

pub fn statement(json: &Value) -> Result<Statement, nonevent_evidence::EvidenceError> {
    Statement::from_json(json.to_string().as_bytes())
}

/// The same, a minute newer, saying the opposite; none for kinds that have no opposite.
pub fn contrary(statement: &Statement) -> Option<Statement> {
    let mut contrary = statement.clone();
    let later = |at: &mut Timestamp| *at = at.plus_ms(MINUTE);
    match &mut contrary.predicate {
        Predicate::PlanCheck(check) => {
            check.errors = 1;
            later(&mut check.at);
        }
        Predicate::Proof(proof) => {
            proof.holds = false;
            later(&mut proof.at);
        }
        Predicate::Rehearsal(rehearsal) => {
            rehearsal.outcome = RehearsalOutcome::Failed;
            later(&mut rehearsal.finished);
        }
        Predicate::SmokeResult(smoke) => {
            smoke.result = TestResult::Failed;
            later(&mut smoke.nonevent.as_mut()?.finished);
        }
        Predicate::Rollout(rollout) => {
            rollout.outcome = RolloutOutcome::RolledBack;
            later(&mut rollout.finished);
        }
        _ => return None,
    }
    Some(contrary)
}
