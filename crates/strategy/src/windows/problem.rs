//! What can be wrong with change windows by themselves.

use alloc::string::String;

use nonevent_document::Severity;

/// Which kind of fault; for the caller to give a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// More entries or zones than the limits, or a list without any.
    Count,
    /// No time zone of that name.
    Zone,
    /// A text that is no day, time or weekday, or not one that goes with the others.
    Form,
    /// A window or freeze that lasts no time.
    Empty,
    /// A dated entry that ends before it begins.
    Order,
    /// The name of a freeze that is empty, too long, not one line, or taken.
    Name,
    /// A dated window that lies wholly in freezes.
    Covered,
    /// No window opens within [`HORIZON_DAYS`](super::HORIZON_DAYS).
    NeverOpen,
}

/// One fault: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// Where, within the section: `allow[0].from`; empty means the whole of it.
    pub path: String,
    /// What is the matter, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Problem {
    pub(super) fn new(
        kind: ProblemKind,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        Problem {
            kind,
            path: path.into(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// How much it weighs. With an error there are no windows; a warning says that they are likely
    /// not what was meant.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.kind {
            ProblemKind::Covered | ProblemKind::NeverOpen => Severity::Warning,
            _ => Severity::Error,
        }
    }
}
