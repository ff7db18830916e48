//! `runbook`: rendered, and what is done with one that people have.

mod answers;
mod check;
mod pages;
mod render;
mod run;
mod shown;
mod sign;
mod source;
mod terminal;

use std::process::ExitCode;

use crate::args::{self, RunbookCommand};

/// `nonevent runbook`.
pub(crate) fn runbook(arguments: &args::Runbook) -> ExitCode {
    match &arguments.command {
        Some(RunbookCommand::Check(it)) => check::check(it),
        Some(RunbookCommand::Diff(it)) => pages::diff(it),
        Some(RunbookCommand::Update(it)) => pages::update(it),
        Some(RunbookCommand::Sign(it)) => sign::sign(it),
        Some(RunbookCommand::Verify(it)) => sign::verify(it),
        Some(RunbookCommand::Run(it)) => run::run(it),
        None => render::render(arguments),
    }
}
