//! Every byte of an envelope's file, changed to every other byte.

use std::collections::BTreeMap;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Decision, Envelope, EvidenceError, Predicate, SignOff, SigningKey, Statement, TrustPolicy,
    TrustedKey, Verified, predicate_type,
};

const AT: Timestamp = Timestamp::from_unix_ms(1_767_607_200_000);

/// With a `+` in its base64, which the other alphabet writes as `-`.
fn statement() -> Statement {
    let sign_off = Predicate::SignOff(SignOff {
        role: "lead".into(),
        person: "Ada".into(),
        decision: Decision::Approved,
        comment: Some(">>>".into()),
        at: AT,
    });
    Statement::about("a commit", Digest::of(b"a commit"), sign_off)
}

fn signed_by(seeds: &[u8]) -> Envelope {
    let mut keys = seeds.iter().map(|seed| SigningKey::from_seed([*seed; 32]));
    let first = keys.next().expect("somebody");
    let mut envelope = Envelope::sign(&statement(), &first).expect("signed");
    keys.for_each(|key| envelope.add_signature(&key).expect("signed"));
    envelope
}

fn policy() -> TrustPolicy {
    let trusted = |seed| {
        let key = SigningKey::from_seed([seed; 32]).verifying_key();
        let may = predicate_type::ALL.map(String::from).to_vec();
        TrustedKey::new(key, may, format!("key {seed}")).held_by("Ada", ["lead"])
    };
    TrustPolicy::new(vec![trusted(1), trusted(2)])
}

fn verify(bytes: &[u8]) -> Result<Vec<Verified>, EvidenceError> {
    Envelope::from_json(bytes)?.verify_all(&policy(), AT)
}

/// What was changed, of what changes nothing.
fn harmless(envelope: &Envelope, text: &[u8], at: usize, byte: u8) -> Option<&'static str> {
    let within = |word: &str| {
        let mut starts = text.windows(word.len()).enumerate();
        starts.any(|(start, window)| {
            window == word.as_bytes() && (start..start + word.len()).contains(&at)
        })
    };
    let signatures = &envelope.signatures;
    if signatures.iter().any(|it| within(&it.keyid)) {
        Some("the id of the key, a hint that is not signed")
    } else if within("keyid") {
        Some("the name of the field with that id, which may be absent")
    } else if matches!((text[at], byte), (b'+', b'-') | (b'/', b'_')) {
        Some("base64 in the other alphabet, for the same bytes")
    } else if at == text.len() - 1 && byte.is_ascii_whitespace() {
        Some("white space after the envelope")
    } else {
        None
    }
}

/// Tries them all; how many of which harmless changes there were.
fn counted(envelope: &Envelope) -> BTreeMap<&'static str, usize> {
    let text = envelope.to_json().into_bytes();
    let whole = verify(&text).expect("nothing was changed yet");
    let mut counted = BTreeMap::new();
    for at in 0..text.len() {
        let mut changed = text.clone();
        for byte in (0..=u8::MAX).filter(|byte| *byte != text[at]) {
            changed[at] = byte;
            let Ok(mut verified) = verify(&changed) else {
                continue;
            };
            let why = harmless(envelope, &text, at, byte);
            assert!(why.is_some(), "byte {at} may be {byte:#04x}");
            let why = why.unwrap_or_default();
            *counted.entry(why).or_default() += 1;
            for (verified, whole) in verified.iter_mut().zip(&whole) {
                // It stands for the file's content, hints and all.
                verified.envelope = whole.envelope;
            }
            assert_eq!(verified, whole, "byte {at} as {byte:#04x}: {why}");
        }
    }
    counted
}

/// Nothing but what is named here passes, and that says the same by the same signers.
#[test]
fn a_changed_byte_is_refused_or_changes_nothing() {
    insta::assert_debug_snapshot!("one_signature", counted(&signed_by(&[1])));
}

/// One of several signatures may be spoilt, and then one signer less counts.
#[test]
fn of_two_signers_a_changed_byte_leaves_one_or_changes_nothing() {
    let two = signed_by(&[1, 2]);
    let text = two.to_json().into_bytes();
    let whole = verify(&text).expect("nothing was changed yet");
    assert_eq!(whole.len(), 2);
    let (mut both, mut one_of_them) = (0, 0);
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            let Ok(verified) = verify(&changed) else {
                continue;
            };
            for signer in &verified {
                let known = whole.iter().find(|known| known.key_id == signer.key_id);
                let known = known.expect("one of those who signed");
                assert_eq!(signer.statement, known.statement, "byte {at} bit {bit}");
            }
            match verified.len() {
                2 => both += 1,
                _ => one_of_them += 1,
            }
        }
    }
    assert!(both > 100 && one_of_them > 100, "{both} {one_of_them}");
}
