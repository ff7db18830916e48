//! A plan that cannot be used.

use alloc::string::String;
use core::fmt;

/// What went wrong with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanErrorKind {
    /// Its parts contradict each other.
    Inconsistent,
    /// It cannot be written as canonical JSON.
    NotCanonical,
    /// It asks for what cannot be carried out here.
    Unsupported,
}

/// A plan that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    kind: PlanErrorKind,
    text: String,
}

impl PlanError {
    /// A plan asks for something that whoever was to carry it out does not do.
    #[must_use]
    pub const fn unsupported(what: String) -> Self {
        PlanError::new(PlanErrorKind::Unsupported, what)
    }

    pub(crate) const fn new(kind: PlanErrorKind, text: String) -> Self {
        PlanError { kind, text }
    }

    /// Which kind of fault it is.
    #[must_use]
    pub const fn kind(&self) -> PlanErrorKind {
        self.kind
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PlanErrorKind::Inconsistent => write!(f, "the plan contradicts itself: {}", self.text),
            PlanErrorKind::NotCanonical => {
                write!(f, "the plan has no canonical form: {}", self.text)
            }
            PlanErrorKind::Unsupported => {
                write!(f, "the plan cannot be carried out yet: {}", self.text)
            }
        }
    }
}

impl core::error::Error for PlanError {}
