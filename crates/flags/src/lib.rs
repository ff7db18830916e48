#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cbor;
mod check;
mod check_growth;
mod check_rules;
mod check_use;
mod codes;
mod condition;
mod context;
mod dialect;
mod diff;
mod encrypted;
mod eval;
mod evaluate;
mod experiment;
mod explain;
mod exposure;
mod fnv;
mod index;
mod intern;
mod ir;
mod kinds;
mod load;
mod matching;
mod md5;
mod murmur;
mod number;
mod pattern;
mod payload;
mod print;
mod quick;
mod record;
mod resolution;
mod rules;
mod set;
mod stages;
mod trace;
mod url;
mod usage;
mod value;
mod version;

pub use context::Context;
pub use diff::{FlagDiff, FlagsDiff, Outcome, Transition};
pub use encrypted::{DecryptionError, DecryptionKey};
pub use explain::Explanation;
pub use exposure::{BanditLeaf, Exposed, Exposure, StickyAssignment};
pub use ir::{Flag, Kind, Variant};
pub use load::{Dialect, Fractional, Limits, LoadOptions, Loaded, NoDefault, UnknownDialect};
pub use murmur::Murmur3;
pub use payload::{PayloadFilter, Pruned, Reduction, prune_condition, reduce_payload};
pub use record::{AsValue, Record, Sequence};
pub use resolution::{ErrorCode, MetadataView, Reason, Resolution};
pub use rules::RULES;
pub use set::FlagSet;
pub use stages::{Internal, NoStage, NotInternal, Stage, StagePlan, Staged, Stages, stage, stages};
pub use trace::{RuleTrace, Step};
pub use usage::{FlagUsage, Usage, UsageSnapshot};
pub use value::Value;
