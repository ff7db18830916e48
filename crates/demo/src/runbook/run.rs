//! `runbook run`: a runbook followed by hand.

use std::process::ExitCode;

use super::source::source;
use crate::args::Follow;
use crate::code::{UNASKED, fail};

/// `nonevent runbook run`.
pub(super) fn run(arguments: &Follow) -> ExitCode {
    match source(arguments) {
        Ok(source) => fail(
            UNASKED,
            format!(
                "{} is about plan {}, but following it is not built yet",
                source.page.display(),
                source.prepared.digest.short()
            ),
        ),
        Err(code) => code,
    }
}
