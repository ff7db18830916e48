//! Keys, demonstration keys, previous verdicts, and what a verdict says as evidence.

use super::project::{NOW, Project};
use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    AnalysisResult, AnalysisVerdict, Approval, ArmFigures, Envelope, Predicate, SigningKey,
    Statement, TrustPolicy, TrustedKey, VerificationResult, predicate_type,
};
use nonevent_gates::{
    Context, DEMONSTRATION_LABEL, EvidenceSet, Keys, Outcome, Policy, Side, Tree, Verdict, evaluate,
};

pub(crate) fn trusted(key: &SigningKey, label: &str) -> TrustedKey {
    TrustedKey::new(
        key.verifying_key(),
        predicate_type::ALL.map(String::from).to_vec(),
        label,
    )
}

fn demo_policy() -> Policy {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/gates/demo.yaml"
    );
    let bytes = std::fs::read(path).expect("the demonstration's policy");
    Policy::parse("demo.yaml", &bytes).expect("a policy")
}

fn signed_by(key: &SigningKey, label: &str, statements: &[Statement]) -> EvidenceSet {
    let mut evidence = EvidenceSet::new(TrustPolicy::new(vec![trusted(key, label)]));
    for statement in statements {
        evidence.add(Envelope::sign(statement, key).expect("signed"));
    }
    evidence
}

fn ask(policy: &Policy, side: Side, evidence: &EvidenceSet) -> Verdict {
    let gate = policy.gate("deployment", side).expect("a phase");
    evaluate(
        &gate,
        &Project::whole().tree(),
        evidence,
        &Project::whole().context,
    )
}

#[test]
fn the_demonstration_is_passed_by_demonstration_keys_only() {
    let policy = demo_policy();
    assert_eq!(policy.keys(), Keys::Demonstration);
    let whole = Project::whole();
    for (side, minutes_ago) in [(Side::Entry, 35), (Side::Exit, 0)] {
        let now = NOW.plus_ms(-minutes_ago * 60_000);
        let ask = |policy: &Policy, side, evidence: &EvidenceSet| {
            let context = Context {
                now,
                ..Project::whole().context
            };
            let gate = policy.gate("deployment", side).expect("a phase");
            evaluate(&gate, &Tree::new(), evidence, &context)
        };
        let demo = signed_by(&whole.key, DEMONSTRATION_LABEL, &whole.statements);
        let verdict = ask(&policy, side, &demo);
        assert!(verdict.is_passed(), "{}", verdict.to_text());
        assert_eq!(verdict.label(), Some(DEMONSTRATION_LABEL));
        assert!(verdict.to_text().contains(DEMONSTRATION_LABEL));
        assert!(verdict.to_json().contains(DEMONSTRATION_LABEL));

        let release = signed_by(&whole.key, "release pipeline", &whole.statements);
        assert!(!ask(&policy, side, &release).is_passed());
    }
}

#[test]
fn no_other_policy_accepts_a_demonstration_key_unless_it_lists_it() {
    let whole = Project::whole();
    for label in [DEMONSTRATION_LABEL, " demo: mine", "Demo:"] {
        let demo = signed_by(&whole.key, label, &whole.statements);
        let verdict = whole.verdict_with(Side::Entry, &demo);
        assert!(!verdict.is_passed(), "{label}");
        assert!(
            verdict
                .evidence()
                .iter()
                .all(|record| record.refused.is_some())
        );
    }
    let listing = |id: Digest| {
        let text = format!(
            "apiVersion: nonevent/v1\nkind: GatePolicy\nname: listing\nphases:\n  - id: deployment\n    title: D\n    exit:\n      - {{ id: c, title: T, why: W, severity: blocking, owner: O, remedy: R, check: {{ evidence: {{ predicate: proof, subjects: [plan], max_age: 1d, trusted: ['{id}'] }} }} }}\n"
        );
        Policy::parse("listing.yaml", text.as_bytes()).expect("a policy")
    };
    let demo = signed_by(&whole.key, DEMONSTRATION_LABEL, &whole.of_nobody());
    let listed = ask(&listing(whole.key.id()), Side::Exit, &demo);
    assert!(listed.is_passed());
    assert!(
        listed
            .evidence()
            .iter()
            .all(|record| record.signed_by == Some(whole.key.id()))
    );
    assert!(!ask(&listing(Digest::of(b"other")), Side::Exit, &demo).is_passed());
}

#[test]
fn a_key_out_of_its_time_says_nothing() {
    let whole = Project::whole();
    for (from, until) in [(Some(NOW.plus_ms(1)), None), (None, Some(NOW.plus_ms(-1)))] {
        let evidence = whole.evidence_where(&|key| {
            key.not_before = from;
            key.not_after = until;
        });
        assert!(!whole.opens_with(&evidence));
    }
}

