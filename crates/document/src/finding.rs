//! What a check has to say about a document: where, what, and what to do.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use serde::{Deserialize, Serialize, Serializer};

/// How much a finding weighs. Errors sort first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// It can, but something is likely wrong.
    Warning,
    /// Worth knowing, such as a field of a foreign format that is left aside.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// A place in a text: line and column from 1, the column in characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The stable name of a kind of finding, such as `NE0003`; tools may match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// A code; by convention `NE` and four digits.
    #[must_use]
    pub const fn new(name: &'static str) -> Code {
        Code(name)
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which kind of finding.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// Where in the document's structure, such as `strategy.steps[2].pause`; empty means the whole.
    pub path: String,
    /// Where in the text, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// The bytes of the text it is about, if known.
    #[serde(skip)]
    pub span: Option<Range<usize>>,
    /// What is the matter, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Finding {
    fn new(severity: Severity, code: Code, path: String, message: String, help: String) -> Self {
        Finding {
            code,
            severity,
            path,
            at: None,
            span: None,
            message,
            help,
        }
    }

    /// An error: the document cannot be used.
    #[must_use]
    pub fn error(
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::new(
            Severity::Error,
            code,
            path.into(),
            message.into(),
            help.into(),
        )
    }

    /// A warning: the document can be used, but something is likely wrong.
    #[must_use]
    pub fn warning(
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::new(
            Severity::Warning,
            code,
            path.into(),
            message.into(),
            help.into(),
        )
    }

    /// A note: worth knowing.
    #[must_use]
    pub fn note(
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::new(
            Severity::Note,
            code,
            path.into(),
            message.into(),
            help.into(),
        )
    }

    /// The same finding with a place in the text.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.at = Some(position);
        self
    }

    /// The same finding with a place in the text and the bytes it is about.
    #[must_use]
    pub fn spanning(mut self, span: &crate::Span) -> Self {
        self.at = Some(span.start);
        self.span = Some(span.bytes.clone());
        self
    }

    fn order(&self) -> (Option<Position>, &str, Code, Severity) {
        (self.at, &self.path, self.code, self.severity)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.severity, self.code)?;
        match (self.path.is_empty(), self.at) {
            (true, None) => {}
            (true, Some(at)) => write!(f, " {at}")?,
            (false, None) => write!(f, " {}", self.path)?,
            (false, Some(at)) => write!(f, " {} {at}", self.path)?,
        }
        write!(f, ": {}", self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

/// All findings of a check, sorted by position, path and code; those without a position first.
///
/// Displayed one per line. [`Findings::render`] shows them with excerpts of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// No findings.
    #[must_use]
    pub const fn new() -> Self {
        Findings(Vec::new())
    }

    /// Adds one, after those that sort equal.
    pub fn push(&mut self, finding: Finding) {
        let after = self
            .0
            .partition_point(|known| known.order() <= finding.order());
        self.0.insert(after, finding);
    }

    /// In order.
    pub fn iter(&self) -> core::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.iter()
            .any(|finding| finding.severity == Severity::Error)
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        self.0.extend(findings);
        self.0.sort_by(|a, b| a.order().cmp(&b.order()));
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        let mut all = Findings::new();
        all.extend(findings);
        all
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Findings(alloc::vec![finding])
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = alloc::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = core::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Findings {}
