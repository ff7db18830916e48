//! The evidence handed to a gate, and what of it counts.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Envelope, EvidenceError, Predicate, Statement, TrustPolicy, Verified};
use serde::Serialize;
use serde_json::Value;

use crate::bundle::PieceWire;
use crate::path::visible;
use crate::policy::Keys;
use crate::predicate::PredicateKind;

/// What a demonstration key is labelled with: `DEMO:` and what follows.
///
/// Only a policy that says `keys: demonstration`, or a criterion that lists the key's id, accepts
/// such a key.
pub const DEMONSTRATION_LABEL: &str = "DEMO: not trusted";

/// Signed envelopes, and the trust policy they are judged by.
///
/// The order in which pieces are added does not matter, nor does adding one twice. What cannot be
/// read is kept too, so that the verdict can say so.
#[derive(Clone, Debug, Default)]
pub struct EvidenceSet {
    trust: TrustPolicy,
    pieces: BTreeMap<Digest, Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Envelope(Envelope),
    Unreadable(String),
}

impl EvidenceSet {
    /// No evidence yet, and whose word will count.
    #[must_use]
    pub fn new(trust: TrustPolicy) -> EvidenceSet {
        EvidenceSet {
            trust,
            pieces: BTreeMap::new(),
        }
    }

    /// Adds an envelope.
    #[must_use]
    pub fn with(mut self, envelope: Envelope) -> EvidenceSet {
        self.add(envelope);
        self
    }

    /// Adds an envelope.
    pub fn add(&mut self, envelope: Envelope) {
        match envelope.digest() {
            Ok(digest) => self.pieces.insert(digest, Piece::Envelope(envelope)),
            Err(error) => {
                let digest = Digest::of(envelope.payload.as_bytes());
                self.pieces
                    .insert(digest, Piece::Unreadable(error.to_string()))
            }
        };
    }

    /// Adds the JSON of an envelope, such as a file called `name`. What is no envelope is kept as
    /// a piece that counts for nothing.
    pub fn read(&mut self, name: &str, bytes: &[u8]) {
        match Envelope::from_json(bytes) {
            Ok(envelope) => self.add(envelope),
            Err(error) => {
                let why = format!("{name}: {error}");
                self.pieces
                    .insert(Digest::of(bytes), Piece::Unreadable(why));
            }
        }
    }

    /// Adds a piece that is known not to be readable.
    pub(crate) fn add_unreadable(&mut self, digest: Digest, why: String) {
        self.pieces.insert(digest, Piece::Unreadable(why));
    }

    /// Every piece, in order of digests.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (&Digest, PieceWire)> {
        self.pieces.iter().map(|(digest, piece)| {
            let wire = match piece {
                Piece::Envelope(envelope) => PieceWire::Envelope(envelope.to_json()),
                Piece::Unreadable(why) => PieceWire::Unreadable {
                    digest: *digest,
                    why: why.clone(),
                },
            };
            (digest, wire)
        })
    }

    /// Whose word counts.
    #[must_use]
    pub const fn trust(&self) -> &TrustPolicy {
        &self.trust
    }

    /// How many pieces there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// A piece of evidence as a verdict names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceRecord {
    /// The digest of the envelope's canonical JSON; of the bytes, if they are no envelope.
    pub digest: Digest,
    /// The type of its predicate, if it could be read. Not to be trusted if the piece is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The key whose signature was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<Digest>,
    /// Why no signature was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The evidence as one gate sees it.
pub(crate) struct Witnesses {
    keys: Keys,
    /// By the keys that the policy accepts.
    judged: Judged,
    /// By the keys that a check lists.
    listed: Vec<(Vec<Digest>, Judged)>,
    nothing: Judged,
    records: Vec<EvidenceRecord>,
}

/// Which pieces are signed by acceptable keys.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) accepted: Vec<Witness>,
    /// Accepted too, but no criterion asks for them.
    pub(crate) asides: Vec<Aside>,
    pub(crate) refused: Vec<Refused>,
}

