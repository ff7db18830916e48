//! Signs the proof of a plan, verifies it under a trust policy, and shows a refusal.

use std::error::Error;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Envelope, Predicate, Proof, SigningKey, Statement, TrustPolicy, TrustedKey, predicate_type,
};

fn main() -> Result<(), Box<dyn Error>> {
    // A real seed comes from the operating system's random numbers and is kept in a file that only
    // its owner may read; `SigningKey::to_key_file` writes one.
    let key = SigningKey::from_seed([7; 32]).with_label("DEMO: not trusted");
    let now: Timestamp = "2026-01-05T10:00:00Z".parse()?;
    let plan = Digest::of(b"the canonical JSON of a plan");

    let statement = Statement::about(
        "plan",
        plan,
        Predicate::Proof(Proof {
            plan,
            shape: Digest::of(b"the canonical JSON of its shape"),
            decided: true,
            holds: true,
            states: 1200,
            transitions: 4100,
            worst_recovery_ms: Some(12_000),
            faults: vec!["a canary instance crashes".into()],
            assumptions: vec!["the router applies a split within 5s".into()],
            at: now,
        }),
    );
    let envelope = Envelope::sign(&statement, &key)?;
    print!("{}", envelope.to_json());

    let policy = TrustPolicy::new(vec![TrustedKey::new(
        key.verifying_key(),
        vec![predicate_type::PROOF.into()],
        key.label(),
    )]);
    let verified = envelope.verify(&policy, now.plus_ms(60_000))?;
    verified.statement.check_subject(&plan)?;
    let age_ms = verified
        .statement
        .check_age(now.plus_ms(60_000), 3_600_000)?;
    println!(
        "{} signed by key {} ({}), {} s ago",
        verified.predicate_type,
        verified.key_id.short(),
        verified.label,
        age_ms / 1000
    );

    if let Err(refused) = envelope.verify(&TrustPolicy::default(), now) {
        println!("under an empty policy: {refused}");
    }
    Ok(())
}
