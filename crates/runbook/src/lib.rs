#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod align;
mod blank;
mod check;
mod commands;
mod compare;
mod content;
mod html;
mod lines;
mod markdown;
mod marks;
mod merge;
mod parse;
mod plain;
mod print;
mod review;
mod rules;
mod runbook;
mod scan;
mod sink;
mod splice;
mod statement;
mod template;
mod template_error;
mod template_limits;
mod text;
mod update;

pub use check::{Circumstances, check, roles};
pub use commands::{ByHand, Typed};
pub use compare::{Difference, DifferenceKind, compare};
pub use marks::{Record, RecordOutcome, TickError, TickErrorKind, page_digest, signed_text, tick};
pub use parse::{
    PAGE_BYTES_MAX, Reviewed, ReviewedEdit, ReviewedItem, ReviewedRecord, ReviewedSignOff, parse,
};
pub use plain::TEXT_WIDTH_MIN;
pub use review::{Change, Reviewer, Standing, Verified, review, sign, verify};
pub use rules::RULES;
pub use runbook::{
    Fact, Facts, Header, Item, Message, Moment, Overview, ProofSummary, Rollback, Runbook, SignOff,
    StepPage, Trigger, Triggers,
};
pub use statement::to_statement;
pub use template::Templates;
pub use template_error::{TemplateError, TemplateErrorKind};
pub use text::{Piece, Text};
pub use update::{Updated, update};
