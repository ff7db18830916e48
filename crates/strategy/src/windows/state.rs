//! Answers: whether it is open, why not, and what is open when.

use alloc::string::String;
use core::fmt;

use nonevent_document::{Timestamp, format_duration_ms};

use super::HORIZON_DAYS;
use super::calendar::Walk;

/// Whether changes may be made at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowState {
    /// They may.
    Open {
        /// When it closes; `None` if not within [`HORIZON_DAYS`].
        until: Option<Timestamp>,
    },
    /// They may not.
    Closed {
        /// When it next opens; `None` if not within [`HORIZON_DAYS`].
        opens: Option<Timestamp>,
        /// What keeps it closed now.
        why: ClosedBecause,
    },
}

/// What keeps it closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosedBecause {
    /// A freeze, whether or not there is a window; of several the last to end.
    Frozen {
        /// The freeze's name.
        name: String,
        /// When this freeze ends; not necessarily when it opens.
        until: Timestamp,
    },
    /// No window is open.
    OutsideWindows,
}

impl fmt::Display for WindowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WindowState::Open { until: Some(until) } => write!(f, "open until {until}"),
            WindowState::Open { until: None } => f.write_str("open"),
            WindowState::Closed { opens, why } => {
                f.write_str("closed: ")?;
                match why {
                    ClosedBecause::Frozen { name, until } => write!(f, "{name} until {until}")?,
                    ClosedBecause::OutsideWindows => f.write_str("outside every window")?,
                }
                match opens {
                    Some(opens) => write!(f, "; opens {opens}"),
                    None => write!(f, "; does not open in the next {HORIZON_DAYS} days"),
                }
            }
        }
    }
}

/// A deployment does not fit where it would begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    kind: MisfitKind,
}

impl Misfit {
    pub(super) const fn new(kind: MisfitKind) -> Misfit {
        Misfit { kind }
    }

    /// What stands against it.
    #[must_use]
    pub const fn kind(&self) -> &MisfitKind {
        &self.kind
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl core::error::Error for Misfit {}

/// What stands against a deployment at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MisfitKind {
    /// It is closed when the deployment would begin.
    Closed {
        /// Always [`WindowState::Closed`].
        state: WindowState,
    },
    /// It closes before the deployment has ended. What closes it is the
    /// [state](super::Windows::state) at that time.
    Overruns {
        /// When it closes.
        closes: Timestamp,
        /// How much of the deployment is left then, in milliseconds; at least 1.
        by_ms: u64,
    },
    /// The deployment lasts longer than [`HORIZON_DAYS`].
    TooLong,
}

impl fmt::Display for MisfitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MisfitKind::Closed { state } => state.fmt(f),
            MisfitKind::Overruns { closes, by_ms } => {
                let by = format_duration_ms(*by_ms);
                write!(
                    f,
                    "the window closes at {closes}, {by} before the deployment ends"
                )
            }
            MisfitKind::TooLong => {
                write!(f, "the deployment lasts longer than {HORIZON_DAYS} days")
            }
        }
    }
}

/// A time throughout which changes may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stretch {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment after it, later than `start`.
    pub end: Timestamp,
}

/// Open stretches in order, with time between them; made by
/// [`Windows::stretches`](super::Windows::stretches).
#[derive(Clone, Debug)]
pub struct Stretches<'a> {
    walk: Walk<'a>,
    left: usize,
}

impl<'a> Stretches<'a> {
    pub(super) const fn new(walk: Walk<'a>, limit: usize) -> Self {
        Stretches { walk, left: limit }
    }
}

impl Iterator for Stretches<'_> {
    type Item = Stretch;

    fn next(&mut self) -> Option<Stretch> {
        self.left = self.left.checked_sub(1)?;
        let open = self.walk.next()?;
        Some(Stretch {
            start: Timestamp::from_unix_ms(open.start),
            end: Timestamp::from_unix_ms(open.end),
        })
    }
}
