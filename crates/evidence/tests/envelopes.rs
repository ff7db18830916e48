//! Signing, verifying, and every way of being refused.

mod samples;

use nonevent_document::Digest;
use nonevent_evidence::{
    BreakGlass, Decision, Envelope, EvidenceErrorKind, KeyAlgorithm, Predicate, Revoked, SignOff,
    SigningKey, Statement, Threshold, TrustPolicy, TrustedKey, VerifyingKey, predicate_type,
};
use samples::{at, plan};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32]).with_label(format!("key {seed}"))
}

fn trusted(seed: u8, may: &[&str]) -> TrustedKey {
    let may = may.iter().map(ToString::to_string).collect();
    TrustedKey {
        not_before: Some(at(-1000)),
        not_after: Some(at(1000)),
        ..TrustedKey::new(key(seed).verifying_key(), may, format!("key {seed}"))
    }
}

fn policy() -> TrustPolicy {
    TrustPolicy::new(vec![
        trusted(1, &predicate_type::ALL),
        trusted(2, &[predicate_type::APPROVAL]),
    ])
}

fn statement() -> Statement {
    Statement::about("plan", plan(), Predicate::Proof(samples::proof()))
}

fn signed() -> Envelope {
    Envelope::sign(&statement(), &key(1)).expect("a good statement")
}

fn refused(envelope: &Envelope, seconds: i64) -> EvidenceErrorKind {
    let verified = envelope.verify(&policy(), at(seconds));
    verified.expect_err("it has to be refused").kind()
}

#[test]
fn a_signed_statement_verifies() {
    let envelope = Envelope::from_json(signed().to_json().as_bytes()).unwrap();
    assert_eq!(envelope, signed());
    let verified = envelope.verify(&policy(), at(10)).unwrap();
    assert_eq!(verified.statement, statement());
    assert_eq!(verified.key_id, key(1).id());
    assert_eq!(verified.label, "key 1");
    assert_eq!(verified.predicate_type, predicate_type::PROOF);
    assert_eq!(
        verified.envelope,
        Digest::of(envelope.to_json().trim_end().as_bytes())
    );
}

/// Frozen: what was signed by an older version has to verify with a newer one.
#[test]
fn an_envelope_of_version_1_still_verifies() {
    let frozen = include_str!("../../../fixtures/evidence/v1/proof.dsse.json");
    assert_eq!(signed().to_json(), frozen);
    let envelope = Envelope::from_json(frozen.as_bytes()).unwrap();
    assert!(envelope.verify(&policy(), at(10)).is_ok());
}

