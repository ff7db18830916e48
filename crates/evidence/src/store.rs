//! A store of envelopes that only grows: one chain, with an index.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nonevent_document::Digest;
use serde::{Deserialize, Serialize};

use crate::chain::{ChainError, ChainErrorKind, ChainLimits, ChainWriter, read_chain};
use crate::error::{EvidenceError, EvidenceErrorKind};
use crate::{Bundle, Envelope, Statement};

/// The kind of the chain in which a store is written.
pub const STORE_KIND: &str = "evidence";

/// One envelope of a [`Store`].
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The envelope. Nothing in the store says that its signatures are good.
    pub envelope: Envelope,
    /// The digest of its canonical JSON; see [`Envelope::digest`].
    pub digest: Digest,
    /// What it says, by nobody's word yet; none if this version cannot read it.
    pub statement: Option<Statement>,
}

/// How far a store had come: whoever keeps it elsewhere, or signs it, can tell later that nothing of
/// what was there then has been taken away. See [`Store::check_head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreHead {
    /// How many envelopes there were.
    pub count: u64,
    /// The sum of the last one's record; of an empty store, that of its kind.
    pub head: Digest,
}

/// Envelopes in the order in which they came, each once, bound to each other as a chain.
///
/// It is bytes in and bytes out: [`Store::read`] takes the whole text, and [`Store::add`] gives the
/// line that has to be put behind it.
///
/// ```
/// use nonevent_evidence::{ChainLimits, Store};
/// # use nonevent_document::Digest;
/// # use nonevent_evidence::*;
/// # let (by, role, comment) = ("Ada".into(), "lead".into(), String::new());
/// # let plan = Digest::of(b"a plan");
/// # let at = "2026-01-05T10:00:00Z".parse().unwrap();
/// # let approval = Predicate::Approval(Approval { plan, by, role, comment, at });
/// # let statement = Statement::about("plan", plan, approval);
/// # let envelope = Envelope::sign(&statement, &SigningKey::from_seed([7; 32])).unwrap();
///
/// let mut store = Store::new();
/// let text = store.add(&envelope).unwrap().expect("it is new");
/// assert_eq!(store.add(&envelope).unwrap(), None);
/// let head = store.head();
///
/// let again = Store::read(text.as_bytes(), &ChainLimits::default()).unwrap();
/// assert_eq!(again.about(&plan).count(), 1);
/// assert!(again.check_head(&head).is_ok());
/// assert!(Store::new().check_head(&head).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    envelopes: Vec<Stored>,
    sums: Vec<Digest>,
    by_digest: BTreeMap<Digest, usize>,
    by_subject: BTreeMap<Digest, Vec<usize>>,
    by_type: BTreeMap<String, Vec<usize>>,
    writer: ChainWriter,
    torn_tail: Option<usize>,
    good_len: usize,
}

impl Default for Store {
    fn default() -> Self {
        Store::new()
    }
}

