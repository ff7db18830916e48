//! Bytes from anywhere: refused or read, never a panic.

use nonevent_document::{Document, Limits, Timestamp};
use nonevent_evidence::{
    Bundle, ChainLimits, ChainWriter, Envelope, SigningKey, Statement, Store, TrustPolicy,
    VerifyingKey, read_chain,
};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::Config;

const ENVELOPE: &str = include_str!("../../../fixtures/evidence/v1/proof.dsse.json");

fn exercise(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::from_json(bytes) {
        let _ = envelope.unverified_statement();
        let now = Timestamp::from_unix_ms(0);
        assert!(envelope.verify(&TrustPolicy::default(), now).is_err());
    }
    let _ = Statement::from_json(bytes);
    let _ = TrustPolicy::parse("x", bytes);
    let _ = SigningKey::from_key_file("x", bytes);
    let _ = read_chain("journal", bytes, &ChainLimits::default());
    let _ = Store::read(bytes, &ChainLimits::default());
    let _ = Bundle::from_json_lines(bytes);
    let _ = VerifyingKey::from_spki_der(bytes);
    let _ = VerifyingKey::from_pem(&String::from_utf8_lossy(bytes));
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(128) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        exercise(&bytes);
    }

    #[test]
    fn no_damaged_envelope_makes_it_panic(at in 0..ENVELOPE.len(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = ENVELOPE.as_bytes().to_vec();
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        exercise(&bytes);
    }

    /// Whatever is appended is read back, however often the writer is resumed, and wherever the
    /// last line is torn.
    #[test]
    fn chains_read_back(bodies in prop::collection::vec(prop::collection::vec(".{0,20}", 0..4), 1..6), cut in any::<prop::sample::Index>()) {
        let mut text = String::new();
        let mut ends = vec![0];
        for body in &bodies {
            let chain = read_chain("journal", text.as_bytes(), &ChainLimits::default()).unwrap();
            let mut writer = ChainWriter::resume(chain.writer.next_seq(), chain.writer.head());
            text.push_str(&writer.append(body).unwrap());
            ends.push(text.len());
        }
        let cut = cut.index(text.len() + 1);
        let chain = read_chain("journal", &text.as_bytes()[..cut], &ChainLimits::default()).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        prop_assert_eq!(chain.records.len(), whole);
        prop_assert_eq!(chain.good_len, ends[whole]);
        prop_assert_eq!(chain.torn_tail, (cut > ends[whole]).then_some(cut - ends[whole]));
        for (record, body) in chain.records.iter().zip(&bodies) {
            prop_assert_eq!(record, &serde_json::json!(body));
        }
        for line in text.lines() {
            prop_assert!(Document::parse("line.json", line.as_bytes(), &Limits::default()).is_ok() || line.contains("\\u0000"));
        }
    }
}
