//! Experiments as GrowthBook runs them.
//!
//! What an experiment is, is data here; how it runs is in `eval::experiment`.

use crate::ir::{Digest, Expr};
use crate::url::Targets;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt::{self, Display, Formatter};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Divides subjects into variations, those outside it left alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Experiment {
    pub(crate) key: Arc<str>,
    /// Whether it takes subjects in; forced ones get their variation even so.
    pub(crate) active: bool,
    pub(crate) subject: Subject,
    pub(crate) placing: Placing,
    /// Pages that it is run on; none for all.
    pub(crate) pages: Option<Targets>,
    /// For whom it is; none for all.
    pub(crate) targeting: Option<Expr>,
    pub(crate) arms: Box<[Arm]>,
    /// Everyone in the experiment gets this variation; one that does not exist puts them out of it.
    pub(crate) forced: Option<Option<usize>>,
    /// What assignments are remembered under, if they are.
    pub(crate) sticky: Option<Sticky>,
    pub(crate) bandit: Option<Bandit>,
}

/// The attribute whose value is placed, and the one used where it is missing and assignments are
/// remembered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    pub(crate) attribute: Arc<str>,
    pub(crate) fallback: Option<Arc<str>>,
}

/// How a subject becomes a place, and what places the variations have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placing {
    /// `None` for a version of the hash that is not known: nobody has a place.
    pub(crate) digest: Option<Digest>,
    /// How many places there are; at least 1.
    pub(crate) total: u32,
    pub(crate) seed: Arc<str>,
    /// One for each variation: from the first, up to but without the second.
    pub(crate) ranges: Box<[(u32, u32)]>,
}

/// One variation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arm {
    /// The flag's variant, by place and name.
    pub(crate) variant: usize,
    pub(crate) name: Arc<str>,
    /// What the variation is remembered and reported as.
    pub(crate) key: Arc<str>,
    /// Whether the rules go on with who is in it, as with those not held out by a holdout.
    pub(crate) passes: bool,
}

/// Under what an assignment is remembered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sticky {
    pub(crate) id: Arc<str>,
    /// Who has an assignment under one of these is out of the experiment.
    pub(crate) blocked: Box<[Arc<str>]>,
}

/// Weights by context, as a contextual bandit learned them. The first leaf that fits counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bandit {
    /// Which state of what was learned this is.
    pub(crate) version: Option<serde_json::Value>,
    pub(crate) leaves: Box<[Leaf]>,
    /// For whom none fits.
    pub(crate) weights: Box<[f64]>,
}

/// Where one set of weights applies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) id: i64,
    pub(crate) when: Option<Expr>,
    pub(crate) weights: Box<[f64]>,
    pub(crate) ranges: Box<[(u32, u32)]>,
}

impl Display for Experiment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "experiment {:?} by {}", self.key, self.subject.attribute)?;
        if !self.active {
            f.write_str(", not active")?;
        }
        if let Some(pages) = &self.pages {
            write!(f, ", on {pages}")?;
        }
        if let Some(targeting) = &self.targeting {
            write!(f, ", for {targeting}")?;
        }
        write!(f, ", in {}: [", self.placing.total)?;
        for (at, arm) in self.arms.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            write!(f, "{:?}", arm.name)?;
            if let Some((start, end)) = self.placing.ranges.get(at) {
                write!(f, " {start}..{end}")?;
            }
        }
        f.write_str("]")
    }
}

impl Serialize for Experiment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", &*self.key)?;
        map.serialize_entry("active", &self.active)?;
        map.serialize_entry("by", &*self.subject.attribute)?;
        map.serialize_entry("seed", &*self.placing.seed)?;
        map.serialize_entry("for", &self.targeting)?;
        map.serialize_entry("arms", &Names(&self.arms))?;
        map.serialize_entry("ranges", &*self.placing.ranges)?;
        map.end()
    }
}

struct Names<'a>(&'a [Arm]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|arm| &*arm.name))
    }
}