/// What [`Store::import`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What has to be put behind the store's text; may be empty.
    pub lines: String,
    /// How many envelopes are new.
    pub added: usize,
    /// How many were there already.
    pub known: usize,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Store {
            envelopes: Vec::new(),
            sums: Vec::new(),
            by_digest: BTreeMap::new(),
            by_subject: BTreeMap::new(),
            by_type: BTreeMap::new(),
            writer: ChainWriter::new(STORE_KIND),
            torn_tail: None,
            good_len: 0,
        }
    }

    /// Reads a store. No bytes at all are an empty one.
    ///
    /// A torn end, as after a crash, is left out and reported by [`Store::torn_tail`]; see
    /// [`read_chain`], which tells it from damage.
    ///
    /// # Errors
    ///
    /// As [`read_chain`], and a record that is not an envelope.
    pub fn read(bytes: &[u8], limits: &ChainLimits) -> Result<Self, ChainError> {
        let chain = read_chain(STORE_KIND, bytes, limits)?;
        let mut store = Store::new();
        for (record, (body, sum)) in chain.records.into_iter().zip(chain.sums).enumerate() {
            let envelope: Option<Envelope> = serde_json::from_value(body).ok();
            let digest = envelope.as_ref().and_then(|it| it.digest().ok());
            let (Some(envelope), Some(digest)) = (envelope, digest) else {
                let record = u64::try_from(record).unwrap_or(u64::MAX);
                let text = "is not an envelope";
                return Err(ChainError::at(ChainErrorKind::Body, record, text));
            };
            store.keep(envelope, digest, sum);
        }
        store.writer = chain.writer;
        store.torn_tail = chain.torn_tail;
        store.good_len = chain.good_len;
        Ok(store)
    }

    /// How many bytes at the end of what was read belong to an envelope that was never completely
    /// written. They have to be cut off, to [`Store::good_len`], before anything is put behind them.
    #[must_use]
    pub fn torn_tail(&self) -> Option<usize> {
        self.torn_tail
    }

    /// How many bytes of what was read belong to whole envelopes.
    #[must_use]
    pub fn good_len(&self) -> usize {
        self.good_len
    }

    /// Takes in an envelope whose statement can be read; its signatures are not looked at. Returns
    /// the line to put behind the store's text, or none if the envelope is there already.
    ///
    /// Whoever cannot write the line has to read the store again.
    ///
    /// # Errors
    ///
    /// What [`Envelope::unverified_statement`] refuses; an envelope that is too large for a record
    /// ([`EvidenceErrorKind::Store`]). The store is then as it was.
    pub fn add(&mut self, envelope: &Envelope) -> Result<Option<String>, EvidenceError> {
        let digest = envelope.digest()?;
        if self.by_digest.contains_key(&digest) {
            return Ok(None);
        }
        envelope.unverified_statement()?;
        let line = self
            .writer
            .append(envelope)
            .map_err(|error| EvidenceError::new(EvidenceErrorKind::Store, error.to_string()))?;
        self.keep(envelope.clone(), digest, self.writer.head());
        Ok(Some(line))
    }

    /// Takes in what a bundle holds, leaving out what is there already.
    ///
    /// # Errors
    ///
    /// As [`Store::add`] for the first envelope that is refused. The store is then as it was.
    pub fn import(&mut self, bundle: &Bundle) -> Result<Imported, EvidenceError> {
        let mut grown = self.clone();
        let mut imported = Imported::default();
        for envelope in bundle.envelopes() {
            if let Some(line) = grown.add(envelope)? {
                imported.lines += &line;
                imported.added += 1;
            } else {
                imported.known += 1;
            }
        }
        *self = grown;
        Ok(imported)
    }

    fn keep(&mut self, envelope: Envelope, digest: Digest, sum: Digest) {
        let at = self.envelopes.len();
        let statement = envelope.unverified_statement().ok();
        if let Some(statement) = &statement {
            for subject in &statement.subjects {
                let about = self.by_subject.entry(subject.digest).or_default();
                // A statement may name one thing twice.
                if about.last() != Some(&at) {
                    about.push(at);
                }
            }
            let uri = statement.predicate.predicate_type().to_string();
            self.by_type.entry(uri).or_default().push(at);
        }
        self.by_digest.entry(digest).or_insert(at);
        self.sums.push(sum);
        self.envelopes.push(Stored {
            envelope,
            digest,
            statement,
        });
    }

    /// All envelopes, in the order in which they came.
    #[must_use]
    pub fn envelopes(&self) -> &[Stored] {
        &self.envelopes
    }

    /// The envelope with this digest.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<&Stored> {
        self.envelopes.get(*self.by_digest.get(digest)?)
    }

    /// The envelopes whose statements are about an artifact, in the order in which they came.
    pub fn about<'s>(&'s self, subject: &Digest) -> impl Iterator<Item = &'s Stored> + use<'s> {
        self.at(self.by_subject.get(subject))
    }

    /// The envelopes with statements of a predicate type, given by its URI, in the order in which
    /// they came.
    pub fn of_type<'s>(
        &'s self,
        predicate_type: &str,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        self.at(self.by_type.get(predicate_type))
    }

    fn at<'s>(&'s self, places: Option<&'s Vec<usize>>) -> impl Iterator<Item = &'s Stored> {
        let places = places.into_iter().flatten();
        places.filter_map(|at| self.envelopes.get(*at))
    }

    /// How far it has come.
    #[must_use]
    pub fn head(&self) -> StoreHead {
        StoreHead {
            count: self.writer.next_seq(),
            head: self.writer.head(),
        }
    }

    /// Whether all is still there that was there when `head` was taken.
    ///
    /// # Errors
    ///
    /// [`ChainErrorKind::OtherHead`]: there are fewer envelopes now, or others.
    pub fn check_head(&self, head: &StoreHead) -> Result<(), ChainError> {
        let refused = |text: &str| {
            let record = head.count.saturating_sub(1);
            Err(ChainError::at(ChainErrorKind::OtherHead, record, text))
        };
        if head.count > self.writer.next_seq() {
            return refused(&format!(
                "is missing: {} of at least {} are there",
                self.writer.next_seq(),
                head.count
            ));
        }
        let last = head.count.checked_sub(1);
        let then = match last.map(usize::try_from) {
            None => Some(ChainWriter::new(STORE_KIND).head()),
            Some(at) => at.ok().and_then(|at| self.sums.get(at).copied()),
        };
        if then == Some(head.head) {
            return Ok(());
        }
        refused("is not the one that was there: the store was written anew")
    }
}
