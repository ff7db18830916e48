//! Prose with values in it, before anybody knows where it will land.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// One run of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Prose, or a value that reads as prose, such as a person's name.
    Plain(String),
    /// A value that is an identifier: a version, a file's name, a digest.
    Code(String),
}

impl Piece {
    /// The run without any mark-up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Piece::Plain(text) | Piece::Code(text) => text,
        }
    }
}

/// A line of prose and values, escaped only when it is rendered, by where it then stands.
///
/// As JSON: an array in which prose is a string and an identifier is `{"code": "1.5.0"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text(Vec<Piece>);

impl Text {
    /// Prose without a value.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Text {
        Text(alloc::vec![Piece::Plain(text.into())])
    }

    /// An identifier alone.
    #[must_use]
    pub fn code(text: impl Into<String>) -> Text {
        Text(alloc::vec![Piece::Code(text.into())])
    }

    /// Adds prose.
    #[must_use]
    pub fn and(mut self, text: impl AsRef<str>) -> Text {
        let text = text.as_ref();
        match self.0.last_mut() {
            Some(Piece::Plain(last)) => last.push_str(text),
            _ => self.0.push(Piece::Plain(String::from(text))),
        }
        self
    }

    /// Adds an identifier.
    #[must_use]
    pub fn and_code(mut self, text: impl Into<String>) -> Text {
        self.0.push(Piece::Code(text.into()));
        self
    }

    /// Adds another text.
    #[must_use]
    pub fn and_text(self, other: &Text) -> Text {
        other.0.iter().fold(self, |text, piece| match piece {
            Piece::Plain(plain) => text.and(plain),
            Piece::Code(code) => text.and_code(code),
        })
    }

    /// The runs in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

/// Without any mark-up.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|piece| f.write_str(piece.as_str()))
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pieces = serializer.serialize_seq(Some(self.0.len()))?;
        for piece in &self.0 {
            pieces.serialize_element(piece)?;
        }
        pieces.end()
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Piece::Plain(text) => serializer.serialize_str(text),
            Piece::Code(text) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("code", text)?;
                map.end()
            }
        }
    }
}

/// Builds a [`Text`] from prose (string literals and anything that displays) and identifiers
/// (`code(x)`), in order.
macro_rules! text {
    (@ $text:expr ;) => { $text };
    (@ $text:expr ; code($value:expr) $(, $($rest:tt)*)?) => {
        $crate::text::text!(@ $text.and_code($value.clone()) ; $($($rest)*)?)
    };
    (@ $text:expr ; $prose:expr $(, $($rest:tt)*)?) => {
        $crate::text::text!(@ $text.and($prose) ; $($($rest)*)?)
    };
    ($($all:tt)*) => { $crate::text::text!(@ $crate::text::Text::default() ; $($all)*) };
}
pub(crate) use text;
