//! The rendered page as evidence.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Predicate, RunbookRendered, Statement, Subject};

/// The statement that a page was rendered from a plan: its subjects are the plan and the page, by
/// digest. `name` is what people call the page, such as `docs/deployment-runbook.md`; `page` are
/// its bytes as they were written, in whatever format.
#[must_use]
pub fn to_statement(plan: Digest, name: &str, page: &[u8], at: Timestamp) -> Statement {
    let digest = Digest::of(page);
    Statement {
        subjects: Vec::from([
            Subject {
                name: String::from("plan"),
                digest: plan,
            },
            Subject {
                name: String::from(name),
                digest,
            },
        ]),
        predicate: Predicate::Runbook(RunbookRendered {
            plan,
            page: digest,
            at,
        }),
    }
}
