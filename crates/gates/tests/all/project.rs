//! A project whose deployment gate is open: policy, tree, evidence and keys, all in memory.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Decision, Envelope, FlagCheck, PlanCheck, Predicate, Proof, Rehearsal, RehearsalOutcome,
    ResourceDescriptor, RolloutOutcome, RolloutResult, RunbookRendered, RunbookReview, SignOff,
    SigningKey, SmokeFigures, SmokePhase, SmokeResult, Statement, Subject, TestResult, TrustPolicy,
    TrustedKey, predicate_type,
};
use nonevent_gates::{Context, EvidenceSet, Policy, Side, Tree, Verdict, evaluate};
use serde_json::Value;

pub(crate) const NOW: Timestamp = Timestamp::from_unix_ms(1_770_000_000_000);
const MINUTE: i64 = 60_000;

/// Who signs off, with a key of their own, and in which roles.
const PEOPLE: [(&str, u8, &[&str]); 2] = [
    (
        "Ada <ada@shop.example>",
        11,
        &["deploy-lead", "release-manager"],
    ),
    (
        "Bob <bob@shop.example>",
        12,
        &["on-call", "release-manager"],
    ),
];
/// One more criterion than the built-in policy has: so many people, whoever wrote it.
const SIGNED_OFF: &str = "      - id: signed-off
        title: Two release managers signed the plan off
        why: Four eyes see more.
        severity: blocking
        owner: deploy lead
        remedy: Have them sign it off.
        check:
          sign_off: { role: release-manager, count: 2, subjects: [plan], max_age: 1d, by_author: true }
";
const FLAGS: &[u8] = b"{\"flags\": {}}";

/// The deployment phase of the built-in policy, without the phases before it, and [`SIGNED_OFF`].
pub(crate) struct Project {
    pub(crate) policy: Policy,
    pub(crate) statements: Vec<Statement>,
    pub(crate) key: SigningKey,
    pub(crate) context: Context,
}

impl Project {
    pub(crate) fn whole() -> Project {
        let context = Context {
            plan: Some(Digest::of(b"plan")),
            shape: Some(Digest::of(b"shape")),
            runbook: Some(Digest::of(b"runbook")),
            artifact: None,
            commit: None,
            now: NOW,
        };
        Project {
            policy: policy(&criteria()),
            statements: statements(),
            key: SigningKey::from_seed([7; 32]),
            context,
        }
    }

    /// A project whose policy asks the one criterion that rests on a piece of evidence, with no
    /// more evidence than that needs; and the index of the piece in it.
    pub(crate) fn around(index: usize) -> (Project, usize) {
        for (_, criterion) in criteria() {
            let mut project = Project::whole();
            project.policy = policy(&[(false, criterion)]);
            let needed = |project: &Project, index| {
                let evidence = project.evidence_with(index, &|_| Vec::new());
                !project.opens_with(&evidence)
            };
            if !project.verdict(Side::Exit).is_passed() || !needed(&project, index) {
                continue;
            }
            let wanted = project.statements[index].clone();
            let kept = (0..project.statements.len()).filter(|index| needed(&project, *index));
            project.statements = kept
                .map(|index| project.statements[index].clone())
                .collect();
            assert!(project.verdict(Side::Exit).is_passed());
            let index = project
                .statements
                .iter()
                .position(|statement| *statement == wanted);
            return (project, index.expect("it is needed"));
        }
        unreachable!("no criterion rests on statement {index}");
    }

    /// The text of the whole project's policy.
    pub(crate) fn policy_text(&self) -> String {
        text(&criteria())
    }

    pub(crate) fn tree(&self) -> Tree {
        let runbook = "Deployment runbook. ".repeat(20);
        Tree::new()
            .with_file("docs/deployment-runbook.md", runbook.as_bytes())
            .with_file("flags.json", FLAGS)
    }

    pub(crate) fn tree_without(&self, gone: &[u8]) -> Tree {
        let mut tree = Tree::new();
        for (path, entry) in self
            .tree()
            .iter()
            .filter(|(path, _)| path.as_bytes() != gone)
        {
            tree.insert(path.clone(), entry.clone());
        }
        tree
    }

    pub(crate) fn trust(&self) -> TrustPolicy {
        TrustPolicy::new(self.trusted_keys())
    }