pub(crate) const CHAIN: &str = "\
apiVersion: nonevent/v1
kind: GatePolicy
name: chain
phases:
  - id: first
    title: First
    exit:
      - { id: c, title: T, why: W, severity: blocking, owner: O, remedy: R, check: { markdown: { file: a.md, heading: Plan } } }
  - id: second
    title: Second
    after: [first]
    exit:
      - { id: c, title: T, why: W, severity: blocking, owner: O, remedy: R, check: { markdown: { file: a.md, heading: Plan } } }
  - id: third
    title: Third
    after: [second]
    entry:
      previous_verdicts: { subjects: [commit], max_age: 1d }
    exit:
      - { id: c, title: T, why: W, severity: blocking, owner: O, remedy: R, check: { markdown: { file: a.md, heading: Plan } } }
";

pub(crate) fn chain(text: &str) -> Policy {
    Policy::parse("chain.yaml", text.as_bytes()).expect("a policy")
}

pub(crate) fn document() -> Tree {
    let words = "word ".repeat(25);
    Tree::new().with_file("a.md", format!("# Plan\n\n{words}\n").as_bytes())
}

fn at(commit: &[u8], now: Timestamp) -> Context {
    Context {
        commit: Some(Digest::of(commit)),
        ..Context::at(now)
    }
}

fn verdict_of(policy: &Policy, phase: &str, side: Side, tree: &Tree, context: &Context) -> Verdict {
    let gate = policy.gate(phase, side).expect("a phase");
    evaluate(&gate, tree, &EvidenceSet::default(), context)
}

#[test]
fn a_phase_is_entered_on_the_verdicts_of_all_before_it() {
    let policy = chain(CHAIN);
    let key = SigningKey::from_seed([3; 32]);
    let commit = at(b"commit", NOW);
    let enter = |verdicts: &[&Verdict]| {
        let mut evidence = EvidenceSet::new(TrustPolicy::new(vec![trusted(&key, "gate")]));
        for verdict in verdicts {
            let statement = verdict.to_statement("https://ci.example/gate");
            evidence.add(Envelope::sign(&statement, &key).expect("signed"));
        }
        let gate = policy.gate("third", Side::Entry).expect("a phase");
        evaluate(&gate, &Tree::new(), &evidence, &commit)
    };
    let pass = |policy: &Policy, phase: &str, side: Side, context: &Context| {
        let verdict = verdict_of(policy, phase, side, &document(), context);
        assert_eq!(verdict.is_passed(), side != Side::Entry);
        verdict
    };
    let first = pass(&policy, "first", Side::Exit, &commit);
    let second = pass(&policy, "second", Side::Both, &commit);
    let open = enter(&[&first, &second]);
    assert!(open.is_passed(), "{}", open.to_text());
    assert_eq!(open.criteria().len(), 2);

    assert!(!enter(&[&first]).is_passed());
    assert!(!enter(&[&second]).is_passed());
    assert!(!enter(&[]).is_passed());

    let entry = pass(&policy, "second", Side::Entry, &commit);
    assert!(
        !enter(&[&first, &entry]).is_passed(),
        "an entry verdict is no exit verdict"
    );
    let elsewhere = pass(&policy, "second", Side::Exit, &at(b"another", NOW));
    assert!(
        !enter(&[&first, &elsewhere]).is_passed(),
        "of another commit"
    );
    let old = pass(
        &policy,
        "second",
        Side::Exit,
        &at(b"commit", NOW.plus_ms(-2 * 86_400_000)),
    );
    assert!(!enter(&[&first, &old]).is_passed(), "too old");
    let other = chain(&CHAIN.replace("name: chain", "name: weaker"));
    let weaker = pass(&other, "second", Side::Exit, &commit);
    assert!(!enter(&[&first, &weaker]).is_passed(), "by another policy");
    let later = at(b"commit", NOW.plus_ms(1));
    let blocked = verdict_of(&policy, "second", Side::Exit, &Tree::new(), &later);
    assert!(!blocked.is_passed());
    assert!(
        !enter(&[&first, &second, &blocked]).is_passed(),
        "blocked since"
    );
}

type Change = fn(&mut Project);

