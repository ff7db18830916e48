//! Exit statuses, and errors on standard error.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use nonevent::driver::{DriverError, DriverErrorKind};

/// The answer is no.
pub(crate) const NO: u8 = 1;
/// The text or the usage is wrong.
pub(crate) const USAGE: u8 = 2;
/// Our own side could not be asked, or a proof is not decided.
pub(crate) const UNASKED: u8 = 3;
/// A person is needed.
pub(crate) const STUCK: u8 = 4;
/// Interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// Says what went wrong; a reader that has gone away is no reason to panic.
pub(crate) fn say(text: impl Display) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Prints to standard output.
pub(crate) fn print(text: impl Display) {
    drop(write!(std::io::stdout(), "{text}"));
}

/// Says `text` and ends with `code`.
pub(crate) fn fail(code: u8, text: impl Display) -> ExitCode {
    say(format_args!("error: {text}"));
    ExitCode::from(code)
}

/// The exit status that an error of the workflow stands for.
pub(crate) fn failed(error: &DriverError) -> ExitCode {
    let code = match error.kind() {
        DriverErrorKind::Input | DriverErrorKind::State => USAGE,
        DriverErrorKind::Findings
        | DriverErrorKind::Disproved
        | DriverErrorKind::Gate
        | DriverErrorKind::Misfit
        | DriverErrorKind::Aborted => NO,
        _ => UNASKED,
    };
    fail(code, error)
}
