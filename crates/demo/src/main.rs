//! The `nonevent` command.

mod args;
mod ask;
mod asking;
mod check;
mod code;
mod day_two;
mod demonstration;
mod deploy;
mod evidence;
mod explain;
mod flags;
mod gate;
mod origin;
mod people;
mod place;
mod planning;
mod recommend;
mod runbook;
mod show;
mod simulate;
mod smoke;
mod story;
mod wrap;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    // Programs that this one starts beside itself; they have no part in the command line.
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("__service") => return demonstration::service::main(words),
        Some("__load") => return demonstration::load::main(words),
        Some("__router") => return router(words.next_back()),
        _ => {}
    }
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Deploy(it) => deploy::deploy(&it),
        Command::Resume(it) => deploy::resume(&it, None),
        Command::Abort(it) => day_two::abort(&it),
        Command::Pause(it) => day_two::order(&it, nonevent::rollout::Command::Pause),
        Command::Unpause(it) => day_two::order(&it, nonevent::rollout::Command::Resume),
        Command::Promote(it) => day_two::order(&it, nonevent::rollout::Command::Promote),
        Command::Approve(it) => people::approve(&it),
        Command::Confirm(it) => people::confirm(&it),
        Command::Skip(it) => people::skip(&it),
        Command::Status(it) => day_two::status(&it),
        Command::Cleanup(it) => day_two::cleanup(&it),
        Command::Check(it) => check::check(&it),
        Command::Explain(it) => explain::explain(&it),
        Command::Plan(it) => planning::plan(&it),
        Command::Recommend(it) => recommend::advise(&it),
        Command::Prove(it) => planning::prove(&it),
        Command::Simulate(it) => simulate::simulate(&it),
        Command::Runbook(it) => runbook::runbook(&it),
        Command::Smoke(it) => smoke::smoke(&it),
        Command::Gate(it) => gate::gate(&it),
        Command::Flags(it) => flags::flags(&it.command),
        Command::Evidence(it) => evidence::evidence(&it.command),
    }
}

/// The embedded router, as a process of its own.
fn router(config: Option<String>) -> ExitCode {
    use std::io::Write as _;
    let fail = |text: String| {
        drop(writeln!(
            std::io::stderr(),
            "the router cannot be started: {text}"
        ));
        ExitCode::from(2)
    };
    let config = match serde_json::from_str(&config.unwrap_or_default()) {
        Ok(config) => config,
        Err(error) => return fail(error.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(error.to_string()),
    };
    match runtime.block_on(nonevent::driver::embedded::run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.to_string()),
    }
}
