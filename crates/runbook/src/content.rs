//! What a runbook says: every sentence in it comes from here.

mod checklist;
mod contacts;
mod failing;
mod header;
mod messages;
mod migrations;
mod rollback;
mod steps;
mod tasks;
mod triggers;
mod verification;
mod words;

pub(crate) use checklist::checklist;
pub(crate) use contacts::contacts;
pub(crate) use header::{PLAN_ID, header, overview};
pub(crate) use messages::{messages, sign_offs};
pub(crate) use migrations::{flags, migrations};
pub(crate) use rollback::rollback;
pub(crate) use steps::steps;
pub(crate) use triggers::triggers;
pub(crate) use verification::verification;
pub(crate) use words::{share, within};
