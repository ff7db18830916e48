//! What people sign: that they agree, that a criterion may wait, that gates were skipped.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    BreakGlass, BreakGlassReview, Decision, Envelope, Predicate, SignOff, SigningKey, Statement,
    Subject, TrustPolicy, TrustedKey, Waiver, predicate_type,
};
use nonevent_gates::{
    Context, EvidenceSet, GitChanges, GitFacts, Outcome, Person, Policy, Side, Tree, Verdict,
    evaluate, junit, sarif,
};

use super::project::NOW;

const ADA: &str = "Ada Lovelace <ada@shop.example>";
const BOB: &str = "Bob <bob@shop.example>";
const EVE: &str = "Eve";
/// Each holds the key of the seed; Ada holds two.
const HOLDERS: [(&str, u8); 4] = [(ADA, 1), (BOB, 2), (EVE, 3), (ADA, 4)];
const ROLES: [&str; 2] = ["reviewer", "release-manager"];

fn trust() -> TrustPolicy {
    let all = || predicate_type::ALL.map(String::from).to_vec();
    let held = HOLDERS.map(|(person, seed)| {
        let key = SigningKey::from_seed([seed; 32]).verifying_key();
        TrustedKey::new(key, all(), person).held_by(person, ROLES)
    });
    TrustPolicy::new(held.to_vec())
}

fn policy(check: &str, head: &str) -> Policy {
    let text = format!(
        "apiVersion: nonevent/v1
kind: GatePolicy
name: people
{head}
phases:
  - id: one
    title: One
    exit:
      - {{ id: c, title: T, why: W, severity: blocking, owner: O, remedy: R, check: {{ {check} }} }}
      - {{ id: fixed, title: F, why: W, severity: blocking, owner: O, remedy: R, waivable: false, check: {{ markdown: {{ file: a.md, heading: A }} }} }}
  - id: two
    title: Two
    after: [one]
    exit:
      - {{ id: d, title: T, why: W, severity: blocking, owner: O, remedy: R, check: {{ markdown: {{ file: a.md, heading: A }} }} }}
"
    );
    Policy::parse("people.yaml", text.as_bytes()).expect("a policy")
}

fn commit() -> Digest {
    Digest::of(b"commit")
}

/// A tree in which `fixed` is met, and a commit by `author`.
fn tree(author: &str) -> Tree {
    let words = "word ".repeat(30);
    let mut tree = Tree::new().with_file("a.md", format!("# A\n\n{words}\n").as_bytes());
    let person = |name: &str, email: &str| Person {
        name: name.to_string(),
        email: email.to_string(),
    };
    tree.set_git(Ok(GitFacts {
        commit: "0123".to_string(),
        committed_at: NOW,
        author: person("somebody", author),
        committer: person("Forge", "noreply@forge.example"),
        branch: None,
        tags: Vec::new(),
        other_tags: Vec::new(),
        changes: GitChanges::NotAsked,
        related: std::collections::BTreeMap::new(),
        last_changes: std::collections::BTreeMap::new(),
    }));
    tree
}

fn ask(policy: &Policy, evidence: &[Envelope], tree: &Tree) -> Verdict {
    let mut set = EvidenceSet::new(trust());
    evidence.iter().for_each(|it| set.add(it.clone()));
    let context = Context {
        commit: Some(commit()),
        ..Context::at(NOW)
    };
    let gate = policy.gate("one", Side::Exit).expect("a phase");
    evaluate(&gate, tree, &set, &context)
}

fn signed(about: Digest, predicate: Predicate, seeds: &[u8]) -> Envelope {
    let statement = Statement::about("commit", about, predicate);
    let key = |seed: &u8| SigningKey::from_seed([*seed; 32]);
    let mut envelope = Envelope::sign(&statement, &key(&seeds[0])).expect("signed");
    for seed in &seeds[1..] {
        envelope.add_signature(&key(seed)).expect("signed");
    }
    envelope
}

fn ago(minutes: i64) -> Timestamp {
    NOW.plus_ms(-minutes * 60_000)
}

