//! The store and the bundle: what is kept, what is found again, and what is refused.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Bundle, ChainErrorKind, ChainLimits, ChainWriter, Decision, Envelope, EvidenceErrorKind,
    Predicate, RunbookReview, STORE_KIND, SignOff, SigningKey, Statement, Store, StoreHead,
    Subject, predicate_type,
};

const AT: Timestamp = Timestamp::from_unix_ms(1_767_607_200_000);

fn digest(number: u8) -> Digest {
    Digest::of(&[number])
}

fn signed(statement: &Statement) -> Envelope {
    Envelope::sign(statement, &SigningKey::from_seed([1; 32])).expect("a good statement")
}

fn sign_off(number: u8) -> Envelope {
    let predicate = Predicate::SignOff(SignOff {
        role: "lead".into(),
        person: "Ada".into(),
        decision: Decision::Approved,
        comment: None,
        at: AT,
    });
    signed(&Statement::about("a commit", digest(number), predicate))
}

fn review(plan: u8) -> Envelope {
    let predicate = Predicate::RunbookReview(RunbookReview {
        plan: digest(plan),
        page: digest(100),
        role: "on-call".into(),
        person: "Ada".into(),
        decision: Decision::Rejected,
        lines: None,
        at: AT,
    });
    let subject = |digest| Subject {
        name: "x".into(),
        digest,
    };
    signed(&Statement {
        subjects: vec![
            subject(digest(plan)),
            subject(digest(100)),
            subject(digest(plan)),
        ],
        predicate,
    })
}

/// A store of these, and its text.
fn store_of(envelopes: &[Envelope]) -> (Store, String) {
    let mut store = Store::new();
    let mut text = String::new();
    for envelope in envelopes {
        text += &store.add(envelope).expect("taken in").expect("new");
    }
    (store, text)
}

fn read(text: &str) -> Store {
    Store::read(text.as_bytes(), &ChainLimits::default()).expect("a good store")
}

#[test]
fn what_was_put_in_is_found_by_digest_subject_and_type() {
    let envelopes = [sign_off(1), review(1), sign_off(2)];
    let (store, text) = store_of(&envelopes);
    for store in [store, read(&text)] {
        let places = |found: Vec<&Envelope>| -> Vec<usize> {
            let place = |it: &&Envelope| envelopes.iter().position(|other| other == *it);
            found.iter().filter_map(place).collect()
        };
        let about = |number| {
            let found = store.about(&digest(number));
            places(found.map(|it| &it.envelope).collect())
        };
        assert_eq!(about(1), [0, 1]);
        assert_eq!(about(2), [2]);
        assert_eq!(about(100), [1]);
        assert_eq!(about(3), [0; 0]);
        let typed = store.of_type(predicate_type::SIGN_OFF);
        assert_eq!(places(typed.map(|it| &it.envelope).collect()), [0, 2]);
        let third = envelopes[2].digest().expect("a digest");
        let found = store.get(&third).expect("it is there");
        assert_eq!((&found.envelope, found.digest), (&envelopes[2], third));
        assert!(store.get(&digest(9)).is_none());
        assert_eq!(store.head().count, 3);
    }
}

#[test]
fn an_envelope_is_kept_once_and_only_if_it_can_be_read() {
    let (mut store, _) = store_of(&[sign_off(1)]);
    let before = store.clone();
    assert_eq!(store.add(&sign_off(1)).expect("known"), None);
    let mut other = sign_off(2);
    other.payload_type = "text/plain".into();
    let refused = store.add(&other).expect_err("not a statement");
    assert_eq!(refused.kind(), EvidenceErrorKind::PayloadType);
    let mut large = sign_off(2);
    large.signatures[0].keyid = "x".repeat(5 << 20);
    let refused = store.add(&large).expect_err("too large");
    assert_eq!(refused.kind(), EvidenceErrorKind::Store);
    assert_eq!(store, before);
}

