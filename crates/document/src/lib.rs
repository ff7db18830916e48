#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod canonical;
mod decode;
mod digest;
mod document;
mod duration;
mod edit;
mod finding;
mod lines;
mod merge;
mod model;
mod number;
mod path;
mod percent;
mod read;
mod redact;
mod render;
mod rule;
mod rules;
mod sarif;
#[cfg(feature = "schema")]
mod schema;
mod secret;
mod text;
mod time;
mod tree;
mod yaml_write;

pub use canonical::{CanonicalError, CanonicalErrorKind, canonical_json, digest_of};
pub use decode::{decode_node, name_advice};
pub use digest::{Digest, DigestError};
pub use document::{Document, Limits};
pub use duration::{
    DurationError, DurationErrorKind, DurationMs, format_duration_ms, parse_duration_ms,
};
pub use edit::{Change, Edit, EditError, EditErrorKind, edited};
pub use finding::{Code, Finding, Findings, Position, Severity};
pub use number::Number;
pub use path::{item_path, member_path};
pub use percent::{Percent, PercentError};
pub use redact::Redactor;
pub use rule::Rule;
pub use rules::RULES;
pub use sarif::SarifRun;
pub use secret::Secret;
pub use time::{Timestamp, TimestampError};
pub use tree::{Member, Node, Span, Value};
pub use yaml_write::{WriteError, to_yaml};