fn word(seed: u8, decision: Decision, role: &str, minutes: i64) -> Envelope {
    let (person, _) = HOLDERS[usize::from(seed) - 1];
    let predicate = SignOff {
        role: role.to_string(),
        person: person.to_string(),
        decision,
        comment: None,
        at: ago(minutes),
    };
    signed(commit(), Predicate::SignOff(predicate), &[seed])
}

fn yes(seed: u8) -> Envelope {
    word(seed, Decision::Approved, "reviewer", 10)
}

/// Two people of a role, of whom each has one word, the last, and none is the author.
#[test]
fn sign_offs() {
    let check = "sign_off: { role: reviewer, count: 2, subjects: [commit], max_age: 1d }";
    let policy = policy(check, "");
    let no = |seed, minutes| word(seed, Decision::Rejected, "reviewer", minutes);
    let elsewhere = Predicate::SignOff(SignOff {
        role: "reviewer".to_string(),
        person: BOB.to_string(),
        decision: Decision::Approved,
        comment: None,
        at: ago(10),
    });
    let other = signed(Digest::of(b"before"), elsewhere, &[2]);
    let old = word(2, Decision::Approved, "reviewer", 24 * 60 + 1);
    let future = word(2, Decision::Approved, "reviewer", -10);
    let cases: [(&str, &str, Vec<Envelope>); 14] = [
        ("two", "x", vec![yes(1), yes(2)]),
        ("three", "x", vec![yes(1), yes(2), yes(3)]),
        ("nobody", "x", vec![]),
        ("one", "x", vec![yes(1)]),
        ("one with two keys", "x", vec![yes(1), yes(4)]),
        (
            "one is the author",
            "ADA@shop.example",
            vec![yes(1), yes(2)],
        ),
        (
            "two are not the author",
            "ada@shop.example",
            vec![yes(1), yes(2), yes(3)],
        ),
        (
            "one in another role",
            "x",
            vec![yes(1), word(2, Decision::Approved, "release-manager", 10)],
        ),
        ("a third rejects", "x", vec![yes(1), yes(2), no(3, 20)]),
        (
            "who rejected approves later",
            "x",
            vec![yes(1), yes(2), no(2, 20)],
        ),
        (
            "who approved rejects later",
            "x",
            vec![yes(1), yes(2), no(2, 5)],
        ),
        ("one before the subject changed", "x", vec![yes(1), other]),
        ("one too old", "x", vec![yes(1), old]),
        ("one of tomorrow", "x", vec![yes(1), future]),
    ];
    let mut shown = String::new();
    for (name, author, words) in cases {
        let verdict = ask(&policy, &words, &tree(author));
        let check = &verdict.criteria()[0].check;
        shown.push_str(&format!("{name}: {}: {}\n", check.outcome, check.found));
    }
    let mut without = tree("x");
    without.set_git(Err("it is broken".to_string()));
    let verdict = ask(&policy, &[yes(1), yes(2)], &without);
    let check = &verdict.criteria()[0].check;
    shown.push_str(&format!(
        "no repository: {}: {}\n",
        check.outcome, check.found
    ));
    insta::assert_snapshot!(shown);
}

/// A rejection is no evidence of a sign-off either.
#[test]
fn a_rejection_is_no_approval_as_evidence() {
    let check = "evidence: { predicate: sign-off, subjects: [commit], max_age: 1d }";
    let policy = policy(check, "");
    assert!(ask(&policy, &[yes(1)], &tree("x")).is_passed());
    let rejected = word(1, Decision::Rejected, "reviewer", 10);
    assert!(!ask(&policy, &[rejected], &tree("x")).is_passed());
}