#[test]
fn a_verdict_binds_all_that_it_rests_on() {
    let whole = Project::whole();
    let digest = |project: &Project| project.verdict(Side::Entry).digest();
    assert_eq!(digest(&whole), digest(&Project::whole()));
    let changes: [(&str, Change); 6] = [
        ("plan", |project| {
            project.context.plan = Some(Digest::of(b"another"));
        }),
        ("artifact", |project| {
            project.context.artifact = Some(Digest::of(b"another"));
        }),
        ("commit", |project| {
            project.context.commit = Some(Digest::of(b"another"));
        }),
        ("time", |project| {
            project.context.now = project.context.now.plus_ms(1);
        }),
        ("evidence", |project| drop(project.statements.pop())),
        ("policy", |project| project.policy = demo_policy()),
    ];
    for (what, change) in changes {
        let mut changed = Project::whole();
        change(&mut changed);
        assert_ne!(digest(&whole), digest(&changed), "{what}");
    }
    let gate = whole
        .policy
        .gate("deployment", Side::Entry)
        .expect("a phase");
    let tree = whole
        .tree()
        .with_file("docs/deployment-runbook.md", "other ".repeat(90).as_bytes());
    let other_tree = evaluate(&gate, &tree, &whole.evidence(), &whole.context);
    assert!(other_tree.is_passed());
    assert_ne!(other_tree.digest(), digest(&whole), "tree");
    assert_ne!(
        other_tree.digest(),
        whole.verdict(Side::Exit).digest(),
        "side"
    );
}

#[test]
fn the_order_of_evidence_does_not_matter() {
    let whole = Project::whole();
    let mut reversed = EvidenceSet::new(whole.trust());
    for envelope in whole.envelopes().into_iter().rev() {
        reversed.add(envelope.clone());
        reversed.read("again.json", envelope.to_json().as_bytes());
    }
    assert_eq!(reversed.len(), whole.statements.len());
    assert_eq!(
        whole.verdict_with(Side::Entry, &reversed).to_json(),
        whole.verdict(Side::Entry).to_json()
    );
}

#[test]
fn the_statement_says_what_the_verdict_says() {
    let verdict = Project::whole().verdict(Side::Entry);
    let statement = verdict.to_statement("https://ci.example/gate");
    let Predicate::GateVerdict(summary) = &statement.predicate else {
        panic!("a gate verdict is a gate verdict");
    };
    assert_eq!(summary.verification_result, VerificationResult::Passed);
    assert_eq!(summary.verified_levels, ["nonevent:deployment:entry"]);
    assert_eq!(summary.input_attestations.len(), 12);
    assert!(
        summary
            .resource_uri
            .ends_with(&verdict.digest().to_string())
    );
    let names: Vec<&str> = statement
        .subjects
        .iter()
        .map(|subject| subject.name.as_str())
        .collect();
    assert_eq!(names, ["tree", "plan", "runbook"]);
    insta::assert_snapshot!(statement.to_json().expect("a statement"));
}

#[test]
fn texts_for_people() {
    let mut project = Project::whole();
    insta::assert_snapshot!("passed", project.verdict(Side::Entry).to_text());
    insta::assert_snapshot!("passed_json", project.verdict(Side::Exit).to_json());
    project.statements.remove(3);
    project.context.runbook = Some(Digest::of(b"rendered again"));
    let blocked = project.verdict(Side::Entry);
    insta::assert_snapshot!("blocked", blocked.to_text());
    insta::assert_snapshot!("blocked_markdown", blocked.to_markdown());
    assert_eq!(blocked.closing().count(), 3);
}

