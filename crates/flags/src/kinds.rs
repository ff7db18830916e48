//! Contexts of several kinds, and what is asked of them: attributes, clauses, shares.
//!
//! LaunchDarkly evaluates a flag for a user, an organisation and a device at once. Each is a
//! context with a key of its own; a clause says which it means. What is asked is data here; how is
//! in `eval::kinds`.

use crate::condition::{At, Relation};
use crate::ir::{Expr, Literal};
use crate::pattern::Pattern;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};
use nonevent_document::Timestamp;
use semver::Version;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// An attribute of the context of one kind: its name, and names to descend by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) kind: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) inner: Box<[Arc<str>]>,
}

/// A test of an attribute; of a list, of any of its elements.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    pub(crate) of: Of,
    pub(crate) test: Test,
    /// Whether it holds where the test does not. Without the attribute it never holds.
    pub(crate) negated: bool,
}

/// What a clause looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Of {
    Attribute(Attribute),
    /// The kinds of the contexts there are.
    Kinds,
}

/// What a value is held against. Of several constants, one suffices; a value of another type holds
/// against none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    In(Box<Literal>),
    Has(At, Box<[Arc<str>]>),
    Matches(Box<[Pattern]>),
    Number(Relation, Box<[f64]>),
    Time(Relation, Box<[Timestamp]>),
    Version(Relation, Box<[Version]>),
    /// An operator that is not known here, which holds for nothing.
    Unknown(Arc<str>),
}

/// A fraction from 0 to 1 that a subject always has: SHA-1 of salt and key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fraction {
    /// Comes before the key, the separator included.
    pub(crate) salt: Arc<str>,
    pub(crate) by: Attribute,
}

/// Whether a subject's fraction is under a share of [`SHARES`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Under {
    pub(crate) fraction: Fraction,
    pub(crate) share: u32,
}

/// Shares of [`SHARES`], one after another; what lies beyond their sum belongs to the last.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rollout {
    pub(crate) fraction: Fraction,
    pub(crate) arms: Box<[(u32, Expr)]>,
}

/// What shares are of.
pub(crate) const SHARES: u32 = 100_000;

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)?;
        self.inner.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

impl Display for Clause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negated { "(not " } else { "(" })?;
        match &self.of {
            Of::Attribute(attribute) => attribute.fmt(f)?,
            Of::Kinds => f.write_str("kind")?,
        }
        match &self.test {
            Test::In(values) => write!(f, " is one of {}", values.value)?,
            Test::Has(place, texts) => write!(f, " {} one of {texts:?}", place.verb())?,
            Test::Matches(patterns) => write!(f, " matches one of {patterns:?}")?,
            Test::Number(relation, numbers) => write!(f, " {} {numbers:?}", relation.sign())?,
            Test::Time(relation, times) => {
                let times: Vec<_> = times.iter().map(ToString::to_string).collect();
                write!(f, " as a time {} {times:?}", relation.sign())?;
            }
            Test::Version(relation, versions) => {
                let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
                write!(f, " as a version {} {versions:?}", relation.sign())?;
            }
            Test::Unknown(name) => write!(f, " {name}, which is not known")?,
        }
        f.write_str(")")
    }
}

impl Display for Fraction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "sha1 of {:?} and {}", self.salt, self.by)
    }
}

impl Serialize for Clause {
    /// As text: it has no more structure than that shows.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Under {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("of", &self.fraction.to_string())?;
        map.serialize_entry("under", &self.share)?;
        map.end()
    }
}

impl Serialize for Rollout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("of", &self.fraction.to_string())?;
        map.serialize_entry("arms", &*self.arms)?;
        map.end()
    }
}
