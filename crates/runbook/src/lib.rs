#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod content;
mod markdown;
mod runbook;
mod template;
mod template_limits;
mod text;

pub use runbook::{
    Fact, Facts, Header, Item, Message, Moment, Overview, ProofSummary, Rollback, Runbook, SignOff,
    StepPage, Trigger, Triggers,
};
pub use template::{TemplateError, TemplateErrorKind, Templates};
pub use text::{Piece, Text};