#[test]
fn a_torn_end_is_no_damage_and_damage_is_no_torn_end() {
    let (_, whole) = store_of(&[sign_off(1), sign_off(2), sign_off(3)]);
    let (_, two) = store_of(&[sign_off(1), sign_off(2)]);
    for cut in two.len() + 1..whole.len() {
        let store = read(&whole[..cut]);
        assert_eq!(store.head().count, 2);
        assert_eq!(store.good_len(), two.len());
        assert_eq!(store.torn_tail(), Some(cut - two.len()));
    }
    let mut again = read(&whole[..whole.len() - 5]);
    let line = again.add(&sign_off(3)).expect("taken in").expect("new");
    assert_eq!(two.clone() + &line, whole);

    for at in 0..two.len() {
        let mut bytes = whole.clone().into_bytes();
        bytes[at] ^= 1;
        let read = Store::read(&bytes, &ChainLimits::default());
        assert!(read.is_err(), "byte {at}");
    }
    let mut foreign = ChainWriter::new(STORE_KIND);
    let line = foreign.append("no envelope").expect("a record");
    let error = Store::read(line.as_bytes(), &ChainLimits::default()).expect_err("no envelope");
    assert_eq!(
        (error.kind(), error.record()),
        (ChainErrorKind::Body, Some(0))
    );
    let mut journal = ChainWriter::new("journal");
    let line = journal.append(&sign_off(1)).expect("a record");
    let error = Store::read(line.as_bytes(), &ChainLimits::default()).expect_err("a journal");
    assert_eq!(error.kind(), ChainErrorKind::OtherKind);
}

#[test]
fn a_head_tells_whether_something_was_taken_away() {
    let (mut store, text) = store_of(&[sign_off(1), sign_off(2)]);
    let empty = Store::new().head();
    let (one, two) = (store_of(&[sign_off(1)]).0.head(), store.head());
    store.add(&sign_off(3)).expect("taken in");
    for head in [empty, one, two, store.head()] {
        assert_eq!(store.check_head(&head), Ok(()));
    }
    let kind = |store: &Store, head: &StoreHead| {
        let error = store.check_head(head).expect_err("something is missing");
        (error.kind(), error.record())
    };
    let cut = read(text.split_inclusive('\n').next().expect("a line"));
    assert_eq!(kind(&cut, &two), (ChainErrorKind::OtherHead, Some(1)));
    let (anew, _) = store_of(&[sign_off(2), sign_off(1)]);
    assert_eq!(kind(&anew, &two), (ChainErrorKind::OtherHead, Some(1)));
    let made_up = StoreHead {
        count: 0,
        head: two.head,
    };
    assert_eq!(kind(&store, &made_up), (ChainErrorKind::OtherHead, Some(0)));
}

#[test]
fn a_bundle_carries_envelopes_from_store_to_store() {
    let (store, _) = store_of(&[sign_off(1), review(1), sign_off(2)]);
    let chosen = store.about(&digest(1)).map(|it| it.envelope.clone());
    let bundle = Bundle::of(chosen.chain([sign_off(1)])).expect("a bundle");
    assert_eq!(bundle.envelopes().len(), 2);
    let text = bundle.to_json_lines().expect("text");
    let read_back = Bundle::from_json_lines(text.as_bytes()).expect("a bundle");
    assert_eq!(read_back, bundle);

    let (mut other, mut lines) = store_of(&[sign_off(1)]);
    let imported = other.import(&read_back).expect("taken in");
    assert_eq!((imported.added, imported.known), (1, 1));
    lines += &imported.lines;
    assert_eq!(read(&lines).head(), other.head());
    let again = other.import(&read_back).expect("taken in");
    assert_eq!((again.added, again.known, &*again.lines), (0, 2, ""));

    // Each line is what in-toto calls a bundle's: without our digest it is read as well.
    let plain = sign_off(1).to_json() + "\r\n\n" + &sign_off(1).to_json();
    let theirs = Bundle::from_json_lines(plain.as_bytes()).expect("a bundle");
    assert_eq!(theirs.envelopes(), [sign_off(1)]);
}

#[test]
fn a_bundle_with_one_bad_envelope_changes_nothing() {
    let mut strange = sign_off(2);
    strange.payload_type = "text/plain".into();
    let bundle = Bundle::of([sign_off(1), strange]).expect("a bundle");
    let mut store = Store::new();
    store.import(&bundle).expect_err("not a statement");
    assert_eq!(store, Store::new());
}

#[test]
fn damage_in_a_bundle_is_refused_with_its_line() {
    let bundle = Bundle::of([sign_off(1), sign_off(2)]).expect("a bundle");
    let text = bundle.to_json_lines().expect("text");
    let second = text.find('\n').expect("a line") + 1;
    let mut accepted = Vec::new();
    for at in second..text.len() - 1 {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        match Bundle::from_json_lines(&bytes) {
            Err(error) => {
                assert_eq!(error.kind(), EvidenceErrorKind::Bundle);
                assert!(error.to_string().starts_with("line 2: "), "{error}");
            }
            Ok(_) => accepted.push(text.as_bytes()[at]),
        }
    }
    // Only the name of the field with the digest can go, and then the rest is as it was.
    assert_eq!(String::from_utf8_lossy(&accepted), "digest");
}
