//! `runbook`: rendered, and what is done with one that people have.

mod answers;
mod render;
mod run;
mod shown;
mod source;
mod terminal;

use std::process::ExitCode;

use crate::args::{self, RunbookCommand};

/// `nonevent runbook`.
pub(crate) fn runbook(arguments: &args::Runbook) -> ExitCode {
    match &arguments.command {
        Some(RunbookCommand::Run(it)) => run::run(it),
        None => render::render(arguments),
    }
}
