//! Typed leaf operators: one value of the context against constants.
//!
//! JsonLogic coerces as JavaScript does; the vendors whose constraints have a type (a number, a
//! version, a date) each read the value as that type, and a value that cannot be read so does not
//! hold. What is tested is data here; how is in `eval::condition`.

use crate::ir::{Digest, Expr, Keyless};
use crate::pattern::Pattern;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt::{self, Display, Formatter};
use ipnet::IpNet;
use nonevent_document::Timestamp;
use semver::Version;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) of: Expr,
    pub(crate) test: Test,
    /// What the test is to come out as. A value that the test cannot read never is as wanted.
    pub(crate) wanted: bool,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// There is none, or it is null.
    Missing,
    /// Its text is one of these, which are in order.
    OneOf(Box<[Arc<str>]>),
    /// Its text has one of these at a place.
    Has {
        place: At,
        texts: Box<[Arc<str>]>,
        ignore_case: bool,
    },
    /// Its text has the pattern in it.
    Matches(Pattern),
    /// As a number.
    Number(Relation, f64),
    /// As a version.
    Version(Relation, Version, Versions),
    /// As a time.
    Time(Relation, Timestamp),
    /// As an address in one of these networks.
    Network(Box<[IpNet]>),
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Start,
    End,
    Anywhere,
}

impl At {
    pub(crate) const fn verb(self) -> &'static str {
        match self {
            At::Start => "starts with",
            At::End => "ends with",
            At::Anywhere => "contains",
        }
    }
}

/// How versions are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    /// As Semantic Versioning 2.0.0 says.
    Strict,
    /// `1` and `1.2` are versions as well.
    Short,
}

/// How the value is to stand to the constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Relation {
    pub(crate) const fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Equal => order.is_eq(),
            Relation::NotEqual => order.is_ne(),
            Relation::Less => order.is_lt(),
            Relation::LessEqual => order.is_le(),
            Relation::Greater => order.is_gt(),
            Relation::GreaterEqual => order.is_ge(),
        }
    }

    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Relation::Equal => "=",
            Relation::NotEqual => "≠",
            Relation::Less => "<",
            Relation::LessEqual => "≤",
            Relation::Greater => ">",
            Relation::GreaterEqual => "≥",
        }
    }
}

impl Test {
    /// Membership in a list of texts.
    pub(crate) fn one_of(texts: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut texts: alloc::vec::Vec<_> = texts.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        Test::OneOf(texts.into())
    }
}

impl Condition {
    /// As an expression.
    pub(crate) fn into_expr(self) -> Expr {
        Expr::Condition(Box::new(self))
    }
}

/// Whether a subject's place, by hash, is in one of some ranges.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) digest: Digest,
    /// Comes before the key, the separator included.
    pub(crate) salt: Arc<str>,
    pub(crate) by: Expr,
    pub(crate) keyless: Keyless,
    /// How many places there are; at least 1.
    pub(crate) total: u32,
    /// From the first, up to but without the second; places count from 0.
    pub(crate) ranges: Box<[(u32, u32)]>,
}

impl Bucket {
    pub(crate) fn has(&self, place: u32) -> bool {
        self.ranges
            .iter()
            .any(|(start, end)| (*start..*end).contains(&place))
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Missing => f.write_str("is missing"),
            Test::OneOf(texts) => write!(f, "is one of {texts:?}"),
            Test::Has {
                place,
                texts,
                ignore_case,
            } => {
                f.write_str(place.verb())?;
                f.write_str(if *ignore_case { ", in any case, " } else { " " })?;
                write!(f, "one of {texts:?}")
            }
            Test::Matches(pattern) => write!(f, "matches {pattern:?}"),
            Test::Number(relation, number) => write!(f, "{} {number}", relation.sign()),
            Test::Version(relation, version, _) => {
                write!(f, "as a version {} {version}", relation.sign())
            }
            Test::Time(relation, time) => write!(f, "as a time {} {time}", relation.sign()),
            Test::Network(networks) => {
                f.write_str("is in")?;
                networks
                    .iter()
                    .try_for_each(|network| write!(f, " {network}"))
            }
        }
    }
}

impl Serialize for Test {
    /// One-entry maps by the operator: `{"one_of": […]}`, `{"number": ["<", 5]}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Test::Missing => map.serialize_entry("missing", &true)?,
            Test::OneOf(texts) => map.serialize_entry("one_of", &Texts(texts))?,
            Test::Has {
                place,
                texts,
                ignore_case,
            } => {
                let name = match place {
                    At::Start => "starts_with",
                    At::End => "ends_with",
                    At::Anywhere => "contains",
                };
                map.serialize_entry(name, &Texts(texts))?;
                map.serialize_entry("ignore_case", ignore_case)?;
            }
            Test::Matches(pattern) => {
                map.serialize_entry("matches", pattern.as_str())?;
                map.serialize_entry("ignore_case", &pattern.ignores_case())?;
            }
            Test::Number(relation, number) => {
                map.serialize_entry("number", &(relation.sign(), number))?;
            }
            Test::Version(relation, version, _) => {
                let version = alloc::string::ToString::to_string(version);
                map.serialize_entry("version", &(relation.sign(), version))?;
            }
            Test::Time(relation, time) => map.serialize_entry("time", &(relation.sign(), time))?,
            Test::Network(networks) => {
                let texts: alloc::vec::Vec<_> = networks
                    .iter()
                    .map(alloc::string::ToString::to_string)
                    .collect();
                map.serialize_entry("network", &texts)?;
            }
        }
        map.end()
    }
}

struct Texts<'t>(&'t [Arc<str>]);

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|text| &**text))
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("of", &self.of)?;
        map.serialize_entry("test", &self.test)?;
        map.serialize_entry("wanted", &self.wanted)?;
        map.end()
    }
}

impl Serialize for Bucket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("hash", self.digest.as_str())?;
        map.serialize_entry("salt", &*self.salt)?;
        map.serialize_entry("by", &self.by)?;
        map.serialize_entry("total", &self.total)?;
        map.serialize_entry("ranges", &*self.ranges)?;
        map.end()
    }
}