/// A statement whose signature is accepted.
pub(crate) struct Witness {
    pub(crate) digest: Digest,
    pub(crate) kind: PredicateKind,
    pub(crate) statement: Statement,
    /// The predicate as JSON, for conditions on its fields.
    pub(crate) fields: Value,
    pub(crate) at: Timestamp,
    pub(crate) key: Digest,
    label: String,
    /// Everybody whose signature of it is accepted, the first of whom `key` is.
    pub(crate) signers: Vec<Verified>,
}

/// A waiver, or that gates were skipped or that it was reviewed.
pub(crate) struct Aside {
    pub(crate) digest: Digest,
    pub(crate) statement: Statement,
    pub(crate) key: Digest,
}

/// What became of a piece that is accepted.
enum Accepted {
    Witness(Box<Witness>),
    Aside(Box<Aside>),
}

pub(crate) struct Refused {
    pub(crate) digest: Digest,
    /// What it claims to be.
    predicate_type: Option<String>,
    pub(crate) kind: Option<PredicateKind>,
    pub(crate) why: String,
}

impl Witnesses {
    pub(crate) fn none() -> Witnesses {
        Witnesses {
            keys: Keys::Trusted,
            judged: Judged::default(),
            listed: Vec::new(),
            nothing: Judged::default(),
            records: Vec::new(),
        }
    }

    /// `lists` are the keys that criteria of the gate list by id.
    pub(crate) fn of(
        evidence: &EvidenceSet,
        keys: Keys,
        lists: &[Vec<Digest>],
        now: Timestamp,
    ) -> Witnesses {
        let wants_demonstration = keys == Keys::Demonstration;
        let by_policy = |_: &Digest, label: &str| is_demonstration(label) == wants_demonstration;
        let judged = judge(evidence, now, &by_policy);
        let records = if lists.is_empty() {
            judged.records()
        } else {
            let is_listed = |id: &Digest| lists.iter().any(|list| list.contains(id));
            let by_any = |id: &Digest, label: &str| by_policy(id, label) || is_listed(id);
            judge(evidence, now, &by_any).records()
        };
        let listed = lists.iter().map(|list| {
            let by_list = |id: &Digest, _: &str| list.contains(id);
            (list.clone(), judge(evidence, now, &by_list))
        });
        Witnesses {
            keys,
            judged,
            listed: listed.collect(),
            nothing: Judged::default(),
            records,
        }
    }

    /// By the keys that the policy accepts.
    pub(crate) const fn by_policy(&self) -> &Judged {
        &self.judged
    }

    /// By these keys of the trust policy; demonstration keys too, since they are listed.
    pub(crate) fn by_listed(&self, ids: &[Digest]) -> &Judged {
        let found = self.listed.iter().find(|(list, _)| list == ids);
        found.map_or(&self.nothing, |(_, judged)| judged)
    }

    pub(crate) fn label(&self) -> Option<&'static str> {
        (self.keys == Keys::Demonstration).then_some(DEMONSTRATION_LABEL)
    }

    /// Every piece, in order of digests.
    pub(crate) fn records(&self) -> &[EvidenceRecord] {
        &self.records
    }
}

impl Judged {
    /// Every piece, in order of digests.
    fn records(&self) -> Vec<EvidenceRecord> {
        let accepted = self.accepted.iter().map(|witness| EvidenceRecord {
            digest: witness.digest,
            predicate_type: Some(witness.statement.predicate.predicate_type().to_string()),
            signed_by: Some(witness.key),
            refused: None,
        });
        let asides = self.asides.iter().map(|aside| EvidenceRecord {
            digest: aside.digest,
            predicate_type: Some(aside.statement.predicate.predicate_type().to_string()),
            signed_by: Some(aside.key),
            refused: None,
        });
        let refused = self.refused.iter().map(|refused| EvidenceRecord {
            digest: refused.digest,
            predicate_type: refused.predicate_type.clone(),
            signed_by: None,
            refused: Some(refused.why.clone()),
        });
        let mut records: Vec<EvidenceRecord> = accepted.chain(asides).chain(refused).collect();
        records.sort_by_key(|record| record.digest);
        records
    }
}

