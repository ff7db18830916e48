//! Why evidence is refused.

use alloc::string::String;

use nonevent_document::{CanonicalError, Finding, Findings};

/// Evidence, a key or a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct EvidenceError {
    kind: EvidenceErrorKind,
    text: String,
}

/// Which check refused it. Each has its own kind, so that a gate can say what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvidenceErrorKind {
    /// Not a DSSE envelope, or not its JSON.
    Envelope,
    /// The envelope holds something else than an in-toto statement.
    PayloadType,
    /// The envelope has no signature, or more than 16.
    Signatures,
    /// No signature is by a key of the trust policy.
    UnknownKey,
    /// A signature by a known key does not match: the payload, its type or the signature changed.
    BadSignature,
    /// The key is trusted, but not for this predicate type.
    NotAllowed,
    /// The key is trusted, but not at this time, or not at the time the statement claims.
    KeyTime,
    /// The payload is not an in-toto statement.
    Statement,
    /// The predicate does not have the fields of its type.
    Predicate,
    /// The statement is not about the artifact it is presented for.
    WrongSubject,
    /// Older than allowed.
    Stale,
    /// Dated in the future, beyond the clock skew that is tolerated.
    FutureDated,
    /// No date where one is needed to tell the age.
    Undated,
    /// A key file or a public key that cannot be read.
    Key,
    /// A value that canonical JSON cannot hold.
    Canonical,
    /// A bundle that cannot be read, or an envelope in it that has another digest than is written.
    Bundle,
    /// A store that cannot take an envelope.
    Store,
}

impl EvidenceError {
    /// Which check refused it.
    #[must_use]
    pub fn kind(&self) -> EvidenceErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: EvidenceErrorKind, text: impl Into<String>) -> Self {
        EvidenceError {
            kind,
            text: text.into(),
        }
    }

    pub(crate) fn from_findings(kind: EvidenceErrorKind, what: &str, findings: &Findings) -> Self {
        let first = findings.iter().next();
        Self::new(
            kind,
            alloc::format!("{what}: {}", first.map_or_else(String::new, shown)),
        )
    }

    pub(crate) fn from_finding(kind: EvidenceErrorKind, what: &str, finding: &Finding) -> Self {
        Self::new(kind, alloc::format!("{what}: {}", shown(finding)))
    }
}

fn shown(finding: &Finding) -> String {
    let place = match (finding.path.is_empty(), finding.at) {
        (true, None) => String::new(),
        (true, Some(at)) => alloc::format!("at {at}, "),
        (false, _) => alloc::format!("at `{}`, ", finding.path),
    };
    alloc::format!("{place}{}", finding.message)
}

impl From<CanonicalError> for EvidenceError {
    fn from(error: CanonicalError) -> Self {
        use alloc::string::ToString;
        Self::new(EvidenceErrorKind::Canonical, error.to_string())
    }
}
