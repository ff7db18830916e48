//! A verdict is used for what it was about, while it is young, and for nothing else.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Envelope, SigningKey, TrustPolicy};
use nonevent_gates::{Admission, Context, EvidenceSet, Policy, Side, Tree, Verdict, evaluate};

use super::evidence::{CHAIN, chain, document, trusted};
use super::project::NOW;

const PHASE: &str = "first";

fn about(plan: &[u8], commit: &[u8], artifact: &[u8], now: Timestamp) -> Context {
    Context {
        plan: Some(Digest::of(plan)),
        commit: Some(Digest::of(commit)),
        artifact: Some(Digest::of(artifact)),
        ..Context::at(now)
    }
}

fn asked() -> Context {
    about(b"plan", b"commit", b"artifact", NOW)
}

fn later(ms: i64) -> Context {
    Context {
        now: NOW.plus_ms(ms),
        ..asked()
    }
}

fn verdict(side: Side, context: &Context, tree: &Tree) -> Verdict {
    let policy = chain(CHAIN);
    let gate = policy.gate(PHASE, side).expect("a phase");
    evaluate(&gate, tree, &EvidenceSet::default(), context)
}

/// Verdicts signed by a key, where only one key is trusted.
fn signed(verdicts: &[&Verdict], seed: u8) -> EvidenceSet {
    let known = trusted(&SigningKey::from_seed([3; 32]), "gate");
    let mut evidence = EvidenceSet::new(TrustPolicy::new(vec![known]));
    for verdict in verdicts {
        let statement = verdict.to_statement("https://ci.example/gate");
        let key = SigningKey::from_seed([seed; 32]);
        evidence.add(Envelope::sign(&statement, &key).expect("signed"));
    }
    evidence
}

fn look(policy: &Policy, evidence: &EvidenceSet, subjects: Context) -> Result<String, String> {
    let admission = Admission {
        policy,
        phase: PHASE,
        subjects,
        age_ms_max: 3_600_000,
    };
    match admission.look(evidence) {
        Ok(admitted) => Ok(admitted.found),
        Err(refused) => Err(refused.to_string()),
    }
}

#[test]
fn a_verdict_admits_what_it_was_about() {
    let passed = verdict(Side::Both, &asked(), &document());
    assert!(passed.is_passed());
    let found = look(&chain(CHAIN), &signed(&[&passed], 3), later(1_800_000));
    let found = found.expect("half an hour later");
    assert!(found.contains("(gate)") && found.contains("30m"), "{found}");
}

#[test]
fn a_verdict_admits_nothing_else() {
    let passed = verdict(Side::Both, &asked(), &document());
    let blocked = verdict(Side::Both, &later(1_000), &Tree::new());
    let exit = verdict(Side::Exit, &asked(), &document());
    let good = signed(&[&passed], 3);
    let unknown = |change: fn(&mut Context)| {
        let mut context = asked();
        change(&mut context);
        context
    };
    let cases = [
        ("none", &signed(&[], 3), asked()),
        ("by a stranger", &signed(&[&passed], 4), asked()),
        (
            "another plan",
            &good,
            about(b"other", b"commit", b"artifact", NOW),
        ),
        (
            "another commit",
            &good,
            about(b"plan", b"other", b"artifact", NOW),
        ),
        (
            "another artifact",
            &good,
            about(b"plan", b"commit", b"other", NOW),
        ),
        ("the plan is not known", &good, unknown(|it| it.plan = None)),
        (
            "the commit is not known",
            &good,
            unknown(|it| it.commit = None),
        ),
        (
            "the artifact is not known",
            &good,
            unknown(|it| it.artifact = None),
        ),
        ("too late", &good, later(3_600_001)),
        ("too early", &good, later(-60_001)),
        (
            "blocked since",
            &signed(&[&passed, &blocked], 3),
            later(2_000),
        ),
        ("the way out", &signed(&[&exit], 3), asked()),
    ];
    let policy = chain(CHAIN);
    let mut refusals: Vec<String> = cases
        .into_iter()
        .map(|(name, evidence, subjects)| {
            let refused = look(&policy, evidence, subjects).expect_err(name);
            format!("{name}: {refused}")
        })
        .collect();
    let weaker = chain(&CHAIN.replace("name: chain", "name: weaker"));
    let refused = look(&weaker, &good, asked()).expect_err("another policy");
    refusals.push(format!("another policy: {refused}"));
    insta::assert_debug_snapshot!(refusals);
}