/// One statement that several people signed.
#[test]
fn thresholds_count_people() {
    let check = "evidence: { predicate: rollout, subjects: [commit], max_age: 1d, signers: 2 }";
    let policy = policy(check, "");
    let rollout = super::project::rolled_out(commit());
    let count = |seeds: &[u8]| {
        let verdict = ask(
            &policy,
            &[signed(commit(), rollout.clone(), seeds)],
            &tree("x"),
        );
        (
            verdict.is_passed(),
            verdict.criteria()[0].check.found.clone(),
        )
    };
    for (seeds, passes) in [
        (&[1, 2][..], true),
        (&[3, 9, 2], true),
        (&[1], false),
        (&[1, 1], false),
        (&[1, 4], false),
        (&[1, 9], false),
    ] {
        let (passed, found) = count(seeds);
        assert_eq!(passed, passes, "{seeds:?}: {found}");
        assert!(passed || found.ends_with("is signed by 1 of 2"), "{found}");
    }
}

const WAIVERS: &str = "waivers: { roles: [release-manager], longest: 7d }";
const UNMET: &str = "markdown: { file: gone.md, heading: A }";

fn waiver(change: impl Fn(&mut Waiver)) -> Envelope {
    waived(commit(), change, 1)
}

fn waived(about: Digest, change: impl Fn(&mut Waiver), seed: u8) -> Envelope {
    let mut waiver = Waiver {
        plan: None,
        criterion: "one/c".to_string(),
        reason: "the till is down".to_string(),
        owner: "the team of the basket".to_string(),
        expires: NOW.plus_ms(86_400_000),
        role: "release-manager".to_string(),
        person: ADA.to_string(),
        at: ago(10),
    };
    change(&mut waiver);
    signed(about, Predicate::Waiver(waiver), &[seed])
}

/// About this commit too.
fn of_a_plan() -> Envelope {
    let plan = Digest::of(b"another plan");
    let envelope = waived(plan, |it| it.plan = Some(plan), 1);
    let mut statement = envelope.unverified_statement().expect("a statement");
    statement.subjects.push(Subject {
        name: "commit".to_string(),
        digest: commit(),
    });
    Envelope::sign(&statement, &SigningKey::from_seed([1; 32])).expect("signed")
}

