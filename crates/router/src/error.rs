//! Why a router did not do, or did not tell, what it was asked.

use alloc::boxed::Box;
use alloc::string::String;
use core::error::Error;
use core::fmt;

/// What went wrong with a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouterErrorKind {
    /// The router has accepted a newer change, or another change of the same number: whoever
    /// asks has been superseded and must stop acting.
    Stale,
    /// The router understood and will not: the request is at fault.
    Refused,
    /// No connection to the router could be made: nothing was asked of it.
    Unreachable,
    /// The request may have arrived but no whole answer came in time.
    NoAnswer,
    /// The answer could not be understood.
    Unreadable,
    /// The router reports a fault of its own.
    Failed,
}

/// A router did not do, or did not tell, what it was asked.
#[derive(Debug)]
pub struct RouterError {
    kind: RouterErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RouterError {
    /// An error with a message that says where, what and what to do.
    pub fn new(kind: RouterErrorKind, message: impl Into<String>) -> RouterError {
        RouterError {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> RouterError {
        RouterError {
            source: Some(source.into()),
            ..self
        }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> RouterErrorKind {
        self.kind
    }

    /// Whether the router may have done what it was asked, so that it must be read back before
    /// anything is concluded. `false` means that it certainly did nothing.
    #[must_use]
    pub const fn may_have_acted(&self) -> bool {
        match self.kind {
            RouterErrorKind::Stale | RouterErrorKind::Refused | RouterErrorKind::Unreachable => {
                false
            }
            RouterErrorKind::NoAnswer | RouterErrorKind::Unreadable | RouterErrorKind::Failed => {
                true
            }
        }
    }
}

impl fmt::Display for RouterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for RouterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
