//! A CI step that asks a project's gate: once before anything is done, once after.
//!
//! `cargo run -p nonevent-gates --features collect --example project`

use std::error::Error;
use std::fs;
use std::path::Path;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Envelope, PlanCheck, Predicate, SigningKey, Statement, TrustPolicy, TrustedKey, predicate_type,
};
use nonevent_gates::{
    CollectLimits, Context, EvidenceSet, Policy, Side, Verdict, collect, evaluate,
};

const POLICY: &str = r#"
apiVersion: nonevent/v1
kind: GatePolicy
name: shop
phases:
  - id: deployment
    title: Deployment
    exit:
      - id: setup
        title: The README says how to set the project up
        why: A newcomer should need nobody's time to build it.
        severity: blocking
        owner: tech lead
        remedy: Write a section Setup in README.md.
        check: { markdown: { file: README.md, heading: Setup, words_min: 15 } }
      - id: tests
        title: Tests ran and passed
        why: They are the cheapest place to find a fault.
        severity: blocking
        owner: developers
        remedy: Let the test runner write reports/tests.xml.
        check: { junit: { file: reports/tests.xml, ignored: true, min_tests: 2 } }
      - id: plan
        title: The plan was checked
        why: A plan with a fault in it is found at the desk, not in production.
        severity: blocking
        owner: deploy lead
        remedy: Check the deployment document and sign the result.
        check: { evidence: { predicate: plan-check, subjects: [plan], max_age: 31d } }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let policy = Policy::parse("gates.yaml", POLICY.as_bytes()).map_err(|f| f.to_string())?;
    let plan = Digest::of(b"the plan's canonical JSON");
    let now: Timestamp = "2026-01-05T10:00:00Z".parse()?;

    // In real life the pipeline's key, from a place that only the pipeline can read.
    let key = SigningKey::from_seed([1; 32]);
    let trust = TrustPolicy::new(vec![TrustedKey::new(
        key.verifying_key(),
        vec![predicate_type::PLAN_CHECK.to_string()],
        "pipeline",
    )]);

    // What fools a checker that looks for names.
    fs::write(root.join("README.md"), "# Setup\nNOT written yet\n")?;
    fs::create_dir_all(root.join("node_modules/reports"))?;
    fs::write(root.join("node_modules/reports/tests.xml"), "")?;
    let mut evidence = EvidenceSet::new(trust);
    let before = ask(&policy, root, &evidence, plan, now)?;
    println!("{}", before.to_text());
    assert!(!before.is_passed());

    // What it takes.
    fs::write(
        root.join("README.md"),
        "# Setup\n\nInstall Rust, clone the repository, and run `cargo test`; it needs no other \
         service and takes about a minute.\n",
    )?;
    fs::create_dir(root.join("reports"))?;
    fs::write(
        root.join("reports/tests.xml"),
        "<testsuite tests='2'><testcase name='a'/><testcase name='b'/></testsuite>",
    )?;
    let checked = Statement::about(
        "plan",
        plan,
        Predicate::PlanCheck(PlanCheck {
            plan,
            shape: Digest::of(b"the plan's shape"),
            errors: 0,
            warnings: 0,
            checker: "nonevent".to_string(),
            at: now.plus_ms(-60_000),
        }),
    );
    evidence.add(Envelope::sign(&checked, &key)?);
    let after = ask(&policy, root, &evidence, plan, now)?;
    println!("{}", after.to_text());
    assert!(after.is_passed());

    // The verdict is evidence for the next gate.
    let signed = Envelope::sign(&after.to_statement("https://ci.example/gate"), &key)?;
    println!("signed verdict {}", signed.digest()?);
    Ok(())
}

fn ask(
    policy: &Policy,
    root: &Path,
    evidence: &EvidenceSet,
    plan: Digest,
    now: Timestamp,
) -> Result<Verdict, Box<dyn Error>> {
    let gate = policy
        .gate("deployment", Side::Exit)
        .ok_or("no such phase")?;
    let tree = collect(root, policy, &CollectLimits::default())?;
    let context = Context {
        plan: Some(plan),
        ..Context::at(now)
    };
    Ok(evaluate(&gate, &tree, evidence, &context))
}
