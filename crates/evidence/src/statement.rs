//! in-toto Statements (v1): what is attested of which subjects.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Document, Limits, Timestamp, canonical_json, decode_node};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{EvidenceError, EvidenceErrorKind};
use crate::predicate::{Predicate, ResourceDescriptor};

/// `_type` of every statement.
pub(crate) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// How far in the future evidence may be dated: clocks of two machines differ a little.
pub const CLOCK_SKEW_MS: i64 = 60_000;

/// What a statement may hold.
pub(crate) fn limits() -> Limits {
    Limits {
        bytes_max: 4 << 20,
        depth_max: 64,
        nodes_max: 200_000,
    }
}

/// An artifact by name and digest, such as a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// A name for people; matching goes by digest.
    pub name: String,
    /// Its SHA-256 digest.
    pub digest: Digest,
}

/// A predicate about subjects. As JSON it is an in-toto Statement v1.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// At least one. A predicate that names a plan has that plan among them.
    pub subjects: Vec<Subject>,
    /// What is attested.
    pub predicate: Predicate,
}

#[derive(Serialize)]
struct StatementOut<'a> {
    #[serde(rename = "_type")]
    statement_type: &'a str,
    subject: Vec<ResourceDescriptor>,
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    predicate: &'a Predicate,
}

/// A foreign format: unknown fields are left aside.
#[derive(Deserialize)]
struct StatementIn {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<SubjectIn>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Deserialize)]
struct SubjectIn {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let subjects = self.subjects.iter();
        StatementOut {
            statement_type: STATEMENT_TYPE,
            subject: subjects
                .map(|subject| ResourceDescriptor::named(subject.name.as_str(), &subject.digest))
                .collect(),
            predicate_type: self.predicate.predicate_type(),
            predicate: &self.predicate,
        }
        .serialize(serializer)
    }
}

impl Statement {
    /// A statement about one artifact.
    #[must_use]
    pub fn about(name: impl Into<String>, digest: Digest, predicate: Predicate) -> Self {
        let name = name.into();
        Statement {
            subjects: alloc::vec![Subject { name, digest }],
            predicate,
        }
    }

    /// The canonical JSON of the in-toto Statement.
    ///
    /// # Errors
    ///
    /// No subject; a predicate that names a plan which is not among the subjects; a broken glass
    /// without gates; an integer beyond 2^53 - 1.
    pub fn to_json(&self) -> Result<String, EvidenceError> {
        self.check()?;
        Ok(canonical_json(self)?)
    }

    /// Reads an in-toto Statement v1.
    ///
    /// # Errors
    ///
    /// What is no such statement ([`EvidenceErrorKind::Statement`]), including one without
    /// subjects, with a subject that has no SHA-256 digest, whose predicate names a plan that is not
    /// among the subjects, or that breaks the glass of no gate; a known predicate type without its fields
    /// ([`EvidenceErrorKind::Predicate`]). At most 4 MiB.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let what = "the payload is not an in-toto statement";
        let refused = |text: &str| {
            EvidenceError::new(EvidenceErrorKind::Statement, format!("{what}: {text}"))
        };
        // A name that ends in `.json` asks for strict JSON.
        let document = Document::parse("statement.json", bytes, &limits()).map_err(|findings| {
            EvidenceError::from_findings(EvidenceErrorKind::Statement, what, &findings)
        })?;
        let read: StatementIn = decode_node(document.root(), "").map_err(|finding| {
            EvidenceError::from_finding(EvidenceErrorKind::Statement, what, &finding)
        })?;
        if read.statement_type != STATEMENT_TYPE {
            return Err(refused(&format!("its `_type` is not {STATEMENT_TYPE}")));
        }
        let subjects = read.subject.into_iter().map(|subject| {
            let hex = subject.digest.get("sha256");
            let hex = hex.ok_or_else(|| refused("a subject has no sha256 digest"))?;
            let digest = format!("sha256:{hex}").parse();
            Ok(Subject {
                name: subject.name,
                digest: digest.map_err(|_| refused("a subject's sha256 is malformed"))?,
            })
        });
        let subjects = subjects.collect::<Result<Vec<_>, EvidenceError>>()?;
        let predicate = match document.root().get("predicate") {
            Some(node) => Predicate::decode(&read.predicate_type, node)?,
            None => return Err(refused("it has no predicate")),
        };
        let statement = Statement {
            subjects,
            predicate,
        };
        statement.check()?;
        Ok(statement)
    }

    fn check(&self) -> Result<(), EvidenceError> {
        let refused = |text| Err(EvidenceError::new(EvidenceErrorKind::Statement, text));
        if self.subjects.is_empty() {
            return refused("the statement has no subject");
        }
        if matches!(&self.predicate, Predicate::BreakGlass(broken) if broken.gates.is_empty()) {
            return refused("the predicate names no gate that was skipped");
        }
        match self.predicate.plan() {
            Some(plan) if !self.is_about(&plan) => {
                refused("the predicate names a plan that is not a subject of the statement")
            }
            _ => Ok(()),
        }
    }

    /// Whether an artifact is among the subjects.
    #[must_use]
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects
            .iter()
            .any(|subject| subject.digest == *digest)
    }

    /// Refuses a statement that is not about an artifact.
    ///
    /// # Errors
    ///
    /// [`EvidenceErrorKind::WrongSubject`].
    pub fn check_subject(&self, digest: &Digest) -> Result<(), EvidenceError> {
        if self.is_about(digest) {
            return Ok(());
        }
        let about = self.subjects.first().map(|subject| subject.digest.short());
        let text = format!(
            "the statement is about {}, not about {}",
            about.unwrap_or_default(),
            digest.short()
        );
        Err(EvidenceError::new(EvidenceErrorKind::WrongSubject, text))
    }

    /// How old what it says is, in milliseconds; 0 if it is dated up to [`CLOCK_SKEW_MS`] ahead.
    ///
    /// # Errors
    ///
    /// [`EvidenceErrorKind::Undated`]; [`EvidenceErrorKind::FutureDated`], further ahead than the
    /// skew; [`EvidenceErrorKind::Stale`], older than `age_max_ms`.
    pub fn check_age(&self, now: Timestamp, age_max_ms: u64) -> Result<u64, EvidenceError> {
        let Some(at) = self.predicate.at() else {
            let text = "the statement has no date, so its age cannot be told";
            return Err(EvidenceError::new(EvidenceErrorKind::Undated, text));
        };
        let age = now.ms_since(at);
        if age < -CLOCK_SKEW_MS {
            let text = format!("the statement is dated {at}, which is in the future");
            return Err(EvidenceError::new(EvidenceErrorKind::FutureDated, text));
        }
        let age = u64::try_from(age).unwrap_or(0);
        if age > age_max_ms {
            let text = format!(
                "the statement is {} old; at most {} is allowed",
                nonevent_document::format_duration_ms(age),
                nonevent_document::format_duration_ms(age_max_ms)
            );
            return Err(EvidenceError::new(EvidenceErrorKind::Stale, text));
        }
        Ok(age)
    }
}
