//! Text within a line, with a little meaning.

use alloc::string::String;

use crate::escape;

/// Markup that may be put into a page as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Takes markup for good: whoever calls this answers for every foreign text in it being
    /// escaped, and for it loading nothing from outside.
    #[must_use]
    pub fn trusted(markup: impl Into<String>) -> Self {
        Html(markup.into())
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether something is well. Shown as colour, and as a sign, for those who see none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Needs a look.
    Warning,
    /// Neither good nor bad.
    Neutral,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Warning => "warning",
            Tone::Neutral => "neutral",
        }
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Tone::Good => "\u{2713}",
            Tone::Bad => "\u{2717}",
            Tone::Warning => "!",
            Tone::Neutral => "\u{b7}",
        }
    }
}

/// Text within a line. A `&str` or `String` is plain text.
///
/// ```
/// use nonevent_page::{Inline, Tone};
/// let line = Inline::new().badge(Tone::Good, "passed").plain(" after ").code("GET /health");
/// assert!(line.html().contains("<code>GET /health</code>"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inline(String);

impl Inline {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Inline(String::new())
    }

    /// Adds plain text.
    #[must_use]
    pub fn plain(mut self, text: &str) -> Self {
        self.0.push_str(&escape::text(text));
        self
    }

    /// Adds text that carries weight.
    #[must_use]
    pub fn strong(self, text: &str) -> Self {
        self.element("<strong>", text, "</strong>")
    }

    /// Adds code, a name or an address.
    #[must_use]
    pub fn code(self, text: &str) -> Self {
        self.element("<code>", text, "</code>")
    }

    /// Adds a word that says whether something is well.
    #[must_use]
    pub fn badge(mut self, tone: Tone, text: &str) -> Self {
        self.0.push_str("<span class=\"badge ");
        self.0.push_str(tone.class());
        self.0.push_str("\"><span aria-hidden=\"true\">");
        self.0.push_str(tone.sign());
        self.0.push_str(" </span>");
        self.element("", text, "</span>")
    }

    fn element(mut self, open: &str, text: &str, close: &str) -> Self {
        self.0.push_str(open);
        self.0.push_str(&escape::text(text));
        self.0.push_str(close);
        self
    }

    /// The markup.
    #[must_use]
    pub fn html(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Inline {
    fn from(text: &str) -> Self {
        Inline::new().plain(text)
    }
}

impl From<String> for Inline {
    fn from(text: String) -> Self {
        Inline::new().plain(&text)
    }
}
