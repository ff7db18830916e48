#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "collect"), no_std)]

extern crate alloc;

mod admission;
mod bundle;
mod changes;
mod checks;
#[cfg(all(feature = "collect", unix))]
mod collect;
mod evaluate;
mod git;
mod glob;
mod junit;
mod markdown;
mod notice;
mod outcome;
mod path;
mod policy;
mod predicate;
mod read;
mod sarif;
mod statement;
mod text;
mod tree;
mod trial;
mod verdict;
mod waiver;
mod wire;
mod witness;

pub use admission::{Admission, Admitted, NotAdmitted};
pub use bundle::{Bundle, Replayed};
pub use changes::Change;
#[cfg(all(feature = "git", unix))]
pub use collect::add_git;
#[cfg(all(feature = "collect", unix))]
pub use collect::{CollectError, CollectLimits, collect};
pub use evaluate::{Context, evaluate};
pub use git::{GitChanges, GitFacts, Person, Related};
pub use junit::junit;
pub use notice::Notice;
pub use outcome::{CheckResult, Input, Outcome};
pub use path::TreePath;
pub use policy::{Criterion, Gate, Keys, Phase, Policy, Side, Weight};
pub use sarif::sarif;
pub use tree::{Content, Entry, EntryKind, Gap, LEFT_OUT, Tree};
pub use trial::DECOY_NOTE_BYTES;
pub use verdict::{CriterionResult, GateResult, Verdict};
pub use witness::{DEMONSTRATION_LABEL, EvidenceRecord, EvidenceSet};
