//! Why a change cannot be written as an edit.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use crate::{Code, Finding, Position, Span};

/// Why a change cannot be written as an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditErrorKind {
    /// There is no such place: the path is malformed, or leads to nothing whose member it could be.
    NoPlace,
    /// The place is written through an alias, or aliases repeat it elsewhere.
    Alias,
    /// Two changes are about the same place, or one is inside the other.
    Overlap,
    /// The text is written in a way that an edit here would not have the effect that is wanted.
    Form,
}

/// A change that cannot be written as an edit of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError {
    kind: EditErrorKind,
    path: String,
    at: Option<Position>,
}

impl EditError {
    pub(super) fn new(kind: EditErrorKind, path: &str, at: Option<&Span>) -> EditError {
        EditError {
            kind,
            path: path.to_owned(),
            at: at.map(|span| span.start),
        }
    }

    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> EditErrorKind {
        self.kind
    }

    /// The same as an error with this code.
    #[must_use]
    pub fn finding(&self, code: Code) -> Finding {
        let (message, help) = self.texts();
        let mut finding = Finding::error(code, &*self.path, message, help);
        finding.at = self.at;
        finding
    }

    const fn texts(&self) -> (&'static str, &'static str) {
        match self.kind {
            EditErrorKind::NoPlace => (
                "there is no such place in the document",
                "name a value, or a new member of a mapping that is there",
            ),
            EditErrorKind::Alias => (
                "the value is shared through an anchor, so that an edit here would change other \
                 places too",
                "write the value out where it is to differ",
            ),
            EditErrorKind::Overlap => (
                "two changes are about the same place",
                "make them one after the other",
            ),
            EditErrorKind::Form => (
                "the text is written in a way that cannot be edited here",
                "write the value in the usual form: `key: value`, one member a line",
            ),
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, help) = self.texts();
        write!(f, "{}", self.path)?;
        if let Some(at) = self.at {
            write!(f, " {at}")?;
        }
        write!(f, ": {message} ({help})")
    }
}

impl core::error::Error for EditError {}