/// What is waived is let pass, and nothing else; a waiver that does nothing is said to.
#[test]
fn waivers() {
    let allowed = policy(UNMET, WAIVERS);
    let long = NOW.plus_ms(8 * 86_400_000);
    let cases: Vec<(&str, Envelope)> = vec![
        ("good", waiver(|_| {})),
        ("for this policy", waived(allowed.digest(), |_| {}, 1)),
        ("expired", waiver(|it| it.expires = ago(1))),
        (
            "for another commit",
            waived(Digest::of(b"other"), |_| {}, 1),
        ),
        (
            "in a role that may not",
            waiver(|it| it.role = "reviewer".to_string()),
        ),
        ("too long", waiver(|it| it.expires = long)),
        ("of tomorrow", waiver(|it| it.at = NOW.plus_ms(120_000))),
        (
            "of another criterion",
            waiver(|it| it.criterion = "one/other".to_string()),
        ),
        ("of no phase", waiver(|it| it.criterion = "c".to_string())),
        (
            "of the next gate",
            waiver(|it| it.criterion = "two/d".to_string()),
        ),
        (
            "of what nobody may waive",
            waiver(|it| it.criterion = "one/fixed".to_string()),
        ),
        ("by another person's key", waived(commit(), |_| {}, 2)),
        ("by a stranger", waived(commit(), |_| {}, 9)),
        ("of another plan", of_a_plan()),
        (
            "in a role that nobody has",
            waiver(|it| it.role = "king".to_string()),
        ),
    ];
    let mut shown = String::new();
    for (name, envelope) in cases {
        let verdict = ask(&allowed, &[envelope], &tree("x"));
        assert_eq!(
            verdict.is_passed(),
            ["good", "for this policy"].contains(&name),
            "{name}: {}",
            verdict.to_text()
        );
        let check = &verdict.criteria()[0].check;
        shown.push_str(&format!("{name}: {}: {}\n", check.outcome, check.found));
        for notice in verdict.notices() {
            shown.push_str(&format!(
                "    {}: {}; {}\n",
                notice.code, notice.message, notice.help
            ));
        }
        for record in verdict.evidence() {
            if let Some(why) = &record.refused {
                shown.push_str(&format!("    refused: {why}\n"));
            }
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn nothing_is_waived_where_the_policy_does_not_say_who_may() {
    let verdict = ask(&policy(UNMET, ""), &[waiver(|_| {})], &tree("x"));
    assert!(!verdict.is_passed());
    assert_eq!(verdict.notices()[0].code, "NE3032");
}

#[test]
fn a_waiver_of_what_is_met_is_unused() {
    let policy = policy("markdown: { file: a.md, heading: A }", WAIVERS);
    let twice = [waiver(|_| {}), waiver(|it| it.reason = "again".to_string())];
    let verdict = ask(&policy, &twice[..1], &tree("x"));
    assert!(verdict.is_passed());
    assert_eq!(verdict.notices()[0].code, "NE3031");
    assert_eq!(verdict.criteria()[0].outcome(), Outcome::Pass);
}

/// In every form: the verdict says that it was waived, by whom, until when and why.
#[test]
fn a_waived_verdict_in_all_its_forms() {
    let policy = policy(UNMET, WAIVERS);
    let words = [
        waiver(|_| {}),
        waiver(|it| it.expires = ago(1)),
        broken(ADA, 1),
    ];
    let verdict = ask(&policy, &words, &tree("x"));
    assert!(verdict.is_passed());
    assert_eq!(
        verdict.result_line(),
        "Result: PASSED (1/2 criteria met, 1 waived)"
    );
    assert!(verdict.changes().is_empty());
    let one = std::slice::from_ref(&verdict);
    insta::assert_snapshot!("waived_text", verdict.to_text());
    insta::assert_snapshot!("waived_markdown", verdict.to_markdown());
    insta::assert_snapshot!("waived_junit", junit(one));
    let log = serde_json::to_string_pretty(&sarif(one, "gates.yaml")).expect("JSON");
    insta::assert_snapshot!("waived_sarif", log);
    let statement = verdict.to_statement("urn:nonevent:gate");
    assert!(
        statement
            .to_json()
            .expect("JSON")
            .contains("\"status\":\"waived\"")
    );
}

fn broken(person: &str, seed: u8) -> Envelope {
    let predicate = BreakGlass {
        reason: "customers cannot pay".to_string(),
        person: person.to_string(),
        gates: vec!["deployment/entry".to_string()],
        plan: None,
        environment: None,
        at: ago(60),
    };
    signed(commit(), Predicate::BreakGlass(predicate), &[seed])
}

/// That gates were skipped stays open until somebody else has reviewed that very thing.
#[test]
fn skipped_gates_stay_open_until_somebody_else_reviewed_it() {
    let policy = policy("markdown: { file: a.md, heading: A }", "");
    let opened = broken(ADA, 1);
    let digest = opened.digest().expect("a digest");
    let review = |opened, person: &str, seed, minutes| {
        let predicate = BreakGlassReview {
            opened,
            person: person.to_string(),
            finding: "it was right to".to_string(),
            at: ago(minutes),
        };
        signed(commit(), Predicate::BreakGlassReview(predicate), &[seed])
    };
    for (name, reviewed, is_closed) in [
        ("by another", review(digest, BOB, 2, 5), true),
        ("by the same", review(digest, ADA, 1, 5), false),
        (
            "by the same with another key",
            review(digest, ADA, 4, 5),
            false,
        ),
        ("with another's key", review(digest, BOB, 1, 5), false),
        (
            "of something else",
            review(Digest::of(b"x"), BOB, 2, 5),
            false,
        ),
        ("before it", review(digest, BOB, 2, 90), false),
    ] {
        let verdict = ask(&policy, &[opened.clone(), reviewed], &tree("x"));
        assert!(verdict.is_passed());
        let codes: Vec<&str> = verdict.notices().iter().map(|it| it.code).collect();
        let open: &[&str] = if is_closed { &[] } else { &["NE3033"] };
        assert_eq!(codes, open, "{name}");
    }
}