#[test]
fn every_predicate_survives_its_envelope() {
    let policy = TrustPolicy::new(vec![TrustedKey {
        may: samples::all()
            .iter()
            .map(|p| p.predicate_type().to_owned())
            .collect(),
        ..trusted(1, &[]).held_by(samples::PERSON, samples::ROLES)
    }]);
    let mut shown = String::new();
    for predicate in samples::all() {
        let statement = Statement::about("plan", plan(), predicate);
        let envelope = Envelope::sign(&statement, &key(1)).unwrap();
        assert_eq!(
            envelope.verify(&policy, at(10)).unwrap().statement,
            statement
        );
        shown.push_str(&serde_json::to_string_pretty(&statement).unwrap());
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn each_refusal_has_its_own_kind() {
    use EvidenceErrorKind as Kind;

    let stranger = Envelope::sign(&statement(), &key(3)).unwrap();
    assert_eq!(refused(&stranger, 0), Kind::UnknownKey);
    let not_allowed = Envelope::sign(&statement(), &key(2)).unwrap();
    assert_eq!(refused(&not_allowed, 0), Kind::NotAllowed);
    assert_eq!(refused(&signed(), 1001), Kind::KeyTime);
    assert_eq!(refused(&signed(), -1001), Kind::KeyTime);

    let early = Predicate::Proof(nonevent_evidence::Proof {
        at: at(-2000),
        ..samples::proof()
    });
    let backdated = Envelope::sign(&Statement::about("plan", plan(), early), &key(1)).unwrap();
    assert_eq!(refused(&backdated, 0), Kind::KeyTime);

    let mut other_type = signed();
    other_type.payload_type = "application/json".into();
    assert_eq!(refused(&other_type, 0), Kind::BadSignature);
    let mut other_hint = signed();
    other_hint.signatures[0].keyid = key(2).id().to_string();
    assert_eq!(refused(&other_hint, 0), Kind::BadSignature);
    let mut no_base64 = signed();
    no_base64.payload = "*".into();
    assert_eq!(refused(&no_base64, 0), Kind::Envelope);
    let mut unsigned = signed();
    unsigned.signatures.clear();
    assert_eq!(refused(&unsigned, 0), Kind::Signatures);
    assert_eq!(
        Envelope::from_json(b"[]").unwrap_err().kind(),
        Kind::Envelope
    );
    assert_eq!(
        signed()
            .verify(&TrustPolicy::default(), at(0))
            .unwrap_err()
            .kind(),
        Kind::UnknownKey
    );
}

#[test]
fn a_changed_character_of_payload_or_signature_does_not_pass() {
    // A stride, since unoptimised Ed25519 takes some 25 ms.
    let whole = signed();
    for index in (0..whole.payload.len()).step_by(61) {
        let mut changed = whole.clone();
        flip(&mut changed.payload, index);
        assert!(changed.verify(&policy(), at(0)).is_err(), "payload {index}");
    }
    for index in (0..whole.signatures[0].sig.len()).step_by(11) {
        let mut changed = whole.clone();
        flip(&mut changed.signatures[0].sig, index);
        let kind = refused(&changed, 0);
        assert_eq!(kind, EvidenceErrorKind::BadSignature, "signature {index}");
    }
}

fn flip(text: &mut String, index: usize) {
    let other = if &text[index..=index] == "A" {
        "B"
    } else {
        "A"
    };
    text.replace_range(index..=index, other);
}

#[test]
fn one_good_signature_is_enough_and_the_hint_may_be_missing() {
    let mut envelope = Envelope::sign(&statement(), &key(3)).unwrap();
    envelope.add_signature(&key(2)).unwrap();
    assert_eq!(refused(&envelope, 0), EvidenceErrorKind::NotAllowed);
    envelope.add_signature(&key(1)).unwrap();
    assert_eq!(envelope.verify(&policy(), at(0)).unwrap().label, "key 1");
    for signature in &mut envelope.signatures {
        signature.keyid.clear();
    }
    assert_eq!(envelope.verify(&policy(), at(0)).unwrap().label, "key 1");
    for _ in 0..16 {
        envelope.add_signature(&key(1)).unwrap();
    }
    assert_eq!(refused(&envelope, 0), EvidenceErrorKind::Signatures);
}

#[test]
fn a_statement_has_to_be_about_its_plan() {
    let other = Digest::of(b"another plan");
    let crossed = Statement::about("plan", other, Predicate::Proof(samples::proof()));
    assert_eq!(
        Envelope::sign(&crossed, &key(1)).unwrap_err().kind(),
        EvidenceErrorKind::Statement
    );
    assert!(statement().check_subject(&plan()).is_ok());
    let error = statement().check_subject(&other).unwrap_err();
    assert_eq!(error.kind(), EvidenceErrorKind::WrongSubject);
    let of_nothing = Predicate::BreakGlass(BreakGlass {
        reason: "the till is down".into(),
        person: "Ada".into(),
        gates: vec![],
        plan: None,
        environment: None,
        at: at(0),
    });
    let error = Statement::about("plan", plan(), of_nothing).to_json();
    assert_eq!(
        error.expect_err("it skips nothing").kind(),
        EvidenceErrorKind::Statement
    );
    let nobody = Statement {
        subjects: vec![],
        predicate: samples::all().pop().unwrap(),
    };
    assert_eq!(
        nobody.to_json().unwrap_err().kind(),
        EvidenceErrorKind::Statement
    );
}

#[test]
fn age_is_checked_in_both_directions() {
    let kind = |seconds, max| {
        statement()
            .check_age(at(seconds), max)
            .map_err(|e| e.kind())
    };
    assert_eq!(kind(10, 10_000), Ok(10_000));
    assert_eq!(kind(11, 10_000), Err(EvidenceErrorKind::Stale));
    assert_eq!(kind(-60, 10_000), Ok(0));
    assert_eq!(kind(-61, 10_000), Err(EvidenceErrorKind::FutureDated));
    let undated = Statement::about("x", plan(), samples::all().pop().unwrap());
    let error = undated.check_age(at(0), u64::MAX).unwrap_err();
    assert_eq!(error.kind(), EvidenceErrorKind::Undated);
}

#[test]
fn statements_that_are_none_are_refused_in_words() {
    let good = statement().to_json().unwrap();
    let hex = plan().hex();
    let cases = [
        ("{", "["),
        (
            "https://in-toto.io/Statement/v1",
            "https://in-toto.io/Statement/v0.1",
        ),
        ("\"predicate\":", "\"predicated\":"),
        ("\"sha256\":", "\"sha512\":"),
        (hex.as_str(), "00"),
        ("\"decided\":true,", ""),
        ("\"decided\":true", "\"decided\":true,\"decided\":false"),
        ("\"decided\":true", "\"decided\":true,\"surely\":true"),
        ("\"name\":\"plan\"", "\"name\":\"plan\",\"annotations\":{}"),
    ];
    let mut shown = String::new();
    for (from, to) in cases {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let outcome = Statement::from_json(text.as_bytes());
        let outcome = outcome.map_or_else(
            |error| format!("{:?}: {error}", error.kind()),
            |_| "accepted".to_owned(),
        );
        shown.push_str(&format!("{from} -> {to}\n  {outcome}\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn key_files_read_back_and_keep_their_seed_to_themselves() {
    let file = key(7).to_key_file();
    let read = SigningKey::from_key_file("demo.key", file.as_bytes()).unwrap();
    assert_eq!((read.id(), read.label()), (key(7).id(), "key 7"));
    assert!(!format!("{read:?}").contains("BwcH"));
    let seed = file
        .lines()
        .find_map(|line| line.strip_prefix("seed: "))
        .unwrap();
    let id = format!("id: {}", key(8).id());
    for (from, to) in [
        ("nonevent/v1", "nonevent/v2"),
        (seed, "BwcHBw=="),
        (&format!("id: {}", key(7).id()), id.as_str()),
        ("seed", "sed"),
    ] {
        let broken = file.replacen(from, to, 1);
        let error = SigningKey::from_key_file("demo.key", broken.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), EvidenceErrorKind::Key);
        assert!(!error.to_string().contains(seed), "{error}");
    }
}

#[test]
fn weak_public_keys_are_refused() {
    assert!(VerifyingKey::from_bytes(&[0; 32]).is_err());
    let mut one = [0; 32];
    one[0] = 1;
    assert!(VerifyingKey::from_bytes(&one).is_err());
    assert!(VerifyingKey::from_base64("AAAA").is_err());
}

/// What another tool would sign with ECDSA: the same payload, another key, another key id.
fn signed_with_p256() -> (Envelope, VerifyingKey) {
    use p256::ecdsa::signature::Signer as _;
    let secret = p256::ecdsa::SigningKey::from_slice(&[9; 32]).expect("a scalar");
    let point = secret.verifying_key().to_sec1_point(false);
    let spki = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
    let key = VerifyingKey::from_spki_der(&[&spki, point.as_bytes()].concat()).expect("a key");
    let mut envelope = signed();
    let payload = statement().to_json().expect("a good statement");
    let message = format!(
        "DSSEv1 {} {} {} {payload}",
        envelope.payload_type.len(),
        envelope.payload_type,
        payload.len()
    );
    let signature: p256::ecdsa::DerSignature = secret.sign(message.as_bytes());
    envelope.signatures[0] = nonevent_evidence::Signature {
        keyid: "anything".into(),
        sig: base64::prelude::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            signature.as_bytes(),
        ),
    };
    (envelope, key)
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.map(|pair| byte(pair).expect("two digits")).collect()
}

#[test]
fn what_others_sign_with_ecdsa_verifies() {
    let (envelope, key) = signed_with_p256();
    assert_eq!(key.algorithm(), KeyAlgorithm::EcdsaP256);
    assert_eq!(key.id(), Digest::of(&key.to_spki_der()));
    assert_eq!(VerifyingKey::from_pem(&key.to_pem()).expect("PEM"), key);
    let policy = TrustPolicy::new(vec![
        trusted(2, &predicate_type::ALL),
        TrustedKey::new(key, vec![predicate_type::PROOF.into()], "theirs"),
    ]);
    let text = policy.to_yaml().expect("text");
    assert!(text.contains("algorithm: ecdsa-p256"), "{text}");
    assert_eq!(
        TrustPolicy::parse("trust.yaml", text.as_bytes()).expect("a policy"),
        policy
    );
    for line in ["", "  algorithm: ed25519\n"] {
        let wrong = text.replace("  algorithm: ecdsa-p256\n", line);
        let findings = TrustPolicy::parse("trust.yaml", wrong.as_bytes()).expect_err("no match");
        assert!(findings.to_string().contains("NE7009"), "{findings}");
    }
    let verified = envelope.verify(&policy, at(0)).expect("signed by them");
    assert_eq!((verified.key_id, &*verified.label), (key.id(), "theirs"));
    for index in 0..envelope.signatures[0].sig.len() {
        let mut changed = envelope.clone();
        flip(&mut changed.signatures[0].sig, index);
        assert!(changed.verify(&policy, at(0)).is_err(), "{index}");
    }
}

#[test]
fn public_keys_read_back_or_are_refused() {
    let ed25519 = key(1).verifying_key();
    assert_eq!(
        VerifyingKey::from_pem(&ed25519.to_pem()).expect("PEM"),
        ed25519
    );
    let spki = ed25519.to_spki_der();
    assert_eq!(spki.len(), 44);
    let (_, p256) = signed_with_p256();
    let der = p256.to_spki_der();
    assert_eq!(der.len(), 91);
    let mut off_curve = der.clone();
    off_curve[90] ^= 1;
    let mut other_curve = der.clone();
    other_curve[22] ^= 1;
    let mut longer = der.clone();
    longer.push(0);
    for wrong in [&spki[..43], &der[..90], &off_curve, &other_curve, &longer] {
        let error = VerifyingKey::from_spki_der(wrong).expect_err("no key");
        assert_eq!(error.kind(), EvidenceErrorKind::Key);
    }
    let pem = p256.to_pem();
    for wrong in [
        pem.replace("PUBLIC", "PRIVATE"),
        pem.repeat(2),
        pem.replace("=", ""),
    ] {
        assert!(VerifyingKey::from_pem(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn trust_policies_read_back_and_say_what_is_wrong() {
    let text = policy().to_yaml().unwrap();
    assert_eq!(
        TrustPolicy::parse("trust.yaml", text.as_bytes()).unwrap(),
        policy()
    );

    let broken = text
        .replacen("nonevent/v1", "nonevent/v9", 1)
        .replacen(&key(2).id().to_string(), &key(1).id().to_string(), 1)
        .replacen(
            &key(2).verifying_key().to_string(),
            &key(1).verifying_key().to_string(),
            1,
        )
        .replacen(
            "may:\n  - urn:nonevent:predicate:approval:v1\n  not_before: 2026-01-05T09",
            "may: []\n  not_before: 2027-01-05T09",
            1,
        );
    let findings = TrustPolicy::parse("trust.yaml", broken.as_bytes()).unwrap_err();
    insta::assert_snapshot!(findings.to_string());

    let holders = TrustPolicy::new(vec![
        trusted(1, &["a"]).held_by(" ", ["lead", "lead"]),
        TrustedKey {
            roles: vec!["lead".into()],
            revoked: Some(Revoked {
                at: at(-2000),
                compromised: true,
            }),
            ..trusted(2, &["a"])
        },
        trusted(3, &["a"]).held_by("Ada", [""]),
    ]);
    let text = holders.to_yaml().unwrap();
    let findings = TrustPolicy::parse("trust.yaml", text.as_bytes()).unwrap_err();
    insta::assert_snapshot!("holders", findings.to_string());

    let unknown = text.replace("label: key 1", "labels: key 1");
    assert!(TrustPolicy::parse("trust.yaml", unknown.as_bytes()).is_err());
}

fn sign_off(person: &str, role: &str) -> Statement {
    let predicate = SignOff {
        role: role.to_owned(),
        person: person.to_owned(),
        decision: Decision::Approved,
        comment: None,
        at: at(0),
    };
    Statement::about(
        "commit",
        Digest::of(b"a commit"),
        Predicate::SignOff(predicate),
    )
}

/// What a person says is believed of that person's key alone, and in a role of theirs.
#[test]
fn a_person_speaks_with_their_own_key() {
    let policy = TrustPolicy::new(vec![
        trusted(1, &predicate_type::ALL).held_by("Ada", ["lead", "on-call"]),
        trusted(2, &predicate_type::ALL),
    ]);
    let verify = |seed, statement: &Statement| {
        let envelope = Envelope::sign(statement, &key(seed)).expect("a good statement");
        envelope.verify(&policy, at(10))
    };
    let good = verify(1, &sign_off("Ada", "lead")).expect("her own word");
    assert_eq!(good.person.as_deref(), Some("Ada"));
    assert_eq!(good.roles, ["lead", "on-call"]);
    for (seed, person, role) in [(1, "Bob", "lead"), (1, "Ada", "owner"), (2, "Ada", "lead")] {
        let refused = verify(seed, &sign_off(person, role)).expect_err("not hers to say");
        assert_eq!(refused.kind(), EvidenceErrorKind::NotAllowed, "{refused}");
    }
}

/// A key that was replaced goes on counting for what it signed before; one that somebody else may
/// have had counts for nothing.
#[test]
fn a_revoked_key_counts_for_what_came_before_unless_it_was_stolen() {
    let envelope = signed();
    let with = |at, compromised| {
        let revoked = Some(Revoked { at, compromised });
        let key = TrustedKey {
            revoked,
            ..trusted(1, &predicate_type::ALL)
        };
        envelope.verify(&TrustPolicy::new(vec![key]), samples::at(10))
    };
    assert!(with(at(1), false).is_ok());
    for (when, compromised) in [(at(0), false), (at(-1), false), (at(500), true)] {
        let refused = with(when, compromised).expect_err("revoked");
        assert_eq!(refused.kind(), EvidenceErrorKind::KeyTime, "{refused}");
    }
}

#[test]
fn a_threshold_counts_people_once_whatever_they_sign_with() {
    let may = predicate_type::ALL;
    let policy = TrustPolicy::new(vec![
        trusted(1, &may).held_by("Ada", [""; 0]),
        trusted(2, &may).held_by("Ada", [""; 0]),
        trusted(3, &may).held_by("Bob", [""; 0]),
        trusted(4, &may),
    ]);
    let count = |seeds: &[u8]| {
        let mut envelope = Envelope::sign(&statement(), &key(seeds[0])).expect("signed");
        for seed in &seeds[1..] {
            envelope.add_signature(&key(*seed)).expect("signed");
        }
        let verified = envelope.verify_all(&policy, at(10)).expect("somebody's");
        (verified.len(), Threshold::count(&verified))
    };
    assert_eq!(count(&[1]), (1, 1));
    assert_eq!(count(&[1, 1, 1]), (1, 1));
    assert_eq!(count(&[1, 2]), (2, 1));
    assert_eq!(count(&[1, 9, 3]), (2, 2));
    assert_eq!(count(&[4, 3, 2, 1]), (4, 3));
    assert!(!Threshold { needed: 0 }.is_met(&[]));
}
