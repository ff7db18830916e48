//! A set of flags, ready to evaluate.

use crate::index::{KeyIndex, same};
use crate::ir::{About, Flag, Kind, Metadata, Segment, Variant};
use crate::load::{Dialect, NoDefault};
use crate::resolution::MetadataView;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use nonevent_document::{Findings, Position, Timestamp};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The flags of one file, compiled. Immutable; a reload makes a new one.
///
/// Shared between threads by reference or in an `Arc`; evaluation takes no lock.
#[derive(Debug, Clone)]
pub struct FlagSet {
    pub(crate) name: Arc<str>,
    pub(crate) dialect: Dialect,
    pub(crate) flags: Box<[Flag]>,
    pub(crate) index: KeyIndex,
    pub(crate) segments: Box<[Arc<Segment>]>,
    pub(crate) metadata: Metadata,
    pub(crate) no_default: NoDefault,
    pub(crate) steps_max: u32,
    pub(crate) findings: Findings,
}

impl<'s> IntoIterator for &'s FlagSet {
    type Item = &'s Flag;
    type IntoIter = core::slice::Iter<'s, Flag>;

    fn into_iter(self) -> Self::IntoIter {
        self.flags.iter()
    }
}

impl FlagSet {
    /// How the file's format was read.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The name it was loaded under, usually a file's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many flags there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.flags.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// All flags, in the order of the file.
    pub fn flags(&self) -> impl ExactSizeIterator<Item = &Flag> {
        self.flags.iter()
    }

    /// The flag of this key.
    #[must_use]
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Flag> {
        self.index.find(key, |place| {
            self.flags.get(place).filter(|flag| same(&flag.key, key))
        })
    }

    /// The metadata of the set itself.
    #[must_use]
    pub const fn metadata(&self) -> MetadataView<'_> {
        MetadataView::new(&[], &self.metadata)
    }

    /// This set with another one laid over it: where both have a flag, `over` wins.
    ///
    /// Names are the same if they differ only in case and in `-`, `_`, `.`, so
    /// `FEATURE_DARK_MODE=true` in the environment overrides `dark-mode` and `darkMode` alike. The
    /// flag keeps the key, owner and metadata it has here. Set metadata, rules for flags without a default variant and
    /// findings stay those of this set.
    #[must_use]
    pub fn overridden_by(mut self, over: FlagSet) -> FlagSet {
        let mut added = Vec::new();
        for flag in over.flags {
            let mut known = false;
            for own in &mut self.flags {
                if folded(&own.key).eq(folded(&flag.key)) {
                    let Flag {
                        state,
                        variants,
                        default,
                        rules,
                        quick,
                        ..
                    } = flag.clone();
                    *own = Flag {
                        state,
                        variants,
                        default,
                        rules,
                        quick,
                        ..own.clone()
                    };
                    known = true;
                }
            }
            if !known {
                added.push(flag);
            }
        }
        let mut flags = self.flags.into_vec();
        flags.append(&mut added);
        self.index = KeyIndex::new(&flags.iter().map(|flag| &*flag.key));
        self.flags = flags.into();
        self
    }
}

/// A key without case and separators.
fn folded(key: &str) -> impl Iterator<Item = char> + Clone {
    key.chars()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .flat_map(char::to_lowercase)
}

impl Flag {
    /// The flag's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its variants, in the order of the file.
    #[must_use]
    pub const fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// What it is for, if the file says so.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.about.kind
    }

    /// Who answers for it, if the file says so.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.about.owner.as_deref()
    }

    /// What it does, if the file says so.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.about.description.as_deref()
    }

    /// The date by which it is to be gone, if the file says so.
    #[must_use]
    pub const fn cleanup_by(&self) -> Option<Timestamp> {
        self.about.cleanup_by
    }

    /// Where it stands in its file.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        self.origin.at
    }

    pub(crate) const fn about(&self) -> &About {
        &self.about
    }
}

impl Variant {
    /// The variant's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    #[must_use]
    pub const fn value(&self) -> &serde_json::Value {
        &self.value
    }
}

impl fmt::Display for FlagSet {
    /// All flags as they were compiled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            writeln!(f, "segment ${}: {}", segment.name, segment.body)?;
        }
        self.flags.iter().try_for_each(|flag| flag.fmt(f))
    }
}

impl Serialize for FlagSet {
    /// The compiled form: dialect, metadata, segments and flags.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("dialect", self.dialect.as_str())?;
        map.serialize_entry("metadata", &self.metadata())?;
        map.serialize_entry("segments", &Segments(&self.segments))?;
        map.serialize_entry("flags", &Flags(&self.flags))?;
        map.end()
    }
}

struct Segments<'s>(&'s [Arc<Segment>]);

impl Serialize for Segments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|segment| (&*segment.name, &segment.body)))
    }
}

struct Flags<'s>(&'s [Flag]);

impl Serialize for Flags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|flag| (&*flag.key, flag)))
    }
}