    fn trusted_keys(&self) -> Vec<TrustedKey> {
        let all = || predicate_type::ALL.map(String::from).to_vec();
        let pipeline = TrustedKey::new(self.key.verifying_key(), all(), "release pipeline");
        let people = PEOPLE.iter().map(|(name, seed, roles)| {
            let key = SigningKey::from_seed([*seed; 32]).verifying_key();
            TrustedKey::new(key, all(), *name).held_by(*name, roles.iter().copied())
        });
        [pipeline].into_iter().chain(people).collect()
    }

    /// The key that a statement is signed with: that of the person who speaks, or the pipeline's.
    pub(crate) fn key_of(&self, statement: &Statement) -> SigningKey {
        let person = statement.predicate.person();
        let person = PEOPLE.iter().find(|(name, ..)| Some(*name) == person);
        person.map_or_else(
            || self.key.clone(),
            |(_, seed, _)| SigningKey::from_seed([*seed; 32]),
        )
    }

    /// The statements that are no person's word.
    pub(crate) fn of_nobody(&self) -> Vec<Statement> {
        let statements = self.statements.iter();
        statements
            .filter(|it| it.predicate.person().is_none())
            .cloned()
            .collect()
    }

    pub(crate) fn sign(&self, statement: &Statement) -> Envelope {
        Envelope::sign(statement, &self.key_of(statement)).expect("signed")
    }

    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        self.statements.iter().map(|it| self.sign(it)).collect()
    }

    pub(crate) fn evidence(&self) -> EvidenceSet {
        self.evidence_where(&|_| {})
    }

    /// The evidence, judged by a trust policy in which every key was changed.
    pub(crate) fn evidence_where(&self, change: &dyn Fn(&mut TrustedKey)) -> EvidenceSet {
        let mut keys = self.trusted_keys();
        keys.iter_mut().for_each(change);
        let mut evidence = EvidenceSet::new(TrustPolicy::new(keys));
        self.envelopes()
            .into_iter()
            .for_each(|envelope| evidence.add(envelope));
        evidence
    }

    /// The evidence with one piece replaced.
    pub(crate) fn evidence_with(
        &self,
        index: usize,
        replaced: &dyn Fn(&Statement) -> Vec<Envelope>,
    ) -> EvidenceSet {
        let mut evidence = EvidenceSet::new(self.trust());
        for (other, envelope) in self.envelopes().into_iter().enumerate() {
            if other == index {
                let envelopes = replaced(&self.statements[index]);
                envelopes
                    .into_iter()
                    .for_each(|envelope| evidence.add(envelope));
            } else {
                evidence.add(envelope);
            }
        }
        evidence
    }

    pub(crate) fn verdict(&self, side: Side) -> Verdict {
        self.verdict_with(side, &self.evidence())
    }

    pub(crate) fn verdict_with(&self, side: Side, evidence: &EvidenceSet) -> Verdict {
        let gate = self.policy.gate("deployment", side).expect("a phase");
        evaluate(&gate, &self.tree(), evidence, &self.context)
    }

    pub(crate) fn opens_with(&self, evidence: &EvidenceSet) -> bool {
        self.verdict_with(Side::Both, evidence).is_passed()
    }
}

/// The criteria of the built-in policy's deployment phase, as text, and whether each is asked on
/// the way in.
fn criteria() -> Vec<(bool, String)> {
    let text = Policy::builtin_text();
    let start = text.find("  - id: deployment").expect("the phase");
    let end = text.find("  - id: monitoring").expect("the phase after");
    let phase = &text[start..end];
    let exit_at = phase.find("    exit:").expect("exit criteria");
    let entry_at = phase.find("      criteria:").expect("entry criteria");
    let mut criteria = Vec::new();
    for (entry, part, head) in [
        (true, &phase[entry_at..exit_at], "        - id: "),
        (false, &phase[exit_at..], "      - id: "),
    ] {
        for block in part.split(&format!("\n{head}")).skip(1) {
            let extra = if entry { "  " } else { "" };
            let block = block.replace(&format!("\n{extra}"), "\n");
            criteria.push((entry, format!("      - id: {block}\n")));
        }
    }
    assert_eq!(criteria.len(), 9);
    criteria.push((false, SIGNED_OFF.to_string()));
    criteria
}

fn text(criteria: &[(bool, String)]) -> String {
    let pick = |entry: bool| -> String {
        let chosen = criteria.iter().filter(|(of_entry, _)| *of_entry == entry);
        chosen.map(|(_, text)| text.as_str()).collect()
    };
    let entry = pick(true).replace("\n      ", "\n        ");
    let entry = match entry.is_empty() {
        true => String::new(),
        false => format!("    entry:\n      criteria:\n  {entry}"),
    };
    format!(
        "apiVersion: nonevent/v1\nkind: GatePolicy\nname: deployment\nphases:\n  - id: deployment\n    title: Deployment\n{entry}\n    exit:\n{}",
        pick(false)
    )
}

