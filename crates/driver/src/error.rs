//! What keeps the workflow from going on.

use std::fmt;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DriverErrorKind {
    /// The text or the usage is wrong.
    Input,
    /// The document has findings that are errors.
    Findings,
    /// The plan was disproved.
    Disproved,
    /// The proof met its limit.
    Undecided,
    /// The gate is closed.
    Gate,
    /// The plan does not begin where the fleet is.
    Misfit,
    /// Somebody said to go back before the rollout began.
    Aborted,
    /// Another process holds the lock.
    Locked,
    /// There is nothing to resume, or something to be resumed first.
    State,
    /// A file or folder cannot be read or written.
    Storage,
    /// The router or the fleet could not be brought up.
    Start,
    /// The journal cannot be used.
    Journal,
}

/// The workflow could not go on. Its message says where, what and what to do.
#[derive(Debug)]
pub struct DriverError {
    kind: DriverErrorKind,
    message: String,
}

impl DriverError {
    /// An error with its message.
    pub fn new(kind: DriverErrorKind, message: impl Into<String>) -> DriverError {
        DriverError {
            kind,
            message: message.into(),
        }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> DriverErrorKind {
        self.kind
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DriverError {}

/// A message with all its causes, for errors that keep theirs in `source()`.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
