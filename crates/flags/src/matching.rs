//! Tests as GrowthBook's conditions ask them, after the query operators of MongoDB.
//!
//! A condition is compiled with its negations pushed down to the tests, each of which says how it is
//! to come out. What this engine cannot judge then simply does not hold, in either way round, and no
//! third truth value is needed: a condition holds exactly if it would in Kleene's logic.
//!
//! Values are compared as JavaScript's `===` and, between two numbers or two texts, its `<` do; there
//! is no coercion. What is tested is data here; how is in `eval::matching`.

use crate::condition::Relation;
use crate::ir::{Expr, Literal, Path};
use crate::pattern::Pattern;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt::{self, Display, Formatter};
use serde::ser::{Serialize, Serializer};

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    /// Where the value is; `None` where there cannot be one. A missing value is null.
    pub(crate) of: Option<Path>,
    pub(crate) test: Test,
    /// How the test is to come out.
    pub(crate) wanted: bool,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// It is this, lists and maps element by element.
    Equals(serde_json::Value),
    /// It is one of these, or a list that has one of them. Lists and maps are none.
    In {
        values: Box<Literal>,
        ignore_case: bool,
    },
    /// It is not null.
    Exists,
    /// JavaScript's name for its type: `null`, `boolean`, `number`, `string`, `array`, `object`.
    Type(Arc<str>),
    /// As a number, if it is one.
    Number(Relation, f64),
    /// As a text, if it is one, by UTF-16 units.
    Text(Relation, Arc<str>),
    /// As a version, if it is of the version's own type: see [`padded`].
    Version(Relation, Arc<str>, Versions),
    /// The pattern occurs in it, if it is a text.
    Matches(Pattern),
    /// It is a list, of whose length this holds (or, if not wanted, already does not).
    Size(Box<Expr>),
    /// It is a list, of one of whose elements this holds (or, if not wanted, of all of whose elements
    /// this already does not).
    Any { body: Box<Expr>, nulls: bool },
    /// The subject is in this group, which only the caller knows the members of.
    RemoteGroup(Arc<str>),
}

/// What versions are written as. Of two, neither is read as the other's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    Texts,
    /// By their texts, as JavaScript writes numbers.
    Numbers,
}

/// The units by whose order versions are compared: without a leading `v` and without build
/// metadata, parts joined by `-`, digits padded to five places; a version of three parts comes after
/// its prereleases.
pub(crate) fn padded(version: &str) -> impl Iterator<Item = u16> + '_ {
    let version = if version.is_empty() { "0" } else { version };
    let version = version.strip_prefix('v').unwrap_or(version);
    let version = version.split('+').next().unwrap_or_default();
    let parts = || version.split(['-', '.']);
    let is_release = parts().count() == 3;
    let release = is_release.then_some("~");
    parts().chain(release).enumerate().flat_map(|(at, part)| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let missing = if is_number {
            5_usize.saturating_sub(part.len())
        } else {
            0
        };
        let separator = if at == 0 { "" } else { "-" };
        let pad = core::iter::repeat_n(u16::from(b' '), missing);
        separator
            .encode_utf16()
            .chain(pad)
            .chain(part.encode_utf16())
    })
}

impl Display for Match {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.wanted { "(" } else { "(not " })?;
        match &self.of {
            Some(path) if path.0.is_empty() => f.write_str("it")?,
            Some(path) => path.fmt(f)?,
            None => f.write_str("nothing")?,
        }
        match &self.test {
            Test::Equals(value) => write!(f, " = {value}")?,
            Test::In {
                values,
                ignore_case,
            } => {
                let how = if *ignore_case { ", in any case," } else { "" };
                write!(f, " is{how} one of {}", values.value)?;
            }
            Test::Exists => f.write_str(" exists")?,
            Test::Type(name) => write!(f, " is of type {name}")?,
            Test::Number(relation, number) => write!(f, " {} {number}", relation.sign())?,
            Test::Text(relation, text) => write!(f, " {} {text:?}", relation.sign())?,
            Test::Version(relation, version, _) => {
                write!(f, " as a version {} {version:?}", relation.sign())?;
            }
            Test::Matches(pattern) => write!(f, " matches {pattern:?}")?,
            Test::Size(body) => write!(f, " has a length of which {body}")?,
            Test::Any { body, .. } if self.wanted => write!(f, " has an element of which {body}")?,
            Test::Any { body, .. } => write!(f, " has an element but those of which {body}")?,
            Test::RemoteGroup(id) => write!(f, " is in the group {id:?}")?,
        }
        f.write_str(")")
    }
}

impl Serialize for Match {
    /// As text: it has no more structure than that shows.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::padded;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn versions_are_padded_as_growthbook_does() {
        for (version, expected) in [
            ("1.2.3", "    1-    2-    3-~"),
            ("v1.2.3-rc.1+build", "    1-    2-    3-rc-    1"),
            ("", "    0"),
            ("1..2", "    1--    2-~"),
            ("1234567", "1234567"),
        ] {
            let units: Vec<u16> = padded(version).collect();
            assert_eq!(String::from_utf16_lossy(&units), expected, "{version}");
        }
    }
}