/// A policy of one phase that asks these, on the way in or out.
fn policy(criteria: &[(bool, String)]) -> Policy {
    let text = text(criteria);
    Policy::parse("deployment.yaml", text.as_bytes()).expect("a policy")
}

fn ago(minutes: i64) -> Timestamp {
    NOW.plus_ms(-minutes * MINUTE)
}

fn plan_and_page() -> Vec<Subject> {
    let named = |name: &str, digest| Subject {
        name: name.to_string(),
        digest,
    };
    vec![
        named("plan", Digest::of(b"plan")),
        named("runbook", Digest::of(b"runbook")),
    ]
}

fn reviewed(who: usize, role: &str) -> Statement {
    Statement {
        subjects: plan_and_page(),
        predicate: Predicate::RunbookReview(RunbookReview {
            plan: Digest::of(b"plan"),
            page: Digest::of(b"runbook"),
            role: role.to_string(),
            person: PEOPLE[who].0.to_string(),
            decision: Decision::Approved,
            lines: None,
            at: ago(50),
        }),
    }
}

fn signed_off(who: usize) -> Statement {
    let predicate = SignOff {
        role: "release-manager".to_string(),
        person: PEOPLE[who].0.to_string(),
        decision: Decision::Approved,
        comment: Some("read it".to_string()),
        at: ago(50),
    };
    Statement::about("plan", Digest::of(b"plan"), Predicate::SignOff(predicate))
}

fn flags_checked() -> Statement {
    let file = Digest::of(FLAGS);
    let predicate = FlagCheck {
        file,
        dialect: "flagd".to_string(),
        flags: 3,
        errors: 0,
        warnings: 1,
        checker: "nonevent 0.1.0".to_string(),
        at: ago(90),
    };
    Statement::about("flags.json", file, Predicate::FlagCheck(predicate))
}

fn statements() -> Vec<Statement> {
    let plan = Digest::of(b"plan");
    let shape = Digest::of(b"shape");
    let page = Digest::of(b"runbook");
    let about = |predicate| Statement::about("plan", plan, predicate);
    let smoke = |phase, minutes| {
        about(Predicate::SmokeResult(SmokeResult {
            result: TestResult::Passed,
            configuration: vec![ResourceDescriptor::named(
                "smoke-tests.json",
                &Digest::of(b"suite"),
            )],
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
                release: None,
                peers: Vec::new(),
                certificates: Vec::new(),
                attempts: 0,
            }),
        }))
    };
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
            subjects: plan_and_page(),
            predicate: Predicate::Runbook(RunbookRendered {
                plan,
                page,
                at: ago(70),
            }),
        },
        about(rehearsed(plan, shape)),
        reviewed(0, "deploy-lead"),
        reviewed(1, "on-call"),
        signed_off(0),
        signed_off(1),
        flags_checked(),
        smoke(SmokePhase::Before, 40),
        about(rolled_out(plan)),
        smoke(SmokePhase::After, 5),
    ]
}

fn rehearsed(plan: Digest, shape: Digest) -> Predicate {
    Predicate::Rehearsal(Rehearsal {
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
        short_of: None,
    })
}

pub(crate) fn rolled_out(plan: Digest) -> Predicate {
    Predicate::Rollout(RolloutResult {
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
    })
}

pub(crate) fn json(statement: &Statement) -> Value {
    serde_json::from_str(&statement.to_json().expect("written")).expect("JSON")
}

pub(crate) fn statement(json: &Value) -> Result<Statement, nonevent_evidence::EvidenceError> {
    Statement::from_json(json.to_string().as_bytes())
}

/// The same, a minute newer, saying the opposite; none for kinds that have no opposite.
pub(crate) fn contrary(statement: &Statement) -> Option<Statement> {
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
        Predicate::SignOff(sign_off) => {
            sign_off.decision = Decision::Rejected;
            later(&mut sign_off.at);
        }
        Predicate::RunbookReview(review) => {
            review.decision = Decision::Rejected;
            later(&mut review.at);
        }
        Predicate::FlagCheck(check) => {
            check.errors = 1;
            later(&mut check.at);
        }
        Predicate::Rollout(rollout) => {
            rollout.outcome = RolloutOutcome::RolledBack;
            later(&mut rollout.finished);
        }
        _ => return None,
    }
    Some(contrary)
}
