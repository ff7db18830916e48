//! What is wrong with a request or a reply: where, what, and what to do.

use alloc::string::String;
use core::fmt;

use crate::window::GapReason;

/// A request that cannot be written or a reply that cannot be read.
///
/// Its text names the place in the body (`data.result[3].value[1]`), what is wrong there and what
/// to do. [`gap`](Self::gap) is the reason to hand to the comparison instead of figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsError {
    kind: MetricsErrorKind,
    gap: GapReason,
    place: String,
    text: String,
}

/// The kinds of [`MetricsError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricsErrorKind {
    /// A request, a path or a setting of our own is wrong; nothing was asked.
    Usage,
    /// A body, or a part of it, is over a limit.
    TooLarge,
    /// A body is not JSON.
    NotJson,
    /// A body is JSON of another shape than the source's documentation gives.
    Shape,
    /// The source understood and said no.
    Refused,
    /// The source, or something before it, answered with an HTTP status that is no success.
    HttpStatus,
    /// The body has no value at the place asked for.
    Missing,
    /// The body has several values at the place asked for.
    Ambiguous,
    /// The value at the place asked for is no number that can be used.
    Number,
}

impl MetricsError {
    pub(crate) const fn new(
        kind: MetricsErrorKind,
        gap: GapReason,
        place: String,
        text: String,
    ) -> Self {
        Self {
            kind,
            gap,
            place,
            text,
        }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        let gap = GapReason::Unreachable;
        Self::new(MetricsErrorKind::Usage, gap, String::new(), text.into())
    }

    pub(crate) fn shape(place: String, text: impl Into<String>) -> Self {
        let gap = GapReason::Unreadable;
        Self::new(MetricsErrorKind::Shape, gap, place, text.into())
    }

    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> MetricsErrorKind {
        self.kind
    }

    /// The reason to give for having no figures.
    #[must_use]
    pub const fn gap(&self) -> GapReason {
        self.gap
    }

    /// The place in the body, such as `data.result[3].value[1]`; empty for the body as a whole.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong and what to do, without the place.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for MetricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.text)
    }
}

impl core::error::Error for MetricsError {}
