//! The rendered page as evidence.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Predicate, RunbookRendered, Statement, Subject};

use crate::marks::page_digest;

/// The statement that a page was rendered from a plan: its subjects are the plan and the page's
/// bytes, by digest. `name` is what people call the page, such as `docs/deployment-runbook.md`; what
/// it says of the page is its [`page_digest`], as for those who sign it.
#[must_use]
pub fn to_statement(plan: Digest, name: &str, page: &str, at: Timestamp) -> Statement {
    Statement {
        subjects: Vec::from([
            Subject {
                name: String::from("plan"),
                digest: plan,
            },
            Subject {
                name: String::from(name),
                digest: Digest::of(page.as_bytes()),
            },
        ]),
        predicate: Predicate::Runbook(RunbookRendered {
            plan,
            page: page_digest(page),
            at,
        }),
    }
}