#[test]
fn file_names_and_policy_texts_cannot_act_on_a_terminal_or_a_page() {
    let text = "\
apiVersion: nonevent/v1
kind: GatePolicy
name: \"a\\e[2Jb\\nResult: PASSED (9/9 criteria met)\"
phases:
  - id: one
    title: One
    exit:
      - { id: c, title: \"T\\e]0;x\\a <b>|`\", why: W, severity: blocking, owner: \"O\\r\", remedy: \"R\\u202e\", check: { files: { include: ['docs/*'], min_bytes: 2000 } } }
";
    let policy = chain(text);
    let mut tree = Tree::new().with_file(
        "docs/\u{1b}[2J\nResult: PASSED (1 of 1 criteria met)|`<script>",
        b"short",
    );
    tree.add_gap(None, "odd\u{9b}reason".to_string());
    for gap in [true, false] {
        if !gap {
            tree = Tree::new().with_file(
                "docs/\u{1b}[2J\nResult: PASSED (1 of 1 criteria met)|`<script>",
                b"short",
            );
        }
        let verdict = verdict_of(&policy, "one", Side::Exit, &tree, &Context::at(NOW));
        let outcome = if gap { Outcome::Unknown } else { Outcome::Fail };
        assert_eq!(verdict.criteria()[0].outcome(), outcome);
        for shown in [verdict.to_text(), verdict.to_markdown()] {
            assert!(
                shown.chars().all(|c| c == '\n' || !c.is_control()),
                "{shown:?}"
            );
            assert!(!shown.contains('\u{202e}'));
            assert_eq!(
                shown
                    .lines()
                    .filter(|line| line.starts_with("Result: "))
                    .count()
                    .max(1),
                1
            );
            assert!(!shown.lines().any(|line| line.starts_with("Result: PASSED")));
        }
        assert!(!verdict.to_markdown().contains("<script>"));
        assert!(
            !verdict
                .to_json()
                .chars()
                .any(|c| c != '\n' && c.is_control())
        );
        let read: serde_json::Value = serde_json::from_str(&verdict.to_json()).expect("JSON");
        assert_eq!(read["policy"]["name"], verdict.policy_name());
        insta::assert_snapshot!(
            format!("hostile_{gap}"),
            format!("{}\n{}", verdict.to_text(), verdict.to_markdown())
        );
    }
}

#[test]
fn a_gate_that_asks_nothing_is_closed() {
    let policy = chain(CHAIN);
    let verdict = verdict_of(
        &policy,
        "first",
        Side::Entry,
        &document(),
        &Context::at(NOW),
    );
    assert!(!verdict.is_passed());
    assert_eq!(
        verdict.result_line(),
        "Result: BLOCKED (0/0 criteria met): nothing was asked, which is no pass"
    );
}

#[test]
fn what_does_not_apply_neither_opens_nor_closes() {
    let text = "\
apiVersion: nonevent/v1
kind: GatePolicy
name: applies
phases:
  - id: one
    title: One
    exit:
      - { id: flags, title: T, why: W, severity: blocking, owner: O, remedy: R, applies_when: { any_file: ['flags.*'] }, check: { json: { file: flags.json, path: /flags, items_at_least: 1 } } }
";
    let policy = chain(text);
    let outcome = |tree: &Tree| {
        let verdict = verdict_of(&policy, "one", Side::Exit, tree, &Context::at(NOW));
        (verdict.criteria()[0].outcome(), verdict.is_passed())
    };
    assert_eq!(
        outcome(&Tree::new()),
        (Outcome::NotApplicable, false),
        "nothing applies"
    );
    assert_eq!(
        outcome(&Tree::new().with_file("flags.yaml", b"x: 1")),
        (Outcome::Fail, false)
    );
    assert_eq!(
        outcome(&Tree::new().with_symlink("flags.json")),
        (Outcome::Fail, false)
    );
    assert_eq!(
        outcome(&Tree::new().with_file("flags.json", br#"{"flags":{"a":true}}"#)),
        (Outcome::Pass, true)
    );
    let mut dark = Tree::new();
    dark.add_gap(None, "too many entries".to_string());
    assert_eq!(outcome(&dark), (Outcome::Unknown, false));
}

/// A condition may name every field that evidence has, so that a renamed one is noticed here.
#[test]
fn conditions_know_the_fields_of_every_kind() {
    let whole = Project::whole();
    let mut predicates: Vec<Predicate> = whole
        .statements
        .iter()
        .map(|s| s.predicate.clone())
        .collect();
    predicates.push(
        whole
            .verdict(Side::Entry)
            .to_statement("https://ci.example")
            .predicate,
    );
    let arm = ArmFigures {
        requests: 1,
        errors: 0,
        p99_ms: Some(1),
    };
    predicates.push(Predicate::Analysis(AnalysisResult {
        plan: Digest::of(b"plan"),
        step: 0,
        policy: Digest::of(b"policy"),
        started: NOW,
        ended: NOW,
        looks: 1,
        verdict: AnalysisVerdict::Passed,
        reason: "no worse".to_string(),
        stable: arm,
        canary: arm,
    }));
    predicates.push(Predicate::Approval(Approval {
        plan: Digest::of(b"plan"),
        by: "robin".to_string(),
        role: "lead".to_string(),
        at: NOW,
        comment: "read it".to_string(),
    }));
    for predicate in predicates {
        let kind = match &predicate {
            Predicate::PlanCheck(_) => "plan-check",
            Predicate::Proof(_) => "proof",
            Predicate::Runbook(_) => "runbook",
            Predicate::Rehearsal(_) => "rehearsal",
            Predicate::SmokeResult(_) => "smoke-result",
            Predicate::Analysis(_) => "analysis",
            Predicate::Rollout(_) => "rollout",
            Predicate::GateVerdict(_) => "gate-verdict",
            Predicate::Approval(_) => "approval",
            Predicate::SignOff(_) => "sign-off",
            Predicate::RunbookReview(_) => "runbook-review",
            Predicate::FlagCheck(_) => "flag-check",
            other => panic!("{other:?}"),
        };
        let json = serde_json::to_value(&predicate).expect("JSON");
        for field in json.as_object().expect("an object").keys() {
            let check = format!(
                "evidence: {{ predicate: {kind}, subjects: [plan], max_age: 1d, require: [{{ field: /{field}, exists: true }}] }}"
            );
            chain(&CHAIN.replace("markdown: { file: a.md, heading: Plan }", &check));
        }
    }
}