/// Judges every piece by the keys of the trust policy for which `accepts` holds.
fn judge(
    evidence: &EvidenceSet,
    now: Timestamp,
    accepts: &dyn Fn(&Digest, &str) -> bool,
) -> Judged {
    let accepted_keys = evidence
        .trust
        .keys()
        .iter()
        .filter(|trusted| accepts(&trusted.key.id(), &trusted.label))
        .cloned();
    let trust = TrustPolicy::new(accepted_keys.collect());
    let mut judged = Judged::default();
    for (digest, piece) in &evidence.pieces {
        match judge_piece(*digest, piece, evidence, &trust, now) {
            Ok(Accepted::Witness(witness)) => judged.accepted.push(*witness),
            Ok(Accepted::Aside(aside)) => judged.asides.push(*aside),
            Err(refused) => judged.refused.push(refused),
        }
    }
    judged
}

fn judge_piece(
    digest: Digest,
    piece: &Piece,
    evidence: &EvidenceSet,
    trust: &TrustPolicy,
    now: Timestamp,
) -> Result<Accepted, Refused> {
    let envelope = match piece {
        Piece::Envelope(envelope) => envelope,
        Piece::Unreadable(why) => {
            return Err(Refused {
                digest,
                predicate_type: None,
                kind: None,
                why: visible(why),
            });
        }
    };
    let refuse = |why: String| {
        let claimed = envelope.unverified_statement().ok();
        let predicate = claimed.as_ref().map(|statement| &statement.predicate);
        Refused {
            digest,
            predicate_type: predicate.map(|p| visible(p.predicate_type())),
            kind: predicate.and_then(PredicateKind::of),
            why: visible(&why),
        }
    };
    match envelope.verify_all(trust, now) {
        Ok(verified) => accept(digest, verified).map_err(refuse),
        Err(error) => Err(refuse(not_accepted(envelope, evidence, trust, now, &error))),
    }
}

/// Why an envelope is refused; if only because its key is not accepted here, that.
fn not_accepted(
    envelope: &Envelope,
    evidence: &EvidenceSet,
    accepted: &TrustPolicy,
    now: Timestamp,
    error: &EvidenceError,
) -> String {
    if accepted.keys().len() < evidence.trust.keys().len()
        && let Ok(verified) = envelope.verify(&evidence.trust, now)
    {
        return format!(
            "is signed by key {} ({}), which is not accepted here",
            verified.key_id.short(),
            verified.label
        );
    }
    error.to_string()
}

fn accept(digest: Digest, signers: Vec<Verified>) -> Result<Accepted, String> {
    let first = signers.first();
    let first = first
        .ok_or_else(|| "is signed by nobody".to_string())?
        .clone();
    let Verified {
        statement, key_id, ..
    } = first;
    let predicate = &statement.predicate;
    if let Predicate::Waiver(_) | Predicate::BreakGlass(_) | Predicate::BreakGlassReview(_) =
        predicate
    {
        return Ok(Accepted::Aside(Box::new(Aside {
            digest,
            statement,
            key: key_id,
        })));
    }
    let kind = PredicateKind::of(predicate)
        .ok_or_else(|| "is of a kind that no criterion asks for".to_string())?;
    let at = predicate
        .at()
        .ok_or_else(|| "has no date, so its age cannot be told".to_string())?;
    let fields =
        serde_json::to_value(predicate).map_err(|error| format!("cannot be compared: {error}"))?;
    Ok(Accepted::Witness(Box::new(Witness {
        digest,
        kind,
        fields,
        at,
        key: key_id,
        label: first.label,
        statement,
        signers,
    })))
}

impl Witness {
    pub(crate) const fn predicate(&self) -> &Predicate {
        &self.statement.predicate
    }

    pub(crate) fn signer_in_words(&self) -> String {
        format!("key {} ({})", self.key.short(), visible(&self.label))
    }
}

fn is_demonstration(label: &str) -> bool {
    let start = label.trim_start().get(..5);
    start.is_some_and(|start| start.eq_ignore_ascii_case("demo:"))
}
