//! `runbook` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::StrategyName;

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RunbookFormat {
    Markdown,
    Html,
    Json,
}

#[derive(Subcommand)]
pub(crate) enum RunbookCommand {
    /// Follow a runbook step by step: what is done by hand is asked for, and kept as evidence
    Run(Follow),
}

/// Nothing on the page is taken for granted: each step is asked for, and what was seen is the answer.
#[derive(Args)]
pub(crate) struct Follow {
    /// The runbook, a Markdown page; what is done is ticked in it
    #[arg(value_name = "FILE")]
    pub(crate) page: PathBuf,
    /// The deployment document that it was rendered from
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Which of the document's environments, instead of the one it names
    #[arg(long, value_name = "ENV", requires = "file")]
    pub(crate) env: Option<String>,
    /// Who follows it
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: Option<String>,
    /// Where the service answers: its smoke suites are then run from here
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The state folder
    #[arg(long, value_name = "DIR", default_value = ".nonevent")]
    pub(crate) state: PathBuf,
    /// Do what can be done from here without asking first
    #[arg(long)]
    pub(crate) yes_to_automated: bool,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Runbook {
    #[command(subcommand)]
    pub(crate) command: Option<RunbookCommand>,
    /// The strategy, where there is no document
    #[arg(long, value_enum, required_unless_present = "file")]
    pub(crate) strategy: Option<StrategyName>,
    /// The deployment document
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The service's name
    #[arg(long, value_name = "NAME")]
    pub(crate) service_name: Option<String>,
    /// The environment's name
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    /// The version to be released
    #[arg(long, value_name = "VERSION")]
    pub(crate) release: Option<String>,
    /// The version that serves now
    #[arg(long, value_name = "VERSION")]
    pub(crate) previous: Option<String>,
    /// What to write
    #[arg(long, value_enum, default_value_t = RunbookFormat::Markdown)]
    pub(crate) format: RunbookFormat,
    /// Where to; standard output if not said
    #[arg(long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}
