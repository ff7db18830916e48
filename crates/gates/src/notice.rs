//! What a verdict says beside its criteria.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_evidence::Predicate;
use serde::Serialize;

use crate::path::visible;
use crate::witness::{Aside, Witnesses};

/// Something that people should see to. It neither opens nor closes the gate.
///
/// | code | what |
/// |---|---|
/// | `NE3030` | a waiver has expired |
/// | `NE3031` | a waiver is of a criterion that is met, or of none |
/// | `NE3032` | a waiver counts for nothing |
/// | `NE3033` | gates were skipped, and nobody has reviewed it |
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Which kind of thing.
    pub code: &'static str,
    /// The signed envelope that it is about.
    pub evidence: Digest,
    /// What is so.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Notice {
    pub(crate) fn new(
        code: &'static str,
        evidence: Digest,
        message: String,
        help: impl Into<String>,
    ) -> Notice {
        Notice {
            code,
            evidence,
            message,
            help: help.into(),
        }
    }
}

/// Gates that were skipped, until somebody else has reviewed it.
pub(crate) fn skipped(witnesses: &Witnesses) -> Vec<Notice> {
    let asides = &witnesses.by_policy().asides;
    let mut notices = Vec::new();
    for aside in asides {
        let Predicate::BreakGlass(broken) = &aside.statement.predicate else {
            continue;
        };
        let reviewed = |other: &&Aside| match &other.statement.predicate {
            Predicate::BreakGlassReview(review) => {
                review.opened == aside.digest
                    && review.person.trim().to_lowercase() != broken.person.trim().to_lowercase()
                    && other.key != aside.key
                    && review.at >= broken.at
            }
            _ => false,
        };
        if asides.iter().any(|other| reviewed(&other)) {
            continue;
        }
        let message = alloc::format!(
            "{} skipped {} at {}: {}",
            visible(&broken.person),
            visible(&broken.gates.join(", ")),
            broken.at,
            visible(&broken.reason)
        );
        let help = "have somebody else review it and sign that, for the digest of this evidence";
        notices.push(Notice::new("NE3033", aside.digest, message, help));
    }
    notices
}
